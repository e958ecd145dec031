"""Films that were dropped on the page: kept in the project, as they came, and opened as reels only."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

from reelmend.errors import MediaError, UsageError

LARGEST = 16 << 30
"""Bytes of one file."""

NAME = re.compile(r"[\w][\w .,()+@#%=-]{0,150}")
"""What a file may be called: a name, no place."""


class Uploads:
    """`uploads/BATCH/` in the project: a film, or the images of a sequence."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self.folder, self._largest = folder, largest

    async def take(self, batch: str, name: str, parts: AsyncIterator[bytes]) -> int:
        """Keep a file as it arrives; its size in bytes. It is there whole or not at all.

        Raises UsageError for a name that is a place, for one that is there already with another size, and for a file
        larger than may be; MediaError where it cannot be written.
        """
        place = self._place(batch) / _checked(name)
        draft = place.with_name(f".{place.name}.part")
        size = 0
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                async for part in parts:
                    size += len(part)
                    if size > self._largest:
                        raise UsageError(f"{name} is larger than {self._largest >> 20} MB; open it by its path")
                    file.write(part)
            if place.exists() and place.stat().st_size != size:
                raise UsageError(f"another {name} is there already; give one of them another name")
            os.replace(draft, place)
        except OSError as error:
            raise MediaError(f"cannot keep {name}: {error.strerror}; free some space") from None
        finally:
            draft.unlink(missing_ok=True)
        return size

    def source(self, batch: str) -> Path:
        """What to open of a batch: its one file, or the folder of its images. Raises UsageError for an empty one."""
        folder = self._place(batch)
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        if not files:
            raise UsageError(f"nothing was dropped as {batch}")
        return files[0] if len(files) == 1 else folder

    def _place(self, batch: str) -> Path:
        return self.folder / _checked(batch)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise UsageError(f"{name[:80]!r} is no file name")
    return name
