"""Emulsion loss: the picture layer lifted off the base in flakes, with ragged, angular edges and small chips around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.fields import distance_to_level, edge, fractal, grid, noise
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.statistics import Statistics


@dataclass(frozen=True, slots=True)
class EmulsionLoss:
    """A patch of lost picture layer. Lengths in micrometres."""

    radius: float
    squash: float
    """Height over width."""
    rough: float
    """Strength of the noise that frays its outline, against a fall of 1 over the radius."""
    grain: float
    """Size of the facets along which the layer breaks."""
    crumble: float
    """How far the layer is broken up into single flakes, 0..1."""
    lifted: float
    """Width of the fringe that has lifted and is half transparent."""
    seed: int


class EmulsionLossKind:
    name: ClassVar[str] = "emulsion loss"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> EmulsionLoss:
        radius = float(np.exp(rng.uniform(np.log(150), np.log(2500))))
        return EmulsionLoss(
            radius=radius,
            squash=float(rng.uniform(0.4, 1.0)),
            rough=float(rng.uniform(0.25, 0.6)),
            grain=float(rng.uniform(0.1, 0.35) * radius),
            crumble=float(rng.uniform(0.0, 0.8)),
            lifted=float(rng.uniform(10, 60)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: EmulsionLoss, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        reach = 1.7 * shape.radius
        plane = grid(pose, (reach, reach * shape.squash), min(shape.grain / 3, shape.radius / 20), canvas)
        if plane is None:
            return nothing()
        x, y, unit = plane.x, plane.y, plane.unit
        away = np.hypot(x, y / np.float32(shape.squash)) / np.float32(shape.radius)
        frayed = fractal(shape.seed, x, y, 0.9 * shape.radius, 3, 0.6)
        # |noise| has creases where noise has zeros: the straight, sharp breaks of a brittle layer.
        crease = np.abs(noise(shape.seed + 1, x, y, shape.grain)) + 0.5 * np.abs(
            noise(shape.seed + 2, x, y, shape.grain / 2)
        )
        room = np.clip((np.float32(1.7) - away) / np.float32(0.5), 0, 1)
        field = 1 - away + np.float32(shape.rough) * frayed * room
        field = field - np.float32(0.6 * shape.crumble) * (np.float32(1.2) - crease) * (away > 0)
        depth = distance_to_level(field, unit)
        lost = edge(depth, unit)
        fringe = np.clip(depth / np.float32(shape.lifted), 0, 1)
        return plane.cover(np.asarray(lost * (np.float32(0.55) + np.float32(0.45) * fringe) * (away < 1.7), np.float32))
