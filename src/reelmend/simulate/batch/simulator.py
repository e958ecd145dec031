"""The simulator of training batches: a recipe and a seed in, damaged windows with their truth out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reelmend.simulate.batch import picture
from reelmend.simulate.batch.atlas import SIDE
from reelmend.simulate.batch.grain import GrainBank, Pieces
from reelmend.simulate.batch.lay import KIND_BITS, UNIT, Layer
from reelmend.simulate.batch.lookalikes import LookalikeClips, Placements
from reelmend.simulate.batch.plan import Planner
from reelmend.simulate.batch.records import Records
from reelmend.simulate.batch.render import STEPS, ladder, render
from reelmend.simulate.batch.tables import Tables
from reelmend.simulate.damage import TRUTH_ALPHA
from reelmend.simulate.grain import BT709
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.life import recipe_statistics
from reelmend.simulate.recipe import FITTED, Recipe
from reelmend.simulate.statistics import Statistics

SMALLEST = 32
"""Pixels a side of the smallest window."""

IN_CACHE = 1 << 19
"""Samples of picture that a CPU works on at once: some two megabytes, about what a core has to itself."""


@dataclass(frozen=True)
class Batch:
    """Damaged windows and all that is known of them, on the simulator's device."""

    damaged: Tensor
    """`(b, t, c, h, w)` float32, 0..1."""
    clean: Tensor
    """The same film without the damage: grain, look-alikes and the picture's own changes are in it. What a
    restoration should come to."""
    mask: Tensor
    """`(b, t, 1, h, w)` bool: `alpha > TRUTH_ALPHA`."""
    alpha: Tensor
    """`(b, t, 1, h, w)` float32, 0..1: share of the picture lost, of the channel that loses most."""
    kind: Tensor
    """`(b, t, 1, h, w)` uint8: number in `Simulator.kinds` of the kind that takes most of a pixel, 0 = none."""

    @classmethod
    def empty(cls, shape: torch.Size, device: torch.device) -> Batch:
        """To be filled, for clips of this shape."""
        single = (shape[0], shape[1], 1, *shape[3:])
        return cls(
            torch.empty(shape, device=device),
            torch.empty(shape, device=device),
            torch.empty(single, dtype=torch.bool, device=device),
            torch.empty(single, device=device),
            torch.empty(single, dtype=torch.uint8, device=device),
        )

    def put(self, samples: range, part: Batch) -> None:
        """Fill some samples."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[samples.start : samples.stop] = getattr(part, name)


@dataclass(frozen=True)
class _Plan:
    """All that is random about a batch."""

    changes: picture.Changes
    records: Records
    placements: Placements | None
    pieces: Pieces | None

    def within(self, samples: range, frames: int) -> _Plan:
        """That of some samples."""
        return _Plan(
            self.changes.within(samples),
            self.records.within(range(samples.start * frames, samples.stop * frames)),
            None if self.placements is None else self.placements.within(samples),
            None if self.pieces is None else self.pieces.within(samples),
        )


class Simulator:
    """Makes training batches. Batch by batch the same recipe, seed and device give the same pixels.

    Drawing is done once, into an atlas of soft patches; a batch decides on the host what falls where (a few numbers a
    defect), and copies patches into maps of density on the device without a loop and without waiting for it.
    """

    kinds: tuple[str, ...]
    """What the numbers in `Batch.kind` mean: `kinds[number - 1]`."""

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        device: str | torch.device = "cpu",
        *,
        frames: int = 5,
        members: int = 160,
        steps: int = STEPS,
        statistics: Statistics | None = None,
        cache: Path | None = None,
    ) -> None:
        """`frames` is the longest window that `batch` will be given; `members` how many defects of a kind the atlas
        has at each of `steps` scan scales; `cache` a folder in which what was drawn is kept.

        Raises KeyError for a kind or look-alike that nobody knows, UsageError for statistics that cannot be read.
        """
        unknown = [name for name in recipe.damage if name not in KINDS]
        if unknown:
            raise KeyError(f"no kind of damage is called {unknown[0]}")
        if statistics is None and any(name in FITTED for name in recipe.damage):
            statistics = recipe_statistics(recipe)
        statistics = statistics or Statistics.model_construct(format=1, scans=[], film_mm2=1.0, kinds={})
        self.device = torch.device(device)
        self.kinds = tuple(KINDS)
        self._recipe, self._seed, self._frames, self._next = recipe, seed, frames, 0
        self._steps = ladder(recipe, steps)
        self._micrometres = torch.tensor([step.micrometres for step in self._steps], dtype=torch.float64)
        atlas = render(recipe, statistics, self._steps, seed, members=members, frames=frames, cache=cache)
        self._tables = Tables(recipe, statistics, atlas)
        self._planner = Planner(atlas, self._steps, self._tables)
        self._layer = Layer(atlas, self.device)
        self._codes = torch.tensor([self.kinds.index(name) + 1 for name in recipe.damage], dtype=torch.long)
        self._grain = None if recipe.grain is None else GrainBank(recipe.grain, self._steps, seed, self.device)
        self._lookalikes = (
            LookalikeClips(recipe, self._steps, seed, frames, self.device, cache) if recipe.lookalikes else None
        )

    def batch(self, clean_clips: Tensor, number: int | None = None) -> Batch:
        """Damage `(b, t, c, h, w)` float32 clips in 0..1, c 1 or 3; they are left as they are.

        `number` is the batch's own: the same one gives the same damage; by default one more than the last. Raises
        ValueError for clips that do not fit.
        """
        self._check(clean_clips)
        number = self._next if number is None else number
        self._next = number + 1
        generator = torch.Generator().manual_seed(_mixed(self._seed, number))
        plan = self._plan(generator, clean_clips)
        samples, frames, channels, height, width = clean_clips.shape
        # On a CPU a few samples at a time stay in its cache; on a GPU all go together.
        group = samples if self.device.type != "cpu" else max(1, IN_CACHE // (frames * channels * height * width))
        if group >= samples:
            return self._make(clean_clips, plan)
        made = Batch.empty(clean_clips.shape, self.device)
        for first in range(0, samples, group):
            part = range(first, min(first + group, samples))
            made.put(part, self._make(clean_clips[part.start : part.stop], plan.within(part, frames)))
        return made

    def _plan(self, generator: torch.Generator, clips: Tensor) -> _Plan:
        samples, frames, channels, height, width = clips.shape
        step = self._planner.step(generator, samples)
        pixel = self._micrometres[step]
        farthest = min(height, width) / 4 - 1
        changes = picture.changes(self._recipe.picture, generator, pixel, frames, farthest, self.device)
        return _Plan(
            changes,
            self._planner.plan(generator, step, frames, height, width, changes.shift, changes.pan),
            None if self._lookalikes is None else self._lookalikes.plan(generator, step, height, width),
            None if self._grain is None else self._grain.plan(generator, step, frames, channels, height, width),
        )

    def _make(self, clips: Tensor, plan: _Plan) -> Batch:
        clean = self._as_film(clips.to(self.device, non_blocking=True), plan)
        damaged, alpha, kind = self._damage(clean, plan.records)
        clean, damaged = self._after(clean, damaged, plan.changes)
        return Batch(damaged, clean, alpha > TRUTH_ALPHA, alpha, kind)

    def _check(self, clips: Tensor) -> None:
        if clips.ndim != 5 or clips.shape[2] not in (1, 3) or not clips.dtype == torch.float32:
            raise ValueError(f"clips are (b, t, c, h, w) float32 with c 1 or 3, not {tuple(clips.shape)} {clips.dtype}")
        if clips.shape[1] > self._frames:
            raise ValueError(f"clips of {clips.shape[1]} frames; the simulator was made for at most {self._frames}")
        if max(clips.shape[-2:]) > SIDE or min(clips.shape[-2:]) < SMALLEST:
            size = f"{clips.shape[-2]} x {clips.shape[-1]}"
            raise ValueError(f"windows of {size} pixels; {SMALLEST} to {SIDE} a side")

    def _as_film(self, clean: Tensor, plan: _Plan) -> Tensor:
        """As `reelmend.simulate.simulation`: photographed, run through a gate, grained, faded."""
        clean, changes = clean.clone(), plan.changes
        if self._lookalikes is not None and plan.placements is not None:
            self._lookalikes.add(clean, plan.placements)
        if changes.shift is not None:
            clean = picture.move(clean, changes.shift)
        if changes.gain is not None:
            clean = clean.mul_(changes.gain[:, :, None, None, None]).clamp_(0, 1)
        if self._grain is not None and plan.pieces is not None:
            self._grain.add(clean, plan.pieces)
        return clean if changes.fading is None else picture.fade(clean, changes.fading)

    def _damage(self, clean: Tensor, records: Records) -> tuple[Tensor, Tensor, Tensor]:
        """Damaged clips, alpha, kind."""
        samples, frames, channels, height, width = clean.shape
        planes, shape = samples * frames, (samples, frames, 1, height, width)
        tints = self._tables.tints
        if channels == 1:
            # Of coloured damage a gray film shows its share of luma.
            records = records.weaker((tints @ torch.tensor(BT709, dtype=tints.dtype))[records.tint])
        coloured = self._tables.tinted[records.tint]
        colours = channels == 3 and bool(coloured.any())
        neutral = records.where(~coloured) if colours else records
        maps = self._layer.lay(neutral, planes, height, width, self._codes)
        density, light, strongest = (part.view(shape) for part in (maps.density, maps.light, maps.strongest))
        if colours:
            some = records.where(coloured)
            each = [some.weaker(tints[some.tint, channel]).on(some.plane * 3 + channel) for channel in range(3)]
            maps = self._layer.lay(Records.joined(each), planes * 3, height, width, self._codes)
            parts = (part.view(samples, frames, 3, height, width) for part in (maps.density, maps.light))
            density, light = (whole + part for whole, part in zip((density, light), parts, strict=True))
            strongest = torch.maximum(
                strongest, maps.strongest.view(samples, frames, 3, height, width).amax(dim=2, keepdim=True)
            )
        lost = -torch.expm1(density * (-1.0 / UNIT))
        # What all bright damage at a pixel moves it towards, by the share of density that each has.
        towards = light / density.clamp(min=1)
        damaged = torch.addcmul(clean, lost, towards - clean)
        alpha = lost if lost.shape[2] == 1 else lost.amax(dim=2, keepdim=True)
        return damaged, alpha, (strongest & ((1 << KIND_BITS) - 1)).to(torch.uint8)

    def _after(self, clean: Tensor, damaged: Tensor, changes: picture.Changes) -> tuple[Tensor, Tensor]:
        if changes.blur is None and changes.compression is None:
            return clean, damaged
        if changes.blur is not None:
            widest = self._recipe.picture.blur[1]
            clean, damaged = (picture.blur(part, changes.blur, widest) for part in (clean, damaged))
        if changes.compression is not None:
            clean, damaged = (picture.compress(part, changes.compression) for part in (clean, damaged))
        return clean, damaged


def _mixed(*numbers: int) -> int:
    """One seed of several numbers: neighbours of theirs give unrelated streams."""
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))
