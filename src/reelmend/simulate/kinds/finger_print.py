"""Finger print: ridges of a finger that touched the film, in grease. Part of one, for fingers take film by its edge.

The ridges are the stripes of one phase over the plane: a smooth part, whose gradient is the ridges' direction and
pitch, and a turn of the phase about each place where a ridge ends or forks (Larkin and Fletcher, A coherent framework
for fingerprint analysis: are fingerprints holograms?, Optics Express 15, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Image, Pose
from reelmend.simulate.kinds.fields import Grid, fractal, grid, noise
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.statistics import Statistics


@dataclass(frozen=True, slots=True)
class FingerPrint:
    """A print. Lengths in micrometres."""

    half_width: float
    half_height: float
    pitch: float
    """From ridge to ridge."""
    pattern: Literal["whorl", "loop", "arch"]
    core: tuple[float, float]
    """Middle of the pattern."""
    minutiae: tuple[tuple[float, float, int], ...]
    """x, y and sense (1 or -1) of ridges that end or fork."""
    pressure: float
    """Share of each pitch that the ridge takes, 0..1."""
    smear: float
    """How unevenly the finger touched, 0..1."""
    ends: float
    """Part of the ellipse that touched, along the finger: 2 = all of it."""
    seed: int


class FingerPrintKind:
    name: ClassVar[str] = "finger print"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> FingerPrint:
        """Ridges 0.4 to 0.55 mm apart in adults; a finger tip leaves some 10 by 15 mm."""
        half = (float(rng.uniform(3500, 6500)), float(rng.uniform(5000, 9000)))
        count = int(rng.integers(10, 40))
        minutiae = [
            (float(x), float(y), int(sense))
            for x, y, sense in zip(
                rng.uniform(-half[0], half[0], count),
                rng.uniform(-half[1], half[1], count),
                rng.choice((-1, 1), count),
                strict=True,
            )
        ]
        # Of a hundred fingers 60 to 65 have loops, 30 to 35 whorls, and about 5 arches.
        pattern: Literal["whorl", "loop", "arch"] = ("loop", "whorl", "arch")[rng.choice(3, p=(0.62, 0.32, 0.06))]
        return FingerPrint(
            half_width=half[0],
            half_height=half[1],
            pitch=float(rng.uniform(400, 550)),
            pattern=pattern,
            core=(float(rng.normal(0, 0.15) * half[0]), float(rng.normal(-0.1, 0.15) * half[1])),
            minutiae=tuple(minutiae),
            pressure=float(rng.uniform(0.3, 0.6)),
            smear=float(rng.uniform(0.2, 0.9)),
            ends=float(rng.uniform(0.7, 2.0)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: FingerPrint, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        plane = grid(pose, (1.05 * shape.half_width, 1.05 * shape.half_height), shape.pitch / 5, canvas)
        if plane is None:
            return nothing()
        x, y = plane.x, plane.y
        wave = ridges(shape, x, y)
        uneven = fractal(shape.seed + 1, x, y, 2500, 4, 0.7)
        # More pressure makes wider ridges; between them the film stays clean.
        level = np.float32(np.cos(np.pi * shape.pressure)) - np.float32(0.3) * uneven
        ridge = np.clip((wave - level) * np.float32(1.5) + np.float32(0.5), 0, 1)
        pores = np.clip(
            np.float32(1.3) - np.float32(0.5) * np.abs(noise(shape.seed + 2, x, y, 0.5 * shape.pitch)), 0, 1
        )
        touched = np.clip(np.float32(1) - np.float32(shape.smear) * np.clip(0.4 + 0.7 * uneven, 0, 1.2), 0, 1)
        return plane.cover(np.asarray(ridge * pores * touched * _within(shape, plane, uneven), dtype=np.float32))


def ridges(shape: FingerPrint, x: Image, y: Image) -> Image:
    """The print's wave over the plane, -1..1: ridges are its crests."""
    turns = flow(shape, x, y)
    # Round a minutia the phase turns once. Turns are multiplied as complex numbers, on every other sample.
    size = (x.shape[1], x.shape[0])
    coarse = (max(size[0] // 2, 1), max(size[1] // 2, 1))
    place = _complex(*(cv2.resize(part, coarse, interpolation=cv2.INTER_LINEAR) for part in (x, y)))
    product = np.ones_like(place)
    for place_x, place_y, sense in shape.minutiae:
        away = place - np.complex64(complex(place_x, place_y))
        away /= np.maximum(np.abs(away), np.float32(1e-3))
        product *= away if sense > 0 else np.conj(away)
    real, imaginary = (
        cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_LINEAR)
        for part in (product.real, product.imag)
    )
    return np.asarray(np.cos(turns) * real - np.sin(turns) * imaginary, dtype=np.float32)


def _complex(real: Image, imaginary: Image) -> NDArray[np.complex64]:
    return np.asarray(real + np.complex64(1j) * imaginary, dtype=np.complex64)


def flow(shape: FingerPrint, x: Image, y: Image) -> Image:
    """The smooth part of the ridges' phase, radians."""
    u, v = x - np.float32(shape.core[0]), y - np.float32(shape.core[1])
    u = u + np.float32(250) * noise(shape.seed, x, y, 3500)
    v = v + np.float32(250) * noise(shape.seed + 5, x, y, 3500)
    if shape.pattern == "whorl":
        away = np.hypot(u, np.float32(0.75) * v)
    elif shape.pattern == "loop":
        # Ridges come in at one side below the core, turn about it, and leave on the same side.
        away = np.hypot(u, np.minimum(v, 0)) + np.float32(0.25) * np.maximum(v, 0)
    else:
        away = v + np.float32(1800) * np.exp(-np.square(u / np.float32(2200))) * np.exp(-np.abs(v) / np.float32(5000))
    return np.asarray(np.float32(2 * np.pi / shape.pitch) * away, dtype=np.float32)


def _within(shape: FingerPrint, plane: Grid, uneven: Image) -> Image:
    """The ellipse of the finger tip, cut across where the finger did not touch, fading at its rim."""
    round_ = 1 - np.square(plane.x / np.float32(shape.half_width)) - np.square(plane.y / np.float32(shape.half_height))
    cut = np.float32(shape.ends - 1) - plane.y / np.float32(shape.half_height) + np.float32(0.1) * uneven
    return np.asarray(np.clip(np.float32(5) * np.minimum(round_, cut), 0, 1), dtype=np.float32)
