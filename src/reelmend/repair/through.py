"""Motion through the damage: where the content under it lies in a neighbour.

Flow inside damage follows the damage. Around it flow is reliable, so the field is carried through the hole from its
surroundings; both the flow as found and the carried one are offered, and the picture decides (`evidence`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.motion.flow import Flow
from reelmend.motion.windows import Neighbour
from reelmend.repair.cells import MOTION_CELL
from reelmend.repair.spread import spread

Floats = NDArray[np.float32]


def on_cells(flow: Flow, grid: tuple[int, int]) -> Floats:
    """A flow at the middles of cells, `(grid rows, grid columns, 2)`, pixels of the flow grid."""
    height, width = flow.shape[:2]
    down, across = grid[0] * MOTION_CELL - height, grid[1] * MOTION_CELL - width
    if down > 0 or across > 0:
        flow = cv2.copyMakeBorder(flow, 0, max(0, down), 0, max(0, across), cv2.BORDER_REPLICATE)
    flow = flow[: grid[0] * MOTION_CELL, : grid[1] * MOTION_CELL]
    return np.asarray(cv2.resize(flow, (grid[1], grid[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def astray(found: Floats, back: Floats) -> Floats:
    """Squared forward-backward error of flows on cells, pixels of the flow grid, `(grid rows, grid columns)`."""
    rows, columns = found.shape[:2]
    xs = np.arange(columns, dtype=np.float32) + found[..., 0] * np.float32(1 / MOTION_CELL)
    ys = np.arange(rows, dtype=np.float32)[:, None] + found[..., 1] * np.float32(1 / MOTION_CELL)
    returned = cv2.remap(back, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    returned += found
    return np.asarray(returned[..., 0] ** 2 + returned[..., 1] ** 2)


def candidate_flows(
    neighbours: tuple[Neighbour, ...], factor: int, disturbed: NDArray[np.bool_]
) -> tuple[list[Floats], list[Floats]]:
    """Flows centre -> each neighbour on cells, in pixels of the frame: as found, and carried through `disturbed`.

    `disturbed` `(grid rows, grid columns)` are the cells whose flow damage may have spoiled.
    """
    grid = disturbed.shape
    found = [on_cells(one.flow, grid) for one in neighbours]
    clean = ~disturbed
    trust = [
        (np.exp(-0.5 * astray(flow, on_cells(one.back, grid))) + 1e-3) * clean
        for one, flow in zip(neighbours, found, strict=True)
    ]
    weights = np.repeat(np.stack(trust, axis=-1), 2, axis=-1).astype(np.float32)
    flows = np.concatenate(found, axis=-1) * np.float32(factor)
    carried = np.where(disturbed[..., None], spread(flows * weights, weights, prior=0.5), flows)
    return (
        [flow * np.float32(factor) for flow in found],
        [np.ascontiguousarray(carried[..., 2 * n : 2 * n + 2]) for n in range(len(found))],
    )
