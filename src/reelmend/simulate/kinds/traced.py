"""Masks traced to polygons as the real annotations were, and what such a polygon is like.

The polygons of dust and dirt on the real scans came from a machine: a mask's outer contour (OpenCV's `findContours`)
simplified by Douglas and Peucker's method (`approxPolyDP`). So say their corners, on whole pixels and always the same
way round but on two scans; the 78 % of 6,096 specks of dust that come out corner for corner when the mask they enclose
is traced again; and the distance of a speck's corner from the line between its neighbours, which is 0.62 pixels or less
for two in a hundred, while 0.66, the next that whole numbers allow, is common.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.outlines import Points

TOLERANCE = 0.64
"""Pixels by which a simplified edge may leave the contour."""

Array = NDArray[np.float64]

TRAITS = (
    "area",
    "long axis",
    "short axis",
    "hull",
    "compactness",
    "sharpest notch",
    "corners",
    "aspect",
    "box",
    "longest edge",
    "shortest edge",
    "lopsidedness",
    "upright edges",
    "diagonal edges",
)
"""What `traits` returns, in order; the first nine but the notch are logarithms."""

PAIRS = np.triu_indices(len(TRAITS))


def trace(mask: NDArray[np.uint8]) -> Points:
    """Corners `(n, 2)` x and y on whole pixels of the mask's largest part, its contour through the middles of pixels;
    `n` is 0 for an empty mask."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2))
    return cv2.approxPolyDP(max(contours, key=len), TOLERANCE, True)[:, 0].astype(np.float64)


def traits(polygon: Points) -> Array:
    """`TRAITS` of a traced polygon `(n, 2)` in pixels, `(14,)`; it must enclose an area."""
    points = np.asarray(polygon - polygon.mean(axis=0), dtype=np.float32)
    moments = cv2.moments(points)
    area = moments["m00"]
    xx, yy, xy = moments["mu20"] / area, moments["mu02"] / area, moments["mu11"] / area
    spread = np.hypot((xx - yy) / 2, xy)
    middle = (xx + yy) / 2
    edges = np.concatenate([points[1:], points[:1]]) - points
    before = np.concatenate([edges[-1:], edges[:-1]])
    turns = np.arctan2(before[:, 0] * edges[:, 1] - before[:, 1] * edges[:, 0], (before * edges).sum(axis=1))
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    sides = np.abs(edges)
    width, height = np.ptp(points, axis=0)
    lopsided = np.hypot(moments["mu30"] + moments["mu12"], moments["mu03"] + moments["mu21"]) / area**1.5
    return np.array(
        [
            np.log(area),
            np.log(middle + spread),
            np.log(max(middle - spread, 0.02)),
            np.log(max(cv2.contourArea(cv2.convexHull(points)) / area, 1.0) + 0.001),
            np.log(lengths.sum() ** 2 / area),
            (turns if turns.sum() > 0 else -turns).min(),
            np.log(len(points)),
            np.log(max(width, height) / min(width, height)),
            np.log(width * height / area),
            np.log(lengths.max()),
            np.log(lengths.min() + 0.3),
            lopsided,
            lengths[sides.min(axis=1) == 0].sum() / lengths.sum(),
            lengths[sides[:, 0] == sides[:, 1]].sum() / lengths.sum(),
        ],
        dtype=np.float64,
    )


def basis(values: Array, spread: Array, low: Array, high: Array, knots: Array) -> Array:
    """Traits `(n, d)` as terms of a smooth function of them: each and each product of two, and hinges at the knots
    `(k, d)`; traits are cut to `low` and `high` first, for no function is known beyond what was seen."""
    cut = np.clip(values, low, high)
    scaled = (cut - knots.mean(axis=0)) / spread
    hinges = np.maximum((cut[:, None] - knots) / spread, 0).reshape(len(values), -1)
    return np.concatenate([scaled, scaled[:, PAIRS[0]] * scaled[:, PAIRS[1]], hinges], axis=1)
