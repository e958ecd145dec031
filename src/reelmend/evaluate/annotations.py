"""Defects listed one by one, as `reelmend simulate` writes them: which class of damage lies where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Mask

Polygon = NDArray[np.float64]
"""Corners `(n, 2)` as x, y in pixels; the centre of the first pixel is (0.5, 0.5)."""

SUBPIXEL = 8
"""Binary digits after the point of corners, as OpenCV draws them."""


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """One defect on one frame."""

    number: int
    """The same for one defect on all its frames."""
    kind: str
    """Its class, for example `dust`."""
    frame: int
    polygons: tuple[Polygon, ...]


def read_annotations(path: Path) -> dict[int, list[Annotated]]:
    """Defects by frame from a JSON file `{"defects": [{"number", "class", "frame", "polygons"}, ...]}`.

    `polygons` is a list of rings `[[x, y], ...]` in pixels; further keys are passed over. Raises UsageError for a
    file that is missing, no JSON, or misses any of these.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; check the name") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{path} cannot be read as JSON ({error}); give the annotations that simulate wrote") from None
    entries = data.get("defects") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"{path} has no list of defects; give the annotations that simulate wrote")
    found: dict[int, list[Annotated]] = {}
    for place, entry in enumerate(entries):
        try:
            made = _defect(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"{path}: defect {place} is not what was expected ({type(error).__name__}: {error}); each needs "
                "number, class, frame and polygons"
            ) from None
        found.setdefault(made.frame, []).append(made)
    return found


def _defect(entry: Mapping[str, Any]) -> Annotated:
    polygons = tuple(np.asarray(ring, np.float64) for ring in entry["polygons"])
    if any(ring.ndim != 2 or ring.shape[1] != 2 or not np.isfinite(ring).all() for ring in polygons):
        raise ValueError("polygons are lists of [x, y]")
    number, frame = entry["number"], entry["frame"]
    if not (isinstance(number, int) and isinstance(frame, int)):
        raise TypeError("number and frame are whole numbers")
    return Annotated(number, str(entry["class"]), frame, polygons)


def draw(polygons: Iterable[Polygon], height: int, width: int) -> Mask:
    """Pixels `(height, width)` that a defect's polygons touch; rings within rings are holes."""
    canvas = np.zeros((height, width), np.uint8)
    rings = [np.rint((ring - 0.5) * 2**SUBPIXEL).astype(np.int32) for ring in polygons if len(ring)]
    if rings:
        cv2.fillPoly(canvas, rings, 1, shift=SUBPIXEL)
    return canvas.view(np.bool_)


def bounds(polygons: Iterable[Polygon], height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that hold a defect's polygons with a pixel to spare, cut off at the frame."""
    corners = np.concatenate([ring for ring in polygons if len(ring)] or [np.zeros((1, 2))])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    rows = slice(min(height, max(0, math.floor(top) - 1)), max(0, min(height, math.ceil(bottom) + 1)))
    columns = slice(min(width, max(0, math.floor(left) - 1)), max(0, min(width, math.ceil(right) + 1)))
    return rows, columns
