"""Cinch marks: wound layers of a reel slipped on each other, and grit between them drew short lines along the film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.strokes import Band, draw_strokes
from reelmend.simulate.statistics import Statistics

STEPS = 32
"""Straight pieces of a line."""


@dataclass(frozen=True, slots=True)
class CinchMark:
    """A bunch of near-parallel, near-vertical lines. Lengths in micrometres."""

    lines: int
    breadth: float
    """Standard deviation of the lines' places across the film."""
    length: float
    """Median of the lines' lengths."""
    width: float
    """Of the strongest line."""
    lean: float
    """Radians from vertical."""
    wave: float
    """Amplitude of the waviness that all lines share: the layers slipped together."""
    wavelength: float
    seed: int
    """Of the lines' places, lengths and strengths."""


class CinchMarkKind:
    name: ClassVar[str] = "cinch mark"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> CinchMark:
        return CinchMark(
            lines=int(rng.integers(6, 60)),
            breadth=float(rng.uniform(400, 3000)),
            length=float(np.exp(rng.uniform(np.log(800), np.log(5000)))),
            width=float(rng.uniform(10, 35)),
            lean=float(rng.normal(0, np.deg2rad(1.5))),
            wave=float(30 * rng.uniform(0, 1) ** 2),
            wavelength=float(rng.uniform(1000, 6000)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: CinchMark, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Lines one beside the other, each fading in and out; `pose.angle` 0 leaves them along the film."""
        rng = np.random.default_rng(shape.seed)
        count = shape.lines
        length = shape.length * np.exp(rng.normal(0, 0.45, count))
        across = rng.normal(0, shape.breadth, count)
        middle = rng.normal(0, 0.35 * shape.length, count)
        firm = rng.beta(1.2, 1.6, count) * 0.9 + 0.1
        along = np.linspace(0, 1, STEPS + 1)
        y = middle[:, None] + length[:, None] * (along - 0.5)
        own = rng.normal(0, 0.25, count)[:, None]
        phase = 2 * np.pi * y / shape.wavelength + own
        # Wavelengths that share no measure: the layers slipped unevenly, and never the same way twice.
        sway = np.sin(phase) + 0.6 * np.sin(0.382 * phase + rng.uniform(0, 6)) + 0.3 * np.sin(2.618 * phase + 1)
        x = across[:, None] + np.tan(shape.lean + rng.normal(0, 0.004, count)[:, None]) * y + shape.wave * sway
        fade = np.sin(np.pi * along) ** 0.5
        ripple = np.cumsum(rng.normal(0, 0.35, (count, STEPS + 1)), axis=1) + firm[:, None] * 1.5
        level = np.clip(ripple, 0, 1) * firm[:, None] * fade
        width = np.broadcast_to(shape.width * (0.4 + 0.6 * firm[:, None]), x.shape)
        return draw_strokes(Band(x, y, width, level).pieces(), pose, canvas)
