"""Cells of a brittle layer: Voronoi cells of a disturbed lattice of triangles, for cracks and flaking emulsion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.outlines import Points


def middles(half: tuple[float, float], cell: float, order: float, rng: np.random.Generator) -> Points:
    """Middles of cells `cell` micrometres apart over a box of `half` to each side, and one cell beyond, `(n, 2)`.

    `order` is how even they are, 0 = all but at random, 1 = a lattice.
    """
    across = np.arange(-half[0] - cell, half[0] + cell, cell)
    down = np.arange(-half[1] - cell, half[1] + cell, cell * 0.866)
    x, y = np.meshgrid(across, down)
    x[1::2] += cell / 2
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return np.asarray(points + rng.uniform(-0.8, 0.8, points.shape) * cell * (1 - order))


def facets(places: Points) -> tuple[list[Points], Points]:
    """The Voronoi cell of each place as a polygon `(n, 2)`, and the place that each cell belongs to, `(m, 2)`."""
    low, high = places.min(axis=0) - 1, places.max(axis=0) + 1
    # OpenCV wants places inside a rectangle of whole numbers.
    net = cv2.Subdiv2D((0, 0, int(high[0] - low[0]) + 2, int(high[1] - low[1]) + 2))
    net.insert((places - low).astype(np.float32).tolist())
    found, centres = net.getVoronoiFacetList([])
    return [np.asarray(facet, dtype=np.float64) + low for facet in found], np.asarray(centres, np.float64) + low


def borders(places: Points) -> NDArray[np.float64]:
    """Borders between the Voronoi cells of `places`, `(m, 2, 2)`: each once."""
    polygons, _ = facets(places)
    both = np.concatenate([np.stack([polygon, np.roll(polygon, -1, axis=0)], axis=1) for polygon in polygons])
    # Two cells tell of the same border, from opposite ends.
    order = both[:, 0] @ (1.0, 1e-3) < both[:, 1] @ (1.0, 1e-3)
    return np.unique(both[order], axis=0)
