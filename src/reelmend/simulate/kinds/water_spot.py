"""Water spot: a drop dried on the film, and what was dissolved in it lies at its rim, with fainter tide lines inside.

That a drying drop carries its load outwards and leaves it at the rim: Deegan et al., Capillary flow as the cause of
ring stains from dried liquid drops, Nature 389 (1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Image, Pose
from reelmend.simulate.kinds.fields import edge, fractal, grid
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.statistics import Statistics

TURNS = 256
"""Directions for which the outline is tabulated."""


@dataclass(frozen=True, slots=True)
class WaterSpot:
    """A dried drop. Lengths in micrometres."""

    radius: float
    squash: float
    """Height over width."""
    rough: float
    """Standard deviation of the logarithm of the outline's radius."""
    rim: float
    """Depth of the rim: it fades inwards by e over this length."""
    fill: float
    """Coverage inside, 0..1."""
    tides: tuple[float, ...]
    """Where the drop's edge halted while it shrank, as shares of the radius."""
    gaps: float
    """How uneven the rim is, 0..1."""
    seed: int
    """Of the outline and the unevenness."""


class WaterSpotKind:
    name: ClassVar[str] = "water spot"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> WaterSpot:
        radius = float(np.exp(rng.uniform(np.log(200), np.log(1800))))
        return WaterSpot(
            radius=radius,
            squash=float(rng.uniform(0.65, 1.0)),
            rough=float(rng.uniform(0.03, 0.14)),
            rim=float(rng.uniform(0.03, 0.1) * radius + 10),
            fill=float(rng.uniform(0.04, 0.25)),
            tides=tuple(sorted(rng.uniform(0.35, 0.92, int(rng.integers(0, 4))).tolist())),
            gaps=float(rng.uniform(0.1, 0.7)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: WaterSpot, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage is highest at the rim, whatever the polarity: inside, the picture shows through."""
        table = outline(shape)
        reach = float(table.max()) * shape.radius
        plane = grid(pose, (reach, reach * shape.squash), shape.rim / 2, canvas)
        if plane is None:
            return nothing()
        y = plane.y / np.float32(shape.squash)
        angle = np.arctan2(y, plane.x)
        border = np.float32(shape.radius) * _around(table, angle)
        radius = np.hypot(plane.x, y)
        depth = border - radius
        uneven = fractal(shape.seed, plane.x, plane.y, 0.6 * shape.radius, 3)
        load = np.clip(1 - np.float32(shape.gaps) * (0.5 + 0.5 * uneven), 0.1, 1)
        inside = edge(depth, plane.unit)
        values = np.float32(shape.fill) * load + _line(depth, shape.rim) * load
        for tide in shape.tides:
            values += 0.45 * load * _line(depth - (1 - np.float32(tide)) * border, shape.rim / 2)
        return plane.cover(np.asarray(values * inside, dtype=np.float32))


def outline(shape: WaterSpot) -> Image:
    """Radius as a share of `radius`, for `TURNS` directions: a random Fourier series in its logarithm."""
    rng = np.random.default_rng(shape.seed)
    orders = np.arange(2, 14)
    size = orders**-1.3
    size *= shape.rough * np.sqrt(2) / np.linalg.norm(size)
    turn = np.arange(TURNS) * (2 * np.pi / TURNS)
    phase = rng.uniform(0, 2 * np.pi, len(orders))
    return np.exp(size @ np.cos(orders[:, None] * turn + phase[:, None])).astype(np.float32)


def _around(table: Image, angle: Image) -> Image:
    place = np.mod(angle * np.float32(TURNS / (2 * np.pi)), np.float32(TURNS))
    low = place.astype(np.int32)
    part = place - low
    return np.asarray(table[low % TURNS] * (1 - part) + table[(low + 1) % TURNS] * part, dtype=np.float32)


def _line(depth: Image, width: float) -> Image:
    """A line that is sharp on its outer side and fades inwards, 1 where `depth` (micrometres inwards) is 0."""
    return np.asarray(np.where(depth >= 0, np.exp(-np.maximum(depth, 0) / np.float32(width)), 0), dtype=np.float32)
