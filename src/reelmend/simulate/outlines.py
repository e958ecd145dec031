"""Outlines of damage in micrometres on film, and the reader of polygons annotated on real scans.

An outline knows its physical size, so the same speck is small on 35 mm and large on Super 8.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError

Points = NDArray[np.float64]
"""Corners of a closed polygon, `(n, 2)`, columns x and y."""

Kind = Literal["dust", "dirt", "short hair", "long hair", "scratch"]
KINDS: tuple[Kind, ...] = ("dust", "dirt", "short hair", "long hair", "scratch")

MICROMETRES_PER_PIXEL = 7.03
"""Sampling of the scans of Ivanova et al., "Simulating analogue film damage to analyse and improve artefact
restoration on high-resolution scans" (2023), whose annotations `read_annotations` reads."""

SCALE_OF_SCAN = {"scan_8": 1.5, "scan_10": 1.5}
"""These two were annotated on pictures two thirds the size of the others."""

GAUGE_WIDTH = {"35mm": 24_900.0, "16mm": 10_260.0, "super8": 5_790.0}
"""Width of the camera aperture in micrometres: SMPTE ST 59 (full aperture 24.89 mm), ST 7 (10.26 mm), and
ANSI PH22.157 (5.79 mm)."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The shape of one piece of damage: the union of `parts`, in micrometres, centred on its bounding box."""

    kind: Kind
    parts: tuple[Points, ...]

    def __post_init__(self) -> None:
        if not self.parts or any(part.ndim != 2 or part.shape[1] != 2 or len(part) < 3 for part in self.parts):
            raise ValueError("an outline is one or more (n, 2) polygons of at least three corners")

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height of the bounding box, micrometres."""
        low, high = self._box()
        return float(high[0] - low[0]), float(high[1] - low[1])

    def centred(self) -> Outline:
        low, high = self._box()
        middle = (low + high) / 2
        return Outline(self.kind, tuple(part - middle for part in self.parts))

    def _box(self) -> tuple[Points, Points]:
        corners = np.concatenate(self.parts)
        return corners.min(axis=0), corners.max(axis=0)


def polygon_area(points: Points) -> float:
    """Area enclosed by a simple polygon (shoelace formula), in the square of its unit."""
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def read_annotations(path: Path) -> list[Outline]:
    """Outlines of one annotated scan, in file order, centred, in micrometres.

    Corners that enclose no area are left out: they cover nothing. Raises UsageError when the file is missing or is
    not such an annotation.
    """
    try:
        entries: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        unit = MICROMETRES_PER_PIXEL * SCALE_OF_SCAN.get(Path(path).stem, 1.0)
        outlines = [_outline(entry, unit) for entry in entries.values()]
    except OSError as error:
        raise UsageError(f"{path}: cannot read the annotations ({error.strerror}); give a scan_*.json file") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not an annotation of a scan; give a scan_*.json of polygons with labels") from error
    return [outline for outline in outlines if outline is not None]


def read_scans(folder: Path, names: Sequence[str]) -> list[Outline]:
    """Outlines of several scans, `names` without suffix, as one pool."""
    return [outline for name in names for outline in read_annotations(Path(folder) / f"{name}.json")]


def _outline(entry: dict[str, Any], unit: float) -> Outline | None:
    kind = str(entry["label"]["name"]).lower()
    if kind not in KINDS:
        raise ValueError(kind)
    points = np.array([(point["x"], point["y"]) for point in entry["points"]], dtype=np.float64) * unit
    if len(points) < 3 or polygon_area(points) == 0:
        return None
    return Outline(kind, (points,)).centred()
