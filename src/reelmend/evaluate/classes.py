"""How well each class of damage is found.

A found mask does not say of what class its pixels are, so recall is what can be told apart: of the dust, how much was
found; of the hairs, how much. Precision, Dice and IoU of a class set its hits against all false alarms of the frame,
pixels of other classes left out of the judgement: they say how a class would fare if it were the only damage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.evaluate.annotations import Annotated, bounds, draw
from reelmend.evaluate.masks import FOUND_SHARE, Counts, check, count, ratio
from reelmend.film import Mask


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Pixels and defects of one class; frames add up."""

    pixels: Counts = field(default_factory=Counts)
    defects: int = 0
    """Defects of which a pixel at least is true damage, counted anew on every frame."""
    found: int = 0
    """Those of which at least `FOUND_SHARE` of the damaged pixels were found."""

    def __add__(self, other: ClassCounts) -> ClassCounts:
        return ClassCounts(self.pixels + other.pixels, self.defects + other.defects, self.found + other.found)

    @property
    def defect_recall(self) -> float | None:
        """Share of the defects found; None when there are none."""
        return ratio(self.found, self.defects)


def count_classes(found: Mask, truth: Mask, defects: Iterable[Annotated]) -> tuple[dict[str, ClassCounts], int]:
    """Counts of each class that occurs in a frame, and how many true pixels no defect covers.

    A pixel counts for every class whose defects cover it. Raises ValueError when masks do not fit.
    """
    check(found, truth)
    height, width = truth.shape
    regions: dict[str, Mask] = {}
    tallies: dict[str, list[int]] = {}
    for defect in defects:
        rows, columns = bounds(defect.polygons, height, width)
        part = truth[rows, columns]
        if not part.size:
            continue
        moved = [ring - (columns.start, rows.start) for ring in defect.polygons]
        region = draw(moved, *part.shape) & part
        size = int(np.count_nonzero(region))
        if not size:
            continue
        regions.setdefault(defect.kind, np.zeros_like(truth))[rows, columns] |= region
        tally = tallies.setdefault(defect.kind, [0, 0])
        tally[0] += 1
        tally[1] += int(np.count_nonzero(region & found[rows, columns])) >= FOUND_SHARE * size
    covered = np.zeros_like(truth)
    for region in regions.values():
        covered |= region
    made = {
        kind: ClassCounts(count(found, region, judged=region | ~truth), *tallies[kind])
        for kind, region in sorted(regions.items())
    }
    return made, int(np.count_nonzero(truth & ~covered))


def count_class_map(found: Mask, truth: NDArray[Any], names: Mapping[int, str]) -> dict[str, Counts]:
    """Counts of each class from a map of class numbers `(h, w)`, 0 = clean; classes that do not occur are left out.

    Raises ValueError for a number without a name, or shapes that differ.
    """
    damaged = truth != 0
    check(found, damaged)
    numbers = [int(number) for number in np.unique(truth) if number]
    unknown = [number for number in numbers if number not in names]
    if unknown:
        raise ValueError(f"the class map holds {unknown[0]}, which has no name")
    return {names[number]: count(found, truth == number, judged=(truth == number) | ~damaged) for number in numbers}
