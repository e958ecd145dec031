"""What is to be repaired in a frame: found or given, edited by hand, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.promise import Blob
from reelmend.edits import Operation, apply
from reelmend.film import DamageMap, Frame, Mask
from reelmend.repair.promise import FilledBy


@dataclass(frozen=True, slots=True, eq=False)
class Damage:
    """The damage of a frame."""

    mask: Mask
    """Edits applied, not grown."""
    blobs: int
    found: float = 0.0
    """Share of damaged pixels before edits."""
    edits: Sequence[Operation] = ()
    listed: tuple[Blob, ...] = ()
    """What the detector says of the mask's blobs."""
    note: str | None = None
    damage: DamageMap | None = None


def nothing(scan: Frame) -> Damage:
    """Of a frame that is passed through as it is."""
    return Damage(np.zeros((scan.height, scan.width), np.bool_), 0)


def with_edits(damage: Damage, edits: Sequence[Operation], index: int) -> Damage:
    """After the edits of frame `index`."""
    if not edits:
        return damage
    mask, listed = _edited(edits, index, damage.mask, damage.listed)
    return replace(damage, mask=mask, listed=listed, edits=edits, blobs=pieces(mask))


def share(mask: Mask) -> float:
    """Of a frame's pixels, 0..1."""
    return int(np.count_nonzero(mask)) / mask.size


def pieces(mask: Mask) -> int:
    """Connected pieces (8 neighbours)."""
    return cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[0] - 1 if mask.any() else 0


def kinds(filled_by: NDArray[np.uint8], changed: Mask) -> dict[str, float]:
    """How the pixels inside the grown mask that were changed were filled: share by kind."""
    counts = np.bincount(filled_by[changed], minlength=len(FilledBy))
    whole = max(1, counts[1:].sum())
    return {kind.name.lower(): float(counts[kind]) / whole for kind in FilledBy if kind and counts[kind]}


def _edited(
    edits: Sequence[Operation], index: int, mask: Mask, listed: tuple[Blob, ...]
) -> tuple[Mask, tuple[Blob, ...]]:
    """The mask after its edits, and what is known of its blobs: what the detector said of those that it left as they
    were, and of the others that a person is certain of them."""
    edited = apply(edits, index, mask)
    if not listed:
        return edited, ()
    count, _, stats, centres = cv2.connectedComponentsWithStats(edited.view(np.uint8), connectivity=8)
    known = {(round(blob.x, 3), round(blob.y, 3), blob.area): blob for blob in listed}
    blobs = []
    for n in range(1, count):
        x, y, area = float(centres[n, 0]), float(centres[n, 1]), int(stats[n, cv2.CC_STAT_AREA])
        blobs.append(known.get((round(x, 3), round(y, 3), area)) or Blob(x, y, area, 1.0, "unknown"))
    return edited, tuple(blobs)
