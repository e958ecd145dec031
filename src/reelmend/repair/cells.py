"""The parts of a frame that repair looks at: small square cells that hold damage, and those around them.

Damage is many small specks far apart. Working on a list of cells makes the cost follow the damage instead of the
frame, without a loop over specks. What is decided is decided a cell; what is filled is filled a sample.

A *field* holds values of the chosen cells and of those next to them, `(c, m)`, so that it can be interpolated on the
chosen ones. Channels come first: numpy is slow along short last axes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

MOTION_CELL = 4
"""Side of a cell in pixels of the flow grid. DIS computes flow on every fourth pixel and interpolates, so nothing of
it is lost on cells; grain and specks scale with the scan as the flow grid does."""
CANVAS = 16
"""Canvases are whole multiples of this, so that they can be shrunk twice by four without a rest."""


class Cells:
    """`n` chosen cells of a frame's grid of cells, and `m` with their neighbours."""

    side: int
    """Pixels of luma: `MOTION_CELL` times the flow factor."""
    frame: tuple[int, int]
    """Height and width of the frame, pixels."""
    grid: tuple[int, int]
    """Rows and columns of cells in the frame; the last may reach beyond it."""
    canvas: tuple[int, int]
    """The grid enlarged to multiples of `CANVAS`; what `on_canvas` returns."""
    rows: Places
    """`(n,)`, cells of damage and the ring of cells around them."""
    columns: Places
    wide: Places
    """`(m,)`, places in the flattened canvas of the chosen cells and those next to them: where fields have values."""
    own: Places
    """`(n,)`, where in `wide` the chosen cells are."""
    near: Places
    """`(n, 9)`, where in `wide` the 3 x 3 cells around each chosen one are; beyond the grid its edge."""

    def __init__(self, side: int, frame: tuple[int, int], rows: Places, columns: Places) -> None:
        self.side, self.frame, self.rows, self.columns = side, frame, rows, columns
        height, width = self.grid = (-(-frame[0] // side), -(-frame[1] // side))
        high, long = self.canvas = (-(-height // CANVAS) * CANVAS, -(-width // CANVAS) * CANVAS)
        down = np.clip(rows[:, None] + _DOWN, 0, height - 1)
        around = down * long + np.clip(columns[:, None] + _ACROSS, 0, width - 1)
        held = np.zeros(high * long, np.bool_)
        held[around] = True
        self.wide = np.flatnonzero(held)
        where = np.empty(high * long, np.intp)
        where[self.wide] = np.arange(len(self.wide))
        self.near = where[around]
        self.own = np.ascontiguousarray(self.near[:, 4])
        self._places: dict[tuple[int, int], Places] = {}

    @staticmethod
    def around(mask: Mask, factor: int) -> Cells:
        """The cells that hold a masked pixel and those next to them."""
        side = MOTION_CELL * factor
        held = touched_cells(mask, side)
        rows, columns = np.nonzero(cv2.dilate(held.view(np.uint8), _SQUARE))
        return Cells(side, (mask.shape[0], mask.shape[1]), rows, columns)

    def __len__(self) -> int:
        return len(self.rows)

    def size(self, sub_x: int, sub_y: int) -> tuple[int, int]:
        """Rows and columns of a cell's samples on a plane subsampled by `2**sub`."""
        return self.side >> sub_y, self.side >> sub_x

    def plane_size(self, sub_x: int, sub_y: int) -> tuple[int, int]:
        """Rows and columns of a plane subsampled by `2**sub`; odd sizes round up."""
        return -(-self.frame[0] >> sub_y), -(-self.frame[1] >> sub_x)

    def places(self, sub_x: int = 0, sub_y: int = 0) -> Places:
        """Where in a flattened plane the cells' samples are, `(n, samples of a cell)`; beyond the plane its edge."""
        known = self._places.get((sub_x, sub_y))
        if known is None:
            high, wide = self.size(sub_x, sub_y)
            height, width = self.plane_size(sub_x, sub_y)
            ys = np.minimum(self.rows[:, None] * high + np.arange(high), height - 1) * width
            xs = np.minimum(self.columns[:, None] * wide + np.arange(wide), width - 1)
            known = (ys[:, :, None] + xs[:, None, :]).reshape(len(self), -1)
            self._places[sub_x, sub_y] = known
        return known

    def gather(self, plane: NDArray[Any], sub_x: int = 0, sub_y: int = 0) -> NDArray[Any]:
        """The cells' samples `(n, samples of a cell)`; beyond the plane its edge is repeated.

        The plane must have the size of the frame subsampled by `2**sub`.
        """
        return np.take(plane.reshape(-1), self.places(sub_x, sub_y))

    def gather_mask(self, mask: Mask) -> NDArray[np.bool_]:
        """A mask of the frame's size on the cells, `(n, side**2)`, False beyond the frame."""
        held = self.gather(mask)
        inside = self.inside()
        if inside is not None:
            held &= inside
        return held

    def footprints(self, held: NDArray[np.bool_], sub_x: int, sub_y: int) -> NDArray[np.bool_]:
        """Which samples of a subsampled plane see any of the pixels `held` `(n, side**2)`: `(n, samples)`."""
        if not (sub_x or sub_y):
            return held
        lines = held.view(np.uint8).reshape(len(self), self.side >> sub_y, 1 << sub_y, self.side)
        down = lines[:, :, 0]
        for line in range(1, 1 << sub_y):
            down = down | lines[:, :, line]
        word = (np.uint8, np.uint16, np.uint32)[sub_x]
        return (np.ascontiguousarray(down).view(word) != 0).reshape(len(self), -1)

    def coordinates(self, sub_x: int = 0, sub_y: int = 0) -> tuple[Floats, Floats]:
        """`(x, y)` of the cells' samples on their plane, each `(n, samples of a cell)`."""
        high, wide = self.size(sub_x, sub_y)
        ys, xs = np.divmod(np.arange(high * wide), wide)
        x = (self.columns * wide).astype(np.float32)[:, None] + xs.astype(np.float32)
        y = (self.rows * high).astype(np.float32)[:, None] + ys.astype(np.float32)
        return x, y

    def inside(self, sub_x: int = 0, sub_y: int = 0) -> NDArray[np.bool_] | None:
        """Which of the cells' samples lie on their plane; None where all of them do."""
        high, wide = self.size(sub_x, sub_y)
        height, width = self.plane_size(sub_x, sub_y)
        if (height, width) == (self.grid[0] * high, self.grid[1] * wide):
            return None
        x, y = self.coordinates(sub_x, sub_y)
        return np.asarray((x < width) & (y < height))

    def on_canvas(self, values: Floats) -> Floats:
        """Values of cells `(c, n)` in their places, `(canvas rows, canvas columns, c)`, 0 elsewhere."""
        canvas = np.zeros((self.canvas[0] * self.canvas[1], len(values)), np.float32)
        canvas[self.wide[self.own]] = values.T
        return canvas.reshape(*self.canvas, len(values))

    def field(self, values: Floats, elsewhere: float = 0.0) -> Floats:
        """A field with the values of chosen cells `(c, n)`, and one value for all cells next to them."""
        out = np.full((len(values), len(self.wide)), elsewhere, np.float32)
        out[:, self.own] = values
        return out

    def at_samples(
        self, field: Floats, sub_x: int = 0, sub_y: int = 0, which: NDArray[np.intp] | None = None
    ) -> Floats:
        """A field, interpolated bilinearly at the cells' samples: `(c, n, samples of a cell)`.

        On a subsampled plane the mean over each sample's footprint. `which` picks some of the `n` cells.
        """
        near = self.near if which is None else self.near[which]
        around = np.take(field, near.reshape(-1), axis=1).reshape(-1, 9)
        return times(around, _tent(self.side, sub_x, sub_y)).reshape(len(field), len(near), -1)

    def parts(self) -> list[Cells]:
        """The cells in as many lists as keep each one's work in bounded memory; one, unless damage is everywhere."""
        step = max(1, _MOST_SAMPLES // self.side**2)
        if len(self) <= step:
            return [self]
        return [
            Cells(self.side, self.frame, self.rows[at : at + step], self.columns[at : at + step])
            for at in range(0, len(self), step)
        ]


_MOST_SAMPLES = 1 << 20
"""About 200 MB of intermediate values with four neighbours."""
_SQUARE = np.ones((3, 3), np.uint8)
_DOWN = np.repeat(np.arange(-1, 2), 3)
_ACROSS = np.tile(np.arange(-1, 2), 3)
_PACKED = 1024
"""Points a row when sampling: OpenCV is slow on short rows, and takes fewer than 32768 of them."""


@lru_cache(maxsize=64)
def _tent(side: int, sub_x: int, sub_y: int) -> Floats:
    """Bilinear weights `(9, samples of a cell)` of a cell and its neighbours at the samples of the middle one."""

    def along(sub: int) -> NDArray[np.float64]:
        centres = ((np.arange(side) + 0.5) / side - 0.5)[None, :]
        weights = np.maximum(0, 1 - np.abs(centres - np.array([-1, 0, 1])[:, None]))
        return weights.reshape(3, side >> sub, 1 << sub).mean(axis=2)

    both = along(sub_y)[:, None, :, None] * along(sub_x)[None, :, None, :]
    return np.ascontiguousarray(both.reshape(9, -1), np.float32)


def times(rows: Floats, matrix: Floats) -> Floats:
    """`rows @ matrix`, a few rows at a time: too little work each for the linear algebra library to call its threads.

    Frames are worked on in parallel already; its threads would stand in their way, and would change the rounding.
    """
    count, (inner, outer) = len(rows), matrix.shape
    step = max(1, _SINGLE_THREADED // (inner * outer))
    whole = count - count % step
    out = np.empty((count, outer), np.float32)
    if whole:
        np.matmul(rows[:whole].reshape(-1, step, inner), matrix, out=out[:whole].reshape(-1, step, outer))
    np.matmul(rows[whole:], matrix, out=out[whole:])
    return out


_SINGLE_THREADED = 1 << 17
"""Multiplications: OpenBLAS uses threads from 2**18 on."""


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


def sample_at(plane: NDArray[Any], xs: Floats, ys: Floats, out: Floats) -> None:
    """A plane `(h, w)` at points, bilinearly, rounded as the plane's own type is; all of one shape, contiguous.

    Beyond the plane its edge is repeated. Half floats are widened, OpenCV cannot read them.
    """
    if plane.dtype == np.float16:
        plane = plane.astype(np.float32)
    xs, ys, out = xs.reshape(-1), ys.reshape(-1), out.reshape(-1)
    whole = len(xs) - len(xs) % _PACKED
    for at, end, wide in ((0, whole, _PACKED), (whole, len(xs), len(xs) - whole)):
        if at < end:
            points = (xs[at:end].reshape(-1, wide), ys[at:end].reshape(-1, wide))
            seen = cv2.remap(plane, *points, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            out[at:end] = seen.reshape(-1)
