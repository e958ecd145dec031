"""The edge of the gate: what lies along a frame's border moves with the weave and is no damage."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from reelmend.detect.labels import Labels

BORDER: Final = 0.012
"""Of the frame's width, at least 6 pixels: how far in the border reaches."""

LENGTH: Final = 0.06
"""Of the frame's shorter side: blobs shorter than this are judged like any other."""

SHARE: Final = 0.8
"""Of a blob's area that lies within the border."""


def hugs_border(
    where: NDArray[np.intp], blob: NDArray[np.int32], longest: NDArray[np.int32], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Which blobs are long and keep to the frame's border.

    `where`: flat indices of the blobs' pixels in a frame of `shape` (height, width); `blob`: the number, from 0, of the
    blob of each; `longest`: the longer side of each blob's bounding box, in pixels.
    """
    height, width = shape
    ys, xs = np.divmod(where, width)
    inward = np.minimum(np.minimum(xs, width - 1 - xs), np.minimum(ys, height - 1 - ys))
    area = np.bincount(blob, minlength=len(longest))
    outer = np.bincount(blob[inward < max(6, BORDER * width)], minlength=len(longest))
    return np.asarray((longest >= LENGTH * min(shape)) & (outer >= SHARE * area), np.bool_)


def clear_border(labels: Labels) -> None:
    """Takes blobs that are long and keep to the frame's border out of a mask."""
    height, width = labels.mask.shape
    longest = labels.boxes[:, 2:].max(axis=1)
    labels.clear(hugs_border(labels.where, labels.blob, longest, (height, width)))
