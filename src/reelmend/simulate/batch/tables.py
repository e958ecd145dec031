"""A recipe and its statistics as tensors by kind of damage, ready to be looked up for all defects at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reelmend.simulate.batch.atlas import Atlas
from reelmend.simulate.inks import BRIGHT, DARK
from reelmend.simulate.life import ALONG_FILM, PERIODS, STICKS
from reelmend.simulate.recipe import Entry, Recipe
from reelmend.simulate.simulation import GATE
from reelmend.simulate.space import SQUARE_MICROMETRES
from reelmend.simulate.statistics import Statistics

QUANTILES = 4096
"""Entries of a table from which a distribution is drawn by a uniform number."""

WAVES = 8
"""Of which a wandering is the sum, along x and along y."""


@dataclass(frozen=True)
class Inks:
    """One row a defect."""

    opacity: Tensor
    white: Tensor
    bright: Tensor
    halo: Tensor
    tint: Tensor
    """Row of `Tables.tints`."""


class Tables:
    """Every method takes uniform numbers in 0..1 and gives what they stand for; all float64 on the host."""

    def __init__(self, recipe: Recipe, statistics: Statistics, atlas: Atlas) -> None:
        entries = list(recipe.damage.values())
        names = list(recipe.damage)
        self.kinds = len(entries)
        self.spans = torch.from_numpy(atlas.spans)
        self.ages = torch.from_numpy(atlas.ages)
        self.fitted = torch.tensor([name in statistics.kinds for name in names], dtype=torch.bool)
        self.chance = _column([entry.chance for entry in entries])
        fits = [statistics.kinds.get(name) for name in names]
        self._rate = _column([1.0 if fit is None else fit.count.per_mm2 / SQUARE_MICROMETRES for fit in fits])
        self.members = _column([0.0 if fit is None else fit.space.members for fit in fits])
        self.radius = _column([0.0 if fit is None else fit.space.radius for fit in fits])
        self.clustered = _column(
            [fit.space.clustered if fit is not None and fit.space.members > 0 else 0.0 for fit in fits]
        )
        self.clusters = bool((self.clustered > 0).any())
        self._times = _Ranges(
            [entry.per_frame if fit is None else entry.times for entry, fit in zip(entries, fits, strict=True)]
        )
        self._amount = recipe.amount
        self._reel = (
            torch.stack([_gamma_quantiles(0.0 if fit is None else fit.count.dispersion) for fit in fits])
            if fits
            else torch.ones(0, QUANTILES, dtype=torch.float64)
        )
        lives = [_lives(name, entry, recipe) for name, entry in zip(names, entries, strict=True)]
        self.mean_life = _column([float((life * share).sum()) for life, share in lives])
        # The fit counts what a frame shows: what lives longer is born less often.
        self._rate = torch.where(self.fitted, self._rate / self.mean_life, self._rate)
        self._life = _stack([_quantiles(life, share) for life, share in lives])
        # A defect that is met at a moment is met in proportion to its life.
        self._met_life = _stack([_quantiles(life, share * life) for life, share in lives])
        self._every = _Ranges([(entry.every[0], entry.every[1] + 1) for entry in entries])
        self._opacity = _Ranges([entry.opacity for entry in entries])
        self._white = _Ranges([entry.white for entry in entries])
        self._halo = _Ranges([entry.halo for entry in entries])
        self._bright = _column([entry.bright for entry in entries])
        self._wobble = _Ranges([entry.wobble for entry in entries])
        self._tint_count = torch.tensor([len(entry.tints) for entry in entries], dtype=torch.float64)
        most = max((len(entry.tints) for entry in entries), default=1)
        known = list(BRIGHT)
        self._tint = torch.tensor(
            [[known.index(entry.tints[i % len(entry.tints)]) for i in range(most)] for entry in entries],
            dtype=torch.long,
        ).view(-1, most)
        self._dark = torch.tensor([name in DARK for name in known])
        self.tints = torch.tensor(
            [*BRIGHT.values(), *[DARK.get(name, BRIGHT[name]) for name in known]], dtype=torch.float64
        )
        """Shares of red, green and blue, one row a tint; row 0 and those that are alike are neutral."""
        self.tinted = (self.tints != self.tints[:, :1]).any(dim=1)
        self.sticks = torch.tensor([name in STICKS for name in names], dtype=torch.bool)
        self.along = torch.tensor([name in ALONG_FILM for name in names], dtype=torch.bool)
        self.gate = torch.tensor([name in GATE for name in names], dtype=torch.bool)
        self.wobbles = any(
            entry.wobble[1] > 0 and not spans for entry, spans in zip(entries, atlas.spans.tolist(), strict=True)
        )

    def amount(self, share: Tensor) -> Tensor:
        """Log-uniform; uniform from nothing on, which has no logarithm."""
        low, high = self._amount
        if low <= 0:
            return low + share * (high - low)
        return torch.exp(math.log(low) + share * math.log(high / low))

    def times(self, share: Tensor) -> Tensor:
        """Rates, `(samples, kinds)`, before `amount`: a square micrometre for fitted kinds, a frame for others."""
        return self._times.by_column(share) * self._rate

    def reel_factor(self, share: Tensor) -> Tensor:
        place = (share * QUANTILES).long().clamp(max=QUANTILES - 1)
        return self._reel[torch.arange(self.kinds), place]

    def life(self, kind: Tensor, share: Tensor, longer: Tensor) -> Tensor:
        """Frames; where `longer`, of defects met at a moment instead of defects as they are born."""
        place = (share * QUANTILES).long().clamp(max=QUANTILES - 1)
        return torch.where(longer, self._met_life[kind, place], self._life[kind, place]).long()

    def every(self, kind: Tensor, share: Tensor) -> Tensor:
        return self._every.of(kind, share).long()

    def ink(self, kind: Tensor, share: Tensor) -> Inks:
        """`share` is `(5, n)`."""
        tint = self._tint[kind, (share[4] * self._tint_count[kind]).long()]
        bright = (share[2] < self._bright[kind]) | ~self._dark[tint]
        return Inks(
            opacity=self._opacity.of(kind, share[0]),
            white=self._white.of(kind, share[1]),
            bright=bright,
            halo=self._halo.of(kind, share[3]),
            tint=tint + torch.where(bright, 0, len(BRIGHT)),
        )

    def wobble(self, kind: Tensor, share: Tensor) -> Tensor:
        """Micrometres; none for kinds that span the frame."""
        return torch.where(self.spans[kind], 0.0, self._wobble.of(kind, share))

    def wander(self, share: Tensor, frames: int) -> Tensor:
        """Slow smooth noise of unit variance, `(n, frames, 2)`, as `reelmend.simulate.life` has it; `share` is
        `(n, 2, 2 * WAVES)`."""
        low, high = (math.log(period) for period in PERIODS)
        period = torch.exp(low + share[..., :WAVES] * (high - low))[:, None]
        turn = torch.arange(frames, dtype=torch.float64)[:, None, None] / period + share[..., WAVES:][:, None]
        return math.sqrt(2 / WAVES) * torch.cos(2 * math.pi * turn).sum(dim=-1)


class _Ranges:
    def __init__(self, ranges: list[tuple[float, float]]) -> None:
        table = torch.tensor(ranges, dtype=torch.float64).view(-1, 2)
        self._low, self._span = table[:, 0], table[:, 1] - table[:, 0]

    def of(self, kind: Tensor, share: Tensor) -> Tensor:
        return self._low[kind] + share * self._span[kind]

    def by_column(self, share: Tensor) -> Tensor:
        return self._low + share * self._span


def _lives(name: str, entry: Entry, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Lives in whole frames and how probable each is, as `reelmend.simulate.life` draws them."""
    sticks = recipe.sticking.chance if name in STICKS else 0.0
    life, share = _life(*entry.frames)
    longer, part = _life(*recipe.sticking.frames)
    return torch.cat([life, longer]), torch.cat([share * (1 - sticks), part * sticks])


def _life(low: int, high: int) -> tuple[Tensor, Tensor]:
    """The whole part of a log-uniform number, and its probabilities."""
    values = torch.arange(low, high + 1, dtype=torch.float64)
    share = torch.log1p(1 / values)
    return values, share / share.sum()


def _quantiles(values: Tensor, share: Tensor) -> Tensor:
    total = (share / share.sum()).cumsum(0)
    at = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5) / QUANTILES
    return values[torch.searchsorted(total, at).clamp(max=len(values) - 1)]


def _gamma_quantiles(dispersion: float) -> Tensor:
    """Of a gamma distribution of mean 1 and this variance: the means of equal parts of a large sample."""
    if dispersion == 0:
        return torch.ones(QUANTILES, dtype=torch.float64)
    sample = np.sort(np.random.default_rng(QUANTILES).gamma(1 / dispersion, dispersion, 64 * QUANTILES))
    parts = sample.reshape(QUANTILES, -1).mean(axis=1)
    return torch.from_numpy(parts / parts.mean())


def _column(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _stack(rows: list[Tensor]) -> Tensor:
    return torch.stack(rows) if rows else torch.zeros(0, QUANTILES, dtype=torch.float64)
