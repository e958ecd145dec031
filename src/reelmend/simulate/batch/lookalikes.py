"""Look-alikes for a batch: short clips of them, drawn once by the look-alikes themselves, laid over clean windows.

A clip is what a square of `SIDE` sees of a scene for a few frames, so things keep their paths, their crowd and their
wind. Those that take their content from the picture show the plain colour that they name instead; those that
look for their place in the picture (glints) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.simulate.batch.atlas import SIDE, Step
from reelmend.simulate.batch.keep import kept, key_of
from reelmend.simulate.batch.lay import UNIT, Placer
from reelmend.simulate.batch.render import ROOM
from reelmend.simulate.grain import BT709
from reelmend.simulate.lookalikes import LOOKALIKES, LookAlike, Stamp, Thing
from reelmend.simulate.lookalikes.promise import scale_of
from reelmend.simulate.optics import DENSEST, FAINTEST
from reelmend.simulate.recipe import Recipe

CLIPS = 3
"""Of each look-alike at each step of the ladder: every batch cuts its windows elsewhere in them."""

READ = frozenset({"titles"})
"""Look-alikes that are never mirrored."""

NEAR = 160.0
"""Units (640 a picture's width) beyond the square at which a thing's middle may lie and still be drawn."""

Image = NDArray[np.float32]


@dataclass(frozen=True)
class _Frame:
    """One frame of a clip: `picture = gain * picture + lift`, `(SIDE, SIDE)` and `(SIDE, SIDE, 3)`."""

    gain: Image
    lift: Image


@dataclass(frozen=True)
class Clips:
    """The pixels of all frames of all clips, one after the other."""

    row: NDArray[np.int16]
    column: NDArray[np.int16]
    density: Image
    """Natural logarithm of the light that is lost."""
    light: Image
    """`(n, 3)`: what the picture moves towards."""
    count: NDArray[np.int64]
    """Pixels of each frame."""


@dataclass(frozen=True)
class Placements:
    """Clips laid over the samples of a batch, one row each, on the host."""

    sample: Tensor
    clip: Tensor
    place: Tensor
    """`(n, 2)` row and column of the square's corner."""
    mirrored: Tensor

    def within(self, samples: range) -> Placements:
        """Those of some samples, counted from the first of them."""
        mine = (self.sample >= samples.start) & (self.sample < samples.stop)
        return Placements(self.sample[mine] - samples.start, self.clip[mine], self.place[mine], self.mirrored[mine])


class LookalikeClips:
    """All clips of a recipe's look-alikes on a device."""

    def __init__(
        self,
        recipe: Recipe,
        steps: Sequence[Step],
        seed: int,
        frames: int,
        device: torch.device,
        cache: Path | None = None,
    ) -> None:
        """Raises KeyError for a look-alike that nobody knows."""
        self._names = [name for name in recipe.lookalikes if not LOOKALIKES[name].needs_picture]
        self._frames, self._device = frames, device
        self._chance = torch.tensor([recipe.lookalikes[name].chance for name in self._names], dtype=torch.float64)
        self._mirrors = torch.tensor([name not in READ for name in self._names], dtype=torch.bool)
        amounts = {name: recipe.lookalikes[name].amount for name in self._names}
        sources = sorted([*ROOM.glob("lookalikes/*.py"), Path(__file__)])
        key = key_of((amounts, tuple(steps), seed, frames, SIDE), sources)
        drawn = kept(Clips, cache, key, lambda: draw_clips(amounts, steps, seed, frames))
        pieces = np.ones(len(drawn.count), dtype=np.bool_)
        start = np.cumsum(drawn.count) - drawn.count
        self._placer = Placer(drawn.row, drawn.column, start, drawn.count, pieces, device)
        self._density = torch.from_numpy(drawn.density).to(device)
        self._light = torch.from_numpy(drawn.light).to(device)

    def plan(self, generator: torch.Generator, step: Tensor, height: int, width: int) -> Placements:
        """Which samples have which clips, and where; `step` is that of each sample."""
        there = torch.rand(len(step), len(self._names), generator=generator, dtype=torch.float64) < self._chance
        sample, kind = there.nonzero(as_tuple=True)
        share = torch.rand(4, len(sample), generator=generator, dtype=torch.float64)
        clip = (step[sample] * len(self._names) + kind) * CLIPS + (share[0] * CLIPS).long()
        mirrored = (share[1] < 0.5) & self._mirrors[kind]
        top = -(share[2] * (SIDE - height + 1)).long()
        left = -(share[3] * (SIDE - width + 1)).long()
        # Mirrored, a column lies as far left of the origin as it lay right of it.
        place = torch.stack([top, torch.where(mirrored, SIDE - 1 + left, left)], dim=1)
        return Placements(sample, clip, place, mirrored)

    def add(self, clips: Tensor, placements: Placements) -> None:
        """Lay look-alikes over clips `(b, t, c, h, w)`, 0..1, in place."""
        samples, frames, channels, height, width = clips.shape
        when = torch.arange(frames).repeat(len(placements.sample))
        of = torch.repeat_interleave(torch.arange(len(placements.sample)), frames)
        landing = self._placer.land(
            placements.clip[of] * self._frames + when,
            placements.sample[of] * frames + when,
            placements.place[of],
            placements.mirrored.long()[of],
            samples * frames,
            height,
            width,
        )
        if landing is None:
            return
        size = samples * frames * height * width
        lost = (self._density[landing.source] * UNIT).round_()
        density = torch.zeros(size + 1, dtype=torch.int32, device=self._device)
        density.index_add_(0, landing.target, lost.int())
        colour = self._light[landing.source]
        if channels == 1:
            colour = (colour * torch.tensor(BT709, device=self._device)).sum(dim=1, keepdim=True)
        light = torch.zeros(channels, size + 1, dtype=torch.int32, device=self._device)
        light.index_add_(1, landing.target, (colour.T * lost).round_().int())
        total = density[:size].view(samples, frames, 1, height, width)
        share_of_light = light[:, :size].view(channels, samples, frames, height, width).permute(1, 2, 0, 3, 4)
        alpha = -torch.expm1(total * (-1.0 / UNIT))
        towards = share_of_light / total.clamp(min=1)
        clips.add_(towards.sub_(clips).mul_(alpha))


def draw_clips(amounts: Mapping[str, tuple[float, float]], steps: Sequence[Step], seed: int, frames: int) -> Clips:
    """`CLIPS` clips of each look-alike at each step, in this order; `amounts` is their range of times the usual."""
    places: list[tuple[NDArray[np.int64], ...]] = []
    density: list[Image] = []
    light: list[Image] = []
    for number, step in enumerate(steps):
        for index, (name, amount) in enumerate(amounts.items()):
            for clip in range(CLIPS):
                rng = np.random.default_rng([seed, number, index, clip])
                for frame in clip_frames(rng, LOOKALIKES[name], step, frames, float(rng.uniform(*amount))):
                    rows, columns = np.nonzero(frame.gain < 1 - FAINTEST)
                    gain = np.maximum(frame.gain[rows, columns], np.float32(10**-DENSEST))
                    places.append((rows, columns))
                    density.append(-np.log(gain))
                    # Kept so that things which overlap share their light by what each of them takes.
                    colour = frame.lift[rows, columns] / np.maximum(1 - gain, np.float32(1e-6))[:, None]
                    light.append(np.clip(colour, 0, 1).astype(np.float32))
    return Clips(
        row=_joined([part[0] for part in places]).astype(np.int16),
        column=_joined([part[1] for part in places]).astype(np.int16),
        density=_joined(density).astype(np.float32),
        light=_joined(light).astype(np.float32).reshape(-1, 3),
        count=np.array([len(part[0]) for part in places], dtype=np.int64),
    )


def clip_frames(rng: np.random.Generator, look: LookAlike, step: Step, frames: int, amount: float) -> list[_Frame]:
    """What a square somewhere in a scene sees of one look-alike for a few frames."""
    size = (step.height, step.width)
    scale = scale_of(size)
    top = int(rng.integers(min(0, step.height - SIDE), max(0, step.height - SIDE) + 1))
    left = int(rng.integers(min(0, step.width - SIDE), max(0, step.width - SIDE) + 1))
    # Nothing lives longer than a block: things of the block before may still be there.
    mood = int(rng.integers(2**31))
    block = look.block
    born = [
        replace(thing, first=thing.first + late)
        for late in (-block, 0)
        for thing in look.sample(rng, size, block, amount, mood)
    ]
    first = int(rng.integers(0, max(1, block - frames + 1)))
    drawn = []
    for frame in range(first, first + frames):
        stamps = [
            stamp
            for thing in born
            if thing.lives(frame) and _near(thing, frame, top / scale, left / scale, SIDE / scale)
            for stamp in look.draw(thing, size, frame)
        ]
        drawn.append(_laid(stamps, top, left))
    return drawn


def _near(thing: Thing, frame: int, top: float, left: float, side: float) -> bool:
    x, y = thing.place(frame)
    return left - NEAR < x < left + side + NEAR and top - NEAR < y < top + side + NEAR


def _laid(stamps: Sequence[Stamp], top: int, left: int) -> _Frame:
    gain = np.ones((SIDE, SIDE), dtype=np.float32)
    lift = np.zeros((SIDE, SIDE, 3), dtype=np.float32)
    for stamp in stamps:
        rows, columns = stamp.alpha.shape
        upper, lower = max(stamp.top - top, 0), min(stamp.top - top + rows, SIDE)
        near, far = max(stamp.left - left, 0), min(stamp.left - left + columns, SIDE)
        if upper >= lower or near >= far:
            continue
        alpha = stamp.alpha[
            upper + top - stamp.top : lower + top - stamp.top, near + left - stamp.left : far + left - stamp.left
        ]
        place = np.s_[upper:lower, near:far]
        gain[place] *= 1 - alpha
        colour = np.broadcast_to(np.asarray(stamp.colour, dtype=np.float32), (3,))
        lift[place] += alpha[..., None] * (colour - lift[place])
    return _Frame(gain, lift)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
