"""Rain: faint bright streaks at all depths, all falling the same way.

A streak is a drop's way while the shutter is open. Its drops refract the sky, so they are brighter than most of what
is behind them, and each covers a point for a fraction of the exposure only (Garg & Nayar, "Vision and Rain", 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import exposed_path, stroke
from reelmend.simulate.lookalikes.promise import LookAlike, Stamp, Thing, lens
from reelmend.simulate.lookalikes.weather import falls

DIAMETER = (0.002, 0.006)
"""Of a drop, metres."""

FOCUS = 6.0
"""Metres at which the camera is focused."""


@dataclass(frozen=True, slots=True)
class Drop:
    width: float
    """Units."""
    defocus: float
    """Standard deviation of its blur, units."""


class Rain(LookAlike):
    name: ClassVar[str] = "rain"
    persistent: ClassVar[bool] = False
    crowd: ClassVar[float] = 120

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        shared = np.random.default_rng(mood)
        wind = float(shared.normal(0, 1.2))
        # Lit from behind, as on a film set, rain is seen; lit from the front it hardly is.
        brightness, strength = float(shared.uniform(0.75, 1.0)), float(shared.uniform(0.3, 0.9))
        things = []
        for fall in falls(rng, size, frames, self.crowd * amount, (1.2, 12.0), (6.0, 9.0), (wind, 0.15), mood):
            width = float(rng.uniform(*DIAMETER)) * fall.a_metre
            defocus = 0.004 * fall.a_metre * abs(1 - fall.depth / FOCUS)
            things.append(
                Thing(
                    name=self.name,
                    x=fall.x,
                    y=fall.y,
                    velocity=fall.velocity,
                    patch=Drop(width, defocus),
                    colour=brightness,
                    opacity=float(np.clip(strength * rng.lognormal(0, 0.4), 0, 0.9)),
                    first=fall.first,
                    frames=fall.frames,
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        line = exposed_path(thing, scale, age, shift, points=2)
        softness = float(np.hypot(lens(scale), thing.patch.defocus * scale))
        alpha, top, left = stroke(line, thing.patch.width * scale, softness)
        return [Stamp(alpha * np.float32(thing.opacity), thing.colour, top, left)]
