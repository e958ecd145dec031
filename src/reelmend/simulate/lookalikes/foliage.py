"""Fluttering leaves: a cluster of small shapes that turn bright and dark where they hang."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import stroke
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens


@dataclass(frozen=True, slots=True)
class Leaf:
    length: float
    """Units."""
    width: float
    """Seen flat, units."""
    angle: float
    """Radians."""
    period: float
    """Frames in which it turns about its stalk and back."""
    phase: float


class Foliage(LookAlike):
    name: ClassVar[str] = "foliage"
    persistent: ClassVar[bool] = True
    crowd: ClassVar[float] = 90
    block: ClassVar[int] = 240

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        height = height_of(size)
        shared = np.random.default_rng(mood)
        length, wind = float(np.exp(shared.uniform(np.log(4), np.log(12)))), float(shared.uniform(0.3, 1.5))
        things = []
        twigs = max(1, int(rng.poisson(4 * amount)))
        for _ in range(twigs):
            # Twigs come into the picture from its edges more than they hang in its middle.
            x, y = STANDARD_WIDTH * float(rng.beta(0.6, 0.6)), height * float(rng.beta(0.6, 1.0))
            spread = length * float(rng.uniform(2, 6))
            phase = float(rng.uniform(0, 2 * np.pi))
            for _ in range(rng.poisson(self.crowd * amount / twigs)):
                light = float(rng.uniform(0, 1))
                things.append(
                    Thing(
                        name=self.name,
                        x=x + float(rng.normal(0, spread)),
                        y=y + float(rng.normal(0, 0.7 * spread)),
                        velocity=(0.0, 0.0),
                        patch=Leaf(
                            length=length * float(rng.lognormal(0, 0.25)),
                            width=0.45 * length * float(rng.uniform(0.6, 1.2)),
                            angle=float(rng.uniform(0, 2 * np.pi)),
                            period=float(rng.uniform(6, 30)),
                            phase=float(rng.uniform(0, 2 * np.pi)),
                        ),
                        colour=(0.12 + 0.6 * light, 0.2 + 0.65 * light, 0.08 + 0.5 * light),
                        opacity=float(rng.uniform(0.6, 0.95)),
                        frames=frames,
                        sway=Sway(
                            x=wind * float(rng.uniform(1, 4)),
                            y=wind * float(rng.uniform(0, 2)),
                            period=float(rng.uniform(30, 50)),
                            phase=phase + float(rng.normal(0, 0.5)),
                        ),
                    )
                )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        leaf = thing.patch
        turned = abs(float(np.cos(2 * np.pi * age / leaf.period + leaf.phase)))
        half = np.array([np.cos(leaf.angle), np.sin(leaf.angle)]) * leaf.length / 2 * scale
        along = np.linspace(-1, 1, 7)
        line = along[:, None] * half + shift
        width = leaf.width * scale * (0.15 + 0.85 * turned) * (1 - along**2) + 0.2 * scale
        alpha, top, left = stroke(line, width, lens(scale))
        return [Stamp(alpha * np.float32(thing.opacity), thing.colour, top, left)]
