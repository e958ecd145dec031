"""Clean footage and photographs in a folder: what there is, whose split each belongs to, under which licence.

A source's split follows from its own bytes alone, so that more files never move one from training to test, and a copy
under another name goes where the first one went.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reelmend.errors import ReelMendError, UsageError
from reelmend.film import Colour, Frame, Layout, ReelFacts
from reelmend.media import open_reel
from reelmend.media.pattern import IMAGE_SUFFIXES, group_runs

SPLITS = ("train", "validation", "test")

FILM_SUFFIXES = (
    ".mkv", ".mov", ".mp4", ".avi", ".mxf", ".webm", ".mpg", ".mpeg", ".m2v", ".ts", ".m2ts", ".mts", ".m4v", ".wmv",
    ".flv", ".ogv", ".3gp", ".dv", ".vob", ".y4m", ".nut",
)  # fmt: skip

_LICENCE_NAMES = ("license", "licence", "copying", "copyright", "readme")
"""Beginnings of the names of files that say on what terms their neighbours may be used, the best first."""

_LOSSY = ("h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video", "vp8", "vp9", "av1", "mjpeg", "msmpeg4v3", "wmv3",
          "vc1", "theora", "flv1", "h263", "dvvideo", "jpeg")  # fmt: skip
"""Codecs, by FFmpeg's names, that leave traces that shrinking hides. Mezzanine codecs (ProRes, DNxHD) leave few."""

_LONGEST_LOOK = 8
"""Pairs of a numbered run, about, that are compared to tell the frames of a film from photographs."""

Licence = tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One film or photograph."""

    name: str
    """Its path inside the folder; a numbered sequence is named by its pattern."""
    path: Path
    kind: Literal["film", "photograph"]
    sha256: str
    """Of the file; of the hashes of all files for a sequence."""
    place: float
    """0..1 by its bytes: where along the splits it falls."""
    frames: int
    """About how many; 1 for a photograph."""
    height: int
    width: int
    layout: Layout
    colour: Colour
    codec: str
    lossy: bool
    licence: Licence = ()
    """Files beside it that say its terms: `file`, `sha256`, `says` (the first line)."""

    def split(self, shares: Sequence[float]) -> str:
        """Its split, for the shares of training, validation and test."""
        edges = np.cumsum(shares)
        return SPLITS[min(int(np.searchsorted(edges, self.place, side="right")), len(SPLITS) - 1)]

    def card(self) -> dict[str, Any]:
        """What the dataset's card says of it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "sha256": self.sha256,
            "frames": self.frames,
            "width": self.width,
            "height": self.height,
            "codec": self.codec,
            "licence": list(self.licence),
        }


def find_sources(folder: Path) -> tuple[list[Source], list[str]]:
    """All films, numbered sequences and photographs in a folder, at any depth, in the order of their names.

    Notes, one sentence each, name the files that cannot be used and why; files that are neither film nor image are
    passed over in silence. Raises UsageError when nothing can be used.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give a folder of clean footage and photographs")
    sources: list[Source] = []
    notes: list[str] = []
    for where, names in _walk(folder):
        licence = _licence(where, folder)
        for path, files, key in _entries(where, names):
            try:
                sources.append(_source(folder, path, files, key, licence))
            except ReelMendError as error:
                notes.append(f"{error}; passed over")
            except OSError as error:
                notes.append(f"{path} cannot be read ({error.strerror}); passed over")
    if not sources:
        why = f" that can be used ({notes[0]})" if notes else ""
        raise UsageError(f"{folder} holds no film and no image{why}; give a folder of clean footage and photographs")
    return sources, notes


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(where), sorted(name for name in names if not name.startswith("."))


def _entries(where: Path, names: list[str]) -> Iterator[tuple[Path, list[Path], list[Path]]]:
    """What to open, the files it consists of, and the files whose bytes decide its split."""
    images = [name for name in names if Path(name).suffix.lower() in IMAGE_SUFFIXES]
    for pattern, numbers in group_runs(images).items():
        run = [where / pattern.name(number) for number in numbers]
        if len(run) < 2 or not _one_film(run):
            continue
        images = [name for name in images if pattern.number(name) not in numbers]
        if _whole(numbers):
            yield where / pattern.printf, run, run
        else:
            # Frames taken from a film here and there: no window, but one split.
            for path in run:
                yield path, [path], run
    for name in sorted([*images, *(name for name in names if Path(name).suffix.lower() in FILM_SUFFIXES)]):
        yield where / name, [where / name], [where / name]


def _whole(numbers: list[int]) -> bool:
    return numbers[-1] - numbers[0] + 1 == len(numbers)


def _one_film(run: list[Path]) -> bool:
    """Whether neighbours in a numbered run show the same thing: frames of a film do, photographs of a camera not."""
    from reelmend.motion.cuts import shots
    from reelmend.motion.picture import picture

    step = max(1, (len(run) - 1) // _LONGEST_LOOK)
    alike = []
    for at in range(0, len(run) - 1, step):
        try:
            pair = [still_frame(path) for path in run[at : at + 2]]
        except ReelMendError:
            continue
        same_size = pair[0].planes[0].shape == pair[1].planes[0].shape
        alike.append(same_size and all(shot == 0 for shot, _ in shots(picture(frame) for frame in pair)))
    return bool(alike) and float(np.mean(alike)) > 0.5


def still_frame(path: Path) -> Frame:
    """A photograph as a frame. Raises UsageError or MediaError for what cannot be read."""
    from reelmend.media.sequence_image import read_image

    planes, layout, _ = read_image(path)
    return Frame(0, planes, layout)


def _source(folder: Path, path: Path, files: list[Path], key: list[Path], licence: Licence) -> Source:
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES:
        facts = _photograph(path)
    else:
        with open_reel(path, threads=1) as reel:
            facts = _film(reel.facts)
    digest = _digest(files)
    return Source(
        name=path.relative_to(folder).as_posix(),
        path=path,
        sha256=digest,
        place=_place(digest if key == files else _digest(key)),
        licence=licence,
        **facts,
    )


def _photograph(path: Path) -> dict[str, Any]:
    from reelmend.media.sequence_image import read_header

    header, layout = read_header(path)
    size = {"height": int(header.spec.height), "width": int(header.spec.width)}
    look = {"layout": layout, "colour": Colour(range="full"), "codec": header.format}
    return {"kind": "photograph", "frames": 1, **size, **look, "lossy": header.format in _LOSSY}


def _film(facts: ReelFacts) -> dict[str, Any]:
    codec = facts.format if facts.kind == "sequence" else facts.codec
    frames = facts.frames or facts.frames_about or 1
    size = {"height": facts.height, "width": facts.width}
    look = {"layout": facts.layout, "colour": facts.colour, "codec": codec}
    return {"kind": "film", "frames": frames, **size, **look, "lossy": codec in _LOSSY}


def _digest(files: Sequence[Path]) -> str:
    """SHA-256 of a file, or of the digests of several in their order."""
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _place(digest: str) -> float:
    """A number evenly spread over 0..1 that follows from a digest."""
    return int.from_bytes(hashlib.sha256(f"split {digest}".encode()).digest()[:6], "big") / (1 << 48)


def _licence(where: Path, folder: Path) -> Licence:
    """Files that say the terms: those in the source's own folder, else in the nearest folder above it."""
    for place in (where, *where.parents):
        files = [file for file in sorted(place.iterdir()) if file.name.lower().startswith(_LICENCE_NAMES)]
        for beginning in _LICENCE_NAMES:
            found = [file for file in files if file.name.lower().startswith(beginning) and file.is_file()]
            if found:
                return tuple(_terms(file, folder) for file in found)
        if place == folder:
            break
    return ()


def _terms(file: Path, folder: Path) -> dict[str, str]:
    text = file.read_text(encoding="utf-8", errors="replace")
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    name = file.relative_to(folder).as_posix()
    return {"file": name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "says": first[:200]}
