"""Proxies: small pictures of a large reel's frames on disk, so that scrubbing does not wait for the scan."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from reelmend.desk.files import read_json, write_json
from reelmend.errors import UsageError

WIDTH = 1280
"""Of a proxy, pixels. Narrower reels need none: they decode as soon."""


class Proxies:
    """`proxies/` of a reel in a project: `000123.jpg`, whole or not at all; those of another scan are thrown away."""

    def __init__(self, folder: Path, source: Path) -> None:
        self._folder = folder
        self._stamp = _stamp(source)
        self._ready = False

    def get(self, number: int) -> bytes | None:
        """A frame's picture, a JPEG; None where it was not made yet."""
        self._prepare()
        try:
            return self._place(number).read_bytes()
        except OSError:
            return None

    def put(self, number: int, picture: bytes) -> None:
        """Keep a frame's picture. Where the disk is full it is done without."""
        self._prepare()
        place = self._place(number)
        draft = place.with_suffix(f".{os.getpid()}.part")
        try:
            draft.write_bytes(picture)
            os.replace(draft, place)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def _place(self, number: int) -> Path:
        return self._folder / f"{number:06d}.jpg"

    def _prepare(self) -> None:
        if self._ready:
            return
        known = self._folder / "source.json"
        try:
            fresh = read_json(known) != self._stamp
        except UsageError:
            fresh = True
        if fresh:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(known, self._stamp)
        self._ready = True


def _stamp(source: Path) -> list[int]:
    """What tells a scan from another at its place: size and time of the file, time of the folder."""
    try:
        facts = source.stat()
    except OSError:
        return []
    return [0 if source.is_dir() else facts.st_size, facts.st_mtime_ns]
