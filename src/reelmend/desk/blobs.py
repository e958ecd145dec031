"""The blobs of a frame as they are after edits, with what is known of those that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from reelmend.detect.classes import guess_class
from reelmend.film import Mask


@dataclass(frozen=True, slots=True)
class KnownBlob:
    """One blob of a frame's mask. What was not found, but drawn, has no probability, polarity or life."""

    x: int
    y: int
    """A pixel of the blob, the nearest to its centre: where a click would hit it."""
    left: int
    top: int
    width: int
    height: int
    """Bounding box, pixels."""
    area: int
    kind: str
    """`dust`, `dirt`, `hair` or `scratch`: a guess by its shape."""
    probability: float | None = None
    polarity: str | None = None
    since: int | None = None
    """The first of the frames in a row that it lives in."""
    frames: int | None = None
    """How many those are; as far as was looked, `Findings.lives`."""


def known_blobs(
    mask: Mask, found: Mask, blobs: Sequence[dict[str, Any]], lives: Sequence[tuple[int, int]]
) -> list[KnownBlob]:
    """The blobs of `mask`, as in a book: from the top, and from left to right.

    Args:
        mask: damage after edits, `(h, w)`.
        found: damage before them, `(h, w)`.
        blobs: of `found`, in the order in which OpenCV labels them (`Findings.blobs`).
        lives: first frame and length of the life of each of them.
    """
    of_found = cv2.connectedComponents(found.view(np.uint8), connectivity=8)[1]
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    made = []
    for n in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[n])
        box = np.s_[top : top + height, left : left + width]
        own = labels[box] == n
        ys, xs = np.nonzero(own)
        nearest = int(np.hypot(xs + left - centres[n][0], ys + top - centres[n][1]).argmin())
        there = of_found[box][own]
        # Edits may have joined several.
        place = int(np.bincount(there[there > 0]).argmax()) if there.any() else 0
        told: dict[str, Any] = {}
        if 0 < place <= min(len(blobs), len(lives)):
            blob, (since, frames) = blobs[place - 1], lives[place - 1]
            told = {"probability": blob["probability"], "polarity": blob["polarity"], "since": since, "frames": frames}
        made.append(
            KnownBlob(
                int(xs[nearest]) + left, int(ys[nearest]) + top, left, top, width, height, area,
                guess_class(own, mask.shape[1]), **told,
            )
        )  # fmt: skip
    return sorted(made, key=lambda one: (one.y, one.x))
