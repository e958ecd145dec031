"""Snow: soft discs of many sizes, drawn out by their motion, swaying as they sink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import disc, exposed_path, path_length, stroke
from reelmend.simulate.lookalikes.promise import LookAlike, Stamp, Sway, Thing, lens
from reelmend.simulate.lookalikes.weather import falls

DIAMETER = (0.003, 0.018)
"""Of a flake, metres."""

FOCUS = 5.0
"""Metres at which the camera is focused."""


@dataclass(frozen=True, slots=True)
class Flake:
    width: float
    """Units."""
    defocus: float
    """Standard deviation of its blur, units."""


class Snow(LookAlike):
    name: ClassVar[str] = "snow"
    persistent: ClassVar[bool] = False
    crowd: ClassVar[float] = 120
    block: ClassVar[int] = 96

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        shared = np.random.default_rng(mood)
        wind = float(shared.normal(0, 0.8))
        brightness = float(shared.uniform(0.85, 1.0))
        things = []
        for fall in falls(rng, size, frames, self.crowd * amount, (0.8, 10.0), (0.8, 1.6), (wind, 0.12), mood):
            width = float(rng.uniform(*DIAMETER)) * fall.a_metre
            things.append(
                Thing(
                    name=self.name,
                    x=fall.x,
                    y=fall.y,
                    velocity=fall.velocity,
                    patch=Flake(width, 0.006 * fall.a_metre * abs(1 - fall.depth / FOCUS)),
                    colour=brightness,
                    opacity=float(rng.uniform(0.6, 1.0)),
                    first=fall.first,
                    frames=fall.frames,
                    sway=Sway(
                        x=float(rng.uniform(0, 0.04)) * fall.a_metre,
                        y=float(rng.uniform(0, 0.02)) * fall.a_metre,
                        period=float(rng.uniform(18, 40)),
                        phase=float(rng.uniform(0, 2 * np.pi)),
                    ),
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        width = thing.patch.width * scale
        softness = float(np.hypot(lens(scale), thing.patch.defocus * scale))
        line = exposed_path(thing, scale, age, shift)
        length = path_length(line)
        if length < 0.5 * softness:
            alpha, top, left = disc(width / 2, softness, shift)
        else:
            alpha, top, left = stroke(line, width, softness)
        # A flake covers each point of its way for a part of the exposure only.
        shown = thing.opacity * width / (width + 0.6 * length)
        return [Stamp(alpha * np.float32(shown), thing.colour, top, left)]
