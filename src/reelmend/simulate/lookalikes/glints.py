"""Specular glints: highlights of the picture that flash for a frame or two, as metal, glass and water do.

In time they behave like dust; in space they sit on what is bright already, are as soft as the picture, and often
throw the rays of the lens's iris.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from reelmend.simulate.lookalikes.brush import disc, stroke
from reelmend.simulate.lookalikes.promise import (
    STANDARD_WIDTH,
    Image,
    LookAlike,
    Stamp,
    Thing,
    height_of,
    lens,
    scale_of,
)

SEARCH = 40.0
"""Half side of the square in which a glint looks for a highlight to sit on, units."""

COMPACT = 6.0
"""A highlight is narrower than this in some direction, units: a face or a white wall has glints at its corners and
on its edges only."""

BRIGHT = 0.5
"""It is at least as bright as this, of code range, ..."""

ABOVE = 0.08
"""... and brighter than what is around it (its white top-hat) by this."""


@dataclass(frozen=True, slots=True)
class Glint:
    core: float
    """Radius, units."""
    stretch: tuple[float, float]
    """Line along which the core is drawn out, units; (0, 0) = round."""
    rays: int
    reach: float
    """Length of a ray, units."""
    turn: float
    """Of the first ray, radians."""


class Glints(LookAlike):
    name: ClassVar[str] = "glints"
    persistent: ClassVar[bool] = False
    needs_picture: ClassVar[bool] = True
    crowd: ClassVar[float] = 8

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        shared = np.random.default_rng(mood)
        # The rays are the iris's, so all glints of a scene have them alike: two a blade if their number is odd.
        rays = int(shared.choice([0, 4, 6, 8]))
        turn = float(shared.uniform(0, np.pi))
        things = []
        # Lives are 1.4 frames on average.
        for _ in range(rng.poisson(self.crowd * amount * frames / 1.4)):
            core = float(np.exp(rng.uniform(np.log(0.7), np.log(3.0))))
            lean = float(rng.uniform(0, np.pi))
            drawn = core * float(rng.choice([0.0, rng.uniform(1, 5)]))
            starry = rng.uniform() < 0.4
            things.append(
                Thing(
                    name=self.name,
                    x=float(rng.uniform(0, STANDARD_WIDTH)),
                    y=float(rng.uniform(0, height_of(size))),
                    velocity=(0.0, 0.0),
                    patch=Glint(
                        core=core,
                        stretch=(drawn * float(np.cos(lean)), drawn * float(np.sin(lean))),
                        rays=rays if starry else 0,
                        reach=core * float(rng.uniform(4, 10)),
                        turn=turn,
                    ),
                    colour=float(rng.uniform(0.93, 1.0)),
                    opacity=float(rng.uniform(0.6, 1.0)),
                    first=int(rng.integers(frames)),
                    frames=1 + int(rng.uniform() < 0.4),
                )
            )
        return tuple(things)

    def draw(self, thing: Thing, canvas: tuple[int, int], frame: int, luma: Image | None = None) -> list[Stamp]:
        if luma is None or not thing.lives(frame):
            return []
        found = highlight_near(luma, *thing.place(frame))
        return [] if found is None else self.put(thing, canvas, frame, *found)

    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        glint, softness = thing.patch, lens(scale)
        core = glint.core * scale
        reach = int(np.ceil(max(glint.reach * scale * bool(glint.rays), core + np.hypot(*glint.stretch) * scale))) + 2
        reach += int(np.ceil(4 * (softness + core)))
        half = np.array(glint.stretch) * scale / 2
        alpha, top, left = stroke(
            np.array([-half, (0.0, 0.0), half]) + shift, np.array([0.4, 2.0, 0.4]) * core, softness, reach
        )
        # A faint glow: the light scattered in emulsion and lens.
        glow, glow_top, _ = disc(core, softness + core, shift)
        alpha = np.maximum(alpha, _centred(0.5 * glow, glow_top, reach))
        for ray in range(glint.rays):
            angle = glint.turn + 2 * np.pi * ray / glint.rays
            tip = np.array([np.cos(angle), np.sin(angle)]) * glint.reach * scale
            line = np.array([(0.0, 0.0), tip / 2, tip]) + shift
            beam, _, _ = stroke(line, np.array([0.8, 0.35, 0.05]) * max(core, 1.0), softness, reach)
            alpha = np.maximum(alpha, beam)
        return [Stamp(np.clip(alpha, 0, 1) * np.float32(thing.opacity), thing.colour, top, left)]


def highlight_near(luma: Image, x: float, y: float) -> tuple[float, float] | None:
    """The highlight (units) that stands out most within `SEARCH` of a place; None where there is none."""
    scale = scale_of((luma.shape[0], luma.shape[1]))
    half = SEARCH * scale
    top, left = max(int(y * scale - half), 0), max(int(x * scale - half), 0)
    window = luma[top : max(int(y * scale + half), top), left : max(int(x * scale + half), left)]
    if window.size == 0:
        return None
    smooth = cv2.GaussianBlur(np.ascontiguousarray(window, dtype=np.float32), (0, 0), lens(scale))
    side = 2 * round(COMPACT * scale / 2) + 1
    around = cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((side, side), dtype=np.uint8))
    standing_out = np.where(smooth >= BRIGHT, smooth - around, np.float32(0))
    _, peak, _, (column, row) = cv2.minMaxLoc(standing_out)
    if peak < ABOVE:
        return None
    return (left + column + 0.5) / scale, (top + row + 0.5) / scale


def _centred(patch: Image, top: int, reach: int) -> Image:
    """A square patch that begins `top` rows above its middle, cut or padded to -reach..reach."""
    have = -top
    if have >= reach:
        return patch[have - reach : have + reach + 1, have - reach : have + reach + 1]
    return np.pad(patch, reach - have)
