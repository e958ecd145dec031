"""Film of little grain, looked at twice: as it is, and with its contrast raised.

What a network takes for damage must stand out from grain as it was in training. On film whose grain is fine, or was
taken by a codec, the eye sees specks of 15 codes that the network passes over; raised by half they are to it what they
are to the eye. `docs/detection.md` has what that finds.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.light import robust_sigma
from reelmend.detect.promise import Detection
from reelmend.detect.scales import joined

GRAIN = 3.0
"""8-bit codes: the spread of a frame's differences from its neighbours that contrast is raised to."""

LEAST, MOST = 1.1, 1.5
"""Times that contrast is raised: less is not worth a second look, and twice found no more in real film."""

LARGE = 25
"""Pixels on a frame 640 wide: what is larger than this and shows only in raised contrast was a leg or an arm as often
as not."""

STRENGTHS = {"gentle": "standard", "standard": "strong", "strong": "strong"}
"""Strength that the second look decides at: only small specks are taken of it, and few things are as small."""

SURROUNDINGS = 24.0
"""Pixels on a frame 640 wide: standard deviation of the blur about which contrast is raised."""

LEVEL = 0.5
"""Share of the blur that stays; the rest is mid-gray, so that nothing clips."""

STRIDE = 4
"""Every fourth pixel both ways is plenty to measure grain on."""


def raised(stack: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """A stack `(frames, h, w)`, 0..1, with its contrast raised; None where there is grain enough.

    `expected` `(h, w)` is the median of its neighbours, two frames or more of them.
    """
    differences = np.abs(stack[0] - expected)[::STRIDE, ::STRIDE]
    noise = robust_sigma(np.rint(255 * differences.ravel()).astype(np.int16))
    gain = min(GRAIN / max(noise, 0.1), MOST)
    if gain < LEAST:
        return None
    height, width = expected.shape
    small = cv2.resize(expected, (-(-width // 8), -(-height // 8)), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), SURROUNDINGS / 8 * width / 640)
    around = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    lifted = stack * np.float32(gain) + (around * np.float32(LEVEL - gain) + np.float32(0.5 * (1 - LEVEL)))
    return np.clip(lifted, 0, 1, out=lifted)


def added(found: Detection, again: Detection) -> Detection:
    """What was found, and what only a look `again` at raised contrast shows and is not `LARGE`."""
    if again.note:
        return found
    _, labels, stats, _ = cv2.connectedComponentsWithStats(again.mask.view(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < LARGE * again.mask.shape[1] / 640
    small[0] = False
    return joined(found, replace(again, mask=small[labels]))
