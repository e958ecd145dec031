"""What was found, blob by blob: probability, class, polarity, and in how many frames it lives."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.classes import guess_class
from reelmend.detect.promise import Blob
from reelmend.errors import MediaError
from reelmend.film import Mask

JOURNAL = "blobs.jsonl"

REACH_PX = 3
"""How far a blob may move from one frame to the next and still be the same, pixels: scratches wander, reels weave."""

ALIKE = 3.0
"""How many times as large as in the frame before it may be."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One blob of one frame."""

    x: float
    """Centre, pixels from the left."""
    y: float
    left: int
    top: int
    width: int
    height: int
    """Bounding box, pixels."""
    area: int
    probability: float
    kind: str
    """`dust`, `dirt`, `hair` or `scratch`: a guess by its shape."""
    polarity: str
    before: int | None
    """Place, among the blobs of the frame before, of the one that this one goes on from."""


@dataclass(slots=True)
class _Frame:
    labels: NDArray[np.int32]
    blobs: list[Explained]


class ExplainWriter:
    """A journal of blobs as the run goes along, a line a frame; at the end one JSON line a frame, with lifetimes.

    Every line of the file is `{"frame": n, "blobs": [...]}`; a blob has `x`, `y`, `left`, `top`, `width`, `height`,
    `area` (pixels), `probability` (0..1), `class`, `polarity`, `frames` (how many in a row it lives in, this one
    included) and `since` (the first of them). Any method raises MediaError where it cannot write.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        """Open the journal in a folder; `done` frames of an earlier run are kept."""
        self._path = folder / JOURNAL
        self._last: _Frame | None = None
        try:
            kept = self._path.read_bytes().splitlines(keepends=True)[:done] if done else []
            self._path.write_bytes(b"".join(kept))
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise MediaError(f"cannot write {self._path}: {error.strerror}; free some space") from None

    @staticmethod
    def length(folder: Path) -> int:
        """Frames in the journal of a folder."""
        try:
            return (folder / JOURNAL).read_bytes().count(b"\n")
        except OSError:
            return 0

    def remember(self, mask: Mask, blobs: Sequence[Blob]) -> None:
        """Take a frame that an earlier run has recorded, so that the next one's blobs can go on from its own."""
        self._last = _explained(mask, blobs, None)

    def frame(self, index: int, mask: Mask, blobs: Sequence[Blob]) -> None:
        """Record a frame, in order: its mask `(h, w)`, and what the detector said of the mask's blobs."""
        self._last = _explained(mask, blobs, self._last)
        line = json.dumps({"frame": index, "blobs": [asdict(blob) for blob in self._last.blobs]})
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise MediaError(f"cannot write {self._path}: {error.strerror}; free some space") from None

    def finish(self, target: Path) -> None:
        """Write the file."""
        self._file.close()
        draft = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            lives = _lives(self._records())
            with draft.open("w", encoding="utf-8") as file:
                for record, of_frame in zip(self._records(), lives, strict=True):
                    blobs = [_told(blob, *life) for blob, life in zip(record["blobs"], of_frame, strict=True)]
                    file.write(json.dumps({"frame": record["frame"], "blobs": blobs}) + "\n")
            os.replace(draft, target)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise MediaError(f"cannot write {target}: {error.strerror}; free some space") from None

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _records(self) -> Iterator[dict[str, Any]]:
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _explained(mask: Mask, given: Sequence[Blob], last: _Frame | None) -> _Frame:
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    places = np.array([(blob.x, blob.y) for blob in given]).reshape(-1, 2)
    blobs = []
    for label in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[label])
        x, y = (float(value) for value in centres[label])
        box = labels[top : top + height, left : left + width] == label
        # The detector lists the same blobs; where masks were given by hand there is no list.
        known = given[int(np.hypot(*(places - (x, y)).T).argmin())] if len(given) else None
        polarity = known.polarity if known else "unknown"
        before = _before(label, labels, (left, top, width, height, area), polarity, last)
        blobs.append(
            Explained(
                round(x, 2), round(y, 2), left, top, width, height, area, round(known.probability if known else 1.0, 4),
                guess_class(box, mask.shape[1]), polarity, before,
            )
        )  # fmt: skip
    return _Frame(np.asarray(labels, np.int32), blobs)


def _before(
    label: int, labels: NDArray[Any], box: tuple[int, int, int, int, int], polarity: str, last: _Frame | None
) -> int | None:
    """The blob of the frame before that lies there, is as bright or dark and about as large; the most overlapping."""
    if last is None or last.labels.shape != labels.shape:
        return None
    left, top, width, height, area = box
    rows = slice(max(0, top - REACH_PX), top + height + REACH_PX)
    columns = slice(max(0, left - REACH_PX), left + width + REACH_PX)
    near = cv2.dilate((labels[rows, columns] == label).astype(np.uint8), np.ones((2 * REACH_PX + 1,) * 2, np.uint8))
    overlap = np.bincount(last.labels[rows, columns][near > 0], minlength=len(last.blobs) + 1)[1:]
    for place in np.argsort(-overlap):
        if not overlap[place]:
            return None
        other = last.blobs[place]
        if other.polarity == polarity and max(area, other.area) <= ALIKE * min(area, other.area):
            return int(place)
    return None


def goes_on_from(blobs: Sequence[dict[str, Any]]) -> list[int | None]:
    """For every blob of a frame's line: the place, in the frame before, of the one whose life it goes on with.

    Two blobs may lie where there was one; its life goes on with the first of them.
    """
    places: list[int | None] = []
    for blob in blobs:
        places.append(None if blob["before"] in places else blob["before"])
    return places


def _lives(records: Iterator[dict[str, Any]]) -> list[list[tuple[int, int]]]:
    """For every blob of every frame: in how many frames in a row it lives, and since which."""
    chains: list[list[int]] = []
    """First frame and length."""
    members: list[list[int]] = []
    """Of every frame's blobs, which chain they are in."""
    for record in records:
        taken: list[int] = []
        for place in goes_on_from(record["blobs"]):
            chain = members[-1][place] if place is not None else len(chains)
            if place is None:
                chains.append([record["frame"], 0])
            chains[chain][1] += 1
            taken.append(chain)
        members.append(taken)
    return [[(chains[chain][1], chains[chain][0]) for chain in taken] for taken in members]


def _told(blob: dict[str, Any], frames: int, since: int) -> dict[str, Any]:
    told = {"class" if key == "kind" else key: value for key, value in blob.items() if key != "before"}
    return told | {"frames": frames, "since": since}
