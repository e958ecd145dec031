"""What is left of a block when the picture in it is taken out."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16
_HIGH_PASS = -np.outer(_BINOMIAL, _BINOMIAL)
_HIGH_PASS[2, 2] += 1
HIGH_PASS_WHITE = float((_HIGH_PASS**2).sum())
HIGH_PASS_POWER = np.abs(np.fft.fft2(_HIGH_PASS, (32, 32))) ** 2


def high_pass(blocks: Floats) -> Floats:
    """Blocks `(n, b, b)` minus their 5 x 5 binomial blur, without the border of 2: `(n, b-4, b-4)`."""
    count, size, _ = blocks.shape
    stacked = blocks.reshape(count * size, size)
    blurred = cv2.sepFilter2D(stacked, cv2.CV_32F, _BINOMIAL, _BINOMIAL)
    return np.ascontiguousarray((stacked - blurred).reshape(blocks.shape)[:, 2:-2, 2:-2])


def code_step(samples: Floats) -> float:
    """Distance of the integer code values in use: 8-bit pictures in 16-bit planes step by 256 or 257."""
    flat = samples.reshape(-1)[:: max(1, samples.size // 4096)].astype(np.int64)
    step = int(np.gcd.reduce(flat - flat[0]))
    # All alike says nothing about steps, and no source has fewer than 4 bits.
    return float(step) if 1 <= step <= 4096 else 1.0


@lru_cache(maxsize=16)
def _polynomials(size: int, degree: int) -> Floats:
    """Orthonormal basis of the polynomials of a degree over a square block, `(count, size * size)`."""
    y, x = (axis.reshape(-1) for axis in np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j])
    powers = [y**i * x**j for i in range(degree + 1) for j in range(degree + 1 - i)]
    basis: Floats = np.linalg.qr(np.stack(powers, axis=1))[0].T.astype(np.float32)
    return basis


def levelled(blocks: Floats, degree: int) -> Floats:
    """Blocks `(n, b, b)` without the polynomial of a degree that fits them best."""
    basis = _polynomials(blocks.shape[1], degree)
    values = blocks.reshape(len(blocks), -1)
    # The first sample goes first: differences keep float32 exact for 16-bit codes.
    values = values - values[:, :1]
    values -= (values @ basis.T) @ basis
    return values.reshape(blocks.shape)
