"""A mask's blobs as a list, and what was looked for apart put among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.labels import Labels
from reelmend.detect.promise import Blob, Detection
from reelmend.film import DamageMap, Mask


def listed(damage: DamageMap, labels: Labels, brighter: NDArray[np.bool_]) -> tuple[Blob, ...]:
    """The blobs of a mask, bright where most of one is `brighter` than what it is held against."""
    area, highest = labels.area, labels.highest(damage)
    bright = 2 * labels.total(brighter) > area
    x, y = labels.centres
    return tuple(
        Blob(float(x[n]), float(y[n]), int(area[n]), float(highest[n]), "bright" if bright[n] else "dark")
        for n in np.flatnonzero(area)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Damage that was looked for apart."""

    where: Mask
    """`(h, w)` of the frame, not empty."""
    probability: float
    bright: bool
    """Against what neighbours or surroundings show."""


def with_pieces(found: Detection, pieces: Sequence[Piece]) -> Detection:
    """What was found and these pieces, as if it had been found at once."""
    if not pieces:
        return found
    mask, damage, known = found.mask.copy(), found.damage.copy(), list(found.blobs)
    for one in pieces:
        mask |= one.where
        damage[one.where] = np.maximum(damage[one.where], np.float32(one.probability))
        ys, xs = np.nonzero(one.where)
        polarity = "bright" if one.bright else "dark"
        known.append(Blob(float(xs.mean()), float(ys.mean()), len(xs), one.probability, polarity))
    return Detection(damage, mask, listed_anew(mask, damage, known), found.note)


def listed_anew(mask: Mask, damage: DamageMap, known: Sequence[Blob]) -> tuple[Blob, ...]:
    """The blobs of a mask `(h, w)` into which several were put together; of what polarity each is says the nearest of
    those `known`, which are not none."""
    places = np.array([(one.x, one.y) for one in known])
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    made = []
    for n in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats[n])
        x, y = (float(value) for value in centres[n])
        box = np.s_[top : top + high, left : left + wide]
        nearest = known[int(np.hypot(*(places - (x, y)).T).argmin())]
        highest = float(damage[box][labels[box] == n].max())
        made.append(Blob(x, y, area, highest, nearest.polarity))
    return tuple(made)
