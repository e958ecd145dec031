"""Pictures of any size through a network that wants multiples and bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.float32]
"""`(frames, h, w)`, 0..1."""

Map = NDArray[np.float32]
"""`(h, w)`."""


def padded(stack: Stack, multiple: int) -> Stack:
    """The stack, mirrored beyond its right and bottom edges to multiples (repeated where there is too little)."""
    height, width = stack.shape[1:]
    below, right = -height % multiple, -width % multiple
    if not (below or right):
        return stack
    mirror = below < height and right < width
    return np.pad(stack, ((0, 0), (0, below), (0, right)), mode="reflect" if mirror else "edge")


def run_tiled(run: Callable[[Stack], Map], stack: Stack, multiple: int, tile: int, margin: int) -> Map:
    """A network's map of a whole stack, `(h, w)`, from tiles of at most `tile` pixels a side.

    Tiles start at multiples and overlap by `margin` on every side, of which nothing is kept: what a network computes
    from beyond a tile's edge does not reach the kept part when `margin` is its reach. `tile` and `margin` are
    multiples, `tile` more than twice `margin`. Raises ValueError when they are not.
    """
    if tile % multiple or margin % multiple or tile <= 2 * margin:
        raise ValueError(f"tiles of {tile} with margins of {margin} do not fit multiples of {multiple}")
    height, width = stack.shape[1:]
    stack = padded(stack, multiple)
    rows, columns = stack.shape[1:]
    if rows <= tile and columns <= tile:
        return run(stack)[:height, :width]
    result = np.empty((rows, columns), np.float32)
    for top, bottom, low, high in _cuts(rows, tile, margin):
        for left, right, first, last in _cuts(columns, tile, margin):
            part = run(np.ascontiguousarray(stack[:, top:bottom, left:right]))
            result[low:high, first:last] = part[low - top : high - top, first - left : last - left]
    return result[:height, :width]


def _cuts(length: int, tile: int, margin: int) -> list[tuple[int, int, int, int]]:
    """Start and end of each tile, and start and end of what is kept of it."""
    if length <= tile:
        return [(0, length, 0, length)]
    cuts = []
    step = tile - 2 * margin
    kept = 0
    while kept < length:
        start = max(0, min(kept - margin, length - tile))
        end = start + tile
        until = length if end >= length else kept + step if kept else end - margin
        cuts.append((start, end, kept, until))
        kept = until
    return cuts
