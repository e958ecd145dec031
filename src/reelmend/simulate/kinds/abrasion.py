"""Abrasion: the film was rubbed, in handling or on a floor, and bears bunches of short fine slanting scratches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.strokes import Band, draw_strokes
from reelmend.simulate.statistics import Statistics

STEPS = 48
"""Straight pieces of a line."""


@dataclass(frozen=True, slots=True)
class Abrasion:
    """Bunches of fine scratches that cross each other. Lengths in micrometres, angles in radians."""

    lines: int
    directions: tuple[float, ...]
    """Each rub has its own, from the x axis."""
    spread: float
    """Standard deviation of the lines' directions within one rub."""
    radius: float
    """Standard deviation of the lines' places."""
    length: float
    """Median of the lines' lengths."""
    width: float
    curve: float
    """Turning of a line from end to end, the same for all of a rub."""
    broken: float
    """Share of a line that grit jumped over."""
    seed: int
    """Of the single lines."""


class AbrasionKind:
    name: ClassVar[str] = "abrasion"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Abrasion:
        rubs = int(rng.integers(1, 4))
        return Abrasion(
            lines=int(rng.integers(8, 50)),
            directions=tuple(rng.uniform(0, np.pi, rubs).tolist()),
            spread=float(rng.uniform(0.03, 0.2)),
            radius=float(rng.uniform(250, 1200)),
            length=float(np.exp(rng.uniform(np.log(400), np.log(2500)))),
            width=float(rng.uniform(8, 25)),
            curve=float(rng.normal(0, 0.15)),
            broken=float(rng.uniform(0.1, 0.7)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: Abrasion, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        rng = np.random.default_rng(shape.seed)
        count = shape.lines
        rub = rng.integers(len(shape.directions), size=count)
        direction = np.array(shape.directions)[rub] + rng.normal(0, shape.spread, count)
        middle = rng.normal(0, shape.radius, (count, 2))
        length = shape.length * np.exp(rng.normal(0, 0.5, count))
        firm = rng.beta(1.3, 1.6, count)
        along = np.linspace(-0.5, 0.5, STEPS + 1)
        turn = direction[:, None] + shape.curve * along
        step = length[:, None] / STEPS
        x = np.cumsum(np.cos(turn) * step, axis=1)
        y = np.cumsum(np.sin(turn) * step, axis=1)
        x += (middle[:, 0] - x[:, STEPS // 2])[:, None]
        y += (middle[:, 1] - y[:, STEPS // 2])[:, None]
        rough = rng.normal(size=(count, STEPS + 3))
        rough = (rough[:, :-2] + 2 * rough[:, 1:-1] + rough[:, 2:]) / np.sqrt(6)
        kept = np.quantile(rough, shape.broken)
        # Grit bites in the middle of its way and lets go at the ends.
        bite = np.cos(np.pi * along) ** 0.7
        level = np.clip(1.5 * (rough - kept), 0, 1) * (0.25 + 0.75 * firm[:, None]) * bite
        width = np.broadcast_to(shape.width * (0.5 + 0.5 * firm[:, None]), x.shape)
        return draw_strokes(Band(x, y, width, level).pieces(), pose, canvas)
