"""What one piece of damage is: its shape in micrometres, where it lies, what it does to light, when it lives.

Everything here is sampled before anything is drawn, so that the same defects can be written down, drawn at any scan
resolution, and drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a shape lies in a frame."""

    x: float
    """Origin of the shape in the frame, pixels from the left edge (0 = left edge of the first column)."""
    y: float
    """Pixels from the top edge."""
    scale: float
    """Pixels a micrometre of film."""
    angle: float = 0.0
    """Radians, counted as OpenCV's y axis points down."""
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Ink:
    """What a defect does to the light that passes where it lies."""

    polarity: Literal["dark", "bright"] = "dark"
    """Dirt on a positive is dark; dirt on the negative, and a hole in the emulsion, print bright."""
    opacity: float = 1.0
    """Share of the picture lost at full coverage, 0..1."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """`opacity` of red, green and blue as shares of the whole: a scratch into a colour film's upper layers takes
    some dyes only and shows yellow, green or blue."""
    white: float = 1.0
    """What bright damage moves towards, 0..1 of picture range."""
    softness: float = 0.7
    """Standard deviation of the scanner's point spread, pixels."""
    mottle: float = 0.0
    """How much the density varies inside, 0 = even."""
    halo: float = 0.0
    """Strength of the rim of refracted light along a fibre, share of `opacity`, of the other polarity."""
    seed: int = 0
    """Of the mottle's pattern and of how the defect wobbles."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One piece of damage through its life."""

    kind: str
    """A key of `reelmend.simulate.kinds.KINDS`."""
    shape: Any
    """What the kind sampled: a frozen dataclass in micrometres."""
    pose: Pose
    ink: Ink
    first: int = 0
    """Frame on which it appears."""
    frames: int = 1
    """How many frames it lives."""
    every: int = 1
    """It shows on each `every`-th frame of its life only: a stain comes back once a turn of the reel."""
    wobble: float = 0.0
    """Standard deviation of its slow wandering about `pose`, micrometres: a hair in the gate trembles."""
    number: int = 0
    """Its own in a reel, from 0."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a defect covers of a frame, before the scanner's point spread."""

    coverage: Image
    """Share of each pixel that is covered, `(rows, columns)`, 0..1; empty where it lies outside the frame."""
    top: int
    """Row of the frame at which the patch begins; may be negative: the patch is not cut to the frame."""
    left: int
