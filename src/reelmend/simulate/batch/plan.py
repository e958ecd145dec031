"""Decides what falls where in a batch: how many defects, which patches, at which places and how strong.

This runs on the host, over a few numbers a defect, because the host must know how much memory to ask the device for;
nothing ever comes back from the device, so the device is never waited for. There is no loop over samples or defects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reelmend.simulate.batch.atlas import SIDE, Atlas, Step
from reelmend.simulate.batch.records import ALONG, CHOICES, FREE, PIECE, SPANNING, TURNS, Records
from reelmend.simulate.batch.tables import WAVES, Tables
from reelmend.simulate.batch.touch import Touch, TouchTable
from reelmend.simulate.space import REACH


@dataclass(frozen=True)
class _Defects:
    """Defects through the time of a sample, before they are spread over its frames."""

    sample: Tensor
    kind: Tensor
    member: Tensor
    turn: Tensor
    place: Tensor
    """float, `(n, 2)`."""
    first: Tensor
    """Frame of its birth; negative before the sample begins."""
    life: Tensor
    every: Tensor

    def where(self, chosen: Tensor) -> _Defects:
        return _Defects(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


class Planner:
    """Plans batches of one recipe; everything random comes from the generator given to `plan`."""

    def __init__(self, atlas: Atlas, steps: tuple[Step, ...], tables: Tables) -> None:
        self._tables = tables
        self._atlas = {name: torch.from_numpy(getattr(atlas, name)) for name in _HOST}
        self._micrometres = torch.tensor([step.micrometres for step in steps], dtype=torch.float64)
        self._touch = Touch(atlas, steps)
        self._steps = len(steps)

    def step(self, generator: torch.Generator, samples: int) -> Tensor:
        """The step of the ladder of each sample."""
        return torch.randint(self._steps, (samples,), generator=generator)

    def plan(
        self,
        generator: torch.Generator,
        step: Tensor,
        frames: int,
        height: int,
        width: int,
        shift: Tensor | None = None,
        pan: Tensor | None = None,
    ) -> Records:
        """The damage of a batch; `step` is that of each sample, `shift` `(b, t, 2)` the film's weave in pixels right
        and down, which what is caught in the gate does not share, `pan` `(b, 2)` what everything that lasts moves by
        from frame to frame, still in the middle one."""
        touch = self._touch.window(height, width)
        rates = self._rates(generator, step)
        lone, parents = self._counts(generator, rates, step, frames, touch)
        defects = self._lone(generator, lone, step, frames, height, width, touch)
        if self._tables.clusters:
            clustered = self._clustered(generator, parents, step, frames, height, width, touch)
            defects = _Defects(*(torch.cat([getattr(part, name) for part in (defects, clustered)]) for name in _FIELDS))
        return self._records(generator, defects, step, frames, shift, pan)

    def _rates(self, generator: torch.Generator, step: Tensor) -> Tensor:
        """Expected new defects a frame, `(samples, kinds)`: in a square micrometre for fitted kinds, in a whole frame
        for the others."""
        tables, shape = self._tables, (len(step), self._tables.kinds)
        amount = tables.amount(_rand(generator, len(step), 1))
        own = tables.times(_rand(generator, *shape))
        reel = tables.reel_factor(_rand(generator, *shape))
        there = _rand(generator, *shape) < tables.chance
        return amount * own * reel * there

    def _counts(
        self, generator: torch.Generator, rates: Tensor, step: Tensor, frames: int, touch: TouchTable
    ) -> tuple[Tensor, Tensor]:
        """How many lone defects and how many clusters, `(samples, kinds, 2)`: there when the sample begins, and
        arriving later."""
        tables = self._tables
        # Of a constant stream of births those alive at a moment number rate times mean life.
        times = torch.stack([tables.mean_life, torch.full_like(tables.mean_life, frames - 1)], dim=-1)
        area = torch.where(tables.fitted, self._micrometres[step, None] ** 2, touch.per_frame[step])
        clustered = torch.where(touch.whole[step], tables.clustered, 0.0)
        lone = rates * (1 - clustered) * area * touch.area[step]
        pixel = self._micrometres[step, None]
        margin = 2 * (touch.margin[step] + REACH * tables.radius / pixel)
        spread = (touch.height + margin) * (touch.width + margin) * pixel**2
        parents = rates * clustered / tables.members.clamp(min=1e-9) * spread
        drawn = [torch.poisson(part[..., None] * times, generator=generator).long() for part in (lone, parents)]
        return drawn[0], drawn[1]

    def _lone(
        self,
        generator: torch.Generator,
        counts: Tensor,
        step: Tensor,
        frames: int,
        height: int,
        width: int,
        touch: TouchTable,
    ) -> _Defects:
        """Lone defects: a member is met in proportion to the places from which it touches the window."""
        sample, kind, later = _spread(counts)
        pool = step[sample] * self._tables.kinds + kind
        member = touch.pick(pool, _rand(generator, len(pool)))
        turn = self._turn(generator, kind, member)
        low, high = self._range(member, turn, height, width)
        place = low + _rand(generator, len(pool), 2) * (high - low)
        return self._living(generator, sample, kind, member, turn, place, later, frames)

    def _clustered(
        self,
        generator: torch.Generator,
        counts: Tensor,
        step: Tensor,
        frames: int,
        height: int,
        width: int,
        touch: TouchTable,
    ) -> _Defects:
        """Clusters about centres in and around the window; only members that touch it are kept."""
        tables = self._tables
        sample, kind, later = _spread(counts)
        margin = touch.margin[step[sample], kind] + REACH * tables.radius[kind] / self._micrometres[step[sample]]
        size = torch.tensor([height, width], dtype=torch.float64)
        centre = _rand(generator, len(sample), 2) * (size + 2 * margin[:, None]) - margin[:, None]
        members = torch.poisson(tables.members[kind], generator=generator).long()
        of = torch.repeat_interleave(torch.arange(len(sample)), members)
        sample, kind, later, centre = sample[of], kind[of], later[of], centre[of]
        away = torch.randn(len(of), 2, generator=generator, dtype=torch.float64)
        place = centre + away * (tables.radius[kind] / self._micrometres[step[sample]])[:, None]
        pool = step[sample] * tables.kinds + kind
        first, count = (self._atlas[name].view(-1)[pool] for name in ("pool_start", "pool_members"))
        member = first + (_rand(generator, len(of)) * count).long()
        turn = self._turn(generator, kind, member)
        low, high = self._range(member, turn, height, width)
        near = ((place >= low) & (place < high)).all(dim=1)
        return self._living(
            generator, sample[near], kind[near], member[near], turn[near], place[near], later[near], frames
        )

    def _living(
        self,
        generator: torch.Generator,
        sample: Tensor,
        kind: Tensor,
        member: Tensor,
        turn: Tensor,
        place: Tensor,
        later: Tensor,
        frames: int,
    ) -> _Defects:
        life = self._tables.life(kind, _rand(generator, len(kind)), longer=later == 0)
        # Born long ago: somewhere in its life when the sample begins. Born later: in any frame but the first.
        share = _rand(generator, len(kind))
        born = 1 + (share * max(frames - 1, 1)).long()
        first = torch.where(later == 0, -(share * life).long(), born)
        every = self._tables.every(kind, _rand(generator, len(kind)))
        return _Defects(sample, kind, member, turn, place, first, life, every)

    def _turn(self, generator: torch.Generator, kind: Tensor, member: Tensor) -> Tensor:
        tables = self._tables
        free = torch.where(self._atlas["member_cut"][member], PIECE, FREE)
        manner = torch.where(tables.spans[kind], SPANNING, torch.where(tables.along[kind], ALONG, free))
        return _CHOICES[manner, (_rand(generator, len(kind)) * _CHOICE_COUNT[manner]).long()]

    def _range(self, member: Tensor, turn: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """From where to where the origin may lie so that the member touches the window: two `(n, 2)`."""
        box = self._atlas["member_box"][member].double()
        matrix = _TURNS[turn].double()
        rows, columns = box[:, None, :2], box[:, None, 2:]
        # Each end of a turned axis comes from an end of the axis that it was.
        down, across = matrix[:, :, 0, None] * rows, matrix[:, :, 1, None] * columns
        low = down.amin(dim=2) + across.amin(dim=2)
        high = down.amax(dim=2) + across.amax(dim=2)
        size = torch.tensor([height, width], dtype=torch.float64)
        least, most = -high, size - low
        # A cut piece is complete only inside its square, which therefore must hold the window.
        cut = self._atlas["member_cut"][member][:, None]
        flipped = (matrix.sum(dim=2) < 0).double() * (SIDE - 1)
        least, most = (
            torch.where(cut, size - SIDE + flipped, least),
            torch.where(cut, flipped + 1, most),
        )
        return least, most

    def _records(
        self,
        generator: torch.Generator,
        defects: _Defects,
        step: Tensor,
        frames: int,
        shift: Tensor | None,
        pan: Tensor | None,
    ) -> Records:
        tables, count = self._tables, len(defects.sample)
        frame = torch.arange(frames)
        age = frame - defects.first[:, None]
        seen = (age >= 0) & (age < defects.life[:, None]) & (age % defects.every[:, None] == 0)
        place = defects.place[:, None, :] + self._wander(generator, defects, step, frames)
        if shift is not None:
            held = tables.gate[defects.kind] | (tables.sticks[defects.kind] & (defects.life > 1) & (defects.every == 1))
            place = place + torch.where(held[:, None, None], 0.0, shift.flip(-1)[defects.sample])
        if pan is not None:
            # What spans the frame goes on beyond it: moved along itself it would look cut off.
            across = torch.where(tables.spans[defects.kind, None], torch.tensor([0.0, 1.0]), 1.0)
            steps = (frame - frames // 2)[:, None]
            place = place + (pan.flip(-1)[defects.sample] * across)[:, None, :] * steps
        place = place.expand(count, frames, 2)
        ink = tables.ink(defects.kind, _rand(generator, 5, count))
        which, when = seen.nonzero(as_tuple=True)
        kind = defects.kind[which]
        patch = self._atlas["member_patch"][defects.member[which]]
        patch = patch + torch.where(tables.ages[kind] > 1, when, 0)
        body = Records(
            patch=patch,
            plane=defects.sample[which] * frames + when,
            place=place[which, when].floor().long(),
            turn=defects.turn[which],
            kind=kind,
            opacity=ink.opacity[which],
            white=ink.white[which],
            bright=ink.bright[which],
            tint=ink.tint[which],
        )
        rim = self._atlas["rim"][patch]
        haloed = rim >= 0
        if not bool(haloed.any()):
            return body
        edge = body.where(haloed)
        edge = replace(
            edge,
            patch=rim[haloed],
            opacity=edge.opacity * ink.halo[which][haloed],
            bright=~edge.bright,
            tint=torch.zeros_like(edge.tint),
        )
        return Records.joined([body, edge])

    def _wander(self, generator: torch.Generator, defects: _Defects, step: Tensor, frames: int) -> Tensor:
        """Pixels by which defects leave their place, `(n, frames, 2)`; what spans the frame wanders in the atlas."""
        tables = self._tables
        if not tables.wobbles:
            return torch.zeros(1, 1, 1, dtype=torch.float64)
        waves = _rand(generator, len(defects.sample), 2, 2 * WAVES)
        size = tables.wobble(defects.kind, _rand(generator, len(defects.kind)))
        size = size / self._micrometres[step[defects.sample]]
        return tables.wander(waves, frames) * size[:, None, None]


_TURNS = torch.tensor(TURNS).view(-1, 2, 2)
_CHOICES = torch.tensor([choice * (len(TURNS) // len(choice)) for choice in CHOICES])
_CHOICE_COUNT = torch.tensor([float(len(choice)) for choice in CHOICES], dtype=torch.float64)
_HOST = ("rim", "member_patch", "member_box", "member_cut", "pool_start", "pool_members")
_FIELDS = tuple(_Defects.__dataclass_fields__)


def _rand(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def _spread(counts: Tensor) -> tuple[Tensor, ...]:
    """One row for each thing counted: its position along each of the axes of `counts`."""
    places = torch.repeat_interleave(torch.arange(counts.numel()), counts.reshape(-1))
    return torch.unravel_index(places, counts.shape)
