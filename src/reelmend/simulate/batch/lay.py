"""Lays patches of the atlas into maps of density, on the device, all patches of a batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.simulate.batch.atlas import SIDE, Atlas
from reelmend.simulate.batch.records import TURNS, Records
from reelmend.simulate.optics import DENSEST, FAINTEST

UNIT = 1 << 16
"""Steps of a unit of density. Whole numbers add up to the same sum in any order, so a GPU gives the same map twice."""

KIND_BITS = 8
"""Lowest bits of the number that says which kind covers most."""


@dataclass(frozen=True)
class Maps:
    """What the damage does to each pixel, `(planes, h, w)`."""

    density: Tensor
    """Natural logarithm of the light that is lost, in `UNIT`; int32."""
    light: Tensor
    """Bright damage's share of `density` times what it moves towards, in `UNIT`; int32."""
    strongest: Tensor
    """`density` of the patch that covers most, in `UNIT`, above the number of its kind in `KIND_BITS`; int32."""


@dataclass(frozen=True)
class Landing:
    """Every pixel of every patch of a batch, one row each, on the device."""

    record: Tensor
    """Which record it belongs to."""
    source: Tensor
    """Where it is in the atlas."""
    target: Tensor
    """Where it falls in the maps, flat; one behind the last where it falls outside the frame."""


class Placer:
    """Says where the pixels of patches fall; holds the places of all of an atlas's pixels on a device."""

    def __init__(
        self,
        dy: NDArray[np.int16],
        dx: NDArray[np.int16],
        start: NDArray[np.int64],
        count: NDArray[np.int64],
        piece: NDArray[np.bool_],
        device: torch.device,
    ) -> None:
        self._start, self._count = torch.from_numpy(start), torch.from_numpy(count)
        # Rows and columns travel as one number: gathers are what laying costs.
        place = (torch.from_numpy(dy).int() << 16) | (torch.from_numpy(dx).int() & 0xFFFF)
        self._place = place.to(device)
        self._device = device
        self._piece = torch.from_numpy(np.where(piece, np.cumsum(piece) - 1, -1))
        self._rows = torch.from_numpy(_row_starts(dy, start[piece], count[piece]))

    def land(
        self, patch: Tensor, plane: Tensor, place: Tensor, turn: Tensor, planes: int, height: int, width: int
    ) -> Landing | None:
        """Where the pixels of each `patch` (its number) fall, on `plane`, origin at `place` `(n, 2)`, turned by a row
        of `TURNS`; all on the host. None where there are none."""
        device, matrix = self._device, _TURNS[turn]
        start, count = self._seen(patch, place[:, 0], matrix[:, 0], height)
        total = int(count.sum())
        if total == 0:
            return None
        shift = start - (count.cumsum(0) - count)
        whole = torch.stack([shift, plane * (height * width), *place.unbind(1), *matrix.unbind(1)]).int()
        record = torch.repeat_interleave(
            torch.arange(len(patch), device=device), count.to(device, non_blocking=True), output_size=total
        )
        numbers = whole.to(device, non_blocking=True)
        shifted, base, top, left, a, b, c, d = (torch.index_select(row, 0, record) for row in numbers)
        source = shifted.add_(torch.arange(total, device=device, dtype=torch.int32))
        at = torch.index_select(self._place, 0, source)
        down, across = at >> 16, (at << 16) >> 16
        row, column = top.addcmul_(a, down).addcmul_(b, across), left.addcmul_(c, down).addcmul_(d, across)
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        # What falls outside lands on a pixel of its own, behind the last.
        target = torch.where(inside, row.mul_(width).add_(column).add_(base), planes * height * width)
        return Landing(record, source, target)

    def _seen(self, patch: Tensor, top: Tensor, upright: Tensor, height: int) -> tuple[Tensor, Tensor]:
        """First pixel and number of pixels of each patch: of pieces only the rows that fall into the window."""
        start, count, piece = self._start[patch], self._count[patch], self._piece[patch]
        if len(self._rows) == 0:
            return start, count
        first = torch.where(upright > 0, -top, top - height + 1).clamp(0, SIDE)
        last = torch.where(upright > 0, height - top, top + 1).clamp(0, SIDE)
        row = piece.clamp(min=0)
        low, high = self._rows[row, first], self._rows[row, last]
        return torch.where(piece >= 0, start + low, start), torch.where(piece >= 0, (high - low).clamp(min=0), count)


def _row_starts(dy: NDArray[np.int16], start: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many pixels of each piece lie above each of its rows, `(pieces, SIDE + 1)`."""
    rows = np.zeros((len(start), SIDE + 1), dtype=np.int64)
    for piece, (first, number) in enumerate(zip(start.tolist(), count.tolist(), strict=True)):
        rows[piece, 1:] = np.cumsum(np.bincount(dy[first : first + number], minlength=SIDE))
    return rows


class Layer:
    """An atlas of damage on a device."""

    def __init__(self, atlas: Atlas, device: torch.device) -> None:
        self._placer = Placer(atlas.dy, atlas.dx, atlas.start, atlas.count, atlas.piece, device)
        self._cover = torch.from_numpy(atlas.cover).to(device)
        self._device = device

    def lay(self, records: Records, planes: int, height: int, width: int, codes: Tensor) -> Maps:
        """The records on `planes` maps of `height` x `width`; `codes` has a number, 1 to 255, for each kind."""
        size = planes * height * width
        density = torch.zeros(size + 1, dtype=torch.int32, device=self._device)
        light, strongest = torch.zeros_like(density), torch.zeros_like(density)
        landing = self._placer.land(records.patch, records.plane, records.place, records.turn, planes, height, width)
        if landing is not None:
            cover = torch.index_select(self._cover, 0, landing.source)
            optics = _optics(records, codes).to(self._device, non_blocking=True)
            dark, bright, white, code = (torch.index_select(row, 0, landing.record) for row in optics)
            lost = dark.mul_(cover).sub_(bright.mul_(cover).neg_().log1p_())
            lost = torch.where(lost < FAINTEST_DENSITY, 0.0, lost).mul_(UNIT)
            amount = lost.round().int()
            density.index_add_(0, landing.target, amount)
            light.index_add_(0, landing.target, white.mul_(lost).round_().int())
            key = torch.where(amount > 0, (amount << KIND_BITS) | code.int(), 0)
            strongest.scatter_reduce_(0, landing.target.long(), key, "amax")
        shape = (planes, height, width)
        return Maps(*(part[:size].view(shape) for part in (density, light, strongest)))


FAINTEST_DENSITY = -math.log1p(-FAINTEST)

_TURNS = torch.tensor(TURNS)


def _optics(records: Records, codes: Tensor) -> Tensor:
    """Density where a dark patch covers all, share that a bright one takes, what it moves towards, number of the kind:
    `(4, n)`."""
    opacity = records.opacity.clamp(max=1 - 10**-DENSEST)
    dark = torch.where(records.bright, 0.0, -torch.log1p(-opacity))
    bright = torch.where(records.bright, opacity, 0.0)
    white = torch.where(records.bright, records.white, 0.0)
    return torch.stack([dark, bright, white, codes[records.kind].to(dark.dtype)]).float()
