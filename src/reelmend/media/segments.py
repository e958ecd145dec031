"""Encoded stretches of a film on disk, so that a killed job goes on where it was.

A segment file holds what one encoder made of a fixed number of frames: the packets one after the other, then an index
in JSON, then its length and checksum. It is written under a temporary name and renamed when whole, so a file under its
final name is always complete.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reelmend.errors import MediaError
from reelmend.media.paths import sync, writing

_TAIL = struct.Struct("<QI8s")
_MAGIC = b"RMSEG001"


@dataclass(slots=True)
class SegmentIndex:
    """What a segment holds."""

    frames: list[tuple[int | None, int | None]] = field(default_factory=list)
    """`(pts, duration)` of each frame in the film's own time base, in order of presentation."""
    packets: list[tuple[int, int, bool]] = field(default_factory=list)
    """`(size, place, key)` of each packet in decoding order; place = its frame within the segment."""
    extradata: str = ""
    """The codec's header, base64."""


class SegmentFile:
    """A segment being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = SegmentIndex()
        self._part = path.with_name(path.name + ".part")
        self._file = self._part.open("wb")

    def add(self, data: Any, place: int, key: bool) -> None:
        view = memoryview(data)
        self._file.write(view)
        self.index.packets.append((view.nbytes, place, key))

    def seal(self, extradata: bytes) -> None:
        """Write the index and give the file its final name."""
        self.index.extradata = base64.b64encode(extradata).decode()
        text = json.dumps(asdict(self.index)).encode()
        self._file.write(text)
        self._file.write(_TAIL.pack(len(text), zlib.crc32(text), _MAGIC))
        self._file.close()
        sync(self._part)
        os.replace(self._part, self.path)

    def abandon(self) -> None:
        # A full disk refuses the last buffered bytes too; the part is thrown away anyway.
        with contextlib.suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)


def read_index(path: Path) -> SegmentIndex:
    """The index of a whole segment; MediaError for one that the disk has damaged."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size >= _TAIL.size:
            file.seek(size - _TAIL.size)
            length, checksum, magic = _TAIL.unpack(file.read(_TAIL.size))
            if magic == _MAGIC and length <= size:
                file.seek(size - _TAIL.size - length)
                text = file.read(length)
                if zlib.crc32(text) == checksum:
                    raw = json.loads(text)
                    return SegmentIndex(
                        [tuple(f) for f in raw["frames"]], [tuple(p) for p in raw["packets"]], raw["extradata"]
                    )
    raise MediaError(f"{path} is damaged; delete it and run the same command again")


def read_packets(path: Path, index: SegmentIndex) -> Iterator[bytes]:
    with path.open("rb") as file:
        for size, _, _ in index.packets:
            yield file.read(size)


class SegmentStore:
    """The segments of one film in a folder of their own."""

    def __init__(self, folder: Path, fingerprint: dict[str, Any]) -> None:
        self.folder = folder
        note = folder / "film.json"
        text = json.dumps(fingerprint, sort_keys=True, indent=1)
        if not (note.is_file() and note.read_text("utf-8") == text):
            # Another film, or another way of encoding it: its parts cannot be joined with ours.
            self.clear()
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
                part = note.with_suffix(".part")
                part.write_text(text, "utf-8")
                os.replace(part, note)
        for stale in folder.glob("*.part"):
            stale.unlink(missing_ok=True)
        self.sealed: list[Path] = []
        while (path := self.path(len(self.sealed))).is_file():
            self.sealed.append(path)

    def path(self, number: int) -> Path:
        return self.folder / f"segment_{number:06d}.rms"

    def indexes(self) -> list[SegmentIndex]:
        return [read_index(path) for path in self.sealed]

    def clear(self) -> None:
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()
