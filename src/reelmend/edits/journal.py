"""Edits on disk: a line of JSON for each thing a person did, undoing and redoing among them. Nothing is ever rewritten.

A line that was cut short by a crash is passed over: all before it was done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from reelmend.edits.operations import Operation, apply
from reelmend.errors import MediaError, UsageError
from reelmend.film import Mask

_OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)

UNDO, REDO = "undo", "redo"


class Edits:
    """Operations in force, found by frame."""

    def __init__(self, operations: Sequence[Operation] = ()) -> None:
        self.operations = tuple(operations)
        self._single: dict[int, list[int]] = {}
        self._long: list[int] = []
        for n, one in enumerate(self.operations):
            if len(one.frames) == 1:
                self._single.setdefault(one.frames.start, []).append(n)
            else:
                self._long.append(n)

    def __bool__(self) -> bool:
        return bool(self.operations)

    def of(self, frame: int) -> tuple[Operation, ...]:
        """Those that change a frame, in their order."""
        long = [n for n in self._long if frame in self.operations[n].frames]
        return tuple(self.operations[n] for n in sorted(self._single.get(frame, []) + long))

    def apply(self, frame: int, mask: Mask) -> Mask:
        """The mask of a frame as edited; the given one itself where nothing is to be done."""
        some = self.of(frame)
        return apply(some, frame, mask) if some else mask


def read_edits(path: Path) -> Edits:
    """The edits in force of a journal. Raises UsageError for a file that is missing or holds something else."""
    return Edits(_replayed(path)[0])


class Journal:
    """The journal of one reel, open for more. One process at a time writes it."""

    def __init__(self, path: Path) -> None:
        """Begin a journal, or go on with one. Raises as `read_edits`, MediaError where it cannot be written."""
        self._path = path
        self._done, self._undone = _replayed(path) if path.exists() else ([], [])
        try:
            self._file = path.open("a", encoding="utf-8")
            if self._file.tell() and not path.read_bytes().endswith(b"\n"):
                # What a crash cut short stays a line of its own.
                self._file.write("\n")
        except OSError as error:
            raise MediaError(f"{path}: cannot write the edits: {error.strerror}.") from None

    @property
    def edits(self) -> Edits:
        """Those in force."""
        return Edits(self._done)

    def do(self, operation: Operation) -> None:
        """Add an operation; what was undone before can no longer be redone."""
        self._write({"do": operation.model_dump(mode="json")})
        self._done.append(operation)
        self._undone.clear()

    def undo(self) -> Operation | None:
        """Take the last operation back; None where there is none."""
        if not self._done:
            return None
        self._write(UNDO)
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Operation | None:
        """Do again what was undone last; None where there is nothing."""
        if not self._undone:
            return None
        self._write(REDO)
        self._done.append(self._undone.pop())
        return self._done[-1]

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, event: object) -> None:
        try:
            self._file.write(json.dumps(event) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise MediaError(f"{self._path}: cannot write the edits: {error.strerror}; free some space.") from None


def parse_operation(values: object) -> Operation:
    """An operation from plain values. Raises UsageError that says what is wrong with them."""
    try:
        return _OPERATION.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"this is no edit: {f'{where}: ' if where else ''}{first['msg']}") from None


def _replayed(path: Path) -> tuple[list[Operation], list[Operation]]:
    """Operations in force, and those undone, the last one first to be redone."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot read the edits: {getattr(error, 'strerror', None) or error}") from None
    done: list[Operation] = []
    undone: list[Operation] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except ValueError:
            if number == len(lines) or not lines[number].strip() or _goes_on(lines[number]):
                # Cut short by a crash, and perhaps gone on after.
                continue
            raise UsageError(f"{path}, line {number}: no JSON; this is no file of edits") from None
        if event == UNDO and done:
            undone.append(done.pop())
        elif event == REDO and undone:
            done.append(undone.pop())
        elif isinstance(event, dict) and event.keys() == {"do"}:
            try:
                done.append(parse_operation(event["do"]))
            except UsageError as error:
                raise UsageError(f"{path}, line {number}: {error}") from None
            undone.clear()
        else:
            raise UsageError(f"{path}, line {number}: neither an edit nor its undoing")
    return done, undone


def _goes_on(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
