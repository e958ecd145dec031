"""A whole job: open, work through the reel, write film, masks and report; go on where a killed run stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from threadpoolctl import threadpool_limits

from reelmend.config import Job
from reelmend.detect import choose_detector
from reelmend.errors import MediaError, UsageError
from reelmend.film import Frame, ReelFacts
from reelmend.media import Reel, open_mask_reader, open_reel
from reelmend.motion.cuts import CutFinder
from reelmend.motion.windows import REACH
from reelmend.pipeline.films import Films, Stage, Workspaces
from reelmend.pipeline.frames import FrameWorker, GivenMask, Outcome
from reelmend.pipeline.kept import KeptRepairs
from reelmend.pipeline.places import check_places
from reelmend.pipeline.stream import Clock, ahead, pool_size
from reelmend.report import ReportWriter, journal_length

CONTEXT = 5 * REACH + CutFinder.DELAY
"""Frames read before the first one worked on: enough for its neighbours, their damage, the evidence of those beside
them, the copies among them and the cuts to come out as if the reel had been read from its start."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    done: int
    total: int | None
    """As the source says, or its own estimate where it does not count its frames."""
    fps: float
    """Frames a second in this run."""
    damaged_fraction: float
    """Mean over the frames done in this run."""
    shot: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job found and what it cost."""

    frames: int
    shots: int
    damaged_fraction: float
    """Mean share of damaged pixels."""
    blobs: int
    unsure_fraction: float
    seconds: dict[str, float]
    """By stage, see `Clock`; of the frames of this run alone if it went on after another."""
    wall: float
    output: Path | None
    masks: Path | None
    report: Path | None
    notes: tuple[str, ...] = ()
    """What could not be kept, and frames that could not be read."""
    computed: tuple[str, ...] = ()
    """Which engines computed the detector's networks, and how exactly."""


Report = Callable[[Progress], None]


def restore(job: Job, progress: Report | None = None) -> Summary:
    """Find and repair damage. Raises ReelMendError as described in `docs/`; the source is never touched."""
    if job.output is None:
        raise UsageError("restore needs an OUTPUT to write")
    return _Run(job, "restore", progress).go()


def detect(job: Job, progress: Report | None = None) -> Summary:
    """Find damage and write masks only."""
    if job.masks is None:
        raise UsageError("detect needs MASKS to write")
    return _Run(job.model_copy(update={"output": None}), "detect", progress).go()


def repair(job: Job, progress: Report | None = None, *, kept: KeptRepairs | None = None) -> Summary:
    """Repair what the job's masks say, detected or drawn by hand.

    `kept`: repairs that need not be made again, and where new ones go; the film is the same with and without.
    """
    if job.masks is None or job.output is None:
        raise UsageError("repair needs MASKS to read and an OUTPUT to write")
    return _Run(job, "repair", progress, kept).go()


class _Run:
    def __init__(self, job: Job, stage: Stage, progress: Report | None, kept: KeptRepairs | None = None) -> None:
        if stage != "repair":
            # A run that is gone on with, and its report, name the detector that the first part chose.
            chosen = choose_detector(job.detect.detector, job.device)
            job = job.model_copy(update={"detect": job.detect.model_copy(update={"detector": chosen})})
        self.job, self.stage, self.progress, self.kept = job, stage, progress, kept
        self.masks = job.edited_masks if stage == "repair" else job.masks
        """Where masks are written."""
        self.clock = Clock()
        self.begun = time.perf_counter()
        self.workers = pool_size(job.threads)

    def go(self) -> Summary:
        job = self.job
        threads = cv2.getNumThreads()
        with ExitStack() as stack:
            reel = stack.enter_context(open_reel(job.source, gaps=job.gaps, on_error=job.on_error, threads=job.threads))
            check_places(job, self.stage)
            given = self._given(reel.facts, stack)
            worker = FrameWorker(job, self.clock, given, repairs=self.stage != "detect", kept=self.kept)
            worker.fit(reel.facts.height, reel.facts.width)
            spaces = Workspaces(job, self.stage, self.masks, reel, stack)
            # Frames run side by side; OpenCV's and BLAS's own threads would only get in their way.
            cv2.setNumThreads(1)
            stack.enter_context(threadpool_limits(1))
            stack.callback(cv2.setNumThreads, threads)
            try:
                return self._through(reel, worker, spaces, stack)
            except UsageError:
                # A mistake leaves nothing behind that could be gone on from.
                spaces.remove_later(stack)
                raise

    def _given(self, facts: ReelFacts, stack: ExitStack) -> GivenMask | None:
        if self.stage != "repair":
            return None
        assert self.job.masks is not None
        reader = stack.enter_context(open_mask_reader(self.job.masks, facts.height, facts.width))
        return reader.mask

    def _through(self, reel: Reel, worker: FrameWorker, spaces: Workspaces, stack: ExitStack) -> Summary:
        job, facts = self.job, reel.facts
        total = _total(facts, job)
        films = Films(job, self.stage, self.masks, reel, spaces, stack)
        # The journal is kept even where no report was asked for: totals of a run that went on come from it.
        journal = Path(job.report) if job.report is not None else spaces.main.part("report")
        done = films.done(journal_length(journal))
        films.go_on(done, stack)
        report = stack.enter_context(ReportWriter(journal, job, facts, done, pictures=job.report is not None))
        self._work(reel, worker, films, report, done, total)
        with self.clock.on("encode", wall=True):
            films.finish()
        summary = self._summary(report, films, facts, worker)
        if job.report is not None:
            report.finish(summary)
        spaces.remove()
        return summary

    def _work(
        self,
        reel: Reel,
        worker: FrameWorker,
        films: Films,
        report: ReportWriter,
        done: int,
        total: int | None,
    ) -> None:
        job = self.job
        first = job.start + done
        if total is not None and done >= total:
            return
        begin = max(0, first - CONTEXT)
        # Neighbours after the last frame are read too; they decide about it.
        count = None if job.frames is None else job.start + job.frames - begin + CONTEXT
        about = total
        if about is None and reel.facts.frames_about is not None:
            about = max(done, reel.facts.frames_about - job.start)
        shot_offset: int | None = None
        last_shot = report.last_shot
        position, damaged = done, 0.0
        begun = time.perf_counter()
        with (
            ThreadPoolExecutor(self.workers, thread_name_prefix="reelmend") as pool,
            ThreadPoolExecutor(1, thread_name_prefix="reelmend-write") as writing,
            closing(ahead(_frames(reel, begin, count, job), 2, self.clock, "decode")) as frames,
            closing(worker.run(frames, max(begin, first - 1) if done else first, pool)) as outcomes,
        ):
            pending: Future[None] | None = None
            for outcome in outcomes:
                if shot_offset is None:
                    # Shots are numbered from the first frame of the job, also when going on.
                    shot_offset = (last_shot or 0) - outcome.record.shot
                if outcome.record.index < first:
                    if outcome.record.index == first - 1:
                        films.remember(outcome)
                    continue
                if job.frames is not None and outcome.record.index >= job.start + job.frames:
                    break
                outcome = replace(outcome, record=replace(outcome.record, shot=outcome.record.shot + shot_offset))
                if pending is not None:
                    pending.result()
                pending = writing.submit(self._write, outcome, position, films, report)
                position += 1
                damaged += outcome.record.damaged
                if self.progress:
                    spent = time.perf_counter() - begun
                    new = position - done
                    self.progress(Progress(position, about, new / max(spent, 1e-6), damaged / new, outcome.record.shot))
            if pending is not None:
                pending.result()
        if not position:
            raise UsageError(f"{job.source} ends before frame {first}; give a smaller --start")

    def _write(self, outcome: Outcome, position: int, films: Films, report: ReportWriter) -> None:
        with self.clock.on("encode", wall=True):
            films.write(outcome, position)
        with self.clock.on("report", wall=True):
            films.explain(outcome)
            report.frame(outcome.record, outcome.before, outcome.after, outcome.mask, outcome.unsure)

    def _summary(self, report: ReportWriter, films: Films, facts: ReelFacts, worker: FrameWorker) -> Summary:
        totals = report.totals()
        notes = [*facts.notes, *films.notes]
        if totals.faults:
            notes.append(f"{totals.faults} frames could not be read; the one before stands in for each")
        return Summary(
            frames=totals.frames,
            shots=len(totals.shots),
            damaged_fraction=totals.damaged,
            blobs=totals.blobs,
            unsure_fraction=totals.unsure,
            seconds={name: round(value, 3) for name, value in self.clock.seconds.items()},
            wall=time.perf_counter() - self.begun,
            output=self.job.output,
            masks=self.job.masks,
            report=self.job.report,
            notes=tuple(dict.fromkeys(notes)),
            # A repair has no detector, and the classical one no network.
            computed=getattr(worker.detector, "computed", ()),
        )


def _frames(reel: Reel, begin: int, count: int | None, job: Job) -> Generator[Frame, None, None]:
    """The frames from `begin` on. What breaks after the last frame of the job only ends its context."""
    wanted = None if job.frames is None else job.start + job.frames
    following = begin
    try:
        for frame in reel.frames(begin, count):
            following = frame.index + 1
            yield frame
    except MediaError:
        if wanted is None or following < wanted:
            raise


def _total(facts: ReelFacts, job: Job) -> int | None:
    """How many frames the job has, where the source says how many there are."""
    if facts.frames is None:
        return job.frames
    left = facts.frames - job.start
    if left <= 0:
        raise UsageError(f"{facts.path} has {facts.frames} frames; --start {job.start} is beyond its end")
    return left if job.frames is None else min(left, job.frames)
