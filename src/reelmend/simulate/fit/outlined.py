"""A fibre as the annotators of the real scans would have written it down."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.kinds.fibre import FibreShape, fibre_parts, sides
from reelmend.simulate.kinds.polygon import draw_placed
from reelmend.simulate.outlines import Kind, Outline, Points

TOLERANCE = 1.0
"""Pixels by which a simplified edge may leave the traced one."""

STRAY = 0.35
"""How far a click strays along the side, share of the distance between two."""

KERNEL = 4
"""Side, pixels, of the square by which the annotators' machine grew what it had found: no traced shape is narrower,
and most of their edges run along rows or columns. Of squares of 1 to 5 and of rounded ones of 5 to 7, this one deceived
the classifier of the realism report best (traced short hairs: 67 % told right; 3: 74 %, 5: 71 %, rounded: 84 % and
more). The other numbers here were chosen in the same way, and matter less."""

LEVEL = 0.4
"""Share of a pixel that must be covered for the machine to find it."""

NOISE = 0.2
"""Of the scan where the machine looked, standard deviation in units of full coverage."""

BLUR = 0.8
"""Of that noise, standard deviation in pixels."""

SOFT = 0.7
"""Of the scan, standard deviation of its point spread in pixels."""


def outlined(shape: FibreShape, rng: np.random.Generator, kind: Kind, unit: float) -> Outline:
    """The fibre's polygon on a pixel grid of `unit` micrometres that lies anywhere, centred.

    Traced: the mask's contour, simplified. By hand: a corner every `step` or so on either side, on whole pixels.
    """
    for _ in range(20):
        corners = _traced(shape, rng, unit) if shape.traced else _clicked(shape, rng, unit)
        if len(corners) >= 3 and cv2.contourArea(corners.astype(np.float32)) > 0:
            return Outline(kind, (corners * unit,)).centred()
        shape = replace(shape, width=tuple(width * 1.3 for width in shape.width))
    raise ValueError("a fibre without length or width has no outline")


def _traced(shape: FibreShape, rng: np.random.Generator, unit: float) -> Points:
    shift = rng.uniform(0, 1, 2)
    parts = [part / unit + shift for part in fibre_parts(shape)]
    margin = KERNEL + 2
    low = np.floor(np.concatenate(parts).min(axis=0)) - margin
    high = np.ceil(np.concatenate(parts).max(axis=0)) + margin
    columns, rows = (high - low).astype(int).tolist()
    cover = draw_placed([part - low for part in parts], (rows, columns))
    picture = np.zeros((rows, columns), dtype=np.float32)
    height, width = cover.coverage.shape
    picture[cover.top : cover.top + height, cover.left : cover.left + width] = cover.coverage
    seen = np.asarray(cv2.GaussianBlur(picture, (0, 0), SOFT), dtype=np.float32)
    white = np.asarray(rng.standard_normal(picture.shape), dtype=np.float32)
    grain = np.asarray(cv2.GaussianBlur(white, (0, 0), BLUR), dtype=np.float32)
    seen += NOISE * grain / grain.std() * (0.3 + seen)
    solid = (seen >= LEVEL).astype(np.uint8)
    solid = cv2.dilate(solid, np.ones((KERNEL, KERNEL), np.uint8))
    # Their machine ran the other way round than OpenCV does: real squares without corners all lean one way, and lean so
    # when the contour is found in the mask with x and y exchanged.
    solid = np.ascontiguousarray(solid.T)
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2))
    largest = max(contours, key=cv2.contourArea)
    return np.asarray(cv2.approxPolyDP(largest, TOLERANCE, True)[::-1, 0, ::-1], dtype=np.float64)


def _clicked(shape: FibreShape, rng: np.random.Generator, unit: float) -> Points:
    left, right = sides(shape)
    there, back = _clicks(rng, left, shape.step), _clicks(rng, right, shape.step)
    corners = np.rint(np.concatenate([there, back[::-1]]) / unit + rng.uniform(0, 1, 2))
    return np.asarray(corners[np.any(corners != np.roll(corners, 1, axis=0), axis=1)])


def _clicks(rng: np.random.Generator, side: Points, step: float) -> NDArray[np.float64]:
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(side, axis=0), axis=1))])
    count = max(round(along[-1] / step), 1)
    at = np.linspace(0, along[-1], count + 1)
    at[1:-1] += rng.uniform(-STRAY, STRAY, count - 1) * along[-1] / count
    return np.stack([np.interp(at, along, side[:, 0]), np.interp(at, along, side[:, 1])], axis=1)
