"""Pictures of any size through a network that wants multiples and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.float32]
"""`(frames, h, w)`, 0..1."""

Map = NDArray[np.float32]
"""`(h, w)`."""

_Cut = tuple[int, int, int, int]
"""Start and end of a tile, and start and end of what is kept of it, pixels."""


def padded(stack: Stack, multiple: int) -> Stack:
    """The stack, mirrored beyond its right and bottom edges to multiples (repeated where there is too little)."""
    height, width = stack.shape[1:]
    below, right = -height % multiple, -width % multiple
    if not (below or right):
        return stack
    mirror = below < height and right < width
    return np.pad(stack, ((0, 0), (0, below), (0, right)), mode="reflect" if mirror else "edge")


def run_tiled(run: Callable[[Stack], Map], stack: Stack, multiple: int, tile: int, margin: int) -> Map:
    """A network's map of a whole stack, `(h, w)`, from tiles of at most `tile` x `tile` pixels, whatever their shape.

    Tiles start at multiples and overlap by `margin` on every side, of which nothing is kept: what a network computes
    from beyond a tile's edge does not reach the kept part when `margin` is its reach, so that tiles leave no seams.
    `margin` is a multiple, `tile` at least twice `margin` and two multiples. Raises ValueError when they are not.
    """
    if margin % multiple or margin < 0 or tile < 2 * (margin + multiple):
        raise ValueError(f"tiles of {tile} with margins of {margin} do not fit multiples of {multiple}")
    height, width = stack.shape[1:]
    stack = padded(stack, multiple)
    rows, columns = stack.shape[1:]
    if rows * columns <= tile * tile:
        return run(stack)[:height, :width]
    result = np.empty((rows, columns), np.float32)
    down, across = _grid(rows, columns, multiple, tile, margin)
    for top, bottom, low, high in down:
        for left, right, first, last in across:
            part = run(np.ascontiguousarray(stack[:, top:bottom, left:right]))
            result[low:high, first:last] = part[low - top : high - top, first - left : last - left]
    return result[:height, :width]


def _grid(rows: int, columns: int, multiple: int, tile: int, margin: int) -> tuple[list[_Cut], list[_Cut]]:
    """The cuts down and across that compute the fewest pixels, none of whose tiles is larger than allowed."""
    best: tuple[int, int, int] | None = None
    most = math.ceil(max(rows, columns) / multiple)
    for down in range(1, most + 1):
        height = _length(rows, down, multiple, margin)
        for across in range(1, most + 1):
            width = _length(columns, across, multiple, margin)
            if height * width <= tile * tile:
                cost = down * across * height * width
                if best is None or cost < best[0]:
                    best = cost, height, width
                # More cuts across only overlap more.
                break
    assert best is not None, "a tile of two margins and two multiples always fits"
    return _cuts(rows, best[1], margin), _cuts(columns, best[2], margin)


def _length(whole: int, count: int, multiple: int, margin: int) -> int:
    """Of `count` equal tiles over `whole`, rounded up to the multiple."""
    if count == 1:
        return whole
    kept = math.ceil((whole - 2 * margin) / count / multiple) * multiple
    return min(whole, max(multiple, kept) + 2 * margin)


def _cuts(length: int, tile: int, margin: int) -> list[_Cut]:
    if length <= tile:
        return [(0, length, 0, length)]
    cuts = []
    kept = 0
    while kept < length:
        start = max(0, min(kept - margin, length - tile))
        end = start + tile
        until = length if end == length else end - margin
        cuts.append((start, end, kept, until))
        kept = until
    return cuts
