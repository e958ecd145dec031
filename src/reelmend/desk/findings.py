"""What was found in a reel, frame by frame, as it is found: masks, damage maps, records and blobs.

    found/detection.json     what they were found with; other options begin anew
    found/masks/             `mask_000123.png`, detected damage before any edits
    found/damage/            `damage_000123.png`, probability in 255ths
    found/records.jsonl      a line a frame: `report.FrameRecord`
    found/blobs.jsonl        a line a frame: `pipeline.explain`

A killed search goes on after its last whole frame.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from reelmend.config import Job
from reelmend.desk.files import read_json, write_json
from reelmend.desk.project import ReelEntry
from reelmend.desk.stills import png
from reelmend.errors import MediaError
from reelmend.film import DamageMap, Mask
from reelmend.media import open_reel
from reelmend.pipeline.explain import ExplainWriter, goes_on_from
from reelmend.pipeline.frames import FrameWorker, Outcome
from reelmend.pipeline.run import CONTEXT
from reelmend.pipeline.stream import Clock, ahead, pool_size
from reelmend.report import FrameRecord

LIVES_READ = 250
"""Frames to either side in which the life of a blob is followed: a scratch may live as long as its reel."""

Tell = Callable[[int], None]
"""Told after every frame how many are done."""


class Findings:
    """The findings of one reel. Reading is for any thread, `search` for one at a time."""

    def __init__(self, entry: ReelEntry) -> None:
        self._entry = entry
        self.folder = entry.folder / "found"
        self._records: list[FrameRecord] | None = None
        self._lines: list[int] = []
        """Where lines of blobs begin, and where the last of them ends, as far as they were asked for."""
        self._lock = threading.Lock()

    @property
    def records(self) -> list[FrameRecord]:
        """Of all frames that were looked at, from 0 on."""
        with self._lock:
            if self._records is None:
                self._records = _read_records(self.folder / "records.jsonl")
            return list(self._records)

    def stale(self, job: Job) -> bool:
        """Whether the job would find something else, or nothing was looked for yet."""
        kept = self.folder / "detection.json"
        return not kept.exists() or read_json(kept) != _detection(job)

    def mask(self, number: int, height: int, width: int) -> Mask:
        """Detected damage of a frame, before edits; empty where nothing was looked for yet."""
        plane = _plane(self.folder / "masks" / f"mask_{number:06d}.png", height, width)
        return plane > 127

    def damage(self, number: int, height: int, width: int) -> DamageMap:
        """Probability of damage in 255ths, 0..1; 0 where nothing was looked for yet."""
        plane = _plane(self.folder / "damage" / f"damage_{number:06d}.png", height, width)
        return plane.astype(np.float32) / np.float32(255)

    def blobs(self, number: int) -> list[dict[str, Any]]:
        """What is known of a frame's blobs, as `--explain` writes it, lifetimes apart."""
        try:
            with self._lock, (self.folder / "blobs.jsonl").open("rb") as file:
                for _ in range(2):
                    told = self._line(file, number)
                    if told is None or told["frame"] == number:
                        return [] if told is None else list(told["blobs"])
                    # Another search has written the file anew.
                    self._lines = []
        except (OSError, ValueError, KeyError, TypeError):
            self._lines = []
        return []

    def lives(self, number: int) -> list[tuple[int, int]]:
        """Of every blob of a frame: the first of the frames in a row that it lives in, and how many those are, as far
        as `LIVES_READ` frames before and after this one."""
        blobs = self.blobs(number)
        since, until = [number] * len(blobs), [number] * len(blobs)
        places: list[int | None] = goes_on_from(blobs)
        for frame in range(number - 1, max(-1, number - LIVES_READ - 1), -1):
            before = None
            for blob, place in enumerate(places):
                if place is None:
                    continue
                before = before or goes_on_from(self.blobs(frame))
                since[blob] = frame
                places[blob] = before[place] if place < len(before) else None
            if before is None:
                break
        places = list(range(len(blobs)))
        for frame in range(number + 1, number + LIVES_READ + 1):
            after = {place: n for n, place in enumerate(goes_on_from(self.blobs(frame))) if place is not None}
            places = [None if place is None else after.get(place) for place in places]
            if not any(place is not None for place in places):
                break
            until = [end if place is None else frame for end, place in zip(until, places, strict=True)]
        return [(first, last - first + 1) for first, last in zip(since, until, strict=True)]

    def _line(self, file: BinaryIO, number: int) -> Any:
        """A line by its number; None where there is none yet, or no more."""
        lines = self._lines = self._lines or [0]
        file.seek(lines[-1])
        while len(lines) <= number + 1:
            line = file.readline()
            if not line.endswith(b"\n"):
                return None
            lines.append(lines[-1] + len(line))
        file.seek(lines[number])
        return json.loads(file.read(lines[number + 1] - lines[number]))

    def search(self, job: Job, stop: threading.Event, tell: Tell) -> bool:
        """Look through the reel by the job's options, from where an earlier search stopped; True at the end of it.

        Raises as `reelmend.detect`.
        """
        if self.stale(job):
            self._begin_anew(job)
        done = self._settle()
        worker = FrameWorker(job.model_copy(update={"edits": None}), Clock(), None, repairs=False)
        first = max(0, done - CONTEXT)
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            with (
                open_reel(job.source, gaps=job.gaps, on_error=job.on_error, threads=job.threads) as reel,
                threadpool_limits(1),
                ThreadPoolExecutor(pool_size(job.threads), thread_name_prefix="desk") as pool,
                ExplainWriter(self.folder, done) as explain,
                (self.folder / "records.jsonl").open("a", encoding="utf-8") as records,
                closing(ahead(reel.frames(first), 2, Clock(), "decode")) as frames,
                closing(worker.run(frames, max(first, done - 1), pool)) as outcomes,
            ):
                if reel.facts.frames is not None and done >= reel.facts.frames:
                    return True
                offset: int | None = None
                for outcome in outcomes:
                    if offset is None:
                        # Shots are numbered through, also by a search that goes on.
                        last = self.records[-1].shot if done else 0
                        offset = last - outcome.record.shot
                    if outcome.record.index < done:
                        explain.remember(outcome.mask, outcome.blobs)
                        continue
                    if stop.is_set():
                        return False
                    record = replace(outcome.record, shot=outcome.record.shot + offset)
                    self._keep(outcome, record, explain)
                    told = record.to_dict()
                    records.write(json.dumps(told) + "\n")
                    records.flush()
                    with self._lock:
                        assert self._records is not None
                        # As it is read again.
                        self._records.append(FrameRecord.from_dict(told))
                    tell(record.index + 1)
        except OSError as error:
            raise MediaError(
                f"cannot keep what was found in {self.folder}: {error.strerror}; free some space"
            ) from None
        finally:
            cv2.setNumThreads(threads)
        return True

    def _keep(self, outcome: Outcome, record: FrameRecord, explain: ExplainWriter) -> None:
        name = f"{record.index:06d}.png"
        (self.folder / "masks" / f"mask_{name}").write_bytes(png(outcome.mask.view(np.uint8) * np.uint8(255)))
        if outcome.damage is not None:
            shown = np.rint(outcome.damage * 255).astype(np.uint8)
            (self.folder / "damage" / f"damage_{name}").write_bytes(png(shown))
        explain.frame(record.index, outcome.mask, outcome.blobs)

    def _begin_anew(self, job: Job) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("masks", "damage"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._records, self._lines = None, []
        write_json(self.folder / "detection.json", _detection(job))

    def _settle(self) -> int:
        """Frames of which everything is there; what goes beyond them is cut off."""
        records = self.folder / "records.jsonl"
        with self._lock:
            kept = _read_records(records)
            kept = kept[: min(len(kept), ExplainWriter.length(self.folder))]
            self._records, self._lines = kept, []
        lines = "".join(json.dumps(one.to_dict()) + "\n" for one in kept)
        records.write_text(lines, encoding="utf-8")
        return len(kept)


def _detection(job: Job) -> dict[str, Any]:
    return {"source": str(job.source), "gaps": job.gaps, "on_error": job.on_error} | job.detect.model_dump(mode="json")


def _read_records(path: Path) -> list[FrameRecord]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError:
        return []
    found: list[FrameRecord] = []
    for line in lines:
        try:
            record = FrameRecord.from_dict(json.loads(line))
        except (ValueError, TypeError):
            break
        if record.index != len(found):
            break
        found.append(record)
    return found


def _plane(path: Path, height: int, width: int) -> NDArray[np.uint8]:
    nothing = np.zeros((height, width), np.uint8)
    if not path.exists():
        return nothing
    plane = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return nothing if plane is None or plane.shape != nothing.shape else np.asarray(plane, np.uint8)
