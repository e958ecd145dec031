"""The centre line and the width of a polygon that was drawn around something thin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.outlines import Points, polygon_area

BOUNDARY = 72
"""Points of the outline among which the two ends are sought."""

PAIRS = 14
"""Pairs of points across the shape by which two ends are judged."""

SIDE = 40
"""Points of either side that are matched with each other."""

NODES = 64
"""Points of the centre line."""


@dataclass(frozen=True, slots=True)
class Spine:
    """What `find_spine` found."""

    points: Points
    """Centre line at equal distances, `(NODES, 2)`, in the polygon's unit."""
    width: NDArray[np.float64]
    """Across it, `(NODES,)`."""
    length: float


def find_spine(polygon: Points) -> Spine:
    """The centre line of one simple polygon; `find_spines` says how."""
    return find_spines([polygon])[0]


def find_spines(polygons: Sequence[Points]) -> list[Spine]:
    """The centre lines of simple polygons `(n, 2)`, by pairing their two sides.

    The two ends are the pair of points of the outline that splits it into the two sides that lie closest together;
    the sides are then matched point by point with dynamic time warping (H. Sakoe and S. Chiba, IEEE Trans. ASSP 26,
    1978), and the centre line runs through the middles. All are matched at once: an array step costs the same for one
    shape and for a hundred.
    """
    if not polygons:
        return []
    both = [_sides(polygon) for polygon in polygons]
    left, right = (np.stack([sides[index] for sides in both]) for index in (0, 1))
    pairs = _match(left, right)
    return [_middle(*one) for one in zip(polygons, left, right, pairs, strict=True)]


def _sides(polygon: Points) -> tuple[Points, Points]:
    outline = resample(polygon, BOUNDARY, closed=True)
    start, end = _ends(outline)
    count = len(outline)
    left = outline[np.arange(start, start + (end - start) % count + 1) % count]
    right = outline[np.arange(start, start - (start - end) % count - 1, -1) % count]
    return resample(left, SIDE), resample(right, SIDE)


def _middle(polygon: Points, left: Points, right: Points, pairs: NDArray[np.int64]) -> Spine:
    on_left, on_right = left[pairs[:, 0]], right[pairs[:, 1]]
    middle = (on_left + on_right) / 2
    middle[1:-1] = (middle[:-2] + 2 * middle[1:-1] + middle[2:]) / 4
    width = np.linalg.norm(on_left - on_right, axis=1)
    along = _along(middle)
    at = np.linspace(0, along[-1], NODES)
    points = np.stack([np.interp(at, along, middle[:, 0]), np.interp(at, along, middle[:, 1])], axis=1)
    across = np.interp(at, along, width)
    # The pairs lean where a side bends, so they are longer than the fibre is wide: the area says how much.
    across *= polygon_area(polygon) / max(float(across.mean()) * float(along[-1]), 1e-9)
    return Spine(points, across, float(along[-1]))


def resample(points: Points, count: int, closed: bool = False) -> Points:
    """`count` points at equal distances along a line, or round a closed one (its end is not repeated)."""
    line = np.concatenate([points, points[:1]]) if closed else points
    along = _along(line)
    at = np.linspace(0, along[-1], count, endpoint=not closed)
    return np.stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])], axis=1)


def _along(line: Points) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def _ends(outline: Points) -> tuple[int, int]:
    count = len(outline)
    start = np.arange(count)[:, None, None]
    reach = np.arange(count // 6, count // 2 + 1)[None, :, None]
    share = np.linspace(0, 1, PAIRS)
    looped = (outline[:, 0] + 1j * outline[:, 1])[np.arange(3 * count) % count]

    def at(place: NDArray[np.float64]) -> NDArray[np.complex128]:
        whole = place.astype(np.int64)
        return looped[whole] + (place - whole) * (looped[whole + 1] - looped[whole])

    across = at(start + count + reach * share) - at(start + count - (count - reach) * share)
    cost = (across.real**2 + across.imag**2).mean(axis=-1)
    first, second = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return int(first), int((first + reach[0, second, 0]) % count)


def _match(left: Points, right: Points) -> list[NDArray[np.int64]]:
    """Which points of the left sides `(k, n, 2)` belong to which of the right ones: `(pairs, 2)` for each shape."""
    shapes, count = left.shape[:2]
    distance = ((left[:, :, None] - right[:, None]) ** 2).sum(axis=-1)
    cost = np.full((shapes, count + 1, count + 1), np.inf)
    cost[:, 0, 0] = 0
    for diagonal in range(2 * count - 1):
        i = np.arange(max(0, diagonal - count + 1), min(count - 1, diagonal) + 1)
        j = diagonal - i
        best = np.minimum(np.minimum(cost[:, i, j + 1], cost[:, i + 1, j]), cost[:, i, j])
        cost[:, i + 1, j + 1] = distance[:, i, j] + best
    return _way_back(cost)


def _way_back(cost: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    each = np.arange(len(cost))
    place = np.full((len(cost), 2), cost.shape[1] - 2)
    way = [place.copy()]
    steps = np.array([(1, 1), (1, 0), (0, 1)])
    while place.any():
        i, j = place.T
        came = np.stack([cost[each, i, j], cost[each, i, j + 1], cost[each, i + 1, j]])
        # At the first pair the way ends; stepping diagonally from a border is as dear as infinity.
        place = np.maximum(place - steps[np.argmin(came, axis=0)], 0)
        way.append(place.copy())
    path = np.stack(way, axis=1)[:, ::-1]
    return [one[np.flatnonzero(np.append(np.any(np.diff(one, axis=0) != 0, axis=1), True))] for one in path]
