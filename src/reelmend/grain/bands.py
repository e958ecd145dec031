"""Two small high-pass filters, evaluated only where asked, and how much of a power spectrum passes them.

Grain is told from picture by what survives a high-pass filter. Both filters cancel planes, so smooth shading leaves
nothing behind. The fine one is Immerkaer's noise estimator (J. Immerkaer, "Fast noise variance estimation", CVIU
1996), which cancels straight horizontal and vertical edges too; the coarse one compares a sample with the four at
distance two and sees the middle band that the fine one misses.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

REACH = 2
"""Samples that the filters look away from their centre."""

_OFFSETS = np.array(
    [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)] + [(-2, 0), (2, 0), (0, -2), (0, 2)], dtype=np.intp
)
_FINE = np.array([1, -2, 1, -2, 4, -2, 1, -2, 1, 0, 0, 0, 0], dtype=np.float32)
_COARSE = np.array([0, 0, 0, 0, 1, 0, 0, 0, 0, -0.25, -0.25, -0.25, -0.25], dtype=np.float32)
_MEAN = np.full(13, 1 / 13, dtype=np.float32)
_WEIGHTS = np.stack([_FINE, _COARSE, _MEAN], axis=1)

BAND_WHITE = (_WEIGHTS[:, :2] ** 2).sum(axis=0)
"""Variance of each band's response to white noise of variance 1 (fine, coarse)."""


def taps(columns: int) -> Indices:
    """Flat-index offsets of the 13 samples that the filters read, in a plane of `columns` columns."""
    return _OFFSETS[:, 0] * columns + _OFFSETS[:, 1]


def respond(plane: NDArray[Any], rows: Indices, columns: Indices) -> Floats:
    """Filter responses at the given samples, `(n, 3)`: fine, coarse, and the mean of the 13 samples read.

    Samples must lie at least `REACH` from every edge of the plane.
    """
    width = plane.shape[1]
    values = plane.reshape(-1).take((rows * width + columns)[:, None] + taps(width))
    # Differences of values near the local level keep float32 exact enough for 16-bit codes.
    values = values.astype(np.float32)
    level = values[:, 4:5].copy()
    values -= level
    responses: Floats = values @ _WEIGHTS
    responses[:, 2] += level[:, 0]
    return responses


def _transfer(weights: Floats, rows: int, columns: int) -> Floats:
    image = np.zeros((rows, columns), np.float32)
    np.add.at(image, (_OFFSETS[:, 0] % rows, _OFFSETS[:, 1] % columns), weights)
    spectrum = cv2.dft(image, flags=cv2.DFT_COMPLEX_OUTPUT)
    power: Floats = (spectrum**2).sum(axis=2)
    return power


BAND_GRID = 32
"""Size of the frequency grid on which the gain of a band is integrated."""

_POWER = np.stack([_transfer(_FINE, BAND_GRID, BAND_GRID), _transfer(_COARSE, BAND_GRID, BAND_GRID)])


def band_gain(spectrum: Floats) -> Floats:
    """Variance of each band's response to noise whose power spectrum is given on a `BAND_GRID` square, `(2,)`."""
    gain: Floats = (_POWER * spectrum).mean(axis=(1, 2), dtype=np.float32)
    return gain


@lru_cache(maxsize=64)
def averaging_loss(rows: int, columns: int, strength: float) -> Floats:
    """Share of power that linear interpolation at fractional positions keeps, `(rows, columns)`, 1 at frequency 0.

    Interpolating between two samples at fraction d keeps `1 - 2d(1-d)(1-cos w)` of the power at frequency w along
    that axis. `strength` is the mean of 2d(1-d): 1/3 for fractions that are spread evenly, 1/2 for half-way, 0 where
    nothing is interpolated.
    """
    vertical = 1 - strength * (1 - np.cos(2 * np.pi * np.fft.fftfreq(rows)))
    horizontal = 1 - strength * (1 - np.cos(2 * np.pi * np.fft.fftfreq(columns)))
    loss: Floats = np.outer(vertical, horizontal).astype(np.float32)
    return loss
