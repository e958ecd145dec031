"""The folder beside an output that holds what is unfinished, so that a killed job goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, TextIO

from reelmend import __version__
from reelmend.config import Job
from reelmend.errors import MediaError, UsageError
from reelmend.film import ReelFacts
from reelmend.media.masks import NAMES as MASK_NAMES
from reelmend.media.pattern import Pattern, parse_pattern

# Options that may differ between the run that was killed and the run that goes on: none changes a sample.
_FREE = ("overwrite", "threads", "device")


class Workspace:
    """`.NAME.reelmend` beside the output: segments, masks, journal, and whose they are.

    An unfinished run with another job or another source is not mixed in: its leavings are removed.
    """

    def __init__(self, output: Path, job: Job, stage: str, facts: ReelFacts) -> None:
        """Claim the folder. Raises UsageError if another run holds it or the place cannot be written."""
        # The folder's own name must not look like a pattern to the libraries that write into it.
        name = output.name.replace("%", "").replace("#", "_")
        self.folder = output.parent / f".{name}.reelmend"
        self._state = self.folder / "state.json"
        self._identity = _identity(job, stage, facts)
        self.fresh = False
        """Whether nothing of an earlier run is gone on from."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.folder / "lock", output)
            if self._read().get("identity") != self._identity:
                self.fresh = True
                self._clear()
                self._write({"identity": self._identity, "finishing": []})
        except OSError as error:
            raise UsageError(f"cannot write beside {output}: {error.strerror}; choose another place") from None

    def part(self, name: str) -> Path:
        """A folder for one writer."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def finishing(self, name: str) -> None:
        """Note that an output is about to appear under its own name."""
        state = self._read()
        if name not in state["finishing"]:
            self._write({**state, "finishing": [*state["finishing"], name]})

    def may_be_finished(self, name: str) -> bool:
        """Whether an earlier run had begun to put this output in place."""
        return name in self._read().get("finishing", [])

    def remove(self) -> None:
        """Everything is in place: leave nothing behind."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go, keeping what is unfinished."""
        self._lock.close()

    def _clear(self) -> None:
        for entry in self.folder.iterdir():
            if entry.name == "lock":
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _write(self, state: dict[str, Any]) -> None:
        draft = self._state.with_suffix(".tmp")
        try:
            draft.write_text(json.dumps(state), encoding="utf-8")
            os.replace(draft, self._state)
        except OSError as error:
            raise MediaError(f"cannot write {self._state}: {error.strerror}; free some space") from None


def _identity(job: Job, stage: str, facts: ReelFacts) -> str:
    """A digest of all that decides the output: the job, the source as it is on disk, the masks given, the version."""
    values = {key: value for key, value in job.anchored().to_dict().items() if key not in _FREE}
    source = parse_pattern(facts.pattern) if facts.kind == "sequence" and facts.pattern else None
    known: list[Any] = [__version__, stage, values, _stamp(job.source, source)]
    if stage == "repair" and job.masks is not None:
        known.append(_stamp(job.masks, MASK_NAMES if job.masks.is_dir() else None))
    labels = None if job.repair.protect is None else Path(job.repair.protect.rpartition(":")[0])
    known += [_stamp(place, None) for place in (job.edits, job.regions, labels) if place is not None]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _stamp(path: Path, pattern: Pattern | None) -> list[Any]:
    """Size and time of a file, or of every file of a sequence."""
    if pattern is None:
        # A single picture without a number, or a film.
        files = [path] if path.is_file() else []
    else:
        folder = path if path.is_dir() else path.parent
        files = [Path(entry) for entry in os.scandir(folder) if pattern.number(entry.name) is not None]
    known = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return [hashlib.sha256(json.dumps(known).encode()).hexdigest()]


def on_one_disk(one: Path, other: Path) -> bool:
    """Whether two places, there or not yet, are on one file system."""
    devices = set()
    for place in (one, other):
        there = place.absolute()
        while not there.exists():
            there = there.parent
        devices.add(there.stat().st_dev)
    return len(devices) == 1


def _lock(path: Path, output: Path) -> TextIO:
    file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - held as long as the run
    try:
        import fcntl
    except ImportError:
        # Where the system has no such locks, two runs onto one output are not told apart.
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise UsageError(f"another run is writing {output}; wait for it or stop it") from None
    return file
