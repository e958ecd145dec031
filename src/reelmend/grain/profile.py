"""What is known of a frame's grain: how strong by brightness, how coarse, how its channels go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Layout

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlaneGrain:
    """Grain of one plane."""

    brightness: Floats
    """Code values at which `sigma` was measured, ascending, `(n,)`: of luma for Y, U and V, of the plane itself for
    R, G and B. Empty where nothing could be measured."""
    sigma: Floats
    """Standard deviation of the grain at each brightness, code values, `(n,)`, rounding noise taken out. All 0 where
    the plane has no grain that stands out of the rounding."""
    autocovariance: Floats
    """Of the grain, normalised to 1 at lag 0 in the middle, `(2L+1, 2L+1)`, lags in samples of this plane."""
    step: float
    """Distance of neighbouring code values in use (1 in an ordinary integer plane, 257 in 8-bit shown as 16-bit, 0
    for floating point): its square / 12 is the variance that rounding adds."""

    @property
    def grainy(self) -> bool:
        return bool(self.sigma.size) and bool(self.sigma.max() > 0)

    def sigma_at(self, brightness: NDArray[Any]) -> Floats:
        """Standard deviation at each brightness, code values; the ends of the measured range continue."""
        if not self.sigma.size:
            return np.zeros(np.shape(brightness), np.float32)
        # Variance, not its root, is what measurement averages over, and so what is interpolated.
        variance = np.interp(brightness, self.brightness, self.sigma**2)
        sigma: Floats = np.sqrt(variance).astype(np.float32)
        return sigma

    def spectrum(self, rows: int, columns: int) -> Floats:
        """Power spectral density on the frequencies of a `rows` x `columns` DFT, mean 1 (unit variance)."""
        lags = self.autocovariance.shape[0] // 2
        lag_rows = np.arange(-lags, lags + 1) % rows
        lag_columns = np.arange(-lags, lags + 1) % columns
        image = np.zeros((rows, columns), np.float32)
        image[np.ix_(lag_rows, lag_columns)] = self.autocovariance
        density = np.maximum(cv2.dft(image, flags=cv2.DFT_COMPLEX_OUTPUT)[:, :, 0], 0)
        density /= max(float(density.mean()), 1e-12)
        return density


@dataclass(frozen=True, slots=True)
class GrainProfile:
    """Grain of one frame."""

    layout: Layout
    planes: tuple[PlaneGrain, ...]
    """One a colour plane (alpha left out), in the order of `layout.planes`."""
    correlation: Floats
    """Between the grain of the colour planes, `(p, p)`, 1 on the diagonal; across different sampling the finer plane
    is averaged down first."""
    blocks: int
    """Number of flat blocks that the measurement rests on; 0 where the frame had none to offer."""

    @property
    def grainy(self) -> bool:
        """Whether any plane has grain that stands out of the rounding of its code values."""
        return any(plane.grainy for plane in self.planes)


WHITE_LAGS: Floats = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
"""Autocovariance of white noise: what stands where a plane has no grain to measure."""


def no_grain(step: float) -> PlaneGrain:
    """The profile of a plane without grain."""
    return PlaneGrain(np.zeros(0, np.float32), np.zeros(0, np.float32), WHITE_LAGS, step)
