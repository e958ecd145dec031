"""From a damage map to a mask: hysteresis and size limits, the same for every detector."""

from __future__ import annotations

from dataclasses import dataclass

from reelmend.detect.labels import Labels
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
    return refined(damage, limits).mask


def refined(damage: DamageMap, limits: Limits) -> Labels:
    """The same as blobs."""
    if limits.fringe > limits.seed:
        raise ValueError(f"fringe {limits.fringe} exceeds seed {limits.seed}")
    labels = Labels(damage >= limits.fringe)
    area = labels.area
    keep = (area >= limits.smallest) & (area <= limits.largest) & (labels.highest(damage) >= limits.seed)
    labels.clear(~keep)
    return labels
