"""What happens to one frame, from its evidence to its repaired picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.detect import make_detector
from reelmend.detect.promise import Blob, Detector
from reelmend.edits import Edits, Operation, apply, read_edits
from reelmend.film import DamageMap, Frame, Mask
from reelmend.grain import regrain
from reelmend.motion.cuts import shots
from reelmend.motion.picture import Picture, picture
from reelmend.motion.windows import REACH, Window, windows
from reelmend.pipeline.stream import Clock, TimedPool, spread
from reelmend.repair import make_repairer
from reelmend.repair.grow import grow
from reelmend.repair.promise import FilledBy, Repair, Repairer
from reelmend.repair.regions import GuardedRepairer, Regions, parse_protect
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


class FrameWorker:
    """Finds and repairs, by the job's options; one for all threads."""

    def __init__(self, job: Job, clock: Clock, given: GivenMask | None, repairs: bool) -> None:
        """`given`: masks by frame number, instead of detection. `repairs`: False to only detect."""
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
        self.regions: Regions | None = None
        """By which damage is counted, and in which nothing may be invented."""
        if job.repair.protect is not None:
            self.regions = Regions.read(*parse_protect(job.repair.protect))
            if self.repairer:
                self.repairer = GuardedRepairer(self.repairer, self.regions)
        if job.regions is not None:
            self.regions = Regions.read(job.regions)
        self._job, self._clock, self._given = job, clock, given
        self._edits = read_edits(job.edits) if job.edits else Edits()

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
        evidence: dict[int, Future[Any]] = {}
        waiting: deque[tuple[int, Future[Window]]] = deque()
        pictures = spread(self._picture, frames, pool, DEPTH)
        for index, window in windows(shots(pictures), TimedPool(pool, self._clock, "motion")):
            waiting.append((index, window))
            evidence[index] = pool.submit(self._look, window)
            # More wait than must, so that looking at the next frames overlaps deciding on this one.
            while len(waiting) > DEPTH and all(other <= index for other in self._needs(evidence[waiting[0][0]])):
                yield from self._decided(*waiting.popleft(), first, evidence, pool)
        while waiting:
            yield from self._decided(*waiting.popleft(), first, evidence, pool)

    def _decided(
        self, index: int, window: Future[Window], first: int, evidence: dict[int, Future[Any]], pool: Executor
    ) -> Iterator[Future[Outcome]]:
        if index >= first:
            others = tuple(evidence.get(other) for other in self._needs(evidence[index]))
            # Masks on disk are read here, in order, not in the pool.
            mask = self._given(index) if self._given else None
            yield pool.submit(self._frame, window, evidence[index], others, mask)
        for old in [old for old in evidence if old <= index - REACH]:
            del evidence[old]

    def _needs(self, evidence: Future[Any]) -> tuple[int, ...]:
        return self.detector.needs(evidence.result()) if self.detector else ()

    def _picture(self, frame: Frame) -> Picture:
        with self._clock.on("motion"):
            return picture(frame)

    def _look(self, window: Future[Window]) -> Any:
        known = window.result()
        if not self.detector:
            return None
        with self._clock.on("detect"):
            return self.detector.look(known)

    def _frame(
        self,
        future: Future[Window],
        evidence: Future[Any],
        others: tuple[Future[Any] | None, ...],
        given: Mask | None,
    ) -> Outcome:
        window = future.result()
        scan = window.centre.frame
        note = scan.fault
        listed: tuple[Blob, ...]
        damage: DamageMap | None = None
        if scan.fault:
            # A picture that stands in for another is passed through as it is.
            mask = np.zeros((scan.height, scan.width), np.bool_)
            blobs, listed = 0, ()
        elif given is not None:
            mask = given
            blobs, listed = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[0] - 1, ()
        else:
            assert self.detector
            with self._clock.on("detect"):
                found = self.detector.decide(
                    evidence.result(), tuple(other.result() if other else None for other in others)
                )
            mask, blobs, listed, note = found.mask, len(found.blobs), found.blobs, found.note
            damage = found.damage
        edits = self._edits.of(scan.index)
        if edits and not scan.fault:
            mask, listed = _edited(edits, scan.index, mask, listed)
            blobs = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[0] - 1
        after, repair, changed = scan, None, None
        if self.repairer and mask.any():
            changed = grow(mask, self._job.repair.grow)
            with self._clock.on("repair"):
                repair = self.repairer.repair(window, changed)
            after = repair.frame
            if self._job.grain.regrain:
                with self._clock.on("grain"):
                    after = regrain(after, scan, repair.filled_by > 0, seed=self._job.seed)
        unsure = np.zeros(mask.shape, np.bool_) if repair is None else repair.unsure >= UNSURE
        touched = 0 if changed is None else int(np.count_nonzero(changed))
        record = FrameRecord(
            index=scan.index,
            shot=window.shot,
            damaged=int(np.count_nonzero(mask)) / mask.size,
            blobs=blobs,
            unsure=int(np.count_nonzero(unsure)) / mask.size,
            changed=touched / mask.size,
            regions=None if self.regions is None else self.regions.fitted(*mask.shape).damage(mask),
            repaired_by={} if repair is None or changed is None else _kinds(repair, changed),
            copy_of=window.copy_of,
            fault=scan.fault,
            note=None if scan.fault else note,
            edits=0 if scan.fault else len(edits),
        )
        origins = None if repair is None else repair.filled_by * np.uint8(ORIGIN_STEP)
        return Outcome(scan, after, mask, unsure, record, origins, listed, damage)


def _edited(
    edits: Sequence[Operation], index: int, mask: Mask, listed: tuple[Blob, ...]
) -> tuple[Mask, tuple[Blob, ...]]:
    """The mask after its edits, and what is known of its blobs: what the detector said of those that it left as they
    were, and of the others that a person is certain of them."""
    edited = apply(edits, index, mask)
    if not listed:
        return edited, ()
    count, _, stats, centres = cv2.connectedComponentsWithStats(edited.view(np.uint8), connectivity=8)
    known = {(round(blob.x, 3), round(blob.y, 3), blob.area): blob for blob in listed}
    blobs = []
    for n in range(1, count):
        x, y, area = float(centres[n, 0]), float(centres[n, 1]), int(stats[n, cv2.CC_STAT_AREA])
        blobs.append(known.get((round(x, 3), round(y, 3), area)) or Blob(x, y, area, 1.0, "unknown"))
    return edited, tuple(blobs)


def _kinds(repair: Repair, changed: Mask) -> dict[str, float]:
    """How the pixels inside the grown mask that were changed were filled: share by kind."""
    counts = np.bincount(repair.filled_by[changed], minlength=len(FilledBy))
    whole = max(1, counts[1:].sum())
    return {kind.name.lower(): float(counts[kind]) / whole for kind in FilledBy if kind and counts[kind]}
