"""Small files that are there whole or not at all, and the places that a desk may read."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelmend.errors import MediaError, UsageError


def write_json(path: Path, values: Any) -> None:
    """Write a file in one step. Raises MediaError where it cannot be written."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise MediaError(f"cannot write {path}: {error.strerror}; free some space") from None


def read_json(path: Path) -> Any:
    """The values of a file. Raises UsageError for one that is missing or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot read it: {getattr(error, 'strerror', None) or error}") from None


class Roots:
    """The folders that a desk may open things in. What lies outside is refused, links followed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)

    def check(self, path: str | Path) -> Path:
        """The real place of a path. Raises UsageError for one outside all roots."""
        text = str(path)
        if "\0" in text or len(text) > 4096:
            raise UsageError("this is no path")
        real = Path(text).expanduser().resolve()
        if not any(real == root or root in real.parents for root in self.folders):
            inside = ", ".join(map(str, self.folders))
            raise UsageError(f"{real} lies outside the folders that may be opened: {inside}")
        return real

    def list(self, folder: str | Path) -> list[tuple[str, bool, int]]:
        """What a folder holds: names, whether each is a folder, sizes in bytes; folders first, hidden ones left out.

        Raises UsageError for a folder that is outside the roots, missing, or may not be read.
        """
        place = self.check(folder)
        try:
            found = [
                (entry.name, entry.is_dir(), 0 if entry.is_dir() else entry.stat().st_size)
                for entry in os.scandir(place)
                if not entry.name.startswith(".")
            ]
        except OSError as error:
            raise UsageError(f"cannot look into {place}: {error.strerror}") from None
        return sorted(found, key=lambda one: (not one[1], one[0].lower()))
