"""What is known of a frame's grain: how strong by brightness, how coarse, how its channels go together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
    density: Floats
    """Power spectral density `(n, n)` on the frequencies of an n x n DFT in its own order, mean 1, nowhere negative."""
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
        size = self.density.shape[0]
        if (rows, columns) == (size, size):
            return self.density
        # Linear between measured frequencies; they are a circle, so the first follows the last.
        density = between(size, rows) @ self.density @ between(size, columns).T
        return (density / max(float(density.mean()), 1e-12)).astype(np.float32)


@lru_cache(maxsize=32)
def between(size: int, places: int) -> Floats:
    """Weights `(places, size)` that interpolate linearly, and round the circle, from `size` values to `places`."""
    position = np.arange(places) * size / places
    low = np.floor(position).astype(np.intp)
    weights = np.zeros((places, size), np.float32)
    weights[np.arange(places), low % size] = 1 - (position - low)
    weights[np.arange(places), (low + 1) % size] += (position - low).astype(np.float32)
    return weights


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


WHITE: Floats = np.ones((8, 8), np.float32)
"""Density of white noise: what stands where a plane has no grain to measure."""


def no_grain(step: float) -> PlaneGrain:
    """The profile of a plane without grain."""
    return PlaneGrain(np.zeros(0, np.float32), np.zeros(0, np.float32), WHITE, step)
