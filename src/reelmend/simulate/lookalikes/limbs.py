"""Fast-moving limbs: bent, blurred shapes that swing tens of pixels a frame, made of the picture's own stuff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from reelmend.simulate.lookalikes.brush import exposed_path, motion_kernel, stroke
from reelmend.simulate.lookalikes.promise import (
    STANDARD_WIDTH,
    Borrowed,
    LookAlike,
    Stamp,
    Sway,
    Thing,
    height_of,
    lens,
)


@dataclass(frozen=True, slots=True)
class Limb:
    length: float
    """Units."""
    width: float
    """Units, at the shoulder or hip; the hand or foot has half of it."""
    angle: float
    """Radians."""
    turning: float
    """Radians a frame."""
    bend: float
    """At the elbow or knee, radians."""
    source: tuple[float, float]
    """Where its stuff comes from, units right and down of where it is."""
    gain: float
    """Its brightness against that stuff's."""


class Limbs(LookAlike):
    name: ClassVar[str] = "limbs"
    persistent: ClassVar[bool] = False
    crowd: ClassVar[float] = 0.7

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        height = height_of(size)
        things: list[Thing] = []
        # Lives are 12 frames on average.
        for _ in range(rng.poisson(self.crowd * amount * frames / 12)):
            life = int(rng.integers(4, 21))
            length = float(np.exp(rng.uniform(np.log(20), np.log(130))))
            speed = float(np.exp(rng.uniform(np.log(8), np.log(45))))
            way = float(rng.uniform(0, 2 * np.pi))
            period = float(rng.uniform(10, 24))
            source = rng.uniform(60, 200) * np.array([rng.choice([-1, 1]), rng.uniform(-0.5, 0.5)])
            things.append(
                Thing(
                    name=self.name,
                    x=float(rng.uniform(0, STANDARD_WIDTH)),
                    y=float(rng.uniform(0.2, 1.0) * height),
                    velocity=(0.35 * speed * float(np.cos(way)), 0.2 * speed * float(np.sin(way))),
                    patch=Limb(
                        length=length,
                        width=length * float(rng.uniform(0.15, 0.35)),
                        angle=float(rng.uniform(0, 2 * np.pi)),
                        turning=float(rng.normal(0, 0.2)),
                        bend=float(rng.uniform(-1.2, 1.2)),
                        source=(float(source[0]), float(source[1])),
                        gain=float(rng.uniform(0.6, 1.3)),
                    ),
                    colour=float(rng.uniform(0.15, 0.7)),
                    opacity=1.0,
                    first=int(rng.integers(frames)),
                    frames=life,
                    # A swing of amplitude a is fastest at 2 pi a / period.
                    sway=Sway(
                        x=speed * period / (2 * np.pi) * float(np.cos(way)),
                        y=speed * period / (2 * np.pi) * float(np.sin(way)),
                        period=period,
                        phase=float(rng.uniform(0, 2 * np.pi)),
                    ),
                )
            )
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        limb = thing.patch
        path = exposed_path(thing, scale, age, shift, points=2)
        way = (float(path[1, 0] - path[0, 0]), float(path[1, 1] - path[0, 1]))
        angle = limb.angle + limb.turning * age
        half = limb.length / 2 * scale
        upper = np.array([np.cos(angle), np.sin(angle)]) * half
        lower = np.array([np.cos(angle + limb.bend), np.sin(angle + limb.bend)]) * half
        width = limb.width * scale
        reach = int(np.ceil(half * 1.2 + width + np.hypot(*way) + 4 * lens(scale))) + 2
        line = np.array([-upper, (0.0, 0.0), lower]) + shift
        alpha, top, left = stroke(line, np.array([1.0, 0.8, 0.5]) * width, lens(scale), reach)
        kernel = motion_kernel(way)
        if kernel.size > 1:
            alpha = cv2.filter2D(alpha, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
        alpha = np.clip(alpha, 0, 1) * np.float32(thing.opacity)
        source = Borrowed(round(limb.source[0] * scale), round(limb.source[1] * scale), way, limb.gain)
        return [Stamp(alpha, thing.colour, top, left, source)]
