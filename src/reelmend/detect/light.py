"""How noisy a film is, by brightness, measured from the frame and its warped neighbours.

Thresholds follow it, so that grainy 16 mm and clean 35 mm work without tuning.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Standard deviation from the median absolute value of a Gaussian (Hoaglin, Mosteller and Tukey 1983)."""
_BINS = 16
# Every fourth pixel both ways is plenty: 14,000 samples of a 640x360 frame.
_STRIDE = 4
# A bin with fewer samples takes its neighbours' value; with this many it stands for itself.
_MIN_SAMPLES = 60
_PLENTY = 600
# 8-bit quantisation alone: 1/sqrt(12), and interpolation noise about as much.
_FLOOR = 0.5


def noise_by_brightness(centre: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Noise of `centre - other` for each 8-bit brightness of `other`: 256 standard deviations, 8-bit codes.

    `other` is the mean of two warped neighbours. Medians, so that damage and moving edges do not count as noise.
    """
    a = centre[::_STRIDE, ::_STRIDE].astype(np.int16)
    b = other[::_STRIDE, ::_STRIDE].astype(np.int16)
    levels = (b * _BINS) >> 8
    difference = np.abs(a - b)
    whole = robust_sigma(difference.ravel())
    # Sparse brightnesses lean on their neighbours, and a little on the whole frame.
    weights = np.full(_BINS, 1e-3, np.float32)
    sigmas = np.full(_BINS, whole, np.float32)
    for level in range(_BINS):
        part = difference[levels == level]
        if part.size >= _MIN_SAMPLES:
            sigmas[level], weights[level] = robust_sigma(part), min(1.0, part.size / _PLENTY)
    spread = cv2.GaussianBlur(np.stack([weights * sigmas, weights]), (5, 1), 0.7, borderType=cv2.BORDER_REPLICATE)
    smooth = spread[0] / spread[1]
    middles = (np.arange(_BINS) + 0.5) * 256 / _BINS
    return np.maximum(np.interp(np.arange(256), middles, smooth), _FLOOR).astype(np.float32)


def robust_sigma(absolute: NDArray[np.int16]) -> float:
    """Standard deviation from absolute integer differences `(n,)`, n > 0: their median, refined inside its integer
    bin."""
    counts = np.bincount(absolute, minlength=2).astype(np.float64)
    total = np.cumsum(counts)
    half = total[-1] / 2
    at = int(np.searchsorted(total, half))
    before = total[at - 1] if at else 0.0
    # A difference of n stands for n - 1/2 .. n + 1/2; zero only for 0 .. 1/2.
    low, width = (at - 0.5, 1.0) if at else (0.0, 0.5)
    median = low + width * (half - before) / max(counts[at], 1.0)
    return MAD_TO_SIGMA * float(median)
