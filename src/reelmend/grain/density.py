"""The power spectral density of grain, from levelled blocks of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelmend.grain.profile import WHITE

Floats = NDArray[np.float32]

FAINT = 0.3
"""Where the density is below this part of its mean, it is taken to be the same in all directions."""

LAGS = {32: 12, 16: 6, 8: 3}
"""Autocovariance lags that a block of a side can tell."""


@lru_cache(maxsize=8)
def _rings(size: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Distance of each DFT frequency from zero, in whole steps and exactly."""
    frequency = np.fft.fftfreq(size) * size
    radius = np.hypot(frequency[:, None], frequency)
    return np.rint(radius).astype(np.intp), radius


@lru_cache(maxsize=8)
def _windows(size: int, lags: int) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """The window of a block; what it makes of each lag; how lags fade; which lags are far."""
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    taper = np.correlate(window, window, "full")[size - 1 - lags : size + lags] / (window**2).sum()
    steps = np.arange(-lags, lags + 1)
    distance = np.hypot(steps[:, None], steps)
    fade = 0.5 + 0.5 * np.cos(np.pi * np.clip(2 * distance / (lags + 1) - 1, 0, 1))
    arrays = [np.outer(each, each).astype(np.float32) for each in (window, taper)]
    return arrays[0], arrays[1], fade.astype(np.float32), (distance > 0.75 * lags) & (distance <= lags)


def density_of(blocks: Floats, weight: Floats, rounding: float) -> Floats:
    """Power spectral density of levelled blocks `(n, b, b)`, each brought to like variance by `weight` `(n,)`; mean 1.

    A windowed block's spectrum is smeared by the window, which flattens the peak of coarse grain; dividing the window
    out of the autocovariance sharpens it, but spreads estimation noise evenly, which drowns the faint high
    frequencies of coarse grain. There the noise is averaged away along circles of equal frequency.
    """
    size = blocks.shape[1]
    lags = LAGS[32 if size >= 32 else 16 if size >= 16 else 8]
    window, taper, fade, far = _windows(size, lags)
    half = np.fft.rfft2(blocks * np.sqrt(weight)[:, None, None] * window)
    one_side = (half.real**2 + half.imag**2).mean(axis=0) / (window**2).sum()
    rest = one_side[-np.arange(size) % size][:, size // 2 - 1 : 0 : -1]
    power = np.concatenate([one_side, rest], axis=1)
    smeared = power - rounding
    circular = np.fft.fftshift(np.fft.ifft2(power).real)
    middle = size // 2
    near = slice(middle - lags, middle + lags + 1)
    covariance = circular[near, near] / taper
    # Taking out each block's mean and slope lowered all lags alike; far lags of grain are zero.
    covariance -= covariance[far].mean()
    covariance[lags, lags] -= rounding
    if covariance[lags, lags] <= 0:
        return WHITE
    full = np.zeros((size, size))
    full[near, near] = covariance * fade
    sharpened = np.fft.fft2(np.fft.ifftshift(full)).real
    ring, radius = _rings(size)
    faint = smeared < FAINT * smeared.mean()
    density = sharpened
    if faint.any():
        count = np.bincount(ring[faint])
        held = count > 0
        rings, radii = (np.bincount(ring[faint], each[faint])[held] / count[held] for each in (sharpened, radius))
        # Between circles, as the density of coarse grain falls by a third from one circle to the next.
        along = np.exp(np.interp(radius, radii, np.log(np.maximum(rings, 1e-4 * power.mean()))))
        density = np.where(faint, np.minimum(along, smeared), sharpened)
    density = np.maximum(density, 0)
    mean = float(density.mean())
    normal: Floats = (density / mean).astype(np.float32) if mean > 0 else WHITE
    return normal
