"""Keeps what was drawn once, so that the next start, and the other workers, need not draw it again."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np

Arrays = TypeVar("Arrays")
"""A dataclass of NumPy arrays alone."""


def kept(kind: type[Arrays], folder: Path | None, key: str, draw: Callable[[], Arrays]) -> Arrays:
    """What `draw` gives, from `folder` where it lies there under `key`, and put there where not. No folder: drawn."""
    if folder is None:
        return draw()
    path = Path(folder) / f"{kind.__name__.lower()}-{key}.npz"
    try:
        return load(kind, path)
    except (OSError, ValueError):
        drawn = draw()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved: several workers may draw the same at once.
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        save(drawn, Path(work) / path.name)
        (Path(work) / path.name).replace(path)
    return drawn


def key_of(values: Iterable[Any], sources: Iterable[Path]) -> str:
    """Of what a drawing depends on: values, by how they print, and the code in `sources`."""
    digest = hashlib.sha256(repr(tuple(values)).encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:24]


def save(arrays: Any, path: Path) -> None:
    """As an `.npz` that `load` reads."""
    with path.open("wb") as file:
        np.savez(file, **{field.name: getattr(arrays, field.name) for field in fields(arrays)})


def load(kind: type[Arrays], path: Path) -> Arrays:
    """Raises OSError for a file that cannot be read, ValueError for one that holds something else."""
    # NumPy leaves a file open that it cannot make sense of.
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as stored:
                return kind(**{field.name: stored[field.name] for field in fields(kind)})  # type: ignore[arg-type]
        except (BadZipFile, KeyError, EOFError) as error:
            raise ValueError(f"{path} holds no {kind.__name__.lower()}") from error
