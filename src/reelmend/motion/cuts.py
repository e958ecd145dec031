"""Where one shot ends and the next begins.

PySceneDetect's adaptive detector proposes; a proposal stands only if the picture does not come back: a flash, a
splice jump or a frame full of dirt looks like a cut on the way in, and the frames after it look like those before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from reelmend.motion.picture import Picture

# Frames on each side that the adaptive detector averages over, and so its delay.
_SIDE = 2
# Mean change of 8-bit luma below which a step is never proposed; proposals are cheap, confirmation is strict.
_MIN_CHANGE = 6.0
_ADAPTIVE_RATIO = 2.0
# Two unrelated pictures, each brought to mean 0 and deviation 1, differ by about 1.1 on average, two set-ups of one
# scene by 0.3; frames of one shot, brought into register, by 0.02 to 0.14 (a camera jolted in a car).
_MIN_DISTANCE = 0.22
# Largest shift tried between two thumbnails, in their pixels (64 x 48).
_MAX_SHIFT_X, _MAX_SHIFT_Y = 8, 6
_MOTION_RATIO = 1.6


def distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Mean absolute difference of two normalised thumbnails: 0 the same picture, about 1.1 unrelated ones."""
    return float(np.mean(cv2.absdiff(a, b)))


def registered_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """`distance` after the shift between the two is undone: a jolt of the camera is no cut."""
    (dx, dy), _ = cv2.phaseCorrelate(a, b)
    dx, dy = max(-_MAX_SHIFT_X, min(_MAX_SHIFT_X, dx)), max(-_MAX_SHIFT_Y, min(_MAX_SHIFT_Y, dy))
    height, width = a.shape
    moved = cv2.warpAffine(a, np.array([[1, 0, dx], [0, 1, dy]], np.float32), (width, height))
    inner = (slice(_MAX_SHIFT_Y, -_MAX_SHIFT_Y), slice(_MAX_SHIFT_X, -_MAX_SHIFT_X))
    return min(distance(a, b), distance(moved[inner], b[inner]))


def _normalised(thumb: NDArray[np.uint8]) -> NDArray[np.float32]:
    # Blurred, so that a weave of a few pixels and grain do not count; normalised, so that flicker does not.
    soft = cv2.GaussianBlur(cv2.resize(thumb, (64, 48), interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 1.0)
    mean, deviation = cv2.meanStdDev(soft)
    return np.asarray((soft - mean[0, 0]) / (deviation[0, 0] + 2.0), np.float32)


class CutFinder:
    """Decides cuts frame by frame, `DELAY` frames late, from nothing but the frames around each place.

    Because no state outlives a few frames, a run that starts in the middle of a reel finds the same cuts.
    """

    DELAY = _SIDE + 1

    def __init__(self) -> None:
        self._detector = AdaptiveDetector(
            adaptive_threshold=_ADAPTIVE_RATIO,
            min_scene_len=0,
            window_width=_SIDE,
            min_content_val=_MIN_CHANGE,
            luma_only=True,
        )
        self._rate = FrameTimecode(0, fps=24.0)
        self._count = 0
        self._thumbs: list[NDArray[np.float32]] = []
        self._proposed: set[int] = set()

    def push(self, thumb: NDArray[np.uint8]) -> None:
        for _ in range(2 if self._count == 0 else 1):
            # The first picture goes in twice so that the window fills one frame earlier.
            found = self._detector.process_frame(self._rate + self._count, cv2.merge([thumb, thumb, thumb]))
            self._proposed.update(int(code.frame_num) for code in found)
        self._thumbs.append(_normalised(thumb))
        self._count += 1

    def is_cut(self, position: int) -> bool:
        """Whether a shot starts at the `position`-th pushed frame.

        Ask when `DELAY` more have been pushed, or at the end.
        """
        proposed = position in self._proposed
        if not proposed and position + _SIDE >= self._count:
            # Too near the end for the window to fill: let the pictures themselves speak.
            proposed = position > 0
        if not proposed or position == 0:
            return False
        first = max(0, position - 3)
        before = self._thumbs[first:position]
        after = self._thumbs[position : position + 3]
        across = min(registered_distance(a, b) for a in before[-2:] for b in after)
        return across > max(_MIN_DISTANCE, _MOTION_RATIO * max(_usual(before), _usual(after)))

    def forget(self, position: int) -> None:
        """Drop thumbnails before `position - 3` (positions stay as they are)."""
        for old in range(max(0, position - 8), max(0, position - 3)):
            self._thumbs[old] = _EMPTY
        self._proposed = {p for p in self._proposed if p >= position - 3}


_EMPTY: NDArray[np.float32] = np.zeros((0, 0), np.float32)


def _usual(thumbs: list[NDArray[np.float32]]) -> float:
    """The calmest step among consecutive frames: what motion alone changes."""
    return min((distance(a, b) for a, b in pairwise(thumbs)), default=0.0)


def shots(pictures: Iterable[Picture]) -> Iterator[tuple[int, Picture]]:
    """Each picture with the number of its shot, counted from the first picture's, `CutFinder.DELAY` frames late."""
    finder = CutFinder()
    waiting: list[Picture] = []
    shot = position = 0
    for one in pictures:
        finder.push(one.thumb)
        waiting.append(one)
        if len(waiting) > CutFinder.DELAY:
            shot += finder.is_cut(position)
            yield shot, waiting.pop(0)
            finder.forget(position)
            position += 1
    for one in waiting:
        shot += finder.is_cut(position)
        yield shot, one
        position += 1
