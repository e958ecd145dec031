"""Sparks and embers: bright, flickering, rising and swaying from a fire below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import exposed_path, stroke
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens


@dataclass(frozen=True, slots=True)
class Ember:
    width: float
    """Units."""
    flicker: float
    """Standard deviation of its brightness from frame to frame, share."""
    life: int
    """Frames in which it burns out."""


class Embers(LookAlike):
    name: ClassVar[str] = "embers"
    persistent: ClassVar[bool] = False
    crowd: ClassVar[float] = 25

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        shared = np.random.default_rng(mood)
        hearth, spread = float(shared.uniform(0.1, 0.9)), float(shared.uniform(0.05, 0.3))
        wind = float(shared.normal(0, 1.0))
        height = height_of(size)
        things: list[Thing] = []
        seen = 0.0
        while seen < self.crowd * amount * frames:
            life = int(rng.integers(4, 37))
            rise = float(np.exp(rng.uniform(np.log(1.5), np.log(12))))
            heat = float(rng.uniform(0, 1))
            things.append(
                Thing(
                    name=self.name,
                    x=STANDARD_WIDTH * float(rng.normal(hearth, spread)),
                    y=height * float(rng.uniform(0.3, 1.05)),
                    velocity=(wind + float(rng.normal(0, 0.8)), -rise),
                    patch=Ember(float(rng.uniform(0.8, 2.2)), float(rng.uniform(0.1, 0.5)), life),
                    # Glowing from orange to yellow-white; on black and white film all of it is bright.
                    colour=(1.0, 0.55 + 0.4 * heat, 0.2 + 0.6 * heat),
                    opacity=float(rng.uniform(0.7, 1.0)),
                    first=int(rng.integers(frames)),
                    frames=life,
                    sway=Sway(
                        x=float(rng.uniform(0.5, 5)),
                        y=float(rng.uniform(0, 2)),
                        period=float(rng.uniform(8, 24)),
                        phase=float(rng.uniform(0, 2 * np.pi)),
                    ),
                    seed=int(rng.integers(2**31)),
                )
            )
            seen += life
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        ember = thing.patch
        alpha, top, left = stroke(exposed_path(thing, scale, age, shift), ember.width * scale, lens(scale))
        glow = (1 - age / ember.life) ** 0.5 if age < ember.life else 0.0
        glow *= 1 + ember.flicker * np.random.default_rng([thing.seed, age]).standard_normal()
        return [Stamp(alpha * np.float32(np.clip(thing.opacity * glow, 0, 1)), thing.colour, top, left)]
