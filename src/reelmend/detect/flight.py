"""Snow, rain, sparks, insects: what lies half-way between its like before and its like after flies; dust does not.

Neighbours agree about a flake as they do about a speck, for neither is in them; and one that has flown further than it
is long is not found again nearby. But it keeps its course. Two specks in the frames on both sides that lie just so are
a coincidence, and several in one frame are none: then it snows, and what else is as bright and as small as the flakes
is left alone too. `docs/detection.md` has what that is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.features import FEATURES
from reelmend.detect.labels import Labels
from reelmend.detect.recurrence import Others, add_trail
from reelmend.detect.spike import SpikeEvidence
from reelmend.film import Mask

FLIES, ALONE = 0.4, 0.6
"""Something flies if it lies half-way between like things to the first degree, 0..1, where several do; to the second
where it is alone: among a hundred specks of dust one lies half-way between two to the first."""

STEP = 3.0
"""Pixels of a frame 640 wide: what moves by less from frame to frame sticks to the film, which weaves."""

MANY, SHARE = 2, 0.15
"""It snows where so many finds of a frame fly, and so large a share of them."""

LARGER = 4.0
"""Of the largest find that flies, in area: what is larger than that is no flake. Near ones are twice as wide, and
fly too far from frame to frame to be followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """What flies in a frame."""

    flying: Mask
    """`(h, w)`: finds that keep a course."""
    flakes: Mapping[bool, float]
    """Where it snows, how large what is bright (True) or dark may be to be taken for a flake, pixels."""

    def clear(self, labels: Labels, brighter: NDArray[np.bool_]) -> None:
        """Takes what flies out of a mask; where it snows, also what is like it. `brighter`: where the frame is brighter
        than its neighbours."""
        if not self.flying.any():
            return
        area, gone = labels.area, labels.touching(self.flying)
        bright = 2 * labels.total(brighter) > area
        for polarity, most in self.flakes.items():
            gone |= (bright == polarity) & (area <= most)
        labels.clear(gone)

    def enlarged(self, shape: tuple[int, int]) -> Flight:
        """The same for a larger picture `(h, w)`."""
        if shape == self.flying.shape:
            return self
        size = shape[1], shape[0]
        flying = cv2.resize(self.flying.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) != 0
        times = shape[0] * shape[1] / self.flying.size
        return Flight(flying, {polarity: times * most for polarity, most in self.flakes.items()})


def flight(evidence: SpikeEvidence, others: Others, seen: Mask, brighter: NDArray[np.bool_]) -> Flight:
    """What flies of all that is `seen` `(h, w)` in a frame, surely or not.

    `evidence` is the classical detector's, `others` its blobs in the two frames that it compared with.
    """
    labels = Labels(seen)
    area = labels.area
    bright = 2 * labels.total(brighter) > area
    best = np.zeros(labels.count, np.float32)
    np.maximum.at(best, labels.map.ravel()[evidence.where], _trails(evidence, others, seen))
    flies = best >= FLIES
    flies[0] = False
    if np.count_nonzero(flies) < max(MANY, SHARE * (labels.count - 1)):
        return Flight(labels.those(flies & (best >= ALONE)), {})
    flakes = {
        bool(polarity): LARGER * float(area[flies & (bright == polarity)].max())
        for polarity in np.unique(bright[flies])
    }
    return Flight(labels.those(flies), flakes)


def _trails(evidence: SpikeEvidence, others: Others, seen: Mask) -> NDArray[np.float32]:
    """Of each of the classical detector's candidate pixels, how well its blob lies half-way between like ones in the
    frames before and after, 0..1; 0 of those that touch nothing that is `seen`."""
    blobs = evidence.blobs
    if blobs is None or evidence.pair is None or not blobs.count:
        return np.zeros(len(evidence.where), np.float32)
    rows = np.unique(evidence.blob[seen.ravel()[evidence.where]]).astype(np.intp)
    table = blobs.table.copy()
    add_trail(table, rows, blobs, evidence.pair, others, STEP)
    return np.asarray(table[evidence.blob, FEATURES.index("trail")], np.float32)
