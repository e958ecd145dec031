"""What every look-alike keeps: things of the picture that resemble damage are sampled here and drawn there.

A look-alike belongs to the scene, not to the film, so its lengths follow the picture: they are pixels of a picture
640 pixels wide ("units"), and every patch is blurred by the lens before it is laid into the clean picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Colour = float | tuple[float, float, float]
"""A gray, or red, green and blue; 0..1 of code range."""

STANDARD_WIDTH = 640.0
"""Width in pixels of the picture in whose pixels look-alikes are measured."""


def scale_of(canvas: tuple[int, int]) -> float:
    """Pixels a unit on a canvas `(height, width)`."""
    return canvas[1] / STANDARD_WIDTH


def height_of(size: tuple[int, int]) -> float:
    """Height in units of a frame `(height, width)`."""
    return size[0] / size[1] * STANDARD_WIDTH


def lens(scale: float) -> float:
    """Standard deviation in pixels of the lens's blur: nothing of the scene is sharper than this.

    Half a unit is what a good lens and stock resolve of a frame (about 1.5 pixels at 1080 lines); below 0.7 pixels
    a scanner's own point spread takes over.
    """
    return max(0.7, 0.5 * scale)


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Picture content taken from elsewhere in the same frame, for what is too rich to be one colour."""

    dx: int
    """The content under pixel (x, y) is that of (x + dx, y + dy); edges repeat."""
    dy: int
    smear: tuple[float, float] = (0.0, 0.0)
    """Motion blur of that content: the way it moves while the shutter is open, pixels right and down."""
    gain: float = 1.0
    """Its brightness against the source's."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A patch laid over a picture: `I + alpha * (colour - I)`."""

    alpha: Image
    """`(rows, columns)`, 0..1, lens blur included, falling to 0 at its own edges."""
    colour: Colour
    """What the patch moves the picture towards; for borrowed content a stand-in for those who cannot borrow."""
    top: int
    """Row of the frame (or, from `render`, rows below the pixel that holds the thing's place) of the first row; may
    be negative: patches are not cut to the frame."""
    left: int
    borrowed: Borrowed | None = None
    """If given, replaces `colour`."""


@dataclass(frozen=True, slots=True)
class Sway:
    """Harmonic motion about the path."""

    x: float = 0.0
    """Amplitude, units."""
    y: float = 0.0
    period: float = 24.0
    """Frames."""
    phase: float = 0.0
    """Radians."""

    def at(self, age: float) -> tuple[float, float]:
        turn = 2 * np.pi * age / self.period + self.phase
        return float(self.x * np.sin(turn)), float(self.y * np.cos(turn))


@dataclass(frozen=True, slots=True)
class Thing:
    """One look-alike through its life: what it looks like and how it moves."""

    name: str
    """A key of `reelmend.simulate.lookalikes.LOOKALIKES`."""
    x: float
    """Place when it appears, units from the left edge of the frame."""
    y: float
    velocity: tuple[float, float]
    """Units a frame, right and down."""
    patch: Any
    """The look-alike's own parameters: a frozen dataclass of plain numbers in units."""
    colour: Colour = 1.0
    opacity: float = 1.0
    """Alpha at its densest before the lens's blur, 0..1."""
    first: int = 0
    """Frame on which it appears."""
    frames: int = 1
    """How many frames it lives."""
    sway: Sway = field(default_factory=Sway)
    seed: int = 0
    """Of whatever flickers or is textured about it."""

    def place(self, frame: float) -> tuple[float, float]:
        """Where it is at a frame, units from the left and the top edge."""
        age = frame - self.first
        dx, dy = self.sway.at(age)
        return self.x + self.velocity[0] * age + dx, self.y + self.velocity[1] * age + dy

    def lives(self, frame: int) -> bool:
        return self.first <= frame < self.first + self.frames


class LookAlike(ABC):
    """One class of things that are not damage; one small file each. Stateless."""

    name: ClassVar[str]
    """In recipes: `rain`, `birds`."""
    persistent: ClassVar[bool]
    """Whether it is seen in neighbouring frames at (nearly) the same place; False for what flashes or flies."""
    needs_picture: ClassVar[bool] = False
    """Whether `draw` looks at the picture, so that it cannot be rendered beforehand."""
    crowd: ClassVar[float]
    """How many are alive in a frame at `amount` 1, on average."""
    block: ClassVar[int] = 48
    """Frames for which a scene samples at once; nothing lives longer than this."""

    @abstractmethod
    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, amount: float = 1.0, mood: int = 0
    ) -> tuple[Thing, ...]:
        """The things that appear in frames 0 to `frames` - 1 of a scene; those alive before it are not among them.

        `size` is the frame's `(height, width)` in pixels, `amount` times their usual number. `mood` is the seed of
        what all things of a scene share (the wind, the focal length): the same for the whole of a scene.
        """

    @abstractmethod
    def render(self, thing: Thing, scale: float, age: int = 0, shift: tuple[float, float] = (0.5, 0.5)) -> list[Stamp]:
        """The thing's patches wherever it is, bottom first; `top` and `left` count from the pixel of its place.

        `scale` is pixels a unit, `age` the frames since it appeared, `shift` its place within its pixel (x, y), 0..1
        (0.5 = the pixel's centre). Position-free, so patches can be rendered once and placed by others.
        """

    def draw(self, thing: Thing, canvas: tuple[int, int], frame: int, luma: Image | None = None) -> list[Stamp]:
        """The thing in a frame of `canvas` `(height, width)` pixels, in frame coordinates; empty when it is not there.

        `luma` is the clean frame's brightness `(height, width)`, 0..1; only read by look-alikes that need the
        picture, which draw nothing without it. The same arguments give the same stamps.
        """
        if not thing.lives(frame):
            return []
        x, y = thing.place(frame)
        return self.put(thing, canvas, frame, x, y)

    def put(self, thing: Thing, canvas: tuple[int, int], frame: int, x: float, y: float) -> list[Stamp]:
        """The thing's stamps with its place at `(x, y)` units; those that miss the canvas are left out."""
        scale = scale_of(canvas)
        column, row = int(np.floor(x * scale)), int(np.floor(y * scale))
        shift = (x * scale - column, y * scale - row)
        stamps = []
        for stamp in self.render(thing, scale, frame - thing.first, shift):
            top, left = stamp.top + row, stamp.left + column
            rows, columns = stamp.alpha.shape
            if -rows < top < canvas[0] and -columns < left < canvas[1]:
                stamps.append(Stamp(stamp.alpha, stamp.colour, top, left, stamp.borrowed))
        return stamps
