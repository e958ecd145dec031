"""`spike`: the classical detector. A candidate that stands out from both neighbours is judged by its features."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.border import hugs_border
from reelmend.detect.candidates import find_candidates
from reelmend.detect.features import FEATURES, Blobs
from reelmend.detect.promise import Blob, Detection
from reelmend.detect.recurrence import Others, add_recurrence, add_trail
from reelmend.detect.refine import Limits, refine
from reelmend.detect.trees import Trees, load_trees
from reelmend.film import Mask
from reelmend.motion.warp import Warps
from reelmend.motion.windows import Neighbour, Window

SEED_PROBABILITY = {"gentle": 0.9, "standard": 0.7, "strong": 0.3}
"""A blob counts as damage from this probability on, by strength; `benchmarks/` prints the curve behind it."""

SMALLEST = {"gentle": 4, "standard": 3, "strong": 2}
"""Pixels, on a frame 640 wide; scaled with the square of the width, at least the number itself."""

PIECES, PIECE_GAP, PIECE_SHARE = 3, 3, 0.4
"""A blob within 3 pixels (at 640 wide) of damage joins it from 0.4 of the strength's probability on; three rounds."""

TRAIL = 0.6
"""A blob that lies half-way between like blobs before and after, to this degree (0..1), flies past."""

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
    where: NDArray[np.intp]
    """Candidate pixels, as places in the flattened frame."""
    blob: NDArray[np.int32]
    """The blob of each of them, counted from 0."""
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

    def look(self, window: Window, warps: Warps | None = None) -> SpikeEvidence:
        found = find_candidates(window, warps)
        if found is None:
            return SpikeEvidence(window, None, np.zeros(0, np.intp), np.zeros(0, np.int32), None)
        return SpikeEvidence(window, found.pair, found.where, found.blob, Blobs(window, found))

    def needs(self, evidence: SpikeEvidence) -> tuple[int, ...]:
        return tuple(one.picture.index for one in evidence.pair or ())

    def decide(self, evidence: SpikeEvidence, others: tuple[SpikeEvidence | None, ...]) -> Detection:
        shape = evidence.window.centre.luma.shape
        damage = np.zeros(shape, np.float32)
        blobs = evidence.blobs
        if evidence.pair is None or blobs is None:
            return Detection(damage, damage > 0, (), "no different neighbours in its shot")
        if not blobs.count:
            return Detection(damage, damage > 0, ())
        first, second = (other.blobs if other else None for other in others)
        probability = self._judge(evidence, blobs, evidence.pair, (first, second))
        probability = self._joined(probability, evidence, shape)
        damage.ravel()[evidence.where] = probability[evidence.blob]
        mask = refine(damage, self.limits(shape))
        share = float(np.count_nonzero(mask)) / mask.size
        if share > LOST_SHARE[self._strength]:
            note = f"{share:.0%} of it differs from its neighbours: left alone"
            return Detection(damage, np.zeros(shape, np.bool_), (), note)
        return Detection(damage, mask, _listed(blobs, probability, evidence, mask))

    def _judge(
        self, evidence: SpikeEvidence, blobs: Blobs, pair: tuple[Neighbour, Neighbour], others: Others
    ) -> NDArray[np.float32]:
        window = evidence.window
        table = add_recurrence(blobs, window, pair, others)
        probability = self._trees.probability(table)
        longest = np.maximum(blobs.box[:, 2], blobs.box[:, 3])
        probability[hugs_border(evidence.where, evidence.blob, longest, window.centre.luma.shape)] = 0
        passing = np.flatnonzero(probability >= SEED_PROBABILITY["strong"])
        add_trail(table, passing, blobs, pair, others)
        judged = np.minimum(probability[passing], self._trees.probability(table[passing]))
        # What keeps its course over three frames is not damage, however much it looks like it.
        flies = table[passing, FEATURES.index("trail")] >= TRAIL
        probability[passing] = np.where(flies, judged / 2, judged)
        return probability

    def _joined(
        self, probability: NDArray[np.float32], evidence: SpikeEvidence, shape: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Pieces next to damage belong to it: a hair falls into several blobs, not all of them clear by themselves."""
        seed = SEED_PROBABILITY[self._strength]
        for _ in range(PIECES):
            sure = np.zeros(shape, np.uint8)
            sure.ravel()[evidence.where] = probability[evidence.blob] >= seed
            reach = 2 * max(2, round(PIECE_GAP * shape[1] / 640)) + 1
            near = cv2.dilate(sure, np.ones((reach, reach), np.uint8)).ravel()[evidence.where] > 0
            touched = np.zeros(len(probability), np.bool_)
            touched[evidence.blob[near]] = True
            joins = touched & (probability < seed) & (probability >= PIECE_SHARE * seed)
            if not joins.any():
                break
            probability = np.where(joins, np.float32(seed), probability)
        return probability

    def limits(self, shape: tuple[int, int]) -> Limits:
        height, width = shape
        # Blobs are judged whole: every pixel of a blob has the blob's own probability.
        seed = SEED_PROBABILITY[self._strength]
        smallest = self._min_blob or max(1, round(SMALLEST[self._strength] * max(1.0, (width / 640) ** 2)))
        return Limits(seed, seed, smallest, self._max_blob or round(LARGEST_SHARE * height * width))


def _listed(blobs: Blobs, probability: NDArray[np.float32], evidence: SpikeEvidence, mask: Mask) -> tuple[Blob, ...]:
    kept = np.unique(evidence.blob[mask.ravel()[evidence.where]])
    return tuple(
        Blob(
            float(blobs.x[n]),
            float(blobs.y[n]),
            int(blobs.area[n]),
            float(probability[n]),
            "bright" if blobs.sign[n] > 0 else "dark",
        )
        for n in kept
    )
