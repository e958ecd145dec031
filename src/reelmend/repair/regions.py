"""Regions of a picture, numbered in a label map: where nothing may be invented, and by which damage is counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Mask
from reelmend.motion.windows import Window
from reelmend.repair.grow import footprint_touches
from reelmend.repair.promise import FilledBy, Repair, Repairer
from reelmend.repair.temporal import TemporalRepairer

ASPECT = 0.02
"""Share by which the shape of a label map may differ from the frame's: rounding of sizes, not another picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """A label map, and the regions in which nothing may be invented."""

    labels: NDArray[np.uint16]
    """`(h, w)`, the number of the region of every pixel."""
    protected: frozenset[int] = frozenset()
    name: str = ""
    """Of the file, for errors."""

    @classmethod
    def read(cls, path: Path, protected: frozenset[int] = frozenset()) -> Self:
        """A label map off an 8-bit or 16-bit gray PNG, as `reelmend segment` writes.

        Raises UsageError where it is none, or holds no region of a number that is to be protected.
        """
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
        if found is None or found.ndim != 2 or found.dtype not in (np.uint8, np.uint16):
            raise UsageError(f"{path} is no label map; give a gray PNG of 16 bits, as reelmend segment writes it.")
        labels = np.asarray(found, np.uint16)
        missing = sorted(protected - set(np.unique(labels).tolist()))
        if missing:
            raise UsageError(f"{path} holds no region {missing[0]}; it has 0 to {labels.max()}.")
        return cls(labels, protected, str(path))

    def fitted(self, height: int, width: int) -> Regions:
        """The regions at the size of a frame, each pixel the nearest one's.

        Raises UsageError where the label map has another shape than the frame.
        """
        if self.labels.shape == (height, width):
            return self
        rows, columns = self.labels.shape
        if abs(columns * height / (rows * width) - 1) > ASPECT:
            raise UsageError(
                f"the label map {self.name} of {columns} x {rows} pixels has another shape than frames of "
                f"{width} x {height}; make it of a frame of this reel."
            )
        scaled = cv2.resize(self.labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return Regions(np.asarray(scaled, np.uint16), self.protected, self.name)

    @property
    def guarded(self) -> Mask:
        """Pixels `(h, w)` of the protected regions."""
        return np.isin(self.labels, list(self.protected))

    def damage(self, mask: Mask) -> dict[str, float]:
        """The share of every region's pixels in a mask, by its number as text; regions without any left out."""
        sizes = np.bincount(self.labels.ravel())
        counts = np.bincount(self.labels[mask], minlength=len(sizes))
        return {str(number): float(counts[number] / sizes[number]) for number in np.flatnonzero(counts)}


def parse_protect(text: str) -> tuple[Path, frozenset[int]]:
    """The label map and the numbers of `LABELMAP:IDS`, where ids are like `2,5-7`. Raises UsageError for another."""
    place, _, numbers = text.rpartition(":")
    protected: set[int] = set()
    try:
        for part in numbers.split(","):
            first, dash, last = part.partition("-")
            protected |= set(range(int(first), int(last if dash else first) + 1))
    except ValueError:
        protected = set()
    if not place or not protected or max(protected) > np.iinfo(np.uint16).max:
        raise UsageError(f"--protect {text}: give LABELMAP:IDS, such as regions.png:2,5-7.")
    return Path(place), frozenset(protected)


class GuardedRepairer:
    """Another repairer's work, but in protected regions nothing that a network invents.

    What neither neighbours nor surroundings show there is filled as `temporal` fills it. Where chroma has fewer
    samples than luma, one that such a pixel shares goes with it.
    """

    def __init__(self, inner: Repairer, regions: Regions) -> None:
        self.name = inner.name
        self._inner, self._plain, self._regions = inner, TemporalRepairer(), regions

    def fit(self, height: int, width: int) -> None:
        """Bring the label map to the size of the frames. Raises UsageError as `Regions.fitted`."""
        self._regions = self._regions.fitted(height, width)

    def repair(self, window: Window, mask: Mask) -> Repair:
        """As the other repairer. Raises UsageError as `Regions.fitted`."""
        made = self._inner.repair(window, mask)
        frame = made.frame
        guarded = self._regions.fitted(frame.height, frame.width).guarded
        invented = guarded & np.isin(made.filled_by, (FilledBy.NETWORK, FilledBy.DIFFUSION))
        if not invented.any():
            return made
        plain = self._plain.repair(window, mask)
        planes = list(frame.planes)
        for index in range(frame.layout.colour_planes):
            where = footprint_touches(invented, *frame.layout.subsampling(index))
            planes[index] = np.where(where, plain.frame.planes[index], planes[index])
        return Repair(
            frame.with_planes(tuple(planes)),
            np.where(invented, plain.unsure, made.unsure),
            np.where(invented, plain.filled_by, made.filled_by),
        )
