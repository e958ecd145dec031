"""Reading planes at points between samples, and fields on cells at the samples of blocks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.repair.blocks import CORE, HALO, Blocks
from reelmend.repair.spread import spread

Floats = NDArray[np.float32]

CELL = 4
"""Side in samples of the cells on which light and evidence are gathered."""


def sample_at(plane: NDArray[Any], xs: Floats, ys: Floats, interpolation: int = cv2.INTER_LINEAR) -> Floats:
    """A plane or field `(h, w)` or `(h, w, c)` at points `(n, rows, columns)`, float32 of the points' shape (and c).

    Half floats are widened for OpenCV, which cannot read them.
    """
    if plane.dtype == np.float16:
        plane = plane.astype(np.float32)
    count = xs.shape[0]
    out = cv2.remap(plane, xs.reshape(count, -1), ys.reshape(count, -1), interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32).reshape(xs.shape + out.shape[2:])


def cell_sums(stack: Floats, sub_x: int = 0, sub_y: int = 0) -> Floats:
    """Sums over cells of the blocks' cores, `(n, rows / CELL, columns / CELL)`."""
    core_y, core_x, halo_y, halo_x = CORE >> sub_y, CORE >> sub_x, HALO >> sub_y, HALO >> sub_x
    core = stack[:, halo_y : halo_y + core_y, halo_x : halo_x + core_x]
    return np.asarray(
        core.reshape(len(core), core_y // CELL, CELL, core_x // CELL, CELL).sum(axis=(2, 4), dtype=np.float32)
    )


def surroundings(
    blocks: Blocks,
    stacks: Floats,
    weights: Floats,
    shape: tuple[int, int],
    sub_x: int = 0,
    sub_y: int = 0,
    *,
    prior: float,
    sigma: float,
) -> Floats:
    """What `stacks` `(k, n, rows, columns)` are around each sample, weighted by `weights` of the same or one less
    dimension: a smooth field of the same shape, carried into where the weight is 0.

    `shape` is the plane's; `prior` and `sigma` as in `spread`, on cells of `CELL` samples.
    """
    if weights.ndim == stacks.ndim - 1:
        weights = np.broadcast_to(weights, stacks.shape)
    fields = [
        _grid(blocks, np.stack([cell_sums(one, sub_x, sub_y) for one in part], -1), shape, sub_x, sub_y)
        for part in (stacks * weights, weights)
    ]
    field = spread(fields[0], fields[1], prior, sigma)
    xs, ys = blocks.coordinates(sub_x, sub_y)
    size = stacks.shape[1:]
    gx = np.ascontiguousarray(np.broadcast_to((xs + 0.5) / CELL - 0.5, size))
    gy = np.ascontiguousarray(np.broadcast_to((ys + 0.5) / CELL - 0.5, size))
    return np.stack([sample_at(np.ascontiguousarray(field[..., k]), gx, gy) for k in range(len(stacks))])


def _grid(blocks: Blocks, sums: Floats, shape: tuple[int, int], sub_x: int, sub_y: int) -> Floats:
    """Cells of all blocks in their places on the plane's grid of cells, 0 where there is no block."""
    _, rows, columns, channels = sums.shape
    down, across = -(-shape[0] // (CORE >> sub_y)), -(-shape[1] // (CORE >> sub_x))
    grid = np.zeros((down, rows, across, columns, channels), np.float32)
    grid[blocks.rows, :, blocks.columns] = sums
    return grid.reshape(down * rows, across * columns, channels)


def inside_frame(xs: Floats, ys: Floats, shape: tuple[int, int]) -> Mask:
    """Whether points lie on a plane of `shape`."""
    return (xs > -1) & (ys > -1) & (xs < shape[1]) & (ys < shape[0])
