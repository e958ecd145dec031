"""`spike`: the classical detector. A candidate that stands out from both neighbours is judged by its features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelmend.detect.candidates import find_candidates
from reelmend.detect.features import Blobs, add_recurrence
from reelmend.detect.promise import Blob, Detection
from reelmend.detect.refine import Limits, refine
from reelmend.detect.trees import Trees, load_trees
from reelmend.film import Mask
from reelmend.motion.windows import Neighbour, Window

SEED_PROBABILITY = {"gentle": 0.95, "standard": 0.8, "strong": 0.5}
"""A blob counts as damage from this probability on, by strength; `benchmarks/` prints the curve behind it."""

SMALLEST = {"gentle": 4, "standard": 3, "strong": 2}
"""Pixels, on a frame 640 wide; scaled with the square of the width, at least the number itself."""

LARGEST_SHARE = 0.02
"""Of the frame's area: one blob larger than this is not dust."""

LOST_SHARE = {"gentle": 0.05, "standard": 0.10, "strong": 0.20}
"""Where more of a frame than this would be touched, its neighbours do not show the same scene (a flash, a lost frame,
motion that could not be followed): the frame is left alone and the report says so."""


@dataclass(frozen=True, slots=True, eq=False)
class SpikeEvidence:
    """What `decide` and the neighbours' `decide` need; the larger arrays of `Candidates` are let go."""

    window: Window
    pair: tuple[Neighbour, Neighbour] | None
    labels: NDArray[np.integer] | None
    blobs: Blobs | None


class SpikeDetector:
    """Motion-compensated spike detection (Kokaram 1998; Nadenau and Mitra 1997), judged by boosted trees.

    Needs a neighbour on both sides, or two on one side; frames without are left alone.
    """

    name = "spike"

    def __init__(
        self,
        strength: str = "standard",
        min_blob: int | None = None,
        max_blob: int | None = None,
        trees: Trees | None = None,
    ) -> None:
        self._strength = strength
        self._min_blob, self._max_blob = min_blob, max_blob
        self._trees = trees or load_trees()

    def look(self, window: Window) -> SpikeEvidence:
        found = find_candidates(window)
        if found is None:
            return SpikeEvidence(window, None, None, None)
        labels = found.labels.astype(np.uint16) if found.count < 2**16 else found.labels
        return SpikeEvidence(window, found.pair, labels, Blobs(window, found))

    def needs(self, evidence: SpikeEvidence) -> tuple[int, ...]:
        return tuple(one.picture.index for one in evidence.pair or ())

    def decide(self, evidence: SpikeEvidence, others: tuple[SpikeEvidence | None, ...]) -> Detection:
        shape = evidence.window.centre.luma.shape
        damage = np.zeros(shape, np.float32)
        labels, blobs = evidence.labels, evidence.blobs
        if evidence.pair is None or labels is None or blobs is None:
            return Detection(damage, damage > 0, (), "no different neighbours in its shot")
        if not blobs.count:
            return Detection(damage, damage > 0, ())
        first, second = (other.blobs if other else None for other in others)
        table = add_recurrence(blobs, evidence.window, evidence.pair, first, second)
        probability = self._trees.probability(table)
        damage = np.concatenate([np.zeros(1, np.float32), probability])[labels]
        mask = refine(damage, self.limits(shape))
        share = float(np.count_nonzero(mask)) / mask.size
        if share > LOST_SHARE[self._strength]:
            note = f"{share:.0%} of it differs from its neighbours: left alone"
            return Detection(damage, np.zeros(shape, np.bool_), (), note)
        return Detection(damage, mask, _listed(blobs, probability, labels, mask))

    def limits(self, shape: tuple[int, int]) -> Limits:
        height, width = shape
        # Blobs are judged whole: every pixel of a blob has the blob's own probability.
        seed = SEED_PROBABILITY[self._strength]
        smallest = self._min_blob or max(1, round(SMALLEST[self._strength] * max(1.0, (width / 640) ** 2)))
        return Limits(seed, seed, smallest, self._max_blob or round(LARGEST_SHARE * height * width))


def _listed(
    blobs: Blobs, probability: NDArray[np.float32], labels: NDArray[np.integer], mask: Mask
) -> tuple[Blob, ...]:
    kept = np.unique(labels[mask])
    return tuple(
        Blob(
            float(blobs.x[n - 1]),
            float(blobs.y[n - 1]),
            int(blobs.area[n - 1]),
            float(probability[n - 1]),
            "bright" if blobs.sign[n - 1] > 0 else "dark",
        )
        for n in kept
    )
