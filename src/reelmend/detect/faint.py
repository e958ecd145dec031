"""Where there is little grain, a frame is looked at twice: as it is, and with its contrast raised.

What a network takes for damage must stand out from grain as it was in training. On film whose grain is fine, or was
taken by a codec, and in the skies and walls of any other, the eye sees specks of 15 codes that the network passes over;
raised by half they are to it what they are to the eye. `docs/detection.md` has what that finds.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.agreement import Agreement
from reelmend.detect.labels import Labels
from reelmend.detect.light import MAD_TO_SIGMA, robust_sigma
from reelmend.detect.promise import Detection
from reelmend.detect.scales import joined
from reelmend.film import DamageMap, Mask
from reelmend.runtime import Network

GRAIN = 3.0
"""8-bit codes: the spread of a frame's differences from its neighbours that contrast is raised to."""

LEAST, MOST = 1.1, 1.5
"""Times that contrast is raised: less is not worth a second look, and twice found no more in real film."""

BLOCK = 32
"""Pixels on a frame 640 wide: side of the squares in which grain is measured, besides in the whole frame."""

FLAT = (3.0, 6.0)
"""Codes that fine detail spreads by. Below the first a place is flat: contrast is raised by what grain there is in its
own square. Beyond the second by what there is in the whole frame: in grass and windows the eye sees no faint speck
either, and much that moves looks like one."""

DETAIL = 16
"""Pixels on a frame 640 wide: side of the squares in which fine detail is measured."""

WORTH = 0.05
"""Share of the frame in which contrast must be raised for a second look."""

LARGE = 25
"""Pixels on a frame 640 wide: what is larger than this and shows only in raised contrast was a leg or an arm as often
as not. It is taken where the neighbours agree."""

SURROUNDINGS = 24.0
"""Pixels on a frame 640 wide: standard deviation of the blur about which contrast is raised."""

LEVEL = 0.5
"""Share of the blur that stays; the rest is mid-gray, so that nothing clips."""

STRIDE = 4
"""Every fourth pixel both ways is plenty to measure grain on."""

MARGIN = 32
"""Pixels around what was raised that a network is shown too."""


def look(network: Network, stack: NDArray[np.float32], expected: NDArray[np.float32]) -> DamageMap | None:
    """What a network sees in raised contrast, 0 where it was not raised; None where it was nowhere."""
    lifted = raised(stack, expected)
    if lifted is None:
        return None
    again, where = lifted
    box = box_of(where)
    damage = np.zeros_like(expected)
    damage[box] = network.damage(np.ascontiguousarray(again[:, box[0], box[1]]))
    damage[~where] = 0
    return damage


def raised(stack: NDArray[np.float32], expected: NDArray[np.float32]) -> tuple[NDArray[np.float32], Mask] | None:
    """A stack `(frames, h, w)`, 0..1, with its contrast raised, and where it was; None where there is grain enough.

    `expected` `(h, w)` is the median of its neighbours, two frames or more of them.
    """
    height, width = expected.shape
    gain = _gain(np.abs(stack[0] - expected), expected)
    where = gain >= LEAST
    if np.count_nonzero(where) < WORTH * where.size:
        return None
    small = cv2.resize(expected, (-(-width // 8), -(-height // 8)), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), SURROUNDINGS / 8 * width / 640)
    around = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    lifted = stack * gain + (around * (np.float32(LEVEL) - gain) + np.float32(0.5 * (1 - LEVEL)))
    return np.clip(lifted, 0, 1, out=lifted), where


def box_of(where: Mask) -> tuple[slice, slice]:
    """Rows and columns that a network must be shown to judge every place that was raised, of which there is one."""
    bounds = []
    for along in (1, 0):
        places = np.flatnonzero(where.any(axis=along))
        bounds.append(slice(max(0, int(places[0]) - MARGIN), int(places[-1]) + 1 + MARGIN))
    return bounds[0], bounds[1]


def _gain(differences: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
    """Times that contrast is raised at each pixel, 1 to `MOST`."""
    noise = robust_sigma(np.rint(255 * differences[::STRIDE, ::STRIDE].ravel()).astype(np.int16))
    everywhere = min(GRAIN / max(noise, 0.1), MOST)
    if everywhere == MOST:
        return np.full_like(expected, MOST)
    calm = 1 + (_gain_of_squares(differences) - 1) * _flat(expected)
    return np.maximum(calm, np.float32(everywhere if everywhere >= LEAST else 1))


def _gain_of_squares(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same by the grain in squares of `BLOCK`, smoothed from square to square."""
    height, width = differences.shape
    side = max(BLOCK // 2, round(BLOCK * width / 640))
    step = max(1, side // 16)
    rows, columns = height // side, width // side
    if not rows or not columns:
        return np.ones_like(differences)
    squares = differences[: rows * side, : columns * side].reshape(rows, side, columns, side)[:, ::step, :, ::step]
    noise = 255 * MAD_TO_SIGMA * np.median(squares.transpose(0, 2, 1, 3).reshape(rows, columns, -1), axis=2)
    noise = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 0.8)
    gain = np.clip(GRAIN / np.maximum(noise, 0.1), 1, MOST).astype(np.float32)
    return np.asarray(cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _flat(expected: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 where there is no fine detail, 0 where there is much."""
    side = max(9, round(DETAIL * expected.shape[1] / 640))
    detail = 255 * (expected - cv2.GaussianBlur(expected, (0, 0), side / 4))
    spread = np.sqrt(np.maximum(cv2.blur(detail * detail, (side, side)), 0))
    flat = np.clip((FLAT[1] - spread) / (FLAT[1] - FLAT[0]), 0, 1).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(flat, (0, 0), side / 4), np.float32)


def added(found: Detection, again: Detection, agreement: Agreement | None) -> Detection:
    """What was found, and what only a look `again` at raised contrast shows and is not `LARGE`, or about which the
    neighbours agree; None: nobody knows whether they do."""
    if again.note:
        return found
    labels = Labels(again.mask.copy())
    small = labels.area < LARGE * again.mask.shape[1] / 640
    mask = labels.those(small)
    if agreement is not None:
        labels.clear(small)
        mask |= agreement.agreed(labels)
    return joined(found, replace(again, mask=mask))
