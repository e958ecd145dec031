"""Cracks: a brittle picture layer tore into cells (reticulation), or along a few long lines of such cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.strokes import Pieces, draw_strokes
from reelmend.simulate.outlines import Points
from reelmend.simulate.statistics import Statistics

SPLITS = 3
"""Times that each crack is halved and its middle pushed aside."""


@dataclass(frozen=True, slots=True)
class Crack:
    """A net of cracks. Lengths in micrometres."""

    radius: float
    squash: float
    """Height over width."""
    cell: float
    """Mean distance between the middles of neighbouring cells."""
    order: float
    """How even the cells are, 0 = places at random, 1 = a lattice."""
    width: float
    open: float
    """Share of the cells' borders that are torn."""
    jagged: float
    """How far a crack leaves the straight line, as a share of its length."""
    seed: int


class CrackKind:
    name: ClassVar[str] = "crack"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Crack:
        radius = float(np.exp(rng.uniform(np.log(500), np.log(4000))))
        return Crack(
            radius=radius,
            squash=float(rng.uniform(0.4, 1.0)),
            cell=float(radius / np.exp(rng.uniform(np.log(2.5), np.log(8)))),
            order=float(rng.uniform(0.1, 0.7)),
            width=float(rng.uniform(10, 40)),
            open=float(rng.uniform(0.35, 0.95)),
            jagged=float(rng.uniform(0.05, 0.2)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: Crack, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        return draw_strokes(_net(shape), pose, canvas)


def _net(shape: Crack) -> Pieces:
    rng = np.random.default_rng(shape.seed)
    borders = _borders(_seeds(shape, rng))
    middle = borders.mean(axis=1)
    away = np.hypot(middle[:, 0], middle[:, 1] / shape.squash) / shape.radius
    # Torn together where the layer was weak: the net frays towards its outline.
    torn = (away < 1) & (rng.uniform(size=len(borders)) < shape.open * np.clip(1.6 - 1.2 * away, 0, 1))
    borders, away = borders[torn], away[torn]
    wide = shape.width * np.exp(rng.normal(0, 0.35, len(borders))) * (1.1 - 0.6 * away)
    points = _jagged(borders, shape.jagged, rng)
    count = points.shape[1] - 1
    start, end = points[:, :-1].reshape(-1, 2), points[:, 1:].reshape(-1, 2)
    width = np.repeat(wide, count) * np.exp(rng.normal(0, 0.2, len(start)))
    ones = np.ones_like(width)
    return np.column_stack([start, end, width, width, ones, ones])


def _seeds(shape: Crack, rng: np.random.Generator) -> Points:
    """Middles of the cells: a lattice of triangles, pushed about."""
    reach = 1 + shape.cell / shape.radius
    across = np.arange(-reach * shape.radius, reach * shape.radius, shape.cell)
    down = np.arange(-reach * shape.radius * shape.squash, reach * shape.radius * shape.squash, shape.cell * 0.866)
    x, y = np.meshgrid(across, down)
    x[1::2] += shape.cell / 2
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return np.asarray(points + rng.uniform(-0.5, 0.5, points.shape) * shape.cell * (1 - shape.order) * 1.6)


def _borders(seeds: Points) -> NDArray[np.float64]:
    """Borders between the Voronoi cells of `seeds`, `(m, 2, 2)`: each once."""
    low, high = seeds.min(axis=0) - 1, seeds.max(axis=0) + 1
    # OpenCV counts places in float32 and wants them inside a rectangle of whole numbers.
    net = cv2.Subdiv2D((0, 0, int(high[0] - low[0]) + 2, int(high[1] - low[1]) + 2))
    net.insert((seeds - low).astype(np.float32).tolist())
    facets = net.getVoronoiFacetList([])[0]
    both = np.concatenate([np.stack([facet, np.roll(facet, -1, axis=0)], axis=1) for facet in facets])
    forward = both[
        (both[:, 0, 0] < both[:, 1, 0]) | ((both[:, 0, 0] == both[:, 1, 0]) & (both[:, 0, 1] < both[:, 1, 1]))
    ]
    return np.unique(forward.astype(np.float64), axis=0) + low


def _jagged(borders: NDArray[np.float64], amount: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Midpoint displacement: `(m, 2**SPLITS + 1, 2)`."""
    points = borders
    for _ in range(SPLITS):
        along = points[:, 1:] - points[:, :-1]
        aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
        middle = (points[:, 1:] + points[:, :-1]) / 2 + aside * rng.normal(0, amount, (*along.shape[:2], 1))
        merged = np.empty((len(points), 2 * points.shape[1] - 1, 2))
        merged[:, ::2], merged[:, 1::2] = points, middle
        points = merged
    return points
