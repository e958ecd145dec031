"""Motion through the damage: where the content under it lies in a neighbour.

Flow on and near damage follows the damage. One step of registration against the undamaged surroundings puts it right.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.motion.flow import Flow
from reelmend.repair.cells import MOTION_CELL, Cells

Floats = NDArray[np.float32]

EDGE_LIMIT = 80.0
"""Differences count up to this, 8-bit codes: what does not match at all says nothing about sub-pixel motion."""
STIFFNESS = 300.0
"""Squared gradient, summed over a cell's samples, that weighs against moving: grain alone must move nothing."""
LONGEST_STEP = 2.0
"""Pixels; the linearisation says nothing beyond."""


def on_cells(flow: Flow, grid: tuple[int, int]) -> Floats:
    """A flow at the middles of cells, `(grid rows, grid columns, 2)`, pixels of the flow grid."""
    height, width = flow.shape[:2]
    down, across = grid[0] * MOTION_CELL - height, grid[1] * MOTION_CELL - width
    if down > 0 or across > 0:
        flow = cv2.copyMakeBorder(flow, 0, max(0, down), 0, max(0, across), cv2.BORDER_REPLICATE)
    flow = flow[: grid[0] * MOTION_CELL, : grid[1] * MOTION_CELL]
    return np.asarray(cv2.resize(flow, (grid[1], grid[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def registration(seen: Floats, apart: Floats, trust: Floats, cells: Cells) -> Floats:
    """How much further each cell's content lies in each neighbour, `(2 k, n)`, x then y, pixels.

    One Gauss-Newton step (Lucas and Kanade 1981) over each cell and two cells around it, from undamaged samples only:
    `seen` `(k, n, samples)` are the neighbours under the flow as it is, `apart` the centre minus them, `trust`
    `(n, samples)` 1 where the centre is undamaged.
    """
    count, n, samples = seen.shape
    square = seen.reshape(count, n, cells.side, cells.side)
    down, right = np.empty_like(seen), np.empty_like(seen)
    _slope(square.swapaxes(2, 3), down.reshape(square.shape).swapaxes(2, 3))
    _slope(square, right.reshape(square.shape))
    error = np.clip(apart, -EDGE_LIMIT, EDGE_LIMIT) * trust
    down_known, right_known = down * trust, right * trust
    products = ((right, right_known), (right, down_known), (down, down_known), (right, error), (down, error))
    sums = np.stack([np.einsum("kns,kns->kn", one, other) for one, other in products])
    field = cv2.blur(cells.on_grid(sums.reshape(5 * count, n)), (5, 5), borderType=cv2.BORDER_REFLECT_101)
    xx, xy, yy, xe, ye = (field[cells.rows, cells.columns].T * np.float32(25)).reshape(5, count, n)
    stiffness = np.float32(STIFFNESS * samples / MOTION_CELL**2)
    xx, yy = xx + stiffness, yy + stiffness
    scale = 1 / (xx * yy - xy * xy)
    steps = np.stack([(yy * xe - xy * ye) * scale, (xx * ye - xy * xe) * scale], axis=1)
    return np.asarray(np.clip(steps, -LONGEST_STEP, LONGEST_STEP), np.float32).reshape(2 * count, n)


def _slope(values: Floats, out: Floats) -> None:
    """Central differences along the last axis, one-sided at its ends."""
    np.subtract(values[..., 2:], values[..., :-2], out=out[..., 1:-1])
    out[..., 1:-1] *= np.float32(0.5)
    np.subtract(values[..., 1], values[..., 0], out=out[..., 0])
    np.subtract(values[..., -1], values[..., -2], out=out[..., -1])
