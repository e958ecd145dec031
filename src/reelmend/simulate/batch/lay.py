"""Lays patches of the atlas into maps of density, on the device, all patches of a batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.simulate.batch.atlas import Atlas
from reelmend.simulate.batch.plan import TURNS, Records
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
        device: torch.device,
    ) -> None:
        self._start, self._count = torch.from_numpy(start), torch.from_numpy(count)
        # Rows and columns travel as one number: gathers are what laying costs.
        place = (torch.from_numpy(dy).int() << 16) | (torch.from_numpy(dx).int() & 0xFFFF)
        self._place = place.to(device)
        self._device = device

    def land(
        self, patch: Tensor, plane: Tensor, place: Tensor, turn: Tensor, planes: int, height: int, width: int
    ) -> Landing | None:
        """Where the pixels of each `patch` (its number) fall, on `plane`, origin at `place` `(n, 2)`, turned by a row
        of `TURNS`; all on the host. None where there are none."""
        device, count = self._device, self._count[patch]
        total = int(count.sum())
        if total == 0:
            return None
        shift = self._start[patch] - (count.cumsum(0) - count)
        whole = torch.stack([shift, plane * (height * width), *place.unbind(1), *_TURNS[turn].unbind(1)], dim=1)
        record = torch.repeat_interleave(
            torch.arange(len(patch), device=device), count.to(device, non_blocking=True), output_size=total
        )
        shifted, base, top, left, a, b, c, d = whole.to(device, non_blocking=True).int()[record].unbind(1)
        source = torch.arange(total, device=device, dtype=torch.int32) + shifted
        at = self._place[source]
        down, across = at >> 16, (at << 16) >> 16
        row, column = top + a * down + b * across, left + c * down + d * across
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        # What falls outside lands on a pixel of its own, behind the last.
        return Landing(record, source, torch.where(inside, base + row * width + column, planes * height * width))


class Layer:
    """An atlas of damage on a device."""

    def __init__(self, atlas: Atlas, device: torch.device) -> None:
        self._placer = Placer(atlas.dy, atlas.dx, atlas.start, atlas.count, device)
        self._cover = torch.from_numpy(atlas.cover).to(device)
        self._device = device

    def lay(self, records: Records, planes: int, height: int, width: int, codes: Tensor) -> Maps:
        """The records on `planes` maps of `height` x `width`; `codes` has a number, 1 to 255, for each kind."""
        size = planes * height * width
        density = torch.zeros(size + 1, dtype=torch.int32, device=self._device)
        light, strongest = torch.zeros_like(density), torch.zeros_like(density)
        landing = self._placer.land(records.patch, records.plane, records.place, records.turn, planes, height, width)
        if landing is not None:
            cover = self._cover[landing.source]
            optics = _optics(records, codes).to(self._device, non_blocking=True)
            dark, bright, white, code = optics[landing.record].unbind(1)
            lost = dark * cover - torch.log1p(-bright * cover)
            lost = torch.where(lost < FAINTEST_DENSITY, 0.0, lost) * UNIT
            amount = lost.round().int()
            density.index_add_(0, landing.target, amount)
            light.index_add_(0, landing.target, (lost * white).round().int())
            key = torch.where(amount > 0, (amount << KIND_BITS) | code.int(), 0)
            strongest.scatter_reduce_(0, landing.target.long(), key, "amax")
        shape = (planes, height, width)
        return Maps(*(part[:size].view(shape) for part in (density, light, strongest)))


FAINTEST_DENSITY = -math.log1p(-FAINTEST)

_TURNS = torch.tensor(TURNS)


def _optics(records: Records, codes: Tensor) -> Tensor:
    """Density where a dark patch covers all, share that a bright one takes, what it moves towards, number of the kind:
    `(n, 4)`."""
    opacity = records.opacity.clamp(max=1 - 10**-DENSEST)
    dark = torch.where(records.bright, 0.0, -torch.log1p(-opacity))
    bright = torch.where(records.bright, opacity, 0.0)
    white = torch.where(records.bright, records.white, 0.0)
    return torch.stack([dark, bright, white, codes[records.kind].to(dark.dtype)], dim=1).float()
