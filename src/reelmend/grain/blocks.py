"""Choosing the flat blocks of a frame: where what varies is grain and not picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.grain.cells import CELL

Floats = NDArray[np.float32]

SIZES = (32, 16, 8)
"""Block sides that are tried, luma samples, largest first: a large block sees coarse grain, a small one fits between
the damage of a small frame."""

ENOUGH = 24
"""Free blocks that make a size acceptable; below, a smaller size is tried."""

MOST = 64
"""Blocks that are measured at most: variance is then known to about 3 %, and more only costs time."""

GROUPS = 8
"""Groups of brightness that each contribute their flattest blocks."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Chosen blocks."""

    size: int
    """Side, luma samples."""
    rows: NDArray[np.intp]
    """Top of each block, luma samples, a multiple of 4."""
    columns: NDArray[np.intp]


def cut(plane: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp], size: int, step: int = 1) -> Floats:
    """Square blocks of a plane, `(n, size // step, size // step)` float32; every `step`-th sample."""
    steps = np.arange(step // 2, size, step)
    across = columns[:, None, None] + steps
    flat = (rows[:, None, None] + steps[:, None]) * plane.shape[1] + across
    return plane.reshape(-1).take(flat).astype(np.float32)


def _origins(height: int, width: int, size: int, coarse: NDArray[np.uint8]) -> tuple[NDArray[np.intp], ...]:
    # Small frames overlap their blocks: there is too little of them to be choosy.
    stride = size if (height // size) * (width // size) >= 4 * ENOUGH else size // 2
    rows = np.arange(0, height - size + 1, stride)
    columns = np.arange(0, width - size + 1, stride)
    span = size // CELL
    hit = cv2.integral(coarse)
    top, left = rows // CELL, columns // CELL
    free = (
        hit[np.ix_(top + span, left + span)]
        - hit[np.ix_(top, left + span)]
        - hit[np.ix_(top + span, left)]
        + hit[np.ix_(top, left)]
    ) == 0
    picked_rows, picked_columns = np.nonzero(free)
    return rows[picked_rows], columns[picked_columns]


def _unevenness(cells: NDArray[Any]) -> Floats:
    """Picture structure in blocks of 4 x 4 cell means `(n, 4, 4)`: what a plane leaves, and a little of the slope."""
    axis = np.array([-1.5, -0.5, 0.5, 1.5], np.float32)
    vertical = np.repeat(axis, 4) / np.sqrt(20)
    horizontal = np.tile(axis, 4) / np.sqrt(20)
    flat = cells.reshape(-1, 16)
    flat = flat - flat.mean(axis=1, keepdims=True)
    down, across = flat @ vertical, flat @ horizontal
    left = np.maximum((flat**2).sum(axis=1) - down**2 - across**2, 0)
    score: Floats = left + 0.02 * (down**2 + across**2)
    return score


def choose_blocks(guide: NDArray[Any], coarse: NDArray[np.uint8]) -> Blocks | None:
    """The flattest undamaged blocks of `guide` at every brightness; None where the frame has no room for one.

    `guide` is a full-size plane `(h, w)`; `coarse` says which 4 x 4 cells are damaged. Flatness is judged on means of
    a few samples, which hardly know how strong the grain of a block is, so that the choice does not favour blocks
    whose grain happens to be weak.
    """
    height, width = guide.shape
    best: tuple[int, NDArray[np.intp], NDArray[np.intp]] | None = None
    for size in SIZES:
        if min(height, width) < size:
            continue
        rows, columns = _origins(height, width, size, coarse)
        if best is None or len(rows) > len(best[1]):
            best = (size, rows, columns)
        if len(rows) >= ENOUGH:
            break
    if best is None or not len(best[1]):
        return None
    size, rows, columns = best
    sampled = cut(guide, rows, columns, size, size // 8)
    pairs = sampled[:, 0::2] + sampled[:, 1::2]
    cells = (pairs[:, :, 0::2] + pairs[:, :, 1::2]) / 4
    level = cells.reshape(-1, 16).mean(axis=1)
    usable = np.isfinite(level)
    score = np.where(usable, _unevenness(cells), np.inf)
    # Half-way between equal counts and equal widths: rare brightness is represented, common brightness is well known.
    order = np.argsort(level, kind="stable")
    position = np.empty(len(level))
    position[order] = np.linspace(0, 1, len(level), endpoint=False)
    low, high = level[usable].min(initial=0), level[usable].max(initial=0)
    spread = (level - low) / max(float(high - low), 1e-12)
    group = np.clip((0.5 * position + 0.5 * np.where(usable, spread, 0)) * GROUPS, 0, GROUPS - 1).astype(np.intp)
    ranked = np.lexsort((score, group))
    counts = np.bincount(group, minlength=GROUPS)
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(ranked)) - starts[group[ranked]]
    # Half of a group at least, were all of it flat, or the choice itself would begin to select for weak grain.
    quota = np.minimum(np.maximum(counts // 2, 8), MOST // GROUPS)
    # The flattest fifth of a group sets the measure: grain alone is rarely three times as uneven.
    fifth = score[ranked[np.minimum(starts + counts // 5, len(ranked) - 1)]]
    rounding = 0.0 if guide.dtype.kind == "f" else 1.0
    even = score[ranked] <= 3 * np.maximum(fifth, rounding)[group[ranked]]
    chosen = ranked[(rank < quota[group[ranked]]) & even & usable[ranked]]
    if not len(chosen):
        return None
    return Blocks(size, rows[chosen], columns[chosen])
