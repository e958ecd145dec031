"""Out-of-focus highlights: lamps far behind the focus as discs (or the iris's polygon) with a brighter rim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens


@dataclass(frozen=True, slots=True)
class Disc:
    radius: float
    """Units."""
    blades: int
    """Of the iris; 0 = round."""
    turn: float
    """Of the polygon, radians."""
    rim: float
    """How much brighter than its middle the rim is, share: spherical aberration."""


class Bokeh(LookAlike):
    name: ClassVar[str] = "bokeh"
    persistent: ClassVar[bool] = True
    crowd: ClassVar[float] = 12
    block: ClassVar[int] = 240

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        shared = np.random.default_rng(mood)
        typical = float(np.exp(shared.uniform(np.log(3), np.log(16))))
        blades = int(shared.choice([0, 0, 5, 6, 8]))
        turn, rim = float(shared.uniform(0, np.pi)), float(shared.uniform(0, 0.5))
        drift = shared.normal(0, 0.15, 2)
        things = []
        for _ in range(rng.poisson(self.crowd * amount)):
            radius = typical * float(rng.lognormal(0, 0.25))
            warm = float(rng.uniform(0, 0.35))
            things.append(
                Thing(
                    name=self.name,
                    x=float(rng.uniform(0, STANDARD_WIDTH)),
                    y=float(rng.uniform(0, 0.8 * height_of(size))),
                    velocity=(float(drift[0]), float(drift[1])),
                    patch=Disc(radius, blades, turn, rim),
                    colour=(1.0, 1 - 0.4 * warm, 1 - warm),
                    opacity=float(rng.uniform(0.15, 0.75)),
                    frames=frames,
                    sway=Sway(x=float(rng.uniform(0, 1)), period=60.0, phase=float(rng.uniform(0, 2 * np.pi))),
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        shape = thing.patch
        radius, softness = shape.radius * scale, 1.2 * lens(scale) + 0.08 * shape.radius * scale
        reach = int(np.ceil(radius * 1.24 + 4 * softness)) + 1
        grid = np.arange(-reach, reach + 1) + 0.5
        x, y = grid[None, :] - shift[0], grid[:, None] - shift[1]
        distance = np.hypot(x, y)
        if shape.blades:
            angles = shape.turn + 2 * np.pi * np.arange(shape.blades) / shape.blades
            distance = np.max([x * np.cos(angle) + y * np.sin(angle) for angle in angles], axis=0)
        middle = 1 - shape.rim * np.clip(1 - (distance / max(radius, 1e-6)) ** 4, 0, 1)
        crisp = (np.clip(radius - distance + 0.5, 0, 1) * middle).astype(np.float32)
        alpha = cv2.GaussianBlur(crisp, (0, 0), softness, borderType=cv2.BORDER_CONSTANT)
        return [Stamp(alpha * np.float32(thing.opacity), thing.colour, -reach, -reach)]
