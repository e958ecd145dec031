"""What a polygon is like: the few numbers by which real and simulated damage are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.outlines import Outline, Points, polygon_area


@dataclass(frozen=True, slots=True)
class Measures:
    """Shape descriptors of one outline; lengths in micrometres."""

    area: float
    """Enclosed, square micrometres."""
    length: float
    """Longer side of the smallest rectangle around it."""
    width: float
    """Shorter side of that rectangle."""
    orientation: float
    """Of the axis of largest second moment of area, radians in [0, pi), counted as OpenCV's y axis points down."""
    roughness: float
    """1 - area / area of the convex hull, 0..1: 0 = convex."""
    corners: int

    @property
    def elongation(self) -> float:
        """Length over width, 1 and more."""
        return self.length / max(self.width, 1e-9)


def measure(points: Points) -> Measures:
    """Descriptors of a closed simple polygon `(n, 2)` in micrometres."""
    points = np.ascontiguousarray(points - points.mean(axis=0), dtype=np.float32)
    length, width = sorted(cv2.minAreaRect(points)[1], reverse=True)
    area = polygon_area(points.astype(np.float64))
    hull = float(cv2.contourArea(cv2.convexHull(points)))
    return Measures(
        area=area,
        length=float(length),
        width=float(width),
        orientation=axis(points.astype(np.float64)),
        roughness=max(0.0, 1 - area / hull) if hull > 0 else 0.0,
        corners=len(points),
    )


def measure_all(outlines: Sequence[Outline]) -> dict[str, NDArray[np.float64]]:
    """Every descriptor of the first part of each outline, `(n,)` by name."""
    each = [measure(outline.parts[0]) for outline in outlines]
    names = ("area", "length", "width", "elongation", "orientation", "roughness", "corners")
    return {name: np.array([getattr(one, name) for one in each], dtype=np.float64) for name in names}


def axis(points: Points) -> float:
    """Direction of the major principal axis of the polygon's area, radians in [0, pi)."""
    moments = cv2.moments(np.ascontiguousarray(points, dtype=np.float32))
    return float(0.5 * np.arctan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"]) % np.pi)


def centroid(points: Points) -> Points:
    """Middle of the area of a closed polygon `(n, 2)`, `(2,)`."""
    origin = points.mean(axis=0)
    moments = cv2.moments(np.ascontiguousarray(points - origin, dtype=np.float32))
    if moments["m00"] == 0:
        return np.asarray(origin)
    return np.asarray(origin + np.array([moments["m10"], moments["m01"]]) / moments["m00"])


def mean_axis(orientations: NDArray[np.float64]) -> tuple[float, float]:
    """Mean direction of axes, radians in [0, pi), and how much they agree: 0 = not at all, 1 = all parallel.

    Angles are doubled, for an axis has no head (Mardia and Jupp, Directional Statistics, 2000, section 1.1).
    """
    vector = np.exp(2j * orientations).mean() if len(orientations) else 0j
    return float(np.angle(vector) / 2 % np.pi), float(abs(vector))


def signed_distance(polygon: Points, places: Points) -> NDArray[np.float64]:
    """Distance of each place `(m, 2)` to the edge of a closed polygon `(n, 2)`, positive inside, `(m,)`."""
    start, end = polygon, np.roll(polygon, -1, axis=0)
    edge = end - start
    from_start = places[:, None, :] - start
    share = np.clip((from_start * edge).sum(axis=2) / np.maximum((edge**2).sum(axis=1), 1e-12), 0, 1)
    distance = np.linalg.norm(from_start - share[..., None] * edge, axis=2).min(axis=1)
    below_start, below_end = places[:, 1:] >= start[:, 1], places[:, 1:] >= end[:, 1]
    cross = from_start[..., 1] * edge[:, 0] - from_start[..., 0] * edge[:, 1]
    # Winding number: an edge that is crossed upwards on the left counts one way, downwards the other.
    winding = (below_start & ~below_end & (cross < 0)).astype(int) - (~below_start & below_end & (cross > 0))
    return np.where(winding.sum(axis=1) != 0, distance, -distance)
