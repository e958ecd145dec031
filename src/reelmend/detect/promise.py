"""What every detector promises, so that the pipeline, the GUI and the tests treat them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np

from reelmend.film import DamageMap, Mask
from reelmend.motion.windows import Window


@dataclass(frozen=True, slots=True)
class Blob:
    """One connected piece of detected damage."""

    x: float
    """Centre, pixels from the left."""
    y: float
    """Centre, pixels from the top."""
    area: int
    """Pixels."""
    probability: float
    """That it is damage, 0..1."""
    polarity: str
    """`bright` or `dark` against what the neighbours show."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What was found in a frame."""

    damage: DamageMap
    """`(h, w)` float32, probability of damage."""
    mask: Mask
    """`(h, w)` the damage map after refinement: the detected damage itself, not grown."""
    blobs: tuple[Blob, ...]
    note: str | None = None
    """Why a frame was left alone, in words: no neighbours, or too much of it would be touched."""


class Detector(Protocol):
    """Finds damage in two steps, so that one frame's findings can be held against its neighbours'.

    Both steps are pure and safe to run in several threads. `look` sees one window; `decide` is given what `look`
    returned for the frame and for the pictures that `needs` names (None where those do not exist).
    """

    name: str

    def look(self, window: Window) -> Any:
        """Evidence of one window, whatever the detector wants to keep."""

    def needs(self, evidence: Any) -> tuple[int, ...]:
        """Indices of the frames whose evidence `decide` wants, all within `REACH` of the centre."""

    def decide(self, evidence: Any, others: tuple[Any | None, ...]) -> Detection:
        """The damage of the frame, given its evidence and that of the frames in `needs`."""


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
