"""Layouts and noisy frames that tests of the simulator share."""

from __future__ import annotations

import numpy as np

from reelmend.film import Frame, Layout

LAYOUTS = {
    "gray": Layout("gray", 8),
    "yuv420p": Layout("yuv", 8, sub_x=1, sub_y=1),
    "yuv422p10": Layout("yuv", 10, sub_x=1),
    "yuv444p16": Layout("yuv", 16),
    "rgb12": Layout("rgb", 12),
    "rgba8": Layout("rgb", 8, alpha=True),
    "half": Layout("rgb", 16, is_float=True),
}


def frame_of(layout: Layout, height: int = 41, width: int = 61, seed: int = 0) -> Frame:
    """Noise well inside the range of codes."""
    rng = np.random.default_rng(seed)
    shapes = [layout.plane_shape(index, height, width) for index in range(len(layout.planes))]
    planes = tuple((rng.uniform(0.1, 0.9, shape) * layout.peak).astype(layout.dtype) for shape in shapes)
    return Frame(0, planes, layout)


def touched_samples(alpha: np.ndarray, layout: Layout, index: int) -> np.ndarray:
    """Samples of a plane whose footprint holds a pixel with alpha above 0."""
    height, width = alpha.shape
    sub_x, sub_y = layout.subsampling(index)
    rows, columns = layout.plane_shape(index, height, width)
    touched = np.zeros((rows << sub_y, columns << sub_x), bool)
    touched[:height, :width] = alpha > 0
    return touched.reshape(rows, 1 << sub_y, columns, 1 << sub_x).any(axis=(1, 3))
