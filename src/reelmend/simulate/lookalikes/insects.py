"""Insects near the camera: small blobs on quick, crooked ways, drawn out by their motion, dark or lit by the sun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import exposed_path, path_length, stroke
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens


@dataclass(frozen=True, slots=True)
class Insect:
    width: float
    """Units."""
    defocus: float
    """Standard deviation of its blur, units."""


class Insects(LookAlike):
    name: ClassVar[str] = "insects"
    persistent: ClassVar[bool] = False
    crowd: ClassVar[float] = 2

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        sunlit = np.random.default_rng(mood).uniform() < 0.4
        things: list[Thing] = []
        seen = 0.0
        while seen < self.crowd * amount * frames:
            life = int(np.exp(rng.uniform(np.log(3), np.log(min(30, max(frames, 4))))))
            width = float(np.exp(rng.uniform(np.log(1.5), np.log(7))))
            speed = float(np.exp(rng.uniform(np.log(2), np.log(30))))
            way = float(rng.uniform(0, 2 * np.pi))
            things.append(
                Thing(
                    name=self.name,
                    x=float(rng.uniform(0, STANDARD_WIDTH)),
                    y=float(rng.uniform(0, height_of(size))),
                    velocity=(speed * float(np.cos(way)), speed * float(np.sin(way))),
                    patch=Insect(width=width, defocus=0.2 * width * float(rng.uniform(0.3, 2))),
                    colour=float(rng.uniform(0.8, 1.0) if sunlit else rng.uniform(0.02, 0.25)),
                    opacity=float(rng.uniform(0.6, 1.0)),
                    first=int(rng.integers(frames)),
                    frames=life,
                    sway=Sway(
                        x=speed * float(rng.uniform(0.3, 1.5)),
                        y=speed * float(rng.uniform(0.3, 1.5)),
                        period=float(rng.uniform(6, 16)),
                        phase=float(rng.uniform(0, 2 * np.pi)),
                    ),
                )
            )
            seen += life
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        line = exposed_path(thing, scale, age, shift, points=9)
        width = thing.patch.width * scale
        softness = float(np.hypot(lens(scale), thing.patch.defocus * scale))
        alpha, top, left = stroke(line, width, softness)
        # It covers each point of its way for a part of the exposure only.
        shown = thing.opacity * width / (width + 0.6 * path_length(line))
        return [Stamp(alpha * np.float32(shown), thing.colour, top, left)]
