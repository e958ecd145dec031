"""Motion through the damage: where the content under it lies in a neighbour.

Flow on and near damage follows the damage. One step of registration against the undamaged surroundings puts it right.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.motion.flow import Flow
from reelmend.repair.cells import MOTION_CELL, Cells, times

Floats = NDArray[np.float32]

EDGE_LIMIT = 80.0
"""Differences count up to this, 8-bit codes: what does not match at all says nothing about sub-pixel motion."""
STIFFNESS = 300.0
"""Squared gradient, summed over a cell's samples, that weighs against moving: grain alone must move nothing."""
LONGEST_STEP = 2.0
"""Pixels; the linearisation says nothing beyond."""


def on_cells(flow: Flow, cells: Cells) -> Floats:
    """A flow at the middles of cells, a field `(2, m)`, pixels of the flow grid."""
    grid, (height, width) = cells.grid, flow.shape[:2]
    down, across = grid[0] * MOTION_CELL - height, grid[1] * MOTION_CELL - width
    if down > 0 or across > 0:
        flow = cv2.copyMakeBorder(flow, 0, max(0, down), 0, max(0, across), cv2.BORDER_REPLICATE)
    flow = flow[: grid[0] * MOTION_CELL, : grid[1] * MOTION_CELL]
    middles = cv2.resize(flow, (grid[1], grid[0]), interpolation=cv2.INTER_LINEAR).reshape(-1, 2)
    rows, columns = np.divmod(cells.wide, cells.canvas[1])
    return np.ascontiguousarray(np.take(middles, rows * grid[1] + columns, axis=0).T, np.float32)


def registration(seen: Floats, apart: Floats, trust: Floats, cells: Cells) -> Floats:
    """How much further each cell's content lies in each neighbour, `(2 k, n)`, x then y, in samples.

    One Gauss-Newton step (Lucas and Kanade 1981) over each cell and two cells around it, from undamaged samples only:
    `seen` `(k, n, samples)` are the neighbours under the flow as it is, `apart` the centre minus them, `trust`
    `(n, samples)` 1 where the centre is undamaged. (The slopes of the neighbours' mean in place of each one's own cost 0.3 dB.)
    """
    count, n, samples = seen.shape
    slopes = times(seen.reshape(-1, samples), _slopes(round(samples**0.5)))
    right, down = slopes[:, :samples].reshape(seen.shape), slopes[:, samples:].reshape(seen.shape)
    sums = np.empty((5, count, n), np.float32)
    known_right, known_down = np.empty((n, samples), np.float32), np.empty((n, samples), np.float32)
    error = np.empty((n, samples), np.float32)
    for k in range(count):
        np.multiply(right[k], trust, out=known_right)
        np.multiply(down[k], trust, out=known_down)
        np.maximum(apart[k], np.float32(-EDGE_LIMIT), out=error)
        np.minimum(error, np.float32(EDGE_LIMIT), out=error)
        sums[0, k] = np.einsum("ns,ns->n", known_right, right[k])
        sums[1, k] = np.einsum("ns,ns->n", known_right, down[k])
        sums[2, k] = np.einsum("ns,ns->n", known_down, down[k])
        sums[3, k] = np.einsum("ns,ns->n", known_right, error)
        sums[4, k] = np.einsum("ns,ns->n", known_down, error)
    field = cv2.boxFilter(cells.on_canvas(sums.reshape(-1, n)), -1, (5, 5), normalize=False, borderType=cv2.BORDER_CONSTANT)
    at = cells.wide[cells.own]
    xx, xy, yy, xe, ye = np.take(field.reshape(-1, 5 * count), at, axis=0).T.reshape(5, count, n)
    stiffness = np.float32(STIFFNESS * samples / MOTION_CELL**2)
    xx, yy = xx + stiffness, yy + stiffness
    scale = 1 / (xx * yy - xy * xy)
    steps = np.stack([(yy * xe - xy * ye) * scale, (xx * ye - xy * xe) * scale], axis=1)
    return np.asarray(np.clip(steps, -LONGEST_STEP, LONGEST_STEP), np.float32).reshape(2 * count, n)


@lru_cache(maxsize=8)
def _slopes(side: int) -> Floats:
    """What to multiply a square's samples by for their slopes to the right and then down, `(samples, 2 samples)`.

    Central differences, one-sided at the ends.
    """
    along = np.asarray(np.gradient(np.eye(side), axis=0)).T
    still = np.eye(side)
    return np.concatenate([np.kron(still, along), np.kron(along, still)], axis=1).astype(np.float32)
