"""Stars: faint points that stay where they are, drifting together as the camera does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import disc
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Thing, height_of, lens


@dataclass(frozen=True, slots=True)
class Star:
    radius: float
    """Units."""
    twinkle: float
    """Standard deviation of its brightness from frame to frame, share."""


class Stars(LookAlike):
    name: ClassVar[str] = "stars"
    persistent: ClassVar[bool] = True
    crowd: ClassVar[float] = 60
    block: ClassVar[int] = 240

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        drift = np.random.default_rng(mood).normal(0, 0.08, 2)
        things = []
        for _ in range(rng.poisson(self.crowd * amount)):
            # Star counts rise about threefold a magnitude, a factor of 2.5 in light: few are bright.
            light = min(0.1 * (1 - rng.uniform()) ** (-1 / 1.2), 1.0)
            warmth = rng.normal(0, 0.06)
            things.append(
                Thing(
                    name=self.name,
                    x=float(rng.uniform(0, STANDARD_WIDTH)),
                    y=float(rng.uniform(0, height_of(size))),
                    velocity=(float(drift[0]), float(drift[1])),
                    # Halation spreads a bright star's light over more film.
                    patch=Star(radius=float(0.7 + 0.7 * light), twinkle=float(rng.uniform(0, 0.2))),
                    colour=(float(min(0.95 + warmth, 1)), 0.95, float(min(0.95 - warmth, 1))),
                    opacity=float(np.clip(0.2 + light, 0, 1)),
                    frames=frames,
                    seed=int(rng.integers(2**31)),
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        alpha, top, left = disc(thing.patch.radius * scale, lens(scale), shift)
        flicker = 1 + thing.patch.twinkle * np.random.default_rng([thing.seed, age]).standard_normal()
        return [Stamp(alpha * np.float32(np.clip(thing.opacity * flicker, 0, 1)), thing.colour, top, left)]
