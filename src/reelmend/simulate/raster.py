"""Polygons to pixels, by the share of each pixel that they cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

SUBROWS = 8
"""Lines a pixel on which a polygon is cut."""


def rasterise(polygon: NDArray[np.float64], rows: int, columns: int) -> Image:
    """Share of each pixel that a polygon `(n, 2)` covers, `(rows, columns)`, 0..1; pixel (0, 0) spans 0 to 1.

    Exact along x, sampled on `SUBROWS` lines along y. (OpenCV's `fillPoly` paints every pixel its edge touches,
    which fattens a speck of three pixels by a tenth.) The polygon must lie inside the picture.
    """
    lines = (np.arange(rows * SUBROWS) + 0.5) / SUBROWS
    start, end = polygon, np.concatenate((polygon[1:], polygon[:1]))
    below_start, below_end = (corner[:, 1] <= lines[:, None] for corner in (start, end))
    line, edge = np.nonzero(below_start != below_end)
    share = (lines[line] - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    x = start[edge, 0] + share * (end[edge, 0] - start[edge, 0])
    sign = np.where(below_start[line, edge], 1.0, -1.0)
    # Right of a crossing the winding number changes by `sign`: add its part of the pixel it falls in, and the rest
    # to the next, then sum up along the line.
    column = np.floor(x).astype(np.int64)
    stride = columns + 2
    step = np.bincount(line * stride + column, sign * (column + 1 - x), rows * SUBROWS * stride)
    step += np.bincount(line * stride + column + 1, sign * (x - column), rows * SUBROWS * stride)
    winding = np.cumsum(step.reshape(rows, SUBROWS, stride), axis=2)[:, :, :columns]
    return np.asarray(np.clip(np.abs(winding), 0, 1).mean(axis=1), dtype=np.float32)
