"""Drawing a set of polygons: what most kinds of damage come down to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reelmend.simulate.defect import Cover, Image, Pose
from reelmend.simulate.outlines import Points
from reelmend.simulate.raster import rasterise

MARGIN = 1
"""Empty pixels kept around a shape."""

TALL = 4.0
"""Pixels of height from which eight lines a pixel keep a shape's area to two percent."""

LARGE = 40.0
"""Pixels of extent from which several parts are drawn as they are."""

FINEST = 16
"""Most times that a shape is stretched."""


def place(part: Points, pose: Pose) -> Points:
    """Corners `(n, 2)` in micrometres about the shape's origin as pixels of the frame: mirrored along x, then turned,
    scaled and moved."""
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    flip = -1.0 if pose.mirrored else 1.0
    turn = np.array([[flip * cos, flip * sin], [-sin, cos]])
    return np.asarray(part @ turn * pose.scale + (pose.x, pose.y))


def draw_polygons(parts: Sequence[Points], pose: Pose, canvas: tuple[int, int]) -> Cover:
    """Coverage of the union of `parts` (closed polygons `(n, 2)`, micrometres), `canvas` the frame's `(height, width)`.

    Parts that share edges add up where they meet in a pixel; where they overlap coverage stays 1. The patch is empty
    when the shape lies outside the frame, and no larger than the shape and a margin of one pixel.
    """
    return draw_placed([place(part, pose) for part in parts], canvas)


def draw_placed(parts: Sequence[Points], canvas: tuple[int, int]) -> Cover:
    """As `draw_polygons`, for corners in pixels of the frame."""
    corners = np.concatenate(parts)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if high[0] <= 0 or high[1] <= 0 or low[0] >= canvas[1] or low[1] >= canvas[0]:
        return nothing()
    # Parts that lie on each other within one pixel would count twice: what is small is drawn larger and averaged.
    finer = 1 if len(parts) == 1 else int(np.clip(np.ceil(LARGE / max(float((high - low).max()), 1e-6)), 1, FINEST))
    low = np.floor(low).astype(int) - MARGIN
    columns, rows = (np.ceil(high).astype(int) + MARGIN - low).tolist()
    coverage: Image = np.zeros((rows * finer, columns * finer), dtype=np.float32)
    for part in parts:
        _add(coverage, (part - low) * finer)
    np.minimum(coverage, 1, out=coverage)
    if finer > 1:
        coverage = coverage.reshape(rows, finer, columns, finer).mean(axis=(1, 3))
    return Cover(coverage, int(low[1]), int(low[0]))


def nothing() -> Cover:
    """The cover of a defect outside the frame."""
    return Cover(np.zeros((0, 0), dtype=np.float32), 0, 0)


def _add(coverage: Image, part: Points) -> None:
    """Only the box of the part is rasterised: a chain of a hundred links would cost a hundred pictures else."""
    low, high = part.min(axis=0), part.max(axis=0)
    # Polygons are cut on eight lines a pixel: what is lower than a few pixels is stretched first, or a speck's mass
    # would depend on how many of the lines it happens to meet.
    finer = int(np.clip(np.ceil(TALL / max(float(high[1] - low[1]), 1e-6)), 1, FINEST))
    low = np.floor(low).astype(int)
    columns, rows = (np.ceil(high).astype(int) + 1 - low).tolist()
    patch = rasterise((part - low) * (1, finer), rows * finer, columns)
    patch = patch.reshape(rows, finer, columns).mean(axis=1)
    target = coverage[low[1] : low[1] + rows, low[0] : low[0] + columns]
    target += patch[: target.shape[0], : target.shape[1]]
