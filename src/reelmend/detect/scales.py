"""Large scans, looked at twice: as they are, and as small as motion is computed on.

A detector knows damage of some pixels' size. A hair of Super 8 that covers ten pixels of a 640 wide picture covers a
hundred of a 1920 wide one, where a network sees a dark shape like any other; shrunk, the picture shows it as it is used
to see it. Specks that shrinking would wipe out are found in the scan as it is.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.labels import Labels
from reelmend.detect.listing import listed_anew
from reelmend.detect.promise import Detection
from reelmend.film import DamageMap
from reelmend.motion.picture import Picture
from reelmend.motion.windows import Neighbour, Window

KNOWN = 0.3
"""Share of a shrunken picture's blob that must have been found in the scan itself for the scan's outline to stand."""


def shrunken(window: Window) -> Window | None:
    """The window with the pictures that its flows were computed on for luma; None where they are the same."""
    if window.centre.factor == 1:
        return None

    def small(one: Picture) -> Picture:
        return replace(one, luma=one.small, factor=1)

    def beside(one: Neighbour) -> Neighbour:
        damage = None
        if one.damage is not None:
            height, width = one.picture.small.shape
            damage = cv2.resize(one.damage.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
        return replace(one, picture=small(one.picture), damage=damage)

    return replace(
        window, centre=small(window.centre), before=tuple(map(beside, window.before)),
        after=tuple(map(beside, window.after)),
    )  # fmt: skip


def enlarged(
    damage: DamageMap, candidates: NDArray[np.intp], shape: tuple[int, int]
) -> tuple[DamageMap, NDArray[np.intp]]:
    """A shrunken picture's damage map and candidates (flat places in it) on the scan's own pixels, `shape`."""
    if damage.shape == shape:
        return damage, candidates
    there = np.zeros(damage.size, np.uint8)
    there[candidates] = 1
    height, width = shape
    large = cv2.resize(there.reshape(damage.shape), (width, height), interpolation=cv2.INTER_NEAREST)
    whole = cv2.resize(damage, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(whole, np.float32), np.flatnonzero(large)


def joined(fine: Detection, coarse: Detection) -> Detection:
    """What either found, at the scan's own size; where both did, as the scan has it."""
    labels = Labels(coarse.mask)
    if labels.count == 1:
        return fine
    of_coarse, spread, theirs = labels.map, coarse.mask, coarse.damage
    if coarse.mask.shape != fine.mask.shape:
        size = fine.mask.shape[1], fine.mask.shape[0]
        of_coarse = cv2.resize(labels.map, size, interpolation=cv2.INTER_NEAREST)
        smooth = cv2.resize(coarse.mask.view(np.uint8) * np.float32(1), size, interpolation=cv2.INTER_LINEAR)
        spread, theirs = smooth >= np.float32(0.5), cv2.resize(coarse.damage, size)
    area = np.bincount(of_coarse.ravel()[np.flatnonzero(of_coarse)], minlength=labels.count)
    known = np.bincount(of_coarse[fine.mask], minlength=labels.count)
    new = known < KNOWN * area
    new[0] = False
    where = np.flatnonzero(spread)
    where = where[new[of_coarse.ravel()[where]]]
    mask, damage = fine.mask.copy(), fine.damage.copy()
    mask.ravel()[where] = True
    damage.ravel()[where] = np.maximum(damage.ravel()[where], theirs.ravel()[where])
    scale_y, scale_x = (mask.shape[n] / coarse.mask.shape[n] for n in (0, 1))
    blobs = [
        *fine.blobs,
        *(replace(one, x=(one.x + 0.5) * scale_x - 0.5, y=(one.y + 0.5) * scale_y - 0.5) for one in coarse.blobs),
    ]
    return Detection(damage, mask, listed_anew(mask, damage, blobs), fine.note or coarse.note)
