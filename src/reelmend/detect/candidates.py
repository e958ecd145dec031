"""Where a frame differs from its motion-compensated neighbours on both sides, with the same sign.

The family of SDIp (Kokaram 1998: both differences exceed a threshold with the same sign) and ROD (Nadenau and Mitra
1997: outside the range of the neighbours' pixels): a candidate's seed lies outside the range of the 3 x 3 surroundings
in both neighbours, so that a flow that is one pixel off does not make damage of an edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.light import noise_by_brightness
from reelmend.motion.warp import Warped, warp_luma
from reelmend.motion.windows import Neighbour, Window

_SQUARE = np.ones((3, 3), np.uint8)
_SEED_SIGMAS, _SEED_FLOOR = 3.0, 6.0
_FRINGE_SIGMAS, _FRINGE_FLOOR = 1.5, 3.5
_RIM = 0.18


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The pixels that might be damage, and what was computed on the way."""

    labels: NDArray[np.int32]
    """`(h, w)`, 0 = none, 1..n = candidate blobs (8-connected)."""
    count: int
    spike: NDArray[np.int16]
    """`(h, w)` distance outside the neighbours' range, 8-bit codes, bright positive, dark negative, 0 inside."""
    seeds: NDArray[np.uint8]
    """`(h, w)`, 255 where the spike also leaves the 3x3 range."""
    pair: tuple[Neighbour, Neighbour]
    warped: tuple[Warped, Warped]
    mean: NDArray[np.uint8]
    """Mean of the two warped neighbours."""
    noise: NDArray[np.float32]
    """Standard deviation of centre minus mean, by brightness, 256 values."""


def nearest_pair(window: Window) -> tuple[Neighbour, Neighbour] | None:
    """The two neighbours to compare with: one each side, or two on the one side there is; None where there is no pair."""
    if window.before and window.after:
        return window.before[0], window.after[0]
    side = window.before or window.after
    return (side[0], side[1]) if len(side) >= 2 else None


def find_candidates(window: Window) -> Candidates | None:
    """Candidate blobs of a window's centre; None where there are not two neighbours to compare with."""
    pair = nearest_pair(window)
    if pair is None:
        return None
    centre = window.centre.luma
    a, b = warp_luma(window, pair[0]), warp_luma(window, pair[1])
    high, low = cv2.max(a.luma, b.luma), cv2.min(a.luma, b.luma)
    mean = cv2.addWeighted(a.luma, 0.5, b.luma, 0.5, 0)
    noise = noise_by_brightness(centre, mean)

    known = (a.inside & b.inside).view(np.uint8)
    bright, dark = cv2.subtract(centre, high), cv2.subtract(low, centre)
    fringe_limit = cv2.LUT(mean, _limit(noise, _FRINGE_SIGMAS, _FRINGE_FLOOR))
    seed_limit = cv2.LUT(mean, _limit(noise, _SEED_SIGMAS, _SEED_FLOOR))
    fringe = cv2.compare(cv2.max(bright, dark), fringe_limit, cv2.CMP_GT)
    fringe &= known * np.uint8(255)
    seeds = cv2.max(cv2.subtract(centre, cv2.dilate(high, _SQUARE)), cv2.subtract(cv2.erode(low, _SQUARE), centre))
    seeds = cv2.compare(seeds, seed_limit, cv2.CMP_GT) & fringe
    # Bright and dark blobs that touch are two blobs.
    labels = np.zeros(centre.shape, np.int32)
    count = 0
    for sign in (bright, dark):
        part = cv2.min(fringe, cv2.compare(sign, 0, cv2.CMP_GT))
        pieces, found = cv2.connectedComponents(part, connectivity=8, ltype=cv2.CV_32S)
        seeded = np.unique(found[(seeds > 0) & (part > 0)])
        seeded = seeded[seeded > 0]
        lookup = np.zeros(pieces, np.int32)
        lookup[seeded] = np.arange(count + 1, count + 1 + len(seeded))
        count += len(seeded)
        labels += lookup[found]
    spike = bright.astype(np.int16) - dark
    _trim(labels, count, cv2.max(bright, dark))
    return Candidates(labels, count, spike, np.asarray(seeds), pair, (a, b), np.asarray(mean), noise)


def _trim(labels: NDArray[np.int32], count: int, height: NDArray[np.uint8]) -> None:
    """Take the faint rim off every blob, in place: what is below `_RIM` of its peak is the scanner's blur."""
    where = np.flatnonzero(labels)
    order, spike = labels.ravel()[where], height.ravel()[where]
    peak = np.zeros(count + 1, np.uint8)
    np.maximum.at(peak, order, spike)
    labels.ravel()[where[spike < _RIM * peak[order]]] = 0


def _limit(noise: NDArray[np.float32], sigmas: float, floor: float) -> NDArray[np.uint8]:
    return np.clip(np.round(np.maximum(sigmas * noise, floor)), 1, 255).astype(np.uint8)
