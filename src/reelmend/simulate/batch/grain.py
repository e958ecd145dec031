"""The grain of `reelmend.simulate.grain` for a batch: the same noise, cut from a bank instead of drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reelmend.simulate import recipe as recipes
from reelmend.simulate.batch.atlas import Step
from reelmend.simulate.grain import STRONGEST, Grain, Law, grain_of, noise, response, slope

BANK = 1024
"""Side of the noise kept for each step of the ladder, pixels."""


LEVELS = 1024
"""Brightnesses at which the curves of strength are tabled."""


@dataclass(frozen=True)
class Pieces:
    """What a batch takes from the bank, on the device; one row a sample."""

    first: Tensor
    """`(b, t, fields, h)`: place in the bank at which each row begins."""
    weight: Tensor
    """`(b, t, fields)`."""
    strength: Tensor
    """`(b,)`."""

    def within(self, samples: range) -> Pieces:
        part = slice(samples.start, samples.stop)
        return Pieces(self.first[part], self.weight[part], self.strength[part])


LAW: Law = "film"
"""Grain against brightness, as `reelmend.simulate.simulation` lays it."""


class GrainBank:
    """Noise of each step's grain size, from which every frame cuts its own pieces, upside down and negated at will."""

    def __init__(self, recipe: recipes.Grain, steps: Sequence[Step], seed: int, device: torch.device) -> None:
        self._recipe = recipe
        grains = [grain_of(step.gauge, step.width, 1.0, law=LAW) for step in steps]
        self._unit = torch.tensor([grain.strength for grain in grains], dtype=torch.float64)
        level = np.linspace(0, 1, LEVELS, dtype=np.float32)
        self._bend = grains[0].bend if grains else 0.0
        self._response, self._slope = (torch.from_numpy(curve(level, LAW)).to(device) for curve in (response, slope))
        fields = [
            noise(np.random.default_rng([seed, number]), (BANK, BANK), Grain(1.0, grain.size))
            for number, grain in enumerate(grains)
        ]
        self._bank = torch.from_numpy(np.concatenate([field.ravel() for field in fields])).to(device)
        self._device = device

    def plan(
        self, generator: torch.Generator, step: Tensor, frames: int, channels: int, height: int, width: int
    ) -> Pieces:
        """Which pieces of the bank a batch's frames get; `step` is that of each sample.

        With three channels each has a field of its own and a share of one that all have.
        """
        samples = len(step)
        shape = (samples, frames, 1 if channels == 1 else channels + 1)
        down = torch.randint(BANK - height + 1, shape, generator=generator)
        across = torch.randint(BANK - width + 1, shape, generator=generator)
        turned = torch.rand(shape, generator=generator) < 0.5
        weight = (torch.randint(2, shape, generator=generator) * 2 - 1).double()
        draw = torch.rand(2, samples, generator=generator, dtype=torch.float64)
        strength = (_within(self._recipe.granularity, draw[0]) * self._unit[step]).clamp(max=STRONGEST)
        if channels > 1:
            shared = _within(self._recipe.correlation, draw[1])
            share = torch.stack([shared.sqrt(), *[(1 - shared).sqrt()] * channels], dim=1)
            weight = weight * share[:, None, :]
        line = torch.arange(height)
        line = torch.where(turned[..., None], height - 1 - line, line) + down[..., None]
        first = (step[:, None, None, None] * BANK + line) * BANK + across[..., None]
        return Pieces(*(part.to(self._device, non_blocking=True) for part in (first, weight.float(), strength.float())))

    def add(self, clips: Tensor, pieces: Pieces) -> None:
        """Lay grain over clips `(b, t, c, h, w)`, 0..1, in place."""
        channels, _, width = clips.shape[2:]
        strength = pieces.strength.view(-1, 1, 1, 1, 1)
        weight = pieces.weight[..., None, None]
        rows = self._bank.as_strided((self._bank.numel() - width + 1, width), (1, 1))
        fields = torch.index_select(rows, 0, pieces.first.reshape(-1)).view(*pieces.first.shape, width)
        fields.mul_(weight)
        pattern = fields if channels == 1 else fields[:, :, 1:].add_(fields[:, :, :1])
        clips.add_(self._bent(clips, pattern, strength)).clamp_(0, 1)

    def _bent(self, clips: Tensor, pattern: Tensor, strength: Tensor) -> Tensor:
        """`reelmend.simulate.grain.grain_step`, its curves read from tables."""
        level = (clips.clamp(0, 1) * (LEVELS - 1)).round_().int()
        bow = (self._slope[level] * (strength * (self._bend / 2))).clamp_(-0.125, 0.125)
        held = pattern.clamp(-4, 4)
        bent = bow.mul_(held.square_().sub_(1)).add_(pattern)
        return bent.mul_(self._response[level]).mul_(strength)


def _within(span: tuple[float, float], share: Tensor) -> Tensor:
    return span[0] + share * (span[1] - span[0])
