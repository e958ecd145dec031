"""The parts of a frame that hold damage, as one stack of small square blocks.

Damage is many small specks far apart. Working on a stack of the blocks that hold some makes the cost follow the
damage instead of the frame, without a loop over specks; each block carries a halo of its surroundings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

CORE = 16
"""Side of the square that a block repairs, pixels of luma. A multiple of 4, so that chroma blocks stay whole."""
HALO = 8
"""Pixels of luma on each side that a block sees but leaves alone; a multiple of 4 too."""

Floats = NDArray[np.float32]

_BATCH = 2048
"""Blocks worked on at once, so that memory stays bounded when the whole frame is masked."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """`n` blocks of a frame; on a subsampled plane everything is `2**sub` times smaller."""

    rows: NDArray[np.intp]
    """Row of each block in the grid of cores, `(n,)`."""
    columns: NDArray[np.intp]

    @staticmethod
    def covering(mask: Mask) -> Iterator[Blocks]:
        """The blocks whose core holds a masked pixel, in batches."""
        height, width = mask.shape
        down, across = -(-height // CORE), -(-width // CORE)
        padded = np.zeros((down * CORE, across * CORE), bool)
        padded[:height, :width] = mask
        # Eight bytes at once: `any` over bytes along short axes is slow.
        words = padded.view(np.uint64).reshape(down, CORE, across, CORE // 8)
        rows, columns = np.nonzero(words.any(axis=(1, 3)))
        for start in range(0, len(rows), _BATCH):
            yield Blocks(rows[start : start + _BATCH], columns[start : start + _BATCH])

    def __len__(self) -> int:
        return len(self.rows)

    def gather(self, plane: NDArray[Any], sub_x: int = 0, sub_y: int = 0) -> NDArray[Any]:
        """The blocks' samples with halo, `(n, rows, columns)`; beyond the frame its edge is repeated."""
        height, width = plane.shape
        core_y, core_x, halo_y, halo_x = CORE >> sub_y, CORE >> sub_x, HALO >> sub_y, HALO >> sub_x
        down, across = -(-height // core_y), -(-width // core_x)
        padded = np.pad(
            plane,
            ((halo_y, down * core_y - height + halo_y), (halo_x, across * core_x - width + halo_x)),
            mode="edge",
        )
        high, wide = padded.strides
        view = np.lib.stride_tricks.as_strided(
            padded,
            (down, across, core_y + 2 * halo_y, core_x + 2 * halo_x),
            (core_y * high, core_x * wide, high, wide),
            writeable=False,
        )
        return np.asarray(view[self.rows, self.columns])

    def coordinates(self, sub_x: int = 0, sub_y: int = 0) -> tuple[Floats, Floats]:
        """`(x, y)` of the blocks' samples on their plane, `(n, 1, columns)` and `(n, rows, 1)`."""
        core_y, core_x, halo_y, halo_x = CORE >> sub_y, CORE >> sub_x, HALO >> sub_y, HALO >> sub_x
        xs = (self.columns * core_x - halo_x)[:, None, None] + np.arange(core_x + 2 * halo_x)[None, None, :]
        ys = (self.rows * core_y - halo_y)[:, None, None] + np.arange(core_y + 2 * halo_y)[None, :, None]
        return xs.astype(np.float32), ys.astype(np.float32)

    def write(self, plane: NDArray[Any], values: NDArray[Any], where: Mask, sub_x: int = 0, sub_y: int = 0) -> None:
        """Put `values` into the plane where the blocks' cores hold `where`; both `(n, rows, columns)` with halo."""
        core_y, core_x, halo_y, halo_x = CORE >> sub_y, CORE >> sub_x, HALO >> sub_y, HALO >> sub_x
        inner = (slice(None), slice(halo_y, halo_y + core_y), slice(halo_x, halo_x + core_x))
        block, row, column = np.nonzero(where[inner])
        ys, xs = self.rows[block] * core_y + row, self.columns[block] * core_x + column
        inside = (ys < plane.shape[0]) & (xs < plane.shape[1])
        plane[ys[inside], xs[inside]] = values[inner][block[inside], row[inside], column[inside]]


def smooth(stack: Floats, size: int) -> Floats:
    """Box mean of `size` x `size` inside each block of `(n, rows, columns)`; the outer `size // 2` samples are not
    meaningful, for they mix with the next block of the stack."""
    count, rows, columns = stack.shape
    flat = cv2.blur(stack.reshape(count * rows, columns), (size, size), borderType=cv2.BORDER_REPLICATE)
    return flat.reshape(stack.shape)


def footprint_mean(stack: Floats, sub_x: int, sub_y: int) -> Floats:
    """Mean over the footprint of each chroma sample, `(n, rows, columns)` of luma to the subsampled size."""
    if not (sub_x or sub_y):
        return stack
    count, rows, columns = stack.shape
    out = cv2.resize(
        stack.reshape(count * rows, columns), (columns >> sub_x, (count * rows) >> sub_y), interpolation=cv2.INTER_AREA
    )
    return np.asarray(out, np.float32).reshape(count, rows >> sub_y, columns >> sub_x)
