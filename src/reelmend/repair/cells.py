"""The parts of a frame that repair looks at: small square cells that hold damage, and those around them.

Damage is many small specks far apart. Working on a list of cells makes the cost follow the damage instead of the
frame, without a loop over specks. What is decided is decided a cell; what is filled is filled a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

Floats = NDArray[np.float32]

MOTION_CELL = 4
"""Side of a cell in pixels of the flow grid. DIS computes flow on every fourth pixel and interpolates, so nothing of
it is lost on cells; grain and specks scale with the scan as the flow grid does."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """`n` chosen cells of a frame's grid of cells."""

    side: int
    """Pixels of luma: `MOTION_CELL` times the flow factor."""
    grid: tuple[int, int]
    """Rows and columns of cells in the frame; the last may reach beyond it."""
    rows: NDArray[np.intp]
    """`(n,)`, cells of damage and the ring of cells around them."""
    columns: NDArray[np.intp]

    @staticmethod
    def around(mask: Mask, factor: int) -> Cells:
        """The cells that hold a masked pixel and those next to them."""
        side = MOTION_CELL * factor
        held = touched_cells(mask, side)
        rows, columns = np.nonzero(cv2.dilate(held.view(np.uint8), _SQUARE))
        return Cells(side, held.shape, rows, columns)

    def __len__(self) -> int:
        return len(self.rows)

    def size(self, sub_x: int, sub_y: int) -> tuple[int, int]:
        """Rows and columns of a cell's samples on a plane subsampled by `2**sub`."""
        return self.side >> sub_y, self.side >> sub_x

    def padded(self, plane: NDArray[Any], sub_x: int = 0, sub_y: int = 0) -> NDArray[Any]:
        """A copy of the plane enlarged to whole cells by repeating its edge."""
        high, wide = self.size(sub_x, sub_y)
        below, right = self.grid[0] * high - plane.shape[0], self.grid[1] * wide - plane.shape[1]
        return np.pad(plane, ((0, below), (0, right)), mode="edge") if below or right else plane.copy()

    def view(self, padded: NDArray[Any], sub_x: int = 0, sub_y: int = 0) -> NDArray[Any]:
        """A padded plane seen as `(grid rows, grid columns, rows, columns)`; index it by `rows, columns`."""
        high, wide = self.size(sub_x, sub_y)
        return padded.reshape(self.grid[0], high, self.grid[1], wide).transpose(0, 2, 1, 3)

    def gather(self, plane: NDArray[Any], sub_x: int = 0, sub_y: int = 0) -> NDArray[Any]:
        """The cells' samples `(n, samples of a cell)`; beyond the frame its edge is repeated."""
        high, wide = self.size(sub_x, sub_y)
        if plane.shape != (self.grid[0] * high, self.grid[1] * wide):
            plane = self.padded(plane, sub_x, sub_y)
        return self.view(plane, sub_x, sub_y)[self.rows, self.columns].reshape(len(self), -1)

    def put(self, padded: NDArray[Any], values: NDArray[Any], sub_x: int = 0, sub_y: int = 0) -> None:
        """Write the cells' samples `(n, samples of a cell)` into a padded plane."""
        self.view(padded, sub_x, sub_y)[self.rows, self.columns] = values.reshape(-1, *self.size(sub_x, sub_y))

    def coordinates(self, sub_x: int = 0, sub_y: int = 0) -> tuple[Floats, Floats]:
        """`(x, y)` of the cells' samples on their plane, each `(n, samples of a cell)`."""
        high, wide = self.size(sub_x, sub_y)
        ys, xs = np.divmod(np.arange(high * wide), wide)
        x = (self.columns * wide).astype(np.float32)[:, None] + xs.astype(np.float32)
        y = (self.rows * high).astype(np.float32)[:, None] + ys.astype(np.float32)
        return x, y

    def inside(self, height: int, width: int, sub_x: int = 0, sub_y: int = 0) -> NDArray[np.bool_] | None:
        """Which samples lie on a plane of `height` x `width`; None where all of them do."""
        high, wide = self.size(sub_x, sub_y)
        if (height, width) == (self.grid[0] * high, self.grid[1] * wide):
            return None
        x, y = self.coordinates(sub_x, sub_y)
        return np.asarray((x < width) & (y < height))

    def on_grid(self, values: Floats) -> Floats:
        """Values of cells `(c, n)` in their places, `(grid rows, grid columns, c)`, 0 where no cell was chosen."""
        field = np.zeros((*self.grid, len(values)), np.float32)
        field[self.rows, self.columns] = values.T
        return field

    def around_each(self, field: Floats) -> Floats:
        """The 3 x 3 neighbours of each cell in a field `(grid rows, grid columns, c)`: `(n, 9, c)`."""
        rows, columns, channels = field.shape
        down = np.clip(self.rows[:, None] + _DOWN, 0, rows - 1)
        across = np.clip(self.columns[:, None] + _ACROSS, 0, columns - 1)
        return np.take(field.reshape(rows * columns, channels), down * columns + across, axis=0)

    def at_samples(self, field: Floats, sub_x: int = 0, sub_y: int = 0) -> Floats:
        """A field of cells, interpolated bilinearly at the cells' samples: `(c, n, samples of a cell)`.

        On a subsampled plane the mean over each sample's footprint.
        """
        near = np.ascontiguousarray(self.around_each(field).transpose(2, 0, 1))
        count, n, _ = near.shape
        return (near.reshape(count * n, 9) @ _tent(self.side, sub_x, sub_y)).reshape(count, n, -1)

    def parts(self) -> list[Cells]:
        """The cells in as many lists as keep each one's work in bounded memory; one, unless damage is everywhere."""
        step = max(1, _MOST_SAMPLES // self.side**2)
        if len(self) <= step:
            return [self]
        return [
            Cells(self.side, self.grid, self.rows[at : at + step], self.columns[at : at + step])
            for at in range(0, len(self), step)
        ]


_MOST_SAMPLES = 1 << 20
"""About 200 MB of intermediate values with four neighbours."""
_SQUARE = np.ones((3, 3), np.uint8)
_DOWN = np.repeat(np.arange(-1, 2), 3)
_ACROSS = np.tile(np.arange(-1, 2), 3)


@lru_cache(maxsize=64)
def _tent(side: int, sub_x: int, sub_y: int) -> Floats:
    """Bilinear weights `(9, samples of a cell)` of a cell and its neighbours at the samples of the middle one."""

    def along(sub: int) -> NDArray[np.float64]:
        centres = ((np.arange(side) + 0.5) / side - 0.5)[None, :]
        weights = np.maximum(0, 1 - np.abs(centres - np.array([-1, 0, 1])[:, None]))
        return weights.reshape(3, side >> sub, 1 << sub).mean(axis=2)

    both = along(sub_y)[:, None, :, None] * along(sub_x)[None, :, None, :]
    return np.ascontiguousarray(both.reshape(9, -1), np.float32)


def touched_cells(mask: Mask, side: int) -> NDArray[np.bool_]:
    """Cells `(grid rows, grid columns)` that hold a masked pixel."""
    height, width = mask.shape
    rows, columns = -(-height // side), -(-width // side)
    if (height, width) != (rows * side, columns * side):
        mask = np.pad(mask, ((0, rows * side - height), (0, columns * side - width)))
    # Whole words at once: reducing bytes along short axes is slow.
    mask = np.ascontiguousarray(mask)
    word = {4: np.uint32, 8: np.uint64}.get(side)
    across = mask.view(word) if word else mask.reshape(rows * side, columns, side).any(axis=2)
    across = (across != 0).reshape(rows, side, columns)
    return np.asarray(np.logical_or.reduce(across, axis=1))


def sample_at(plane: NDArray[Any], xs: Floats, ys: Floats, interpolation: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """A plane `(h, w)` at points `(n, samples)`, in the plane's own type; half floats widened, OpenCV cannot read them.

    Beyond the plane its edge is repeated.
    """
    if plane.dtype == np.float16:
        plane = plane.astype(np.float32)
    # OpenCV takes fewer than 32768 rows.
    limit = 1 << 14
    parts = [
        cv2.remap(plane, xs[at : at + limit], ys[at : at + limit], interpolation, borderMode=cv2.BORDER_REPLICATE)
        for at in range(0, len(xs), limit)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
