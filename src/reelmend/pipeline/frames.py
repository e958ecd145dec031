"""What happens to one frame, from its evidence to its repaired picture."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.detect import make_detector
from reelmend.detect.promise import Blob, Detector
from reelmend.edits import Edits, read_edits
from reelmend.errors import UsageError
from reelmend.film import DamageMap, Frame, Mask
from reelmend.grain import regrain
from reelmend.motion.cuts import shots
from reelmend.motion.informed import FilledFlows, informed
from reelmend.motion.picture import Picture, picture
from reelmend.motion.windows import RADIUS, REACH, Plan, Window, planned_windows
from reelmend.pipeline.damage import Damage, kinds, nothing, pieces, share, with_edits
from reelmend.pipeline.kept import Kept, KeptRepairs
from reelmend.pipeline.stream import Clock, Lazily, TimedPool, spread
from reelmend.repair import make_repairer
from reelmend.repair.grow import grow
from reelmend.repair.promise import Repairer
from reelmend.repair.regions import GuardedRepairer, Regions, parse_protect
from reelmend.report import FrameRecord

ORIGIN_STEP = 60
"""By so much codes of `FilledBy` are apart in the film of origins, that eyes may tell them."""

UNSURE = 0.5
"""A repaired pixel counts as unsure from here on (the repairer's 0..1)."""

DEPTH = 3
"""Frames under way in each stage: enough for two threads never to wait, few enough for 4K."""

BEHIND = DEPTH + RADIUS + 1
"""Frames that a repair under way may be behind the one that is begun."""

GivenMask = Callable[[int], Mask]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One frame, done."""

    before: Frame
    after: Frame
    mask: Mask
    """Detected or given damage, not grown."""
    unsure: Mask
    record: FrameRecord
    origins: NDArray[np.uint8] | None = None
    """Codes of `FilledBy` times `ORIGIN_STEP`; None where nothing was repaired."""
    blobs: tuple[Blob, ...] = ()
    """What the detector says of the mask's blobs."""
    damage: DamageMap | None = None
    """Probability of damage, where a detector looked."""


Step = tuple[Plan, Future[Window], Future[Damage]]
"""A frame on its way: what its window will be made of, the window, and its damage."""


class FrameWorker:
    """Finds and repairs, by the job's options; one for all threads."""

    def __init__(
        self, job: Job, clock: Clock, given: GivenMask | None, repairs: bool, kept: KeptRepairs | None = None
    ) -> None:
        """`given`: masks by frame number, instead of detection. `repairs`: False to only detect. `kept`: repairs that
        need not be made again, and where new ones go."""
        self.detector: Detector | None = (
            None
            if given
            else make_detector(
                job.detect.detector,
                job.detect.strength,
                job.detect.min_blob,
                job.detect.max_blob,
                device=job.device,
            )
        )
        protected = None if job.repair.protect is None else Regions.read(*parse_protect(job.repair.protect))
        self.repairer: Repairer | None = repairer_of(job, protected) if repairs else None
        self.regions = protected if job.regions is None else Regions.read(job.regions)
        """By which damage is counted."""
        self._job, self._clock, self._given, self._kept = job, clock, given, kept
        self._edits = read_edits(job.edits) if job.edits else Edits()
        self._end = sys.maxsize if job.frames is None else job.start + job.frames
        self._flows = FilledFlows(TimedPool(Lazily(), clock, "motion"))

    def fit(self, height: int, width: int) -> None:
        """Bring the label maps to the size of the frames. Raises UsageError where one has another shape."""
        if self.regions is not None:
            self.regions = self.regions.fitted(height, width)
        if isinstance(self.repairer, GuardedRepairer):
            self.repairer.fit(height, width)

    def run(self, frames: Iterable[Frame], first: int, pool: Executor) -> Generator[Outcome, None, None]:
        """Every frame from number `first` on, done, in order; earlier ones are read as neighbours only."""
        done: deque[Future[Outcome]] = deque()
        for outcome in self._outcomes(frames, first, pool):
            done.append(outcome)
            if len(done) >= DEPTH:
                yield done.popleft().result()
        while done:
            yield done.popleft().result()

    def _outcomes(self, frames: Iterable[Frame], first: int, pool: Executor) -> Iterator[Future[Outcome]]:
        """Frames are repaired when it is known what is damaged in their neighbours."""
        pictures = shots(spread(self._picture, frames, pool, DEPTH))
        begin = first - REACH if self.repairer else first
        known: dict[int, Future[Damage]] = {}
        waiting: deque[Step] = deque()
        steps = self._given_damage(pictures, begin, pool) if self._given else self._found_damage(pictures, begin, pool)
        for step in steps:
            here = step[0].centre.index
            known[here] = step[2]
            if first <= here < self._end:
                waiting.append(step)
            # More wait than must, so that finding damage overlaps repairing it.
            while len(waiting) > DEPTH and max(self._near(waiting[0][0]), default=here) <= here:
                yield self._repaired_later(waiting.popleft(), known, pool)
        while waiting:
            yield self._repaired_later(waiting.popleft(), known, pool)

    def _repaired_later(self, step: Step, known: dict[int, Future[Damage]], pool: Executor) -> Future[Outcome]:
        plan = step[0]
        here = plan.centre.index
        for old in [old for old in known if old < here - REACH]:
            del known[old]
        # Those that are still at work are a few frames behind; what they miss they compute again.
        self._flows.forget(here - BEHIND)
        near = {number: known[number] for number in self._near(plan) if number in known}
        return pool.submit(self._outcome, *step, near)

    def _near(self, plan: Plan) -> list[int]:
        """The frames whose damage must be known before this one is repaired."""
        return [one.index for one in (*plan.before, *plan.after)] if self.repairer else []

    def _given_damage(self, pictures: Iterator[tuple[int, Picture]], begin: int, pool: Executor) -> Iterator[Step]:
        """Where masks are given, only the windows are made in which something is to be repaired anew."""
        for plan, window in planned_windows(pictures, TimedPool(Lazily(), self._clock, "motion")):
            here = plan.centre.index
            if here < begin:
                continue
            if here >= self._end + REACH:
                break
            # Masks on disk are read here, in order, not in the pool.
            mask = self._given_mask(here)
            if mask is not None:
                yield plan, window, pool.submit(self._edited_mask, plan.centre.frame, mask)

    def _given_mask(self, index: int) -> Mask | None:
        assert self._given
        if self._job.start <= index < self._end:
            return self._given(index)
        try:
            # What lies beyond the part that is wanted is asked for its neighbours' sake; there may be no masks of it.
            return self._given(index)
        except UsageError:
            return None

    def _found_damage(self, pictures: Iterator[tuple[int, Picture]], begin: int, pool: Executor) -> Iterator[Step]:
        evidence: dict[int, Future[Any]] = {}
        waiting: deque[tuple[Plan, Future[Window]]] = deque()
        end = self._end + REACH if self.repairer else self._end
        for plan, window in planned_windows(pictures, TimedPool(pool, self._clock, "motion")):
            here = plan.centre.index
            # Frames further away are read for cuts and copies alone: nobody asks what is in them.
            if here < begin - REACH:
                continue
            if here >= end + REACH:
                break
            waiting.append((plan, window))
            evidence[here] = pool.submit(self._look, window)
            # More wait than must, so that looking at the next frames overlaps deciding on this one.
            while len(waiting) > DEPTH and all(
                other <= here for other in self._needs(evidence[waiting[0][0].centre.index])
            ):
                yield from self._decided(*waiting.popleft(), begin, evidence, pool)
        while waiting:
            yield from self._decided(*waiting.popleft(), begin, evidence, pool)

    def _decided(
        self, plan: Plan, window: Future[Window], begin: int, evidence: dict[int, Future[Any]], pool: Executor
    ) -> Iterator[Step]:
        index = plan.centre.index
        if index >= begin:
            others = tuple(evidence.get(other) for other in self._needs(evidence[index]))
            yield plan, window, pool.submit(self._found, plan.centre.frame, evidence[index], others)
        for old in [old for old in evidence if old <= index - REACH]:
            del evidence[old]

    def _needs(self, evidence: Future[Any]) -> tuple[int, ...]:
        assert self.detector
        return self.detector.needs(evidence.result())

    def _picture(self, frame: Frame) -> Picture:
        with self._clock.on("motion"):
            return picture(frame)

    def _look(self, window: Future[Window]) -> Any:
        assert self.detector
        known = window.result()
        with self._clock.on("detect"):
            return self.detector.look(known)

    def _found(self, scan: Frame, evidence: Future[Any], others: tuple[Future[Any] | None, ...]) -> Damage:
        assert self.detector
        if scan.fault:
            return nothing(scan)
        with self._clock.on("detect"):
            found = self.detector.decide(
                evidence.result(), tuple(other.result() if other else None for other in others)
            )
        damage = Damage(found.mask, len(found.blobs), share(found.mask), (), found.blobs, found.note, found.damage)
        return self._edited(scan, damage)

    def _edited_mask(self, scan: Frame, given: Mask) -> Damage:
        # A picture that stands in for another is passed through as it is.
        return nothing(scan) if scan.fault else self._edited(scan, Damage(given, pieces(given), share(given)))

    def _edited(self, scan: Frame, damage: Damage) -> Damage:
        return with_edits(damage, self._edits.of(scan.index), scan.index)

    def _outcome(
        self, plan: Plan, window: Future[Window], known: Future[Damage], around: dict[int, Future[Damage]]
    ) -> Outcome:
        scan, damage = plan.centre.frame, known.result()
        grown, done, there = None, None, True
        if self.repairer and damage.mask.any():
            grown = grow(damage.mask, self._job.repair.grow)
            near = {number: other.result().mask for number, other in around.items()}
            done, there = self._kept_or_repaired(plan, window, damage.mask, grown, near)
        size = damage.mask.size
        unsure = np.zeros(damage.mask.shape, np.bool_) if done is None else done.unsure
        record = FrameRecord(
            index=scan.index,
            shot=plan.shot,
            damaged=share(damage.mask),
            blobs=damage.blobs,
            unsure=share(unsure),
            changed=0.0 if grown is None else int(np.count_nonzero(grown)) / size,
            regions=None if self.regions is None else self.regions.fitted(*damage.mask.shape).damage(damage.mask),
            repaired_by={} if done is None or grown is None else kinds(done.filled_by, grown),
            copy_of=plan.copy_of,
            fault=scan.fault,
            note=damage.note,
            edits=len(damage.edits),
        )
        if self._kept and self.repairer:
            if grown is None:
                self._kept.drop(scan.index)
            if there:
                self._kept.mark(scan.index, damage.found, damage.edits, record.unsure)
        origins = None if done is None else done.filled_by * np.uint8(ORIGIN_STEP)
        after = scan if done is None else done.frame
        return Outcome(scan, after, damage.mask, unsure, record, origins, damage.listed, damage.damage)

    def _kept_or_repaired(
        self, plan: Plan, window: Future[Window], mask: Mask, grown: Mask, near: dict[int, Mask]
    ) -> tuple[Kept, bool]:
        """The repair, and whether it is kept where repairs are to be kept."""
        if self._kept is None:
            return self._repaired(window.result(), mask, grown, near), True
        scan = plan.centre.frame
        with self._clock.on("repair"):
            key = self._kept.key(plan, grown, near)
            done = self._kept.get(key, scan, grown)
        if done is not None:
            return done, True
        done = self._repaired(window.result(), mask, grown, near)
        return done, self._kept.put(key, scan, grown, done)

    def _repaired(self, window: Window, mask: Mask, grown: Mask, near: dict[int, Mask]) -> Kept:
        assert self.repairer
        window = informed(window, {**near, window.centre.index: mask}, self._flows)
        with self._clock.on("repair"):
            repair = self.repairer.repair(window, grown)
        after = repair.frame
        if self._job.grain.regrain:
            with self._clock.on("grain"):
                scan, seed = window.centre.frame, self._job.seed
                after = regrain(after, scan, repair.touched, drawn=repair.drawn, seed=seed)
        return Kept(after, repair.filled_by, repair.unsure >= UNSURE)


def repairer_of(job: Job, protected: Regions | None = None) -> Repairer:
    """The repairer of a job, kept from inventing anything in `protected` regions. Raises as `make_repairer`."""
    made = make_repairer(job.repair.repairer, job.device, job.seed, job.repair.bias)
    return made if protected is None else GuardedRepairer(made, protected)
