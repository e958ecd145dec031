"""Wires, ropes and poles: thin dark lines from edge to edge of the picture, sagging a little, always there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import stroke
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens

OVERSHOOT = 0.25
"""How far a line goes on beyond the frame at each end, share of its length, so that a drift does not bare an end."""

CORNERS = 33


@dataclass(frozen=True, slots=True)
class Wire:
    to_x: float
    """The other end of what is seen, from this one, units."""
    to_y: float
    sag: float
    """Greatest drop below the chord, units."""
    width: float
    """Units."""


class Wires(LookAlike):
    name: ClassVar[str] = "wires"
    persistent: ClassVar[bool] = True
    crowd: ClassVar[float] = 3
    block: ClassVar[int] = 240

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        shared = np.random.default_rng(mood)
        drift = shared.normal(0, 0.05, 2)
        height = height_of(size)
        # Telegraph wires cross the picture; ropes, stays and strings lean.
        leaning = shared.uniform() < 0.4
        lit = shared.uniform() < 0.2
        slope = float(shared.normal(0, 0.15))
        things = []
        for _ in range(max(rng.poisson(self.crowd * amount), 1)):
            if leaning:
                x, y = float(rng.uniform(0, STANDARD_WIDTH)), 0.0
                # Not within 7 degrees of upright: there nothing but its softness tells one from a line scratch.
                lean = float(rng.choice([-1, 1]) * rng.uniform(0.12, 0.5))
                to_x, to_y, sag = lean * height, height, 0.0
            else:
                x, y = 0.0, float(rng.uniform(-0.1, 0.9) * height)
                to_x = STANDARD_WIDTH
                to_y = STANDARD_WIDTH * (slope + float(rng.normal(0, 0.03)))
                sag = float(rng.uniform(0.002, 0.04)) * STANDARD_WIDTH
            things.append(
                Thing(
                    name=self.name,
                    x=x,
                    y=y,
                    velocity=(float(drift[0]), float(drift[1])),
                    patch=Wire(to_x, to_y, sag, width=float(np.exp(rng.uniform(np.log(0.5), np.log(3))))),
                    colour=float(rng.uniform(0.7, 0.95) if lit else rng.uniform(0.03, 0.25)),
                    opacity=float(rng.uniform(0.55, 0.95)),
                    frames=frames,
                    sway=Sway(
                        x=float(rng.uniform(0, 0.6)),
                        y=float(rng.uniform(0, 0.6)),
                        period=float(rng.uniform(30, 80)),
                        phase=float(rng.uniform(0, 2 * np.pi)),
                    ),
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        wire = thing.patch
        along = np.linspace(-OVERSHOOT, 1 + OVERSHOOT, CORNERS)
        # A wire under its own weight is a catenary; with so little sag, a parabola.
        line = np.stack([along * wire.to_x, along * wire.to_y + 4 * wire.sag * along * (1 - along)], axis=1)
        alpha, top, left = stroke(line * scale + shift, wire.width * scale, lens(scale))
        return [Stamp(alpha * np.float32(thing.opacity), thing.colour, top, left)]
