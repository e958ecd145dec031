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
from reelmend.motion.warp import Warped, Warps
from reelmend.motion.windows import Neighbour, Window

_SQUARE = np.ones((3, 3), np.uint8)
_SEED_SIGMAS, _SEED_FLOOR = 3.0, 6.0
_FRINGE_SIGMAS, _FRINGE_FLOOR = 1.5, 3.5
_RIM = 0.21


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The pixels that might be damage, and what was computed on the way."""

    where: NDArray[np.intp]
    """Candidate pixels, as places in the flattened frame, `(n,)`."""
    blob: NDArray[np.int32]
    """Which blob (8-connected, of one sign) each of them belongs to, 0 .. count - 1, `(n,)`."""
    count: int
    spike: NDArray[np.int16]
    """Their distance outside the neighbours' range, 8-bit codes, bright positive, dark negative, `(n,)`."""
    seed: NDArray[np.bool_]
    """Whether they also leave the 3x3 range, `(n,)`."""
    pair: tuple[Neighbour, Neighbour]
    warped: tuple[Warped, Warped]
    mean: NDArray[np.uint8]
    """Mean of the two warped neighbours."""
    noise: NDArray[np.float32]
    """Standard deviation of centre minus mean, by brightness, 256 values."""


def nearest_pair(window: Window) -> tuple[Neighbour, Neighbour] | None:
    """The two neighbours to compare with: one each side, or two on the one side there is; None without a pair."""
    if window.before and window.after:
        return window.before[0], window.after[0]
    side = window.before or window.after
    return (side[0], side[1]) if len(side) >= 2 else None


def find_candidates(window: Window, warps: Warps | None = None) -> Candidates | None:
    """Candidate blobs of a window's centre; None where there are not two neighbours to compare with. `warps` are the
    window's, where others ask for them too."""
    pair = nearest_pair(window)
    if pair is None:
        return None
    centre = window.centre.luma
    warps = warps or Warps(window)
    a, b = warps.of(pair[0]), warps.of(pair[1])
    high, low = cv2.max(a.luma, b.luma), cv2.min(a.luma, b.luma)
    mean = cv2.addWeighted(a.luma, 0.5, b.luma, 0.5, 0)
    noise = noise_by_brightness(centre, mean)

    bright, dark = cv2.subtract(centre, high), cv2.subtract(low, centre)
    fringe_limit = cv2.LUT(mean, _limit(noise, _FRINGE_SIGMAS, _FRINGE_FLOOR))
    seed_limit = cv2.LUT(mean, _limit(noise, _SEED_SIGMAS, _SEED_FLOOR))
    known = cv2.min(a.inside, b.inside)
    beyond = cv2.max(cv2.subtract(centre, cv2.dilate(high, _SQUARE)), cv2.subtract(cv2.erode(low, _SQUARE), centre))
    seeds = cv2.min(cv2.compare(beyond, seed_limit, cv2.CMP_GT), known).ravel()
    wheres, blobs, spikes, count = [], [], [], 0
    # Bright and dark blobs that touch are two blobs.
    for height, sign in ((bright, 1), (dark, -1)):
        fringe = cv2.min(cv2.compare(height, fringe_limit, cv2.CMP_GT), known)
        where = np.flatnonzero(fringe.view(np.bool_))
        pieces, found = cv2.connectedComponents(fringe, connectivity=8, ltype=cv2.CV_32S)
        piece = found.ravel()[where]
        spike = height.ravel()[where]
        peak = np.zeros(pieces, np.uint8)
        np.maximum.at(peak, piece, spike)
        seeded = np.zeros(pieces, np.bool_)
        seeded[piece[seeds[where] > 0]] = True
        number = np.cumsum(seeded) - 1 + count
        # What is below `_RIM` of a blob's peak is the scanner's blur.
        kept = seeded[piece] & (spike >= _RIM * peak[piece])
        wheres.append(where[kept])
        blobs.append(number[piece[kept]])
        spikes.append(spike[kept].astype(np.int16) * sign)
        count += int(np.count_nonzero(seeded))
    where = np.concatenate(wheres)
    return Candidates(
        where,
        np.concatenate(blobs).astype(np.int32),
        count,
        np.concatenate(spikes),
        seeds[where] > 0,
        pair,
        (a, b),
        np.asarray(mean),
        noise,
    )


def _limit(noise: NDArray[np.float32], sigmas: float, floor: float) -> NDArray[np.uint8]:
    return np.clip(np.round(np.maximum(sigmas * noise, floor)), 1, 255).astype(np.uint8)
