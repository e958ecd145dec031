"""Shared drawing: soft discs, tapered strokes and motion blur, with sub-pixel places."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.lookalikes.promise import Image, Thing

Points = NDArray[np.float64]

SHUTTER = 0.5
"""Share of a frame's time for which the shutter is open: the usual 180 degrees."""


def motion_kernel(way: tuple[float, float]) -> Image:
    """Kernel of a straight motion blur over `way` pixels (right, down): odd-sized, sums to 1, at least one pixel."""
    length = float(np.hypot(*way))
    if length < 0.5:
        return np.ones((1, 1), dtype=np.float32)
    half = int(np.ceil(length / 2)) + 1
    kernel, _, _ = stroke(np.array([(-way[0] / 2, -way[1] / 2), (way[0] / 2, way[1] / 2)]) + 0.5, 1.0, 0.0, half)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def disc(radius: float, softness: float, shift: tuple[float, float] = (0.5, 0.5)) -> tuple[Image, int, int]:
    """A disc of `radius` pixels around `shift` in pixel (0, 0), with edges of a Gaussian of `softness` pixels.

    Returns alpha 0..1 and the top and left of the patch. A disc smaller than a pixel keeps its mass: it gets faint.
    """
    reach = int(np.ceil(radius + 3.5 * softness)) + 1
    grid = np.arange(-reach, reach + 1) + 0.5
    if radius < 1.5 * softness:
        # The blur of so small a disc is a Gaussian of the same mass and second moment.
        variance = softness**2 + radius**2 / 4
        peak = radius**2 / (2 * variance)
        x = np.exp(-((grid - shift[0]) ** 2) / (2 * variance))
        y = np.exp(-((grid - shift[1]) ** 2) / (2 * variance))
        return np.asarray(min(peak, 1.0) * np.outer(y, x), dtype=np.float32), -reach, -reach
    distance = np.hypot(grid[:, None] - shift[1], grid[None, :] - shift[0])
    # A straight edge bent round would add pi s^2 of area.
    return edge((np.sqrt(radius**2 - softness**2) - distance) / softness), -reach, -reach


def stroke(
    line: Points, width: float | Sequence[float] | NDArray[np.float64], softness: float, reach: int | None = None
) -> tuple[Image, int, int]:
    """A polyline `(n, 2)` in pixels, `width` pixels wide (one value, or one a corner), blurred by `softness` pixels.

    Returns alpha 0..1 and the top and left of the patch; with `reach` the patch spans -reach..reach around pixel 0.
    Strokes thinner than a pixel keep their mass: they get faint.
    """
    widths = np.broadcast_to(np.asarray(width, dtype=np.float64), len(line))
    margin = int(np.ceil(float(widths.max()) / 2 + 3.5 * softness)) + 2
    if reach is None:
        low = np.floor(line.min(axis=0)).astype(int) - margin
        high = np.ceil(line.max(axis=0)).astype(int) + margin
    else:
        low, high = np.array([-reach, -reach]), np.array([reach + 1, reach + 1])
    columns, rows = (high - low).tolist()
    cover = np.zeros((rows, columns), dtype=np.float32)
    for (ax, ay), (bx, by), wide_a, wide_b in zip(line[:-1], line[1:], widths[:-1], widths[1:], strict=True):
        # Only the window that the segment can reach.
        reached = max(wide_a, wide_b) / 2 + 1
        first_row, last_row = (
            int(v - low[1]) for v in (np.floor(min(ay, by) - reached), np.ceil(max(ay, by) + reached))
        )
        first_column, last_column = (
            int(v - low[0]) for v in (np.floor(min(ax, bx) - reached), np.ceil(max(ax, bx) + reached))
        )
        window = np.s_[max(first_row, 0) : max(last_row + 1, 0), max(first_column, 0) : max(last_column + 1, 0)]
        part = cover[window]
        x = np.arange(part.shape[1])[None, :] + window[1].start + low[0] + 0.5
        y = np.arange(part.shape[0])[:, None] + window[0].start + low[1] + 0.5
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max((bx - ax) ** 2 + (by - ay) ** 2, 1e-9)
        share = np.clip(along, 0, 1)
        distance = np.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
        wide = wide_a + share * (wide_b - wide_a)
        # Across a line of width w coverage is a ramp one pixel wide at each edge, at most w high.
        np.maximum(part, np.clip(wide / 2 + 0.5 - distance, 0, np.minimum(1, wide)), out=part, casting="same_kind")
    if softness > 0:
        cover = cv2.GaussianBlur(cover, (0, 0), softness, borderType=cv2.BORDER_CONSTANT)
    return cover, int(low[1]), int(low[0])


def exposed_path(thing: Thing, scale: float, age: int, shift: tuple[float, float], points: int = 5) -> Points:
    """The way a thing goes while the shutter is open, `(points, 2)` in pixels from the pixel of its place."""
    here = thing.place(thing.first + age)
    times = thing.first + age + np.linspace(-SHUTTER / 2, SHUTTER / 2, points)
    way = np.array([thing.place(time) for time in times]) - here
    return np.asarray(way * scale + shift)


def path_length(line: Points) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def edge(depth: NDArray[np.float64]) -> Image:
    """A straight edge blurred by a unit Gaussian, by the depth inside it: a close logistic fit of the normal CDF."""
    return np.asarray(1 / (1 + np.exp(-1.702 * np.clip(depth, -12, 12))), dtype=np.float32)
