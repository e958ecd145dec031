"""What runs down a picture: narrow bars that stand out from both sides, from band to band.

The picture is cut into bands; in each the median over its rows is a profile in which a line is a narrow peak, measured
against how much else stands out nearby. Paths from band to band have the highest sum (Viterbi 1967), and begin and end
where going on costs more than it brings (Smith and Waterman 1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BAND = 16
"""Rows of a band, of the picture that motion is computed on."""

WIDTHS = (8, 5, 3, 2, 1)
"""Of a line, pixels of that picture."""

NARROWER = 1.1
"""How many times as much as a wider bar a narrower one must stand out to be the better: within a line all do alike."""

FLOOR, NEARBY = 0.7, 1.5
"""What stands out is measured in FLOOR codes and NEARBY times the mean of what stands out around it."""

AROUND = (41, 3)
"""Columns and bands that are around a place."""

LEAST, MOST, LOSS = 1.0, 2.5, -1.5
"""A band of a path brings what it stands out above LEAST, at most MOST; where it does not, it costs up to -LOSS."""

BEND = 0.1
"""Cost of a step aside from band to band. A path takes one pixel a band at most: 3.6 degrees."""

SHORTEST = 0.25
"""Share of the frame's height that a line has at least."""

BORDER = 0.05
"""Share of the frame's width to either side in which the edge of the gate runs: it keeps its place as scratches do."""

APART = 4
"""Pixels to either side of a path that no other may use."""

ROUNDS, MOST_PATHS = 2, 16
"""Paths that cross a stronger one's are looked for once more; of each polarity, at most so many are followed."""

WANDER = 6
"""Pixels that a line may have moved aside in a neighbour."""

FEWEST = 8
"""Bands of a picture in which paths are looked for at all: in lower ones everything runs down the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """A picture as bands; arrays `(bands, columns)` but `ends`."""

    clear: Floats
    """How much a narrow bar stands out from both sides, in units of what does around it; dark ones are negative."""
    raised: Floats
    """The same in codes."""
    width: NDArray[np.int8]
    """Of that bar, pixels."""
    ends: NDArray[np.intp]
    """First row of every band, and the row after the last."""
    luma: NDArray[np.uint8]
    """The picture itself, `(h, w)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where something runs from band to band."""

    first: int
    """Band it begins in."""
    x: NDArray[np.intp]
    """Column in every band from there on."""
    sign: int
    """1 bright, -1 dark."""
    score: float
    """Of all its bands, by the number of bands that the picture has."""

    @property
    def bands(self) -> NDArray[np.intp]:
        return np.arange(self.first, self.first + len(self.x))

    def goes_on_with(self, other: Path) -> bool:
        """Whether a path of another frame is where this one may be there: for half of the shorter one's way."""
        first, end = max(self.first, other.first), min(self.bands[-1], other.bands[-1]) + 1
        if self.sign != other.sign or end - first < 0.5 * min(len(self.x), len(other.x)):
            return False
        aside = self.x[first - self.first : end - self.first] - other.x[first - other.first : end - other.first]
        return bool(np.abs(aside).mean() <= WANDER)


def bands_of(luma: NDArray[np.uint8]) -> Bands:
    """The bands of a picture, luma `(h, w)`."""
    height, width = luma.shape
    ends = np.linspace(0, height, max(4, round(height / BAND)) + 1).astype(np.intp)
    profile = np.empty((len(ends) - 1, width), np.float32)
    for row, top, bottom in zip(profile, ends[:-1], ends[1:], strict=True):
        row[:] = np.sort(luma[top:bottom], axis=0)[(bottom - top) // 2]
    raised, widths = np.zeros_like(profile), np.ones(profile.shape, np.int8)
    for wide in WIDTHS:
        side = max(2, wide)
        middle, beside = (cv2.blur(profile, (n, 1), borderType=cv2.BORDER_REPLICATE) for n in (wide, side))
        away = int(np.ceil((wide + side) / 2 + 1))
        padded = np.pad(beside, ((0, 0), (away, away)), mode="edge")
        left, right = middle - padded[:, :width], middle - padded[:, 2 * away :]
        both = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0)
        better = np.abs(both) > NARROWER * np.abs(raised)
        raised[better], widths[better] = both[better], wide
    around = cv2.blur(np.abs(raised), AROUND, borderType=cv2.BORDER_REFLECT)
    return Bands(raised / (FLOOR + NEARBY * around), raised, widths, ends, luma)


def paths_of(clear: Floats) -> list[Path]:
    """The strongest paths of either polarity, apart from others of their own, `Bands.clear` given."""
    if len(clear) < FEWEST:
        return []
    return [path for sign in (1, -1) for path in _paths(np.clip(sign * clear - LEAST, LOSS, MOST), sign)]


def _paths(gain: Floats, sign: int) -> list[Path]:
    bands, columns = gain.shape
    least, border = max(4, round(SHORTEST * bands)), round(BORDER * columns)
    found: list[Path] = []
    for _ in range(ROUNDS):
        total, came = _sums(gain)
        taken = np.zeros(gain.shape, np.bool_)
        highest = cv2.dilate(total, np.ones((3, 2 * APART + 1), np.uint8))
        ends = np.argwhere((total == highest) & (total >= LEAST * least))
        for band, x in ends[np.argsort(-total[*ends.T])].tolist():
            score = float(total[band, x])
            if taken[band, x]:
                continue
            if len(found) == MOST_PATHS:
                break
            way = [x]
            while came[band, x] != _NOWHERE:
                x, band = x + int(came[band, x]), band - 1
                way.append(x)
            at = np.array(way[::-1])
            rows = np.arange(band, band + len(at))
            crosses = bool(taken[rows, at].any())
            for row, column in zip(rows, at, strict=True):
                taken[row, max(0, column - APART) : column + APART + 1] = True
            if not crosses and len(at) >= least and border <= at.mean() < columns - border:
                found.append(Path(band, at, sign, score / bands))
        gain = np.where(taken, np.float32(LOSS), gain)
    return found


_NOWHERE = 2


def _sums(gain: Floats) -> tuple[Floats, NDArray[np.int8]]:
    """The highest sum of a path that ends at each place, and the step aside by which it came there from above."""
    total, came = gain.copy(), np.full(gain.shape, _NOWHERE, np.int8)
    ways = np.full((3, gain.shape[1]), -np.inf, np.float32)
    for band in range(1, len(gain)):
        above = total[band - 1]
        ways[0, 1:], ways[1], ways[2, :-1] = above[:-1] - BEND, above, above[1:] - BEND
        best = ways.max(axis=0)
        total[band] += np.maximum(best, 0)
        came[band] = np.where(best > 0, ways.argmax(axis=0) - 1, _NOWHERE)
    return total, came
