"""Cracks: a brittle picture layer tore into cells (reticulation), or along a few long lines of such cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.cells import borders, middles
from reelmend.simulate.kinds.fields import fractal
from reelmend.simulate.kinds.strokes import Pieces, draw_strokes
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
            order=float(rng.uniform(0.0, 0.5)),
            width=float(rng.uniform(10, 40)),
            open=float(rng.uniform(0.35, 0.95)),
            jagged=float(rng.uniform(0.05, 0.2)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: Crack, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        return draw_strokes(_net(shape), pose, canvas)


def _net(shape: Crack) -> Pieces:
    rng = np.random.default_rng(shape.seed)
    half = (shape.radius, shape.radius * shape.squash)
    sides = borders(middles(half, shape.cell, shape.order, rng))
    middle = sides.mean(axis=1)
    x, y = (np.ascontiguousarray(part, dtype=np.float32)[None] for part in middle.T)
    away = np.hypot(middle[:, 0], middle[:, 1] / shape.squash) / shape.radius
    # The layer is weak in whole regions, so cracks hang together and end where it holds.
    weak = 0.6 * fractal(shape.seed, x, y, 2.5 * shape.cell, 2)[0] + 0.4 * rng.standard_normal(len(sides))
    holds = np.quantile(weak, 1 - shape.open) + 2.5 * np.clip(away - 0.6, 0, None)
    torn = (away < 1.1) & (weak > holds)
    sides, away = sides[torn], away[torn]
    wide = shape.width * np.exp(rng.normal(0, 0.35, len(sides))) * np.clip(1.1 - 0.6 * away, 0.3, 1)
    points = _jagged(sides, shape.jagged, rng)
    count = points.shape[1] - 1
    start, end = points[:, :-1].reshape(-1, 2), points[:, 1:].reshape(-1, 2)
    width = np.repeat(wide, count) * np.exp(rng.normal(0, 0.2, len(start)))
    ones = np.ones_like(width)
    return np.column_stack([start, end, width, width, ones, ones])


def _jagged(sides: NDArray[np.float64], amount: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Midpoint displacement: `(m, 2**SPLITS + 1, 2)`."""
    points = sides
    for _ in range(SPLITS):
        along = points[:, 1:] - points[:, :-1]
        aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
        middle = (points[:, 1:] + points[:, :-1]) / 2 + aside * rng.normal(0, amount, (*along.shape[:2], 1))
        merged = np.empty((len(points), 2 * points.shape[1] - 1, 2))
        merged[:, ::2], merged[:, 1::2] = points, middle
        points = merged
    return points
