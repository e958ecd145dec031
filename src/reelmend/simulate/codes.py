"""Code values and chroma footprints of the planes that damage and grain are written into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Layout

Image = NDArray[np.float32]


def luma_codes(layout: Layout, full_range: bool) -> tuple[float, float]:
    """Code values of black and white in the first plane.

    `full_range` says whether integer Y'CbCr or gray uses all code values; RGB and floating point always do.
    """
    if layout.family == "rgb" or layout.is_float or full_range:
        return 0.0, layout.peak
    # ITU-R BT.709: black at 16 and white at 235 of 255, shifted up for higher depths.
    return float(16 << (layout.bits - 8)), float(235 << (layout.bits - 8))


def footprint(image: Image, layout: Layout, index: int) -> Image:
    """The mean of a full-size image `(h, w)` over each sample of plane `index`; edges repeat on odd sizes."""
    sub_x, sub_y = layout.subsampling(index)
    if not (sub_x or sub_y):
        return image
    height, width = image.shape
    rows, columns = layout.plane_shape(index, height, width)
    padded = np.pad(image, ((0, (rows << sub_y) - height), (0, (columns << sub_x) - width)), mode="edge")
    blocks = padded.reshape(rows, 1 << sub_y, columns, 1 << sub_x)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)
