"""What rain and snow share: drops at all depths of a field of view, falling the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, height_of

APERTURE_WIDTH = 22.0
"""Millimetres of a 35 mm frame that are seen (Academy aperture)."""

RATE = 24.0
"""Frames a second."""


@dataclass(frozen=True, slots=True)
class Fall:
    """One drop's or flake's way through the picture."""

    depth: float
    """Metres from the camera."""
    a_metre: float
    """Units that a metre spans at its depth."""
    x: float
    """Where it enters, units."""
    y: float
    velocity: tuple[float, float]
    """Units a frame."""
    first: int
    frames: int


def focal_length(mood: int) -> float:
    """Of the scene's lens, millimetres."""
    return float(np.exp(np.random.default_rng([mood, 1]).uniform(np.log(28), np.log(85))))


def falls(
    rng: np.random.Generator,
    size: tuple[int, int],
    frames: int,
    in_view: float,
    depths: tuple[float, float],
    speeds: tuple[float, float],
    wind: tuple[float, float],
    mood: int,
) -> Iterator[Fall]:
    """The ways of what begins to fall in `frames` frames, so that `in_view` are seen at a time.

    `depths` metres, `speeds` of falling metres a second. `wind`: mean and own standard deviation of the sideways
    speed, metres a second. A fall lasts as long as it is in view, at most `frames`.
    """
    height = height_of(size)
    unit = STANDARD_WIDTH * focal_length(mood) / APERTURE_WIDTH
    low, high = depths
    seen = 0.0
    target = in_view * frames
    while seen < target:
        # In a pyramid of view numbers grow as depth squared, but far ones melt into haze: as depth remains.
        depth = float(np.sqrt(rng.uniform(low**2, high**2)))
        a_metre = unit / depth
        down = float(rng.uniform(*speeds)) / RATE * a_metre
        side = float(rng.normal(*wind)) / RATE * a_metre
        margin = 0.02 * a_metre + down / 2
        life = int(min(np.ceil((height + 2 * margin) / down), frames))
        # All that crosses the picture enters over its top or, pushed by the wind, over a side.
        drifted = abs(side) * life
        x = float(rng.uniform(-max(drifted, 0) if side > 0 else 0, STANDARD_WIDTH + (drifted if side < 0 else 0)))
        y = -margin - float(rng.uniform(0, down))
        yield Fall(depth, a_metre, x, y, (side, down), int(rng.integers(frames)), life)
        seen += life * STANDARD_WIDTH / (STANDARD_WIDTH + drifted)
