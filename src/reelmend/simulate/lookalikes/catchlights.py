"""Eyes' catchlights: a small bright dot on the dark of an eye, mostly two eyes, following a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import disc
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens

PUPILS_APART = 10.8
"""Distance of the pupils in radii of an iris: 63 mm (adults' mean) against 5.85 mm."""

BLINK = 5
"""Frames for which a lid covers the eye."""


@dataclass(frozen=True, slots=True)
class Eyes:
    iris: float
    """Radius, units."""
    dark: float
    """Alpha of the iris."""
    light: float
    """Radius of the catchlight, share of the iris."""
    side: float
    """Where the light stands, radians: the catchlight lies that way from the pupil."""
    tilt: float
    """Of the head, radians."""
    turned: float
    """Foreshortening of the eyes' distance, 0..1; 0 = one eye only."""
    blinks: int
    """Frames between two blinks."""


class Catchlights(LookAlike):
    name: ClassVar[str] = "catchlights"
    persistent: ClassVar[bool] = True
    crowd: ClassVar[float] = 2
    block: ClassVar[int] = 120

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        side = float(np.random.default_rng(mood).uniform(-np.pi, 0))
        things = []
        for _ in range(rng.poisson(self.crowd * amount)):
            iris = float(np.exp(rng.uniform(np.log(2), np.log(9))))
            height = height_of(size)
            things.append(
                Thing(
                    name=self.name,
                    x=float(rng.uniform(0.05, 0.95) * STANDARD_WIDTH),
                    y=float(rng.uniform(0.1, 0.8) * height),
                    velocity=(float(rng.normal(0, 0.15)), float(rng.normal(0, 0.08))),
                    patch=Eyes(
                        iris=iris,
                        dark=float(rng.uniform(0.7, 0.95)),
                        light=float(rng.uniform(0.16, 0.32)),
                        side=side,
                        tilt=float(rng.normal(0, 0.12)),
                        turned=0.0 if rng.uniform() < 0.25 else float(rng.uniform(0.6, 1)),
                        blinks=int(rng.integers(48, 160)),
                    ),
                    colour=float(rng.uniform(0.8, 1.0)),
                    opacity=float(rng.uniform(0.7, 1.0)),
                    frames=frames,
                    sway=Sway(
                        x=iris * float(rng.uniform(0, 2)),
                        y=iris * float(rng.uniform(0, 1)),
                        period=float(rng.uniform(30, 90)),
                        phase=float(rng.uniform(0, 2 * np.pi)),
                    ),
                    seed=int(rng.integers(2**31)),
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        eyes = thing.patch
        if (age + thing.seed) % eyes.blinks < BLINK:
            return []
        iris, softness = eyes.iris * scale, lens(scale)
        apart = PUPILS_APART * iris * eyes.turned / 2
        stamps = []
        for way in (-1, 1) if eyes.turned > 0 else (0,):
            x, y = shift[0] + way * apart * np.cos(eyes.tilt), shift[1] + way * apart * np.sin(eyes.tilt)
            alpha, top, left = _disc_at(x, y, iris, 1.3 * softness)
            stamps.append(Stamp(alpha * np.float32(eyes.dark), 0.06, top, left))
            light = eyes.light * iris
            offset = 0.4 * iris
            alpha, top, left = _disc_at(x + offset * np.cos(eyes.side), y + offset * np.sin(eyes.side), light, softness)
            stamps.append(Stamp(alpha * np.float32(thing.opacity), thing.colour, top, left))
        return stamps


def _disc_at(x: float, y: float, radius: float, softness: float) -> tuple[np.ndarray, int, int]:
    column, row = int(np.floor(x)), int(np.floor(y))
    alpha, top, left = disc(radius, softness, (x - column, y - row))
    return alpha, top + row, left + column
