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

SCAN_SIZE = (34_940.0, 23_900.0)
"""Width and height of the film on those scans, micrometres: 4970 x 3400 pixels, a 36 x 24 mm frame within its mask."""

GAUGE_WIDTH = {"35mm": 24_900.0, "16mm": 10_260.0, "super8": 5_790.0, "8mm": 4_800.0}
"""Width of the camera aperture in micrometres: SMPTE ST 59 (35 mm full aperture, 24.89 mm), ST 7 (16 mm), ST 157
(8 mm type S, Super 8) and ST 231 (8 mm type R, the older Regular 8)."""

GAUGE_HEIGHT = {"35mm": 18_670.0, "16mm": 7_490.0, "super8": 4_010.0, "8mm": 3_510.0}
"""Height of the same apertures, micrometres."""


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


@dataclass(frozen=True, slots=True)
class Placed:
    """An outline and where it was found on its scan."""

    outline: Outline
    """Centred on its bounding box."""
    x: float
    """Middle of the bounding box, micrometres from the scan's left edge."""
    y: float
    """Micrometres from the scan's top edge."""


def read_annotations(path: Path) -> list[Outline]:
    """Outlines of one annotated scan, in file order, centred, in micrometres.

    Corners that enclose no area are left out: they cover nothing. Raises UsageError when the file is missing or is
    not such an annotation.
    """
    return [placed.outline for placed in read_placed(path)]


def read_placed(path: Path) -> list[Placed]:
    """As `read_annotations`, with the place of each."""
    try:
        entries: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        unit = annotation_unit(path)
        placed = [_placed(entry, unit) for entry in entries.values()]
    except OSError as error:
        raise UsageError(f"{path}: cannot read the annotations ({error.strerror}); give a scan_*.json file") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not an annotation of a scan; give a scan_*.json of polygons with labels") from error
    return [one for one in placed if one is not None]


def annotation_unit(path: Path) -> float:
    """Micrometres of film that one unit of an annotation file's coordinates stands for."""
    return MICROMETRES_PER_PIXEL * SCALE_OF_SCAN.get(Path(path).stem, 1.0)


def read_scans(folder: Path, names: Sequence[str]) -> list[Outline]:
    """Outlines of several scans, `names` without suffix, as one pool."""
    return [outline for name in names for outline in read_annotations(Path(folder) / f"{name}.json")]


def _placed(entry: dict[str, Any], unit: float) -> Placed | None:
    kind = str(entry["label"]["name"]).lower()
    if kind not in KINDS:
        raise ValueError(kind)
    points = np.array([(point["x"], point["y"]) for point in entry["points"]], dtype=np.float64) * unit
    if not np.isfinite(points).all():
        raise ValueError("a coordinate that is not a number")
    if len(points) < 3 or polygon_area(points) == 0:
        return None
    x, y = ((points.min(axis=0) + points.max(axis=0)) / 2).tolist()
    return Placed(Outline(kind, (points,)).centred(), x, y)
