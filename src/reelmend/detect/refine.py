"""From a damage map to a mask: hysteresis and size limits, the same for every detector."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from reelmend.film import DamageMap, Mask


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a damage map becomes mask."""

    seed: float
    """A blob needs one pixel at least this probable, 0..1."""
    fringe: float
    """Pixels at least this probable belong to a blob, 0..1."""
    smallest: int
    """Pixels; smaller blobs are left."""
    largest: int
    """Pixels; larger blobs are left: they are lost frames, fades or motion, not dust."""


def refine(damage: DamageMap, limits: Limits) -> Mask:
    """The mask of a damage map: blobs (8-connected) of `fringe` that hold a `seed` and are within the size limits.

    Raises ValueError if `fringe` exceeds `seed`.
    """
    if limits.fringe > limits.seed:
        raise ValueError(f"fringe {limits.fringe} exceeds seed {limits.seed}")
    fringe = (damage >= limits.fringe).view(np.uint8)
    if not fringe.any():
        return np.zeros(damage.shape, np.bool_)
    count, labels = cv2.connectedComponents(fringe, connectivity=8, ltype=cv2.CV_32S)
    where = np.flatnonzero(fringe.view(np.bool_))
    piece = labels.ravel()[where]
    area = np.bincount(piece, minlength=count)
    keep = (area >= limits.smallest) & (area <= limits.largest)
    seeded = np.zeros(count, np.bool_)
    seeded[piece[damage.ravel()[where] >= limits.seed]] = True
    keep &= seeded
    mask = np.zeros(damage.shape, np.bool_)
    mask.ravel()[where[keep[piece]]] = True
    return mask


def beside(mask: Mask, other: Mask) -> Mask:
    """The blobs of a mask that do not touch what is in another."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    apart = np.ones(count, np.bool_)
    apart[labels[other]] = False
    apart[0] = False
    return np.asarray(apart[labels])
