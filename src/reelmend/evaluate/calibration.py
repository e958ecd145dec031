"""Whether probabilities mean what they say: of the pixels called 30 % damaged, are 30 % damaged?

Reliability diagram after DeGroot and Fienberg (1983), expected calibration error after Naeini, Cooper and Hauskrecht
(AAAI 2015), Brier score after Brier (1950).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Pixels whose probability lies within `(low, high]`; the first bin holds its lower edge too."""

    low: float
    high: float
    pixels: int
    predicted: float | None
    """Mean probability; None for a bin without pixels."""
    observed: float | None
    """Share that is damaged."""


class Reliability:
    """Gathers probabilities and truth over any number of frames, in bins of equal width."""

    def __init__(self, bins: int = BINS) -> None:
        if bins < 1:
            raise ValueError(f"{bins} bins hold nothing; take 1 or more")
        self.edges = np.linspace(0, 1, bins + 1)
        self._pixels = np.zeros(bins, np.int64)
        self._damaged = np.zeros(bins, np.int64)
        self._sum = np.zeros(bins)
        self._squared = 0.0

    def add(self, damage: NDArray[Any], truth: Mask) -> None:
        """One frame: probabilities 0..1 and the true mask, one shape. Raises ValueError when they do not fit."""
        if damage.shape != truth.shape:
            raise ValueError(f"a damage map of {damage.shape} and a mask of {truth.shape} cannot be compared")
        if damage.size and not (damage.min() >= 0 and damage.max() <= 1):
            raise ValueError("probabilities lie between 0 and 1")
        values, damaged = damage.ravel().astype(np.float64), truth.ravel()
        bins = len(self._pixels)
        place = np.searchsorted(self.edges[1:-1], values)
        self._pixels += np.bincount(place, minlength=bins)
        self._damaged += np.bincount(place[damaged], minlength=bins)
        self._sum += np.bincount(place, values, minlength=bins)
        self._squared += float(np.sum((values - damaged) ** 2))

    def bins(self) -> list[Bin]:
        """The reliability diagram, a bin a point."""
        return [
            Bin(
                float(self.edges[i]),
                float(self.edges[i + 1]),
                int(pixels),
                float(self._sum[i] / pixels) if pixels else None,
                float(self._damaged[i] / pixels) if pixels else None,
            )
            for i, pixels in enumerate(self._pixels)
        ]

    @property
    def expected_error(self) -> float | None:
        """Mean distance between predicted and observed over bins, weighted by pixels; None for no pixels."""
        total = int(self._pixels.sum())
        return float(np.abs(self._sum - self._damaged).sum() / total) if total else None

    @property
    def brier(self) -> float | None:
        """Mean squared distance between probability and truth (0 or 1); None for no pixels."""
        total = int(self._pixels.sum())
        return self._squared / total if total else None
