"""Where a mask lies, as a short list of 4 x 4 cells, so that the work grows with the damage and not with the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Layout, Mask

CELL = 4
"""Side of a cell, luma samples: a multiple of every chroma subsampling FFmpeg has (4:1:0 and 4:1:1 need 4)."""

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a mask that hold damage, and the regions they form."""

    coarse: NDArray[np.uint8]
    """`(ceil(h/4), ceil(w/4))`, 1 where a cell holds any masked pixel."""
    rows: Indices
    """Cell row of each of the n active cells."""
    columns: Indices
    label: Indices
    """Region number of each active cell, from 0; cells that touch belong together."""
    boxes: NDArray[np.intp]
    """Bounding box of each region in cells, `(regions, 4)`: top, left, rows, columns."""
    inside: NDArray[np.bool_]
    """The mask within each cell, `(n, 4, 4)`."""

    def gather(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Values of a full-size plane within each active cell, `(n, 4, 4)`; past the edge the last sample repeats."""
        steps = np.arange(CELL)
        rows = np.minimum(self.rows[:, None] * CELL + steps, plane.shape[0] - 1)
        columns = np.minimum(self.columns[:, None] * CELL + steps, plane.shape[1] - 1)
        return plane[rows[:, :, None], columns[:, None, :]]


@dataclass(frozen=True, slots=True)
class Sites:
    """The samples of one plane whose footprint touches the mask, `(n,)` each."""

    rows: Indices
    columns: Indices
    label: Indices
    """Region of each sample."""
    cell: Indices
    """Index into `Cells` arrays, and within the cell: which sample of the plane."""
    within: tuple[Indices, Indices]


def coarse_mask(mask: Mask) -> NDArray[np.uint8]:
    """Which 4 x 4 cells hold any masked pixel, `(ceil(h/4), ceil(w/4))`, 0 or 1."""
    height, width = mask.shape
    rows, columns = -(-height // CELL), -(-width // CELL)
    if (height, width) != (rows * CELL, columns * CELL) or not mask.flags.c_contiguous:
        padded = np.zeros((rows * CELL, columns * CELL), np.bool_)
        padded[:height, :width] = mask
        mask = padded
    # Four booleans read as one 32-bit word: one comparison a cell row instead of four.
    words = mask.view(np.uint32)
    any_row = words[0::4] | words[1::4] | words[2::4] | words[3::4]
    coarse: NDArray[np.uint8] = (any_row != 0).view(np.uint8)
    return coarse


def find_cells(mask: Mask) -> Cells:
    """The active cells and regions of a mask `(h, w)`."""
    coarse = coarse_mask(mask)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(coarse, connectivity=8, ltype=cv2.CV_32S)
    rows, columns = np.nonzero(coarse.view(np.bool_))
    label = labels[rows, columns].astype(np.intp) - 1
    boxes = stats[1:][:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]].astype(np.intp)
    cells = Cells(coarse, rows, columns, label, boxes, np.empty((0, CELL, CELL), np.bool_))
    inside = cells.gather(mask)
    # Past the edge gather repeats samples; those are no pixels of the frame.
    steps = np.arange(CELL)
    inside &= (rows[:, None] * CELL + steps < mask.shape[0])[:, :, None]
    inside &= (columns[:, None] * CELL + steps < mask.shape[1])[:, None, :]
    return Cells(coarse, rows, columns, label, boxes, inside)


def footprint_sum(values: NDArray[Any], sub: tuple[int, int]) -> NDArray[Any]:
    """Sum of `(n, 4, 4)` cell values over each sample's footprint, `(n, 4 >> sub_y, 4 >> sub_x)`."""
    sub_x, sub_y = sub
    if sub_x == sub_y == 0:
        return values
    # Strided slices, as numpy is slow to sum along axes of two or four.
    rows, columns = 1 << sub_y, 1 << sub_x
    down = values[:, ::rows].copy()
    for start in range(1, rows):
        down += values[:, start::rows]
    summed: NDArray[Any] = down[:, :, ::columns].copy()
    for start in range(1, columns):
        summed += down[:, :, start::columns]
    return summed


def plane_sites(cells: Cells, layout: Layout, plane: int) -> Sites:
    """The samples of a plane that the mask touches."""
    sub_x, sub_y = layout.subsampling(plane)
    counts = footprint_sum(cells.inside.astype(np.uint8), (sub_x, sub_y))
    cell, row, column = np.nonzero(counts > 0)
    rows = cells.rows[cell] * (CELL >> sub_y) + row
    columns = cells.columns[cell] * (CELL >> sub_x) + column
    return Sites(rows, columns, cells.label[cell], cell, (row, column))
