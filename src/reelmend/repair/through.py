"""Motion through the damage: where the content under it lies in a neighbour.

Flow inside damage follows the damage. Around it flow is reliable, so the field is carried through the hole from its
surroundings; both the flow as found and the carried one are offered, and the picture decides (`evidence`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.flow import Flow
from reelmend.motion.windows import Neighbour, Window
from reelmend.repair.spread import spread

CELL = 4
"""Side of a cell in pixels of the flow grid. DIS computes flow on every fourth pixel and interpolates, so nothing is
lost by looking at it on cells."""

Floats = NDArray[np.float32]


def cells_of(window: Window) -> int:
    """Side of a cell in pixels of the frame."""
    return CELL * window.centre.factor


def touched_cells(mask: Mask, cell: int, rows: int, columns: int) -> NDArray[np.bool_]:
    """Cells `(rows, columns)` that hold a masked pixel, and those next to them: DIS matches patches of 8 pixels."""
    padded = np.zeros((rows * cell, columns * cell), np.uint8)
    padded[: mask.shape[0], : mask.shape[1]] = mask[: rows * cell, : columns * cell]
    held = padded.reshape(rows, cell, columns, cell).max(axis=(1, 3))
    return cv2.dilate(held, np.ones((3, 3), np.uint8)).view(np.bool_)


def _on_cells(flow: Flow) -> Floats:
    height, width = flow.shape[:2]
    down, across = -height % CELL, -width % CELL
    if down or across:
        flow = cv2.copyMakeBorder(flow, 0, down, 0, across, cv2.BORDER_REPLICATE)
    size = (flow.shape[1] // CELL, flow.shape[0] // CELL)
    return np.asarray(cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR), np.float32)


def candidate_flows(window: Window, neighbour: Neighbour, mask: Mask) -> Floats:
    """Two flows centre -> neighbour on cells, `(rows, columns, 4)`: x, y as found, and x, y carried through `mask`.

    In pixels of the frame.
    """
    found, back = _on_cells(neighbour.flow), _on_cells(neighbour.back)
    rows, columns = found.shape[:2]
    xs = np.arange(columns, dtype=np.float32) + found[..., 0] / CELL
    ys = np.arange(rows, dtype=np.float32)[:, None] + found[..., 1] / CELL
    returned = cv2.remap(back, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    astray = ((found + returned) ** 2).sum(axis=-1)
    touched = touched_cells(mask, cells_of(window), rows, columns)
    trust = (np.exp(-0.5 * astray) + 1e-3) * ~touched
    carried = spread(found * trust[..., None], trust[..., None], prior=0.5)
    carried[~touched] = found[~touched]
    return np.concatenate([found, carried], axis=2) * np.float32(window.centre.factor)
