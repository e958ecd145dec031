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


_FIVE = np.ones(5, np.float32)


def on_cells(flows: list[Flow], cells: Cells) -> Floats:
    """Flows at the middles of cells, a field `(2 k, m)`, x then y of each, pixels of the flow grid."""
    height, width = flows[0].shape[:2]
    rows, columns = np.divmod(cells.wide, cells.canvas[1])
    out = np.zeros((len(flows), 2, len(cells.wide)), np.float32)
    # The middle lies between four pixels; the mean of two that face each other is the flow there.
    for beside in (MOTION_CELL // 2 - 1, MOTION_CELL // 2):
        at = np.minimum(rows * MOTION_CELL + beside, height - 1) * width
        at += np.minimum(columns * MOTION_CELL + beside, width - 1)
        for k, flow in enumerate(flows):
            out[k] += np.take(flow.reshape(-1, 2), at, axis=0).T
    out *= np.float32(0.5)
    return out.reshape(2 * len(flows), -1)


def registration(seen: Floats, apart: Floats, trust: Floats, cells: Cells) -> Floats:
    """How much further each cell's content lies in each neighbour, `(2 k, n)`, x then y, in samples.

    One Gauss-Newton step (Lucas and Kanade 1981) over each cell and two cells around it, from undamaged samples only:
    `seen` `(k, n, samples)` are the neighbours under the flow as it is, `apart` the centre minus them, `trust`
    `(n, samples)` 1 where the centre is undamaged. The slopes of the neighbours' mean in place of each one's own cost
    0.3 dB inside simulated damage.
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
    field = cv2.sepFilter2D(cells.on_canvas(sums.reshape(-1, n)), -1, _FIVE, _FIVE, borderType=cv2.BORDER_CONSTANT)
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
