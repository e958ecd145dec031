"""What happens to one frame, from its evidence to its repaired picture."""

from __future__ import annotations

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
from reelmend.film import DamageMap, Frame, Mask
from reelmend.grain import regrain
from reelmend.motion.cuts import shots
from reelmend.motion.picture import Picture, picture
from reelmend.motion.windows import REACH, Plan, Window, planned_windows
from reelmend.pipeline.damage import Damage, kinds, nothing, pieces, share, with_edits
from reelmend.pipeline.kept import Kept, KeptRepairs
from reelmend.pipeline.stream import Clock, Lazily, TimedPool, spread
from reelmend.repair import make_repairer
from reelmend.repair.grow import grow
from reelmend.repair.promise import Repairer
from reelmend.report import FrameRecord

ORIGIN_STEP = 60
"""By so much codes of `FilledBy` are apart in the film of origins, that eyes may tell them."""

UNSURE = 0.5
"""A repaired pixel counts as unsure from here on (the repairer's 0..1)."""

DEPTH = 3
"""Frames under way in each stage: enough for two threads never to wait, few enough for 4K."""

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


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A frame whose mask was given, with all that its repair needs."""

    damage: Damage
    grown: Mask | None
    """None where there is nothing to repair."""
    key: bytes = b""
    kept: Kept | None = None


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
        self.repairer: Repairer | None = (
            make_repairer(job.repair.repairer, job.device, job.seed, job.repair.bias) if repairs else None
        )
        self._job, self._clock, self._given, self._kept = job, clock, given, kept
        self._edits = read_edits(job.edits) if job.edits else Edits()

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
        pictures = shots(spread(self._picture, frames, pool, DEPTH))
        if self._given:
            return self._of_given(pictures, self._given, first, pool)
        return self._of_found(pictures, first, pool)

    def _of_given(
        self, pictures: Iterator[tuple[int, Picture]], given: GivenMask, first: int, pool: Executor
    ) -> Iterator[Future[Outcome]]:
        """Where masks are given, only the windows are made in which something is to be repaired anew."""
        waiting: deque[tuple[Plan, Future[Window], Future[_Ready]]] = deque()
        end = None if self._job.frames is None else self._job.start + self._job.frames
        for plan, window in planned_windows(pictures, TimedPool(Lazily(), self._clock, "motion")):
            if plan.centre.index < first:
                continue
            if end is not None and plan.centre.index >= end:
                # What follows is read for its neighbours' sake; there may be no masks of it.
                break
            # Masks on disk are read here, in order, not in the pool.
            waiting.append((plan, window, pool.submit(self._ready, plan, window, given(plan.centre.index))))
            if len(waiting) > DEPTH:
                yield pool.submit(self._of_ready, *waiting.popleft())
        while waiting:
            yield pool.submit(self._of_ready, *waiting.popleft())

    def _of_found(
        self, pictures: Iterator[tuple[int, Picture]], first: int, pool: Executor
    ) -> Iterator[Future[Outcome]]:
        evidence: dict[int, Future[Any]] = {}
        waiting: deque[tuple[Plan, Future[Window]]] = deque()
        for plan, window in planned_windows(pictures, TimedPool(pool, self._clock, "motion")):
            waiting.append((plan, window))
            evidence[plan.centre.index] = pool.submit(self._look, window)
            # More wait than must, so that looking at the next frames overlaps deciding on this one.
            while len(waiting) > DEPTH and all(
                other <= plan.centre.index for other in self._needs(evidence[waiting[0][0].centre.index])
            ):
                yield from self._decided(*waiting.popleft(), first, evidence, pool)
        while waiting:
            yield from self._decided(*waiting.popleft(), first, evidence, pool)

    def _decided(
        self, plan: Plan, window: Future[Window], first: int, evidence: dict[int, Future[Any]], pool: Executor
    ) -> Iterator[Future[Outcome]]:
        index = plan.centre.index
        if index >= first:
            others = tuple(evidence.get(other) for other in self._needs(evidence[index]))
            yield pool.submit(self._frame, plan, window, evidence[index], others)
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

    def _frame(
        self, plan: Plan, window: Future[Window], evidence: Future[Any], others: tuple[Future[Any] | None, ...]
    ) -> Outcome:
        assert self.detector
        scan = plan.centre.frame
        if scan.fault:
            return self._of_ready(plan, window, self._looked_up(plan, nothing(scan)))
        with self._clock.on("detect"):
            found = self.detector.decide(
                evidence.result(), tuple(other.result() if other else None for other in others)
            )
        damage = Damage(found.mask, len(found.blobs), share(found.mask), (), found.blobs, found.note, found.damage)
        return self._of_ready(plan, window, self._looked_up(plan, self._edited(scan, damage)))

    def _ready(self, plan: Plan, window: Future[Window], given: Mask) -> _Ready:
        scan = plan.centre.frame
        # A picture that stands in for another is passed through as it is.
        damage = nothing(scan) if scan.fault else self._edited(scan, Damage(given, pieces(given), share(given)))
        ready = self._looked_up(plan, damage)
        if ready.grown is not None and ready.kept is None:
            window.result()
        return ready

    def _edited(self, scan: Frame, damage: Damage) -> Damage:
        return with_edits(damage, self._edits.of(scan.index), scan.index)

    def _looked_up(self, plan: Plan, damage: Damage) -> _Ready:
        """With the repair, if it is kept."""
        if not self.repairer or not damage.mask.any():
            return _Ready(damage, None)
        grown = grow(damage.mask, self._job.repair.grow)
        if self._kept is None:
            return _Ready(damage, grown)
        with self._clock.on("repair"):
            key = self._kept.key(plan, grown)
            return _Ready(damage, grown, key, self._kept.get(key, plan.centre.frame, grown))

    def _of_ready(self, plan: Plan, window: Future[Window], ready: _Ready | Future[_Ready]) -> Outcome:
        ready = ready.result() if isinstance(ready, Future) else ready
        scan, damage, grown, done = plan.centre.frame, ready.damage, ready.grown, ready.kept
        there = True
        if grown is not None and done is None:
            done = self._repaired(window.result(), grown)
            there = self._kept is None or self._kept.put(ready.key, scan, grown, done)
        size = damage.mask.size
        unsure = np.zeros(damage.mask.shape, np.bool_) if done is None else done.unsure
        record = FrameRecord(
            index=scan.index,
            shot=plan.shot,
            damaged=share(damage.mask),
            blobs=damage.blobs,
            unsure=share(unsure),
            changed=0.0 if grown is None else int(np.count_nonzero(grown)) / size,
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

    def _repaired(self, window: Window, grown: Mask) -> Kept:
        assert self.repairer
        with self._clock.on("repair"):
            repair = self.repairer.repair(window, grown)
        after = repair.frame
        if self._job.grain.regrain:
            with self._clock.on("grain"):
                after = regrain(after, window.centre.frame, repair.filled_by > 0, seed=self._job.seed)
        return Kept(after, repair.filled_by, repair.unsure >= UNSURE)
