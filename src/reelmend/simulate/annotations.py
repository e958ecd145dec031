"""Annotations of simulated damage: every defect of every frame, as JSON that `evaluate` and people read.

    {"format": 1, "width": ..., "height": ..., "defects": [
    {"number": 3, "class": "dust", "frame": 0, "box": [x, y, width, height], "polygons": [[[x, y], ...], ...], ...},
    ...
    ]}

One defect of one frame a line, written as the reel goes by, so that a long reel needs no memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from reelmend.film import Mask
from reelmend.media.paths import sync, writing
from reelmend.simulate.damage import TRUTH_ALPHA
from reelmend.simulate.defect import Defect
from reelmend.simulate.optics import Patch

FORMAT = 1
"""Of the file; raised when its meaning changes."""

CENTRE = 0.5
"""Where the centre of the first pixel lies."""


def annotate(defect: Defect, patch: Patch, frame: int) -> dict[str, Any] | None:
    """One defect on one frame, as plain values; None where nothing of it is strong enough to be in the mask.

    Its pixels are those that the mask has of it alone: `alpha > TRUTH_ALPHA`.
    """
    own = patch.strongest > TRUTH_ALPHA
    rows, columns = (np.flatnonzero(own.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    ink = defect.ink
    return {
        "number": defect.number,
        "class": defect.kind,
        "frame": frame,
        "box": [patch.left + left, patch.top + top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "area": int(np.count_nonzero(own)),
        "opacity": round(ink.opacity, 4),
        "polarity": ink.polarity,
        "tint": [round(share, 4) for share in ink.tint],
        "polygons": polygons(own, patch.top, patch.left),
    }


def polygons(own: Mask, top: int = 0, left: int = 0) -> list[list[list[float]]]:
    """The rings around True pixels as `[[x, y], ...]`, through the centres of the outermost pixels.

    The first pixel's centre is (0.5, 0.5). Rings inside rings are holes. Filling all of them together and drawing the
    rings themselves, as `cv2.fillPoly` does, gives the pixels back.
    """
    contours, _ = cv2.findContours(own.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    move = np.array([left + CENTRE, top + CENTRE])
    return [(contour[:, 0, :] + move).tolist() for contour in contours]


class AnnotationWriter:
    """Writes annotations into `draft`; they appear under their own name whole or not at all."""

    def __init__(self, path: Path, draft: Path, facts: Mapping[str, Any]) -> None:
        """`facts` are plain values for the head of the file. Raises MediaError when the disk refuses."""
        self._path, self._draft = path, draft
        self._first = True
        with writing(path):
            self._file = draft.open("w", encoding="utf-8", newline="\n")
            head = json.dumps({"format": FORMAT, **facts})
            self._file.write(f'{head[:-1]}, "defects": [')

    def write(self, entry: Mapping[str, Any]) -> None:
        """Add one defect of one frame. Raises MediaError when the disk refuses."""
        with writing(self._path, int(entry["frame"])):
            self._file.write(("\n" if self._first else ",\n") + json.dumps(entry, separators=(",", ":")))
        self._first = False

    def finish(self) -> None:
        """Put the whole file under its own name. Raises MediaError when the disk refuses."""
        with writing(self._path):
            self._file.write("\n]}\n")
            self._file.close()
            sync(self._draft)
            self._draft.replace(self._path)

    def close(self) -> None:
        """Stop; without `finish` nothing appears."""
        # What can no longer be flushed belongs to a file that nobody will see.
        with suppress(OSError):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
