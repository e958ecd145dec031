"""The report as a run goes along: a journal line a frame, and at the end JSON, the job and one HTML page."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TextIO, TypeVar

from reelmend.errors import MediaError
from reelmend.film import Frame, Mask, ReelFacts
from reelmend.report.record import FrameRecord
from reelmend.report.source import describe_source, versions
from reelmend.report.totals import Totals, columns, total
from reelmend.report.worst import WorstFrames

T = TypeVar("T")
JOURNAL = "frames.jsonl"
VERSION = 1
"""Of the layout of `report.json`; a change that breaks a reader raises it."""


class Settings(Protocol):
    """What a report needs of a job."""

    def to_dict(self) -> dict[str, Any]: ...
    def to_toml(self) -> str: ...
    def anchored(self) -> Settings: ...


class Outcome(Protocol):
    """What a report needs of a run's summary."""

    @property
    def seconds(self) -> Mapping[str, float]: ...
    @property
    def wall(self) -> float: ...
    @property
    def computed(self) -> Sequence[str]: ...


def journal_length(folder: str | Path) -> int:
    """Whole lines in the journal of a report folder: the frames an interrupted run can go on after."""
    try:
        return Path(folder, JOURNAL).read_bytes().count(b"\n")
    except OSError:
        return 0


class ReportWriter:
    """Writes the report of one run into a folder.

    `frames.jsonl` grows by a line a frame and `worst/` holds the worst frames' pictures; both stay readable whenever
    the run is killed. `finish` writes `report.json`, `job.toml` and the self-contained `report.html`.
    Any method raises MediaError when the folder cannot be written.
    """

    def __init__(
        self, folder: str | Path, job: Settings, facts: ReelFacts, done: int = 0, *, pictures: bool = True
    ) -> None:
        """Open the report.

        Args:
            folder: created if missing.
            job: the job that runs.
            facts: the source's facts.
            done: frames that an earlier run has recorded; the journal is cut to them. 0 starts afresh.
            pictures: False keeps the journal only, for runs that want totals and no page.

        Raises:
            MediaError: the folder cannot be written, or its journal holds fewer than `done` frames.
        """
        self.folder, self.job, self.facts = Path(folder), job, facts
        self.last_shot: int | None = None
        """Shot of the last frame recorded, also by the run before; None before the first."""
        self._pictures = pictures
        self._worst = WorstFrames(self.folder / "worst", facts.colour, float(facts.sample_aspect))
        self._journal = self._guard(lambda: self._open(done))

    def frame(self, record: FrameRecord, before: Frame, after: Frame, mask: Mask, unsure: Mask) -> None:
        """Record one frame, in order.

        Args:
            record: what was found.
            before: the frame as decoded.
            after: the frame as repaired.
            mask: detected damage `(h, w)`, before it is grown.
            unsure: where the repairer was unsure `(h, w)`.
        """
        self._guard(lambda: self._frame(record, before, after, mask, unsure))

    def totals(self) -> Totals:
        """Sums over all frames recorded so far, also by the run before."""
        return self._guard(lambda: total(self._records()))

    def finish(self, summary: Outcome) -> Path:
        """Write `report.json`, `job.toml` and `report.html`; the path of the page."""
        return self._guard(lambda: self._finish(summary))

    def close(self) -> None:
        """Close the journal and leave the rest for a later run. `finish` does so by itself."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, done: int) -> TextIO:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / JOURNAL
        kept = 0
        if done:
            with open(path, "rb") as file:
                for number in range(done):
                    line = file.readline()
                    if not line.endswith(b"\n"):
                        raise MediaError(
                            f"{path} holds {number} of the {done} frames done so far; "
                            "give --overwrite to start again from the first frame."
                        )
                    kept += len(line)
                    record = FrameRecord.from_dict(json.loads(line))
                    self._worst.replay(record)
                    self.last_shot = record.shot
            os.truncate(path, kept)
        self._worst.tidy()
        return open(path, "a" if done else "w", encoding="utf-8")

    def _frame(self, record: FrameRecord, before: Frame, after: Frame, mask: Mask, unsure: Mask) -> None:
        if self._pictures:
            self._worst.offer(record, before, after, mask, unsure)
        self._journal.write(json.dumps(record.to_dict(), separators=(",", ":")) + "\n")
        self._journal.flush()
        self.last_shot = record.shot

    def _records(self) -> Iterator[FrameRecord]:
        with open(self.folder / JOURNAL, encoding="utf-8") as file:
            for line in file:
                yield FrameRecord.from_dict(json.loads(line))

    def _finish(self, summary: Outcome) -> Path:
        from reelmend.report.page import render

        self._journal.close()
        sums = total(self._records())
        made = versions()
        self._write("report.json", self._json(sums, summary, made))
        self._write("job.toml", [self.job.anchored().to_toml()])
        timeline = columns(self._records(), sums.frames)
        worst = self._worst.kept()
        shown = {pictures.index for pictures in worst}
        records = {record.index: record for record in self._records() if record.index in shown}
        page = render(self.facts, self.job.to_dict(), sums, timeline, worst, records, summary, made)
        return self._write("report.html", [page])

    def _json(self, sums: Totals, summary: Outcome, made: Mapping[str, str]) -> Iterator[str]:
        """`report.json` in pieces: the head in full, then a line a frame, so that memory stays bounded."""
        head = {
            "report": VERSION,
            "source": describe_source(self.facts),
            "job": self.job.to_dict(),
            "totals": sums.to_dict(),
            "seconds": {**summary.seconds, "wall": summary.wall},
            "versions": dict(made),
            "computed": list(summary.computed),
            "shots": [
                {"number": s.number, "first": s.first, "last": s.last, "damaged": s.damaged, "blobs": s.blobs}
                for s in sums.shots
            ],
        }
        yield json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "frames": ['
        for number, record in enumerate(self._records()):
            yield (",\n  " if number else "\n  ") + json.dumps(record.to_dict(), ensure_ascii=False)
        yield "\n ]\n}\n"

    def _write(self, name: str, pieces: Iterator[str] | list[str]) -> Path:
        """Write a file that appears under its name only when whole."""
        path, part = self.folder / name, self.folder / f".{name}.part"
        with open(part, "w", encoding="utf-8") as file:
            file.writelines(pieces)
        os.replace(part, path)
        return path

    def _guard(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except OSError as error:
            place = error.filename or self.folder
            raise MediaError(
                f"{place}: cannot write the report: {error.strerror}; free space or name another folder with --report."
            ) from None
