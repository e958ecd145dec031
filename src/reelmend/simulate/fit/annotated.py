"""An outline as the annotators of the real scans would have written it down.

Nearly all of their polygons of dust and dirt came from a machine: corners on whole pixels, always in the order of
OpenCV's `findContours`, no edge that leaves the traced mask by more than about a pixel (`approxPolyDP`), none smaller
than 36 square pixels. A check of realism that skipped this step would tell pixel grids apart instead of damage.
"""

from __future__ import annotations

import cv2
import numpy as np

from reelmend.simulate.fit.measure import signed_distance
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline, Points, polygon_area

TOLERANCE = 0.8
"""Pixels by which a simplified edge may leave the traced one. Chosen so that real annotations traced again keep their
mean area (within 0.3 %), length, width and number of corners (dust; one of nine too few for dirt)."""

SMALLEST = 36.0
"""Square pixels; no polygon of dust on a machine-traced scan has less."""

TRIES = 8

REACH = 0.5
"""Pixels: a contour runs through the middles of the mask's outermost pixels, half a pixel within their outer edge."""


def annotated(outline: Outline, rng: np.random.Generator, unit: float = MICROMETRES_PER_PIXEL) -> Outline:
    """The outline traced on a pixel grid of `unit` micrometres that lies anywhere, its corners reduced, centred.

    Only for outlines of one part. A speck near the smallest area is laid elsewhere on the grid until it passes, for
    it would not have been written down else; one that never passes is written down none the less.
    """
    polygon = outline.parts[0] / unit
    for _ in range(TRIES):
        corners = trace(polygon + rng.uniform(0, 1, 2))
        if len(corners) >= 3 and polygon_area(corners) > SMALLEST:
            break
    return Outline(outline.kind, (corners * unit,)).centred() if len(corners) >= 3 else outline


def trace(polygon: Points) -> Points:
    """Corners `(n, 2)` on whole pixels of the mask of a polygon `(n, 2)` in pixels."""
    low = np.floor(polygon.min(axis=0)).astype(int) - 2
    columns, rows = (np.ceil(polygon.max(axis=0)).astype(int) + 3 - low).tolist()
    y, x = np.mgrid[:rows, :columns]
    places = np.stack([x.ravel(), y.ravel()], axis=1) + low
    mask = (signed_distance(polygon, places) > -REACH).reshape(rows, columns).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2))
    largest = max(contours, key=cv2.contourArea)
    return cv2.approxPolyDP(largest, TOLERANCE, True)[:, 0].astype(np.float64) + low
