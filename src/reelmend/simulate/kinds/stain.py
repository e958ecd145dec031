"""Stain: liquid ran over the film and dried in several goes; ragged, stepped in tone, with a tide line at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.fields import distance_to_level, edge, fractal, grid
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.statistics import Statistics

REACH = 1.5
"""Radii from its middle to which a stain may reach."""


@dataclass(frozen=True, slots=True)
class Stain:
    """A dried puddle. Lengths in micrometres."""

    radius: float
    squash: float
    """Height over width."""
    rough: float
    """Strength of the noise that frays its outline, against a fall of 1 over the radius."""
    octaves: int
    steps: tuple[tuple[float, float], ...]
    """Level at which each drying step begins (0 = the outline, 1 = the middle) and its coverage."""
    tide: float
    """Width of the tide lines."""
    rim: float
    """Coverage that a tide line adds."""
    drops: tuple[tuple[float, float, float], ...]
    """Splashes around it: x, y (before it is squashed) and radius."""
    seed: int


class StainKind:
    name: ClassVar[str] = "stain"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Stain:
        radius = float(np.exp(rng.uniform(np.log(600), np.log(4000))))
        levels = [0.0, *np.sort(rng.uniform(0.15, 0.9, int(rng.integers(0, 3)))).tolist()]
        turn, away = rng.uniform(0, 2 * np.pi, 12), rng.uniform(0.9, 1.4, 12) * radius
        size = np.exp(rng.normal(np.log(0.02), 0.7, 12)) * radius
        splashes = np.column_stack([away * np.cos(turn), away * np.sin(turn), size])[: int(rng.integers(0, 13))]
        return Stain(
            radius=radius,
            squash=float(rng.uniform(0.5, 1.0)),
            rough=float(rng.uniform(0.15, 0.5)),
            octaves=int(rng.integers(3, 6)),
            steps=tuple((float(level), float(rng.uniform(0.15, 0.6))) for level in levels),
            tide=float(rng.uniform(25, 90)),
            rim=float(rng.uniform(0.2, 0.6)),
            drops=tuple((float(x), float(y), float(r)) for x, y, r in splashes),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: Stain, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        far = REACH * shape.radius
        plane = grid(pose, (far, far * shape.squash), max(shape.tide, shape.radius / 40), canvas)
        if plane is None:
            return nothing()
        x, y, unit = plane.x, plane.y, plane.unit
        away = np.hypot(x, y / np.float32(shape.squash)) / np.float32(shape.radius)
        frayed = fractal(shape.seed, x, y, 0.7 * shape.radius, shape.octaves, 0.55)
        # Far out the noise counts for less, so that the stain stays within its patch.
        field = 1 - away + np.float32(shape.rough) * frayed * np.clip(np.float32(2 * REACH) - 2 * away, 0, 1)
        tone = np.float32(1) + np.float32(0.2) * fractal(shape.seed + 1, x, y, 0.5 * shape.radius, 2)
        values = np.zeros_like(x)
        for level, coverage in shape.steps:
            depth = distance_to_level(field - np.float32(level), unit)
            inside = edge(depth, unit)
            values = values * (1 - inside) + inside * np.float32(coverage) * tone
            values += np.float32(shape.rim) * inside * np.exp(-np.maximum(depth, 0) / np.float32(shape.tide))
        coverage = shape.steps[0][1]
        for drop_x, drop_y, radius in shape.drops:
            values += np.float32(coverage) * edge(
                radius - np.hypot(x - np.float32(drop_x), y - np.float32(drop_y * shape.squash)), unit
            )
        return plane.cover(values)
