"""An outline as the annotators of the real scans would have written it down.

Nearly all of their polygons of dust and dirt are traced masks (`reelmend.simulate.kinds.traced`). A check of realism
that skipped this step would tell pixel grids apart instead of damage.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.fit.measure import signed_distance
from reelmend.simulate.kinds.traced import trace
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline, Points, polygon_area

REACH = 0.35
"""Pixels: a mask has the pixels whose middles lie no farther outside the polygon, for simplifying has cut some off.
Of the values tried (0.02, 0.35, 0.5) the one with which most real polygons come back when traced again."""

SMALLEST = 36.0
"""Square pixels; no polygon of dust on a machine-traced scan has less."""

TRIES = 8


def annotated(outline: Outline, rng: np.random.Generator, unit: float = MICROMETRES_PER_PIXEL) -> Outline:
    """The outline traced on a pixel grid of `unit` micrometres that lies anywhere, its corners reduced, centred.

    One whose corners lie on such a grid already is returned as it is: it was traced before. Only for outlines of one
    part. A speck near the smallest area is laid elsewhere on the grid until it passes, for it would not have been
    written down else; one that never passes is written down none the less.
    """
    polygon = outline.parts[0] / unit
    steps = np.diff(polygon, axis=0)
    if np.abs(steps - np.rint(steps)).max() < 1e-6:
        return outline
    for _ in range(TRIES):
        mask, low = mask_of(polygon + rng.uniform(0, 1, 2))
        corners = trace(mask) + low
        if len(corners) >= 3 and polygon_area(corners) > SMALLEST:
            break
    return Outline(outline.kind, (corners * unit,)).centred() if len(corners) >= 3 else outline


def mask_of(polygon: Points) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The pixels of which a polygon `(n, 2)` in pixels is the simplified contour, with two empty ones about them, and
    where the first of them lies, `(2,)` x and y."""
    low = np.floor(polygon.min(axis=0)).astype(np.int64) - 2
    columns, rows = (np.ceil(polygon.max(axis=0)).astype(np.int64) + 3 - low).tolist()
    y, x = np.mgrid[:rows, :columns]
    distance = signed_distance(polygon, np.stack([x.ravel(), y.ravel()], axis=1) + low)
    return (distance > -REACH).reshape(rows, columns).astype(np.uint8), low
