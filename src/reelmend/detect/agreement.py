"""How well neighbours agree with each other, and how far the frame is off from all of them.

Where they agree, inside a find and all around it, it is the frame that is damaged, whoever doubts it; what moved is
told by neighbours that do not agree. (The spike detection index of Kokaram 1998, chapter 6, as a ratio, and of a blob
with its surroundings.) `docs/detection.md` has what that is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.labels import Labels
from reelmend.film import DamageMap, Mask
from reelmend.motion.stack import middle_of

SMOOTH = 1.0
"""Pixels of a frame 640 wide: standard deviation of the blur that takes grain and small errors of motion."""

AROUND = 10
"""Pixels around a find, of a frame 640 wide."""

AGREE = 0.4
"""How much neighbours may differ from each other, as a share of how much the frame differs from them, and yet agree."""

DISAGREE, SURE = 0.5, 0.95
"""From the first share on a find stays only where its probability reaches the second, or it is small."""

SMALL = 10
"""Pixels on a frame 640 wide: smaller finds stay, whether neighbours agree or not. They blur away, so nobody knows; on
film full of specks the neighbours have their own; and little is lost by them."""


WIDE = 1280
"""Pixels: in wider pictures what is around a find is looked at in every second pixel, or third, both ways."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Maps `(h, w)` of what the smoothed pictures of a window say; of 1."""

    among: NDArray[np.float32]
    """The neighbours from each other, at most."""
    off: NDArray[np.float32]
    """The frame from their median."""

    def agreed(self, labels: Labels) -> Mask:
        """The blobs of a mask about which the neighbours agree."""
        return labels.those(self._doubts(labels) <= AGREE)

    def clear_disputed(self, labels: Labels, damage: DamageMap) -> None:
        """Takes blobs out of a mask about which the neighbours disagree, unless somewhere in them the damage map is
        sure."""
        large = labels.area >= SMALL * damage.shape[1] / 640
        labels.clear((self._doubts(labels) > DISAGREE) & (labels.highest(damage) < SURE) & large)

    def enlarged(self, shape: tuple[int, int]) -> Agreement:
        """The same for a larger picture `(h, w)`."""
        if shape == self.off.shape:
            return self
        size = shape[1], shape[0]
        among, off = (np.asarray(cv2.resize(one, size), np.float32) for one in (self.among, self.off))
        return Agreement(among, off)

    def _doubts(self, labels: Labels) -> NDArray[np.float64]:
        """Of each blob how much the neighbours differ from each other, inside or around it, whichever is more, as a
        share of how much the frame differs from them; infinite for none."""
        height, width = labels.mask.shape
        reach, step = max(1, round(AROUND * width / 640)), max(1, width // WIDE)
        square = np.ones((2 * (reach // step) + 1,) * 2, np.uint8)
        doubts = np.full(labels.count, np.inf)
        boxes = labels.boxes
        for number in np.flatnonzero(labels.area):
            left, top, wide, high = (int(value) for value in boxes[number])
            where = np.s_[
                max(0, top - reach) : min(height, top + high + reach),
                max(0, left - reach) : min(width, left + wide + reach),
            ]
            inside, among = np.asarray(labels.map[where] == number), self.among[where]
            thin = inside[::step, ::step]
            around = (cv2.dilate(thin.astype(np.uint8), square) != 0) & ~thin
            doubts[number] = apart(among[inside], among[::step, ::step][around]) / max(
                float(self.off[where][inside].mean()), 1e-6
            )
        return doubts


def apart(inside: NDArray[np.float32], around: NDArray[np.float32]) -> float:
    """How much neighbours differ from each other, on average, in a find `(n,)` or around it `(m,)`: what is more."""
    return max(float(one.mean()) for one in (inside, around) if one.size)


def agreement(stack: NDArray[np.float32]) -> Agreement:
    """Of a window's stack `(frames, h, w)`, 0..1, the centre first, with two neighbours or more."""
    sigma = SMOOTH * max(1.0, stack.shape[2] / 640)
    smooth = np.stack([cv2.GaussianBlur(np.ascontiguousarray(one), (0, 0), sigma) for one in stack])
    among = smooth[1:].max(axis=0) - smooth[1:].min(axis=0)
    return Agreement(among, np.abs(smooth[0] - middle_of(smooth)))
