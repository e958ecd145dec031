"""Windows: a centre frame, its nearest different neighbours in the same shot, and the flows to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from reelmend.film import Mask
from reelmend.motion.copies import change, is_copy
from reelmend.motion.flow import Flow, FlowPair, compose
from reelmend.motion.picture import Picture

T = TypeVar("T")


class Pool(Protocol):
    """Anything that runs work later, first come first served: a `concurrent.futures.Executor`, for one."""

    def submit(self, work: Callable[..., T], /, *arguments: Any) -> Future[T]: ...


RADIUS = 2
"""Different neighbours on each side."""
REACH = 6
"""How many frames away a neighbour may be when copies lie between."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbour:
    """A different picture of the same shot, and where the centre's content lies in it."""

    picture: Picture
    step: int
    """-2, -1, 1 or 2: counted in different pictures, not in frames."""
    flow: Flow
    """From the centre to this picture, on the flow grid."""
    back: Flow
    """From this picture to the centre."""
    damage: Mask | None = None
    """Where it is known to be damaged itself, `(h, w)`: it is no witness of what lies there. None: nothing is known."""
    through: Flow | None = None
    """From the centre to this picture as `flow`, but looked for with the damage of both filled in: it does not follow
    damage that stays in place. None: nobody has looked."""

    @property
    def flows(self) -> tuple[Flow, ...]:
        """What is known of where the centre's content lies in this picture: one guess, or two to choose from."""
        return (self.flow,) if self.through is None else (self.flow, self.through)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A centre picture and up to two different neighbours on each side, nearest first."""

    centre: Picture
    shot: int
    before: tuple[Neighbour, ...]
    after: tuple[Neighbour, ...]
    copy_of: int | None = None
    """Index of the frame this one repeats, if any."""

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        return self.before + self.after


@dataclass(slots=True)
class _Group:
    """A run of copies of one exposure; the first stands for all of them."""

    shot: int
    members: list[Picture]
    step: float
    """Mean change from the exposure before, 0 at the start of a shot."""

    @property
    def lead(self) -> Picture:
        return self.members[0]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Which pictures a window is made of: known before any flow is."""

    centre: Picture
    lead: Picture
    """The first picture of the centre's exposure, from which flows start; the centre itself unless it is a copy."""
    shot: int
    before: tuple[Picture, ...]
    """Neighbours, nearest first."""
    after: tuple[Picture, ...]

    @property
    def copy_of(self) -> int | None:
        """Index of the frame that the centre repeats, if any."""
        return None if self.lead is self.centre else self.lead.index

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All that decide about the window."""
        return self.lead, self.centre, *self.before, *self.after


def windows(shot_pictures: Iterable[tuple[int, Picture]], pool: Pool) -> Iterator[tuple[int, Future[Window]]]:
    """The frame number and a future of the window of every picture, in order.

    Flows are computed once a pair, on the pool. Memory: at most `2 * REACH + 1` pictures are held, whatever the length
    of the shot.
    """
    for plan, window in planned_windows(shot_pictures, pool):
        yield plan.centre.index, window


def planned_windows(shot_pictures: Iterable[tuple[int, Picture]], pool: Pool) -> Iterator[tuple[Plan, Future[Window]]]:
    """As `windows`, with what each will be made of."""
    flows: dict[tuple[int, int], Future[FlowPair]] = {}
    for plan in plans(shot_pictures):
        links: list[list[Future[FlowPair]]] = []
        for forward, chain in ((False, plan.before), (True, plan.after)):
            links.append([])
            here = plan.lead
            for there in chain:
                first, second = (here, there) if forward else (there, here)
                key = (first.index, second.index)
                if key not in flows:
                    flows[key] = pool.submit(FlowPair.between, first.small, second.small)
                links[-1].append(flows[key])
                here = there
        yield plan, pool.submit(_build, plan, links[0], links[1])
        for key in [key for key in flows if key[1] <= plan.centre.index - REACH]:
            del flows[key]


def plans(shot_pictures: Iterable[tuple[int, Picture]]) -> Iterator[Plan]:
    """What the window of every picture is made of, in order."""
    groups: list[_Group] = []
    pending: list[tuple[Picture, _Group]] = []

    def emit() -> Plan:
        centre, group = pending.pop(0)
        place = next(n for n, other in enumerate(groups) if other is group)
        chosen = []
        for side in (-1, 1):
            found = []
            for step in range(1, RADIUS + 1):
                at = place + side * step
                if not 0 <= at < len(groups) or groups[at].shot != group.shot:
                    break
                if abs(groups[at].lead.index - centre.index) > REACH:
                    break
                found.append(groups[at].lead)
            chosen.append(tuple(found))
        return Plan(centre, group.lead, group.shot, chosen[0], chosen[1])

    def forget() -> None:
        if not pending:
            return
        oldest = pending[0][0].index - REACH
        while len(groups) > 1 and groups[0].members[-1].index < oldest:
            groups.pop(0)

    for shot, one in shot_pictures:
        last = groups[-1] if groups else None
        mean, block = change(last.lead.small, one.small) if last is not None and last.shot == shot else (0.0, 256.0)
        if last is not None and is_copy(mean, block, last.step) and _may_join(last, one):
            last.members.append(one)
        else:
            last = _Group(shot, [one], mean)
            groups.append(last)
        pending.append((one, last))
        while pending and _settled(pending[0], groups):
            yield emit()
            forget()
    while pending:
        yield emit()
        forget()


def _may_join(group: _Group, one: Picture) -> bool:
    # A held title would make one endless group: after `REACH` copies it is cut at every multiple of `REACH`, so that a
    # run that starts in the middle of the title cuts at the same places.
    return one.index - group.lead.index < REACH or one.index % REACH != 0


def _settled(waiting: tuple[Picture, _Group], groups: list[_Group]) -> bool:
    """Whether all neighbours after this picture are known."""
    centre, group = waiting
    newest = groups[-1].members[-1].index
    if newest - centre.index >= REACH or groups[-1].shot != group.shot:
        return True
    place = next(n for n, other in enumerate(groups) if other is group)
    return len(groups) - 1 - place >= RADIUS


def _build(plan: Plan, earlier: list[Future[FlowPair]], later: list[Future[FlowPair]]) -> Window:
    sides: list[tuple[Neighbour, ...]] = []
    for side, chosen, links in ((-1, plan.before, earlier), (1, plan.after, later)):
        out: list[Neighbour] = []
        for n, (there, link) in enumerate(zip(chosen, links, strict=True)):
            pair = link.result()
            onward, back = (pair.forward, pair.backward) if side > 0 else (pair.backward, pair.forward)
            if out:
                onward, back = compose(out[-1].flow, onward), compose(back, out[-1].back)
            out.append(Neighbour(there, side * (n + 1), onward, back))
        sides.append(tuple(out))
    return Window(plan.centre, plan.shot, sides[0], sides[1], plan.copy_of)
