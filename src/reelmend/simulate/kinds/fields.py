"""Damage given by a formula over the plane: spots, stains, prints. Sampled finer than a pixel and averaged.

Formulas work in micrometres, so a shape is the same one at any resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from reelmend.simulate.defect import Cover, Image, Pose
from reelmend.simulate.kinds.polygon import nothing, place

FINEST = 6
"""Samples a pixel along x and y at most."""

LARGE = 1 << 21
"""Pixels of a patch above which what lies far outside the frame is not sampled: a finger print on 8 mm film is several
frames high."""

OUTSIDE = 64
"""Pixels around the frame that are sampled then: more than any edge is soft."""

LATTICE = 64
"""Cells of a noise lattice along each side, after which it repeats."""

BORDER = 2
"""Cells repeated around it, for cubic interpolation looks so far."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The sample points of a patch of the frame, in the shape's own micrometres."""

    x: Image
    """`(rows * fine, columns * fine)`."""
    y: Image
    unit: float
    """Micrometres between samples."""
    fine: int
    """Samples a pixel along each axis."""
    top: int
    left: int

    def cover(self, values: Image) -> Cover:
        """The mean of the samples of each pixel, 0..1."""
        rows, columns = (size // self.fine for size in values.shape)
        if self.fine > 1:
            values = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)
        return Cover(np.clip(values, 0, 1).astype(np.float32), self.top, self.left)

    def nothing(self) -> Cover:
        return nothing()


def grid(pose: Pose, half: tuple[float, float], detail: float, canvas: tuple[int, int]) -> Grid | None:
    """Samples over a shape that reaches `half` micrometres to each side of its origin; None outside the frame.

    `detail` is the size in micrometres that samples should be no larger than.
    """
    corners = np.array([(sx * half[0], sy * half[1]) for sx in (-1, 1) for sy in (-1, 1)], dtype=np.float64)
    placed = place(corners, pose)
    low, high = placed.min(axis=0), placed.max(axis=0)
    if high[0] <= 0 or high[1] <= 0 or low[0] >= canvas[1] or low[1] >= canvas[0]:
        return None
    if np.prod(high - low) > LARGE:
        low = np.maximum(low, -OUTSIDE)
        high = np.minimum(high, np.array(canvas[::-1]) + OUTSIDE)
    left, top = (np.floor(low).astype(int) - 1).tolist()
    columns, rows = (np.ceil(high).astype(int) + 1 - (left, top)).tolist()
    fine = int(np.clip(np.ceil(1 / (pose.scale * detail)), 1, FINEST))
    across = ((np.arange(columns * fine) + 0.5) / fine + left - pose.x) / pose.scale
    down = ((np.arange(rows * fine) + 0.5) / fine + top - pose.y) / pose.scale
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    flip = -1.0 if pose.mirrored else 1.0
    # The inverse of `place`: its turn is orthogonal.
    x = (flip * cos * across)[None, :] + (flip * sin * down)[:, None]
    y = (-sin * across)[None, :] + (cos * down)[:, None]
    return Grid(x.astype(np.float32), y.astype(np.float32), 1 / (pose.scale * fine), fine, top, left)


def noise(seed: int, x: Image, y: Image, cell: float) -> Image:
    """Smooth noise of about unit variance whose features are about `cell` micrometres; repeats after 64 of them."""
    return _lookup(_lattice(seed), x, y, cell)


def fractal(seed: int, x: Image, y: Image, cell: float, octaves: int, gain: float = 0.5) -> Image:
    """Sum of noises, each of half the size and `gain` times the strength of the one before; unit variance."""
    lattice = _lattice(seed)
    total = np.zeros_like(x)
    power = 0.0
    for octave in range(octaves):
        # Each octave is looked up elsewhere, lest the zeros of all fall together at the origin.
        total += gain**octave * _lookup(lattice, x + 17.3 * octave * cell, y + 5.9 * octave * cell, cell / 2**octave)
        power += gain ** (2 * octave)
    return np.asarray(total / np.sqrt(power), dtype=np.float32)


def edge(distance: Image, unit: float) -> Image:
    """1 inside (`distance` > 0, micrometres), 0 outside, a ramp one sample wide between."""
    return np.asarray(np.clip(distance / unit + 0.5, 0, 1), dtype=np.float32)


def distance_to_level(field: Image, unit: float) -> Image:
    """About how far each sample is from where `field` is 0, micrometres, by the field's own steepness."""
    across = cv2.Sobel(field, cv2.CV_32F, 1, 0, ksize=1, scale=0.5 / unit)
    down = cv2.Sobel(field, cv2.CV_32F, 0, 1, ksize=1, scale=0.5 / unit)
    return np.asarray(field / np.maximum(cv2.magnitude(across, down), np.float32(1e-6)), dtype=np.float32)


def _lattice(seed: int) -> Image:
    values = np.random.default_rng(seed).standard_normal((LATTICE, LATTICE)).astype(np.float32)
    return np.pad(values, BORDER, mode="wrap")


def _lookup(lattice: Image, x: Image, y: Image, cell: float) -> Image:
    found = cv2.remap(lattice, _wrapped(x, cell), _wrapped(y, cell), cv2.INTER_CUBIC)
    # Interpolation averages neighbours: 0.855 of the lattice's deviation is left.
    return np.asarray(found * np.float32(1 / 0.855), dtype=np.float32)


def _wrapped(place: Image, cell: float) -> Image:
    # Many times as fast as `np.mod`.
    turn = place * np.float32(1 / (cell * LATTICE))
    turn -= np.floor(turn)
    turn *= np.float32(LATTICE)
    turn += np.float32(BORDER)
    return np.asarray(turn, dtype=np.float32)
