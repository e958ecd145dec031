"""Two detectors' opinions as one: a network's and the classical detector's, which err in different places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelmend.detect.flight import Flight
from reelmend.detect.labels import Labels
from reelmend.detect.scales import enlarged
from reelmend.film import DamageMap

OWN, THEIRS, BIAS = 0.772, 0.757, -0.036
"""Of the logistic regression of the truth on both detectors' log odds, where the classical one has a candidate; fitted
with `fast` on the pixels of the dev clips."""

OWN_ALONE, BIAS_ALONE = 0.871, -0.745
"""The same where it has none: what does not stand out from both neighbours is damage less often."""

CERTAIN, THEY_CERTAIN = 1e-4, 0.1
"""A network, and the classical detector, is not taken to be surer than by this: a network that is sure can outvote the
other's no."""

SEEN_BY_BOTH = 0.1
"""Share of a blob that the classical detector must have taken for a candidate to have an opinion of it."""

SURE, OF, LARGE = 0.99, 2 / 3, 100
"""A blob of LARGE pixels or more, on a frame 640 wide, in such a share OF which a network is as SURE stays, whoever
doubts it: a stain on a sky (0.74 of it; of legs up to 0.55). Smaller ones were limbs more often than dirt."""


RULED_OUT = 0.05
"""A blob to whose candidate pixels the classical detector gives less is none, though the neighbours agree: in real film
that was the gate's edge, which weaves."""

ALONE = 0.9
"""A blob of which the classical detector has no opinion, since it does not stand out from both neighbours, stays where
the network gives it this probability on average. Of those it is less sure of, three in five were no damage on the dev
clips, and on real film the large ones were legs and edges."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """The classical detector's, of a frame."""

    damage: DamageMap
    candidates: NDArray[np.intp]
    """Places in the flattened frame that it looked at."""
    flown: Flight
    """What it saw fly."""

    def enlarged(self, shape: tuple[int, int]) -> Opinion:
        """The same of a larger picture `(h, w)`."""
        damage, candidates = enlarged(self.damage, self.candidates, shape)
        return Opinion(damage, candidates, self.flown.enlarged(shape))


def weighed(damage: DamageMap, theirs: DamageMap, candidates: NDArray[np.intp]) -> DamageMap:
    """Probability of damage `(h, w)` given a network's and the classical detector's, whose `candidates` are places in
    the flattened frame (a linear opinion pool of log odds: Genest and Zidek 1986)."""
    own = _log_odds(damage, CERTAIN)
    pooled = OWN_ALONE * own + np.float32(BIAS_ALONE)
    both = OWN * own.ravel()[candidates] + THEIRS * _log_odds(theirs.ravel()[candidates], THEY_CERTAIN)
    pooled.ravel()[candidates] = both + np.float32(BIAS)
    return np.asarray(1 / (1 + np.exp(-pooled)), np.float32)


def clear_doubted(
    labels: Labels, own: DamageMap, theirs: DamageMap, candidates: NDArray[np.intp], least: float
) -> None:
    """Takes blobs out of a mask to whose candidate pixels the classical detector gives less than `least`, unless they
    are `LARGE` and the network, whose map is `own`, is `SURE` of them; and blobs of which it has no opinion, unless the
    network is sure of them `ALONE`."""
    area = labels.area
    mean = labels.total(own) / np.maximum(area, 1)
    shared, blob, seen, total = _heard(labels, theirs, candidates)
    sure = np.bincount(blob, own.ravel()[shared] >= SURE, minlength=labels.count)
    stays = (sure >= OF * seen) & (area >= LARGE * own.shape[1] / 640)
    unheard = seen < SEEN_BY_BOTH * area
    labels.clear(np.where(unheard, mean < ALONE, (total < least * seen) & ~stays))


def clear_ruled_out(labels: Labels, theirs: DamageMap, candidates: NDArray[np.intp]) -> None:
    """Takes blobs out of a mask that the classical detector has looked at and `RULED_OUT`."""
    _, _, seen, total = _heard(labels, theirs, candidates)
    labels.clear((seen > 0) & (total < RULED_OUT * seen))


def _heard(
    labels: Labels, theirs: DamageMap, candidates: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.intp], NDArray[np.float64]]:
    """Candidates in a mask and the blob of each; then, of every blob, how many it has, and the sum of what the
    classical detector gives them."""
    shared = candidates[labels.mask.ravel()[candidates]]
    blob = labels.map.ravel()[shared]
    seen = np.bincount(blob, minlength=labels.count)
    total = np.bincount(blob, theirs.ravel()[shared], minlength=labels.count)
    return shared, blob, seen, np.asarray(total, np.float64)


def _log_odds(probability: NDArray[np.float32], certain: float) -> NDArray[np.float32]:
    sure = np.clip(probability, np.float32(certain), np.float32(1 - certain))
    return np.asarray(np.log(sure / (1 - sure)), np.float32)
