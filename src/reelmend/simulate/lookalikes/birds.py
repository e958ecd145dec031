"""Birds: small dark shapes with beating wings that cross the picture on a steady path, alone or in a flock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.lookalikes.brush import stroke
from reelmend.simulate.lookalikes.promise import STANDARD_WIDTH, LookAlike, Stamp, Sway, Thing, height_of, lens


@dataclass(frozen=True, slots=True)
class Bird:
    span: float
    """From wing tip to wing tip, stretched out, units."""
    beat: float
    """Frames a beat of the wings; gulls glide on long ones."""
    phase: float
    lift: float
    """How far the wings go up, radians."""
    chord: float
    """Breadth of a wing, share of the span."""
    heading: float
    """Of the body against the picture's x axis, radians."""
    foreshortening: float
    """Of the span, 0..1: seen from behind it is full, seen from the side short."""


class Birds(LookAlike):
    name: ClassVar[str] = "birds"
    persistent: ClassVar[bool] = False
    crowd: ClassVar[float] = 3
    block: ClassVar[int] = 240

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        height = height_of(size)
        shade = float(np.random.default_rng(mood).uniform(0.03, 0.25))
        things: list[Thing] = []
        seen = 0.0
        target = self.crowd * amount * frames
        while seen < target:
            span = float(np.exp(rng.uniform(np.log(4), np.log(26))))
            # Birds fly about ten to twenty of their spans a second.
            speed = span * float(rng.uniform(10, 20)) / 24
            way = 1 if rng.uniform() < 0.5 else -1
            climb = float(rng.normal(0, 0.25))
            velocity = np.array([way * np.cos(climb), np.sin(climb)]) * speed
            life = int(min(np.ceil((STANDARD_WIDTH + 2 * span) / abs(velocity[0])), frames))
            first = int(rng.integers(frames))
            x = -span if way > 0 else STANDARD_WIDTH + span
            y = float(rng.uniform(0, 0.8 * height))
            beat = float(rng.uniform(5, 10)) * float(np.sqrt(span / 8))
            for _ in range(1 + int(rng.uniform() < 0.4) * int(rng.poisson(3))):
                own = velocity * rng.normal(1, 0.02)
                things.append(
                    Thing(
                        name=self.name,
                        x=x + float(rng.normal(0, 3 * span)) * (len(things) > 0),
                        y=y + float(rng.normal(0, 2 * span)) * (len(things) > 0),
                        velocity=(float(own[0]), float(own[1])),
                        patch=Bird(
                            span=span * float(rng.uniform(0.85, 1.15)),
                            beat=beat * float(rng.uniform(0.9, 1.1)),
                            phase=float(rng.uniform(0, 2 * np.pi)),
                            lift=float(rng.uniform(0.4, 0.9)),
                            chord=float(rng.uniform(0.1, 0.18)),
                            heading=float(np.arctan2(velocity[1], velocity[0])),
                            foreshortening=float(rng.uniform(0.45, 1.0)),
                        ),
                        colour=shade,
                        opacity=float(rng.uniform(0.75, 1.0)),
                        first=first,
                        frames=life,
                        sway=Sway(y=0.15 * span, period=beat, phase=float(rng.uniform(0, 2 * np.pi))),
                    )
                )
                seen += life
        return tuple(things)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        bird = thing.patch
        up = bird.lift * (0.25 + np.sin(2 * np.pi * age / bird.beat + bird.phase))
        half = bird.span / 2 * scale
        # Each wing bends at the wrist: the outer half follows the inner one.
        inner, outer = up, 0.55 * up - 0.25
        wrist = np.array([np.cos(inner) * bird.foreshortening, -np.sin(inner)]) * half * 0.5
        tip = wrist + np.array([np.cos(outer) * bird.foreshortening, -np.sin(outer)]) * half * 0.5
        flip = np.array([-1.0, 1.0])
        place = np.array(shift)
        wings = np.array([tip * flip, wrist * flip, (0.0, 0.0), wrist, tip]) + place
        chord = bird.chord * bird.span * scale
        along = np.array([np.cos(bird.heading), np.sin(bird.heading)]) * half * 0.36
        body = np.array([-along, along * 0.2, along]) + place
        margin = int(np.ceil(half * 1.3 + 4 * lens(scale))) + 2
        wing_alpha, top, left = stroke(wings, np.array([0.25, 0.9, 1.0, 0.9, 0.25]) * chord, lens(scale), margin)
        body_alpha, _, _ = stroke(body, np.array([0.5, 1.3, 0.6]) * chord, lens(scale), margin)
        return [Stamp(np.maximum(wing_alpha, body_alpha) * np.float32(thing.opacity), thing.colour, top, left)]
