"""Many thin lines at once: what scratches, cracks, filaments and hairs come down to.

Each line is a row of short straight pieces. Pieces are cut into points finer than a pixel, and each point lays its
own area on the four pixels around it, so that mass is kept however thin a line is, without a loop over the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reelmend.simulate.defect import Cover, Image, Pose
from reelmend.simulate.kinds.polygon import nothing, place
from reelmend.simulate.outlines import Points

FINENESS = 3
"""Points a pixel, along a line and across it."""

Pieces = NDArray[np.float64]
"""Straight pieces `(m, 8)`: x and y of both ends, width at both ends (micrometres), level at both ends (0..1)."""


def chain(points: Points, width: ArrayLike, level: ArrayLike = 1.0) -> Pieces:
    """The pieces of one line through `points` `(n, 2)` micrometres; `width` and `level` for all or for each point.

    Level is the share of light that the line's ink takes there.
    """
    count = len(points)
    wide, strong = (np.broadcast_to(np.asarray(value, dtype=np.float64), count) for value in (width, level))
    return np.column_stack([points[:-1], points[1:], wide[:-1], wide[1:], strong[:-1], strong[1:]])


@dataclass(frozen=True, slots=True)
class Band:
    """The lines of one bunch, sampled together: `(lines, points)` arrays."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    width: NDArray[np.float64]
    level: NDArray[np.float64]

    def pieces(self) -> Pieces:
        """All lines' pieces; those whose level is nothing at both ends left out."""
        columns = [
            part[:, cut].ravel()
            for part, cut in (
                (self.x, slice(None, -1)),
                (self.y, slice(None, -1)),
                (self.x, slice(1, None)),
                (self.y, slice(1, None)),
                (self.width, slice(None, -1)),
                (self.width, slice(1, None)),
                (self.level, slice(None, -1)),
                (self.level, slice(1, None)),
            )
        ]
        pieces = np.column_stack(columns)
        return np.asarray(pieces[(pieces[:, 6] > 0) | (pieces[:, 7] > 0)])


def draw_strokes(pieces: Pieces | Sequence[Pieces], pose: Pose, canvas: tuple[int, int]) -> Cover:
    """Coverage of all pieces together, 1 at most where they cross. Empty where they lie outside the frame."""
    whole = pieces if isinstance(pieces, np.ndarray) else np.concatenate(list(pieces))
    if len(whole) == 0:
        return nothing()
    start, end = place(whole[:, 0:2], pose), place(whole[:, 2:4], pose)
    width, level = whole[:, 4:6] * pose.scale, whole[:, 6:8]
    margin = width.max() / 2 + 2
    low = np.minimum(start.min(axis=0), end.min(axis=0)) - margin
    high = np.maximum(start.max(axis=0), end.max(axis=0)) + margin
    if high[0] <= 0 or high[1] <= 0 or low[0] >= canvas[1] or low[1] >= canvas[0]:
        return nothing()
    left, top = np.floor(low).astype(int).tolist()
    columns, rows = (np.ceil(high).astype(int) - (left, top) + 1).tolist()
    points, mass = _points(start - (left, top), end - (left, top), width, level)
    return Cover(np.minimum(splat(points, mass, rows, columns), 1), top, left)


def _points(start: Points, end: Points, width: Points, level: Points) -> tuple[Points, NDArray[np.float64]]:
    """Points `(n, 2)` pixels spread evenly over the pieces, and the area that each stands for, square pixels."""
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    counts = np.maximum(1, np.ceil(length * FINENESS)).astype(np.int64)
    piece = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (nth + 0.5) / counts[piece]
    spine = start[piece] + along[piece] * share[:, None]
    wide = width[piece, 0] * (1 - share) + width[piece, 1] * share
    strong = level[piece, 0] * (1 - share) + level[piece, 1] * share
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(length, 1e-12)[:, None]
    lanes = max(1, int(np.ceil(width.max() * FINENESS)))
    offset = ((np.arange(lanes) + 0.5) / lanes - 0.5)[:, None] * wide
    points = spine[None] + offset[:, :, None] * normal[piece][None]
    mass = strong * wide * (length / counts)[piece] / lanes
    return points.reshape(-1, 2), np.tile(mass, lanes)


def splat(points: Points, mass: NDArray[np.float64], rows: int, columns: int) -> Image:
    """Mass of `points` (pixels, 0.5 = the middle of the first) shared out among the four pixel centres around each.

    All points must lie a pixel inside the picture.
    """
    shifted = points - 0.5
    corner = np.floor(shifted).astype(np.int64)
    fx, fy = (shifted - corner).T
    index = corner[:, 1] * columns + corner[:, 0]
    total = np.zeros(rows * columns)
    for step, weight in (
        (0, (1 - fx) * (1 - fy)),
        (1, fx * (1 - fy)),
        (columns, (1 - fx) * fy),
        (columns + 1, fx * fy),
    ):
        total += np.bincount(index + step, mass * weight, rows * columns)
    return total.reshape(rows, columns).astype(np.float32)
