"""The films that a job writes: the repaired one, masks, origins, the list of blobs; and how far a killed run had come.

They are put together in workspaces beside the places where they will lie, and renamed when all are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.errors import UsageError
from reelmend.media import Reel, Writer, open_mask_writer, open_origin_writer, open_writer
from reelmend.media.masks import MaskWriter, PlaneWriter
from reelmend.pipeline.explain import ExplainWriter
from reelmend.pipeline.frames import Outcome
from reelmend.pipeline.workspace import Workspace, on_one_disk

Stage = Literal["restore", "detect", "repair"]

SEGMENT = 48
"""Frames between two points from which a killed run can go on."""


class Workspaces:
    """Where a job's films are put together: beside the target, and on the disks of masks and origins if others.

    What goes to another disk is put together there: a finished film is only ever renamed.
    """

    def __init__(self, job: Job, stage: Stage, masks: Path | None, reel: Reel, stack: ExitStack) -> None:
        """`masks` is where masks are written, if they are. Locks are freed when `stack` is closed."""
        target = job.output or job.masks
        assert target is not None
        self.main = Workspace(Path(target), job, stage, reel.facts)
        stack.callback(self.main.close)
        self._beside: dict[str, Workspace] = {}
        for name, place in (("masks", masks), ("origins", job.origins)):
            if job.output is not None and place is not None and not on_one_disk(self.main.folder, place):
                self._beside[name] = Workspace(place, job, stage, reel.facts)
                stack.callback(self._beside[name].close)

    def of(self, name: str) -> Workspace:
        """That of a film."""
        return self._beside.get(name, self.main)

    def remove(self) -> None:
        """Delete what is in them: the films are in place."""
        for one in self._all():
            one.remove()

    def remove_later(self, stack: ExitStack) -> None:
        """Delete, when `stack` is closed, those of them that this run began."""
        for one in self._all():
            if one.fresh:
                stack.callback(one.remove)

    def _all(self) -> tuple[Workspace, ...]:
        return self.main, *self._beside.values()


@dataclass(frozen=True, slots=True)
class _Film:
    name: str
    writer: Writer | MaskWriter | PlaneWriter
    stored: int
    """Frames of an earlier run."""
    write: Callable[[Outcome], None]


class Films:
    """What is being written. A film that an earlier run has finished and put in place is not written again."""

    def __init__(
        self, job: Job, stage: Stage, masks: Path | None, reel: Reel, spaces: Workspaces, stack: ExitStack
    ) -> None:
        """`masks` is where masks are written, if they are. Writers are closed with `stack`. Raises UsageError for what
        exists already and may not be replaced, MediaError as the writers do."""
        self._job, self._space = job, spaces.main
        self._films: list[_Film] = []
        """In the order in which they are put in place: the repaired film last."""
        self._explain: ExplainWriter | None = None
        height, width, rate = reel.facts.height, reel.facts.width, reel.facts.rate
        if masks is not None and not self._in_place("masks", masks):
            masked = stack.enter_context(
                open_mask_writer(
                    masks, height, width, rate=rate, start=job.start, count=job.frames,
                    work=spaces.of("masks").part("masks"), segment=SEGMENT, overwrite=job.overwrite,
                )
            )  # fmt: skip
            self._films.append(_Film("masks", masked, masked.done, lambda one: masked.write(one.mask)))
        if stage != "detect" and job.origins is not None and not self._in_place("origins", job.origins):
            origins = stack.enter_context(
                open_origin_writer(
                    job.origins, height, width, rate=rate, start=job.start, count=job.frames,
                    work=spaces.of("origins").part("origins"), segment=SEGMENT, overwrite=job.overwrite,
                )
            )  # fmt: skip
            self._films.append(_Film("origins", origins, origins.done, lambda one: origins.write_plane(_origins(one))))
        self._output: Writer | None = None
        if job.output is not None and not self._in_place("output", job.output):
            film = self._output = stack.enter_context(
                open_writer(
                    job.output, reel.facts, source=reel, work=self._space.part("film"), start=job.start,
                    count=job.frames, segment=SEGMENT, overwrite=job.overwrite, threads=job.threads,
                )
            )  # fmt: skip
            self._films.append(_Film("output", film, film.done, lambda one: film.write(one.after)))
        self._explained = stage != "repair" and job.explain is not None and not self._in_place("explain", job.explain)

    def done(self, journal: int) -> int:
        """Frames that an earlier run has stored in all of them, and in the journal, which has `journal`."""
        stored = [journal, *(film.stored for film in self._films)]
        return min([*stored, ExplainWriter.length(self._list)] if self._explained else stored)

    def go_on(self, done: int, stack: ExitStack) -> None:
        """Open the list of blobs behind the first `done` frames; the others know by themselves where they are.

        Raises UsageError when there is one already and it may not be replaced.
        """
        if self._explained:
            assert self._job.explain is not None
            if self._job.explain.exists() and not self._job.overwrite:
                raise UsageError(f"{self._job.explain} exists already; --overwrite replaces it")
            self._explain = stack.enter_context(ExplainWriter(self._list, done))

    def remember(self, outcome: Outcome) -> None:
        """The frame before the first to be written: what lived in it is no newcomer."""
        if self._explain:
            self._explain.remember(outcome.mask, outcome.blobs)

    def write(self, outcome: Outcome, position: int) -> None:
        """The frame at `position` of the job into each film that does not have it."""
        for film in self._films:
            if position >= film.stored:
                film.write(outcome)

    def explain(self, outcome: Outcome) -> None:
        """The frame's line in the list of blobs."""
        if self._explain:
            self._explain.frame(outcome.record.index, outcome.mask, outcome.blobs)

    def finish(self) -> None:
        """Put all of them in place."""
        for film in self._films:
            self._space.finishing(film.name)
            film.writer.finish()
        if self._explain and self._job.explain is not None:
            self._space.finishing("explain")
            self._explain.finish(self._job.explain)

    @property
    def notes(self) -> Sequence[str]:
        """What the repaired film could not keep."""
        return self._output.notes if self._output else ()

    @property
    def _list(self) -> Path:
        return self._space.part("explain")

    def _in_place(self, name: str, path: Path) -> bool:
        """Whether an earlier run was killed after putting this film in place."""
        return self._space.may_be_finished(name) and Path(path).exists()


def _origins(outcome: Outcome) -> NDArray[np.uint8]:
    return np.zeros(outcome.mask.shape, np.uint8) if outcome.origins is None else outcome.origins
