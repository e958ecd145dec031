"""Whether repaired regions carry the grain of their surroundings: its strength and its spectrum.

Repaired regions are small and ragged, so no square is cut out of them and no local mean is taken off them (in a
speck that would take part of the grain along). Everything is measured with the semivariogram,
`g(d) = E[(z(x) - z(x + d))^2] / 2` over pairs of pixels that both lie in the region (Matheron, 1963): unbiased
whatever the region's shape, blind to the mean, nearly blind to slow shading at short distances, and sums over pairs
simply add up over regions, frames and clips.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

MAX_LAG = 4
"""Pixels. Film grain at scanning resolutions is uncorrelated beyond; longer lags find few pairs in a speck."""

GRAIN_REACH = (1.4, 2.3)
"""Distances, pixels, at which grain no longer knows its neighbour but the picture hardly changed."""

FREQUENCIES = np.linspace(0.1, 0.5, 9)
"""Cycles a pixel: below 0.1 it is picture, not grain, and the lags are too short to tell."""

SPECTRUM_FLOOR = 0.03
"""Share of the reference's mean below which a spectral density is estimation noise; keeps logarithms finite."""

HIGH_PASS_SIGMA = 1.2
"""Pixels: what varies slower is picture, not grain."""

FEWEST_PAIRS = 300
"""Pairs a lag needs: a semivariance of so many independent pairs is known to 8 %."""

NEARBY = 6.0
"""Pixels, standard deviation of the Gaussian over which grain around a region is averaged."""

Lag = tuple[int, int]


class Variogram:
    """Semivariances of a region by lag `(rows, columns)`, gathered over as many planes as are added."""

    def __init__(self, max_lag: int = MAX_LAG) -> None:
        reach = range(-max_lag, max_lag + 1)
        # A pair has no direction: half of the lags stand for all.
        self.lags: tuple[Lag, ...] = tuple(
            (y, x) for y in range(max_lag + 1) for x in reach if (y, x) > (0, 0) and y * y + x * x <= max_lag**2
        )
        self._sum = np.zeros(len(self.lags))
        self._pairs = np.zeros(len(self.lags), dtype=np.int64)

    def add(self, plane: NDArray[Any], mask: Mask, scale: NDArray[Any] | None = None) -> None:
        """One plane `(h, w)` in any unit and its region; planes added to one variogram share the unit.

        Differences are divided by `scale` `(h, w)`, the expected deviation where they are taken, when it is given.
        """
        if plane.shape != mask.shape:
            raise ValueError(f"a mask of {mask.shape} does not fit a plane of {plane.shape}")
        rows, columns = np.nonzero(mask)
        height, width = plane.shape
        values = plane.astype(np.float64)
        for index, (y, x) in enumerate(self.lags):
            inside = (rows + y < height) & (columns + x >= 0) & (columns + x < width)
            here = rows[inside], columns[inside]
            there = here[0] + y, here[1] + x
            both = mask[there]
            steps = values[there][both] - values[here][both]
            if scale is not None:
                steps = steps / scale[here][both]
            self._sum[index] += float(np.dot(steps, steps)) / 2
            self._pairs[index] += int(both.sum())

    def merge(self, other: Variogram) -> None:
        """Add what another variogram of the same lags has gathered."""
        if self.lags != other.lags:
            raise ValueError("variograms of different lags cannot be merged")
        self._sum += other._sum
        self._pairs += other._pairs

    def semivariance(self, low: float, high: float) -> float | None:
        """Mean semivariance over lags of length `low` to `high` pixels, each lag of the same weight.

        None when a lag has fewer than `FEWEST_PAIRS`: then the region is too small to say.
        """
        chosen = [index for index, lag in enumerate(self.lags) if low <= np.hypot(*lag) <= high]
        if not chosen or (self._pairs[chosen] < FEWEST_PAIRS).any():
            return None
        return float((self._sum[chosen] / self._pairs[chosen]).mean())

    @property
    def variance(self) -> float | None:
        """Variance of the grain, in the square of the planes' unit (1 = expected where a scale was given):
        the semivariance where it has levelled off."""
        return self.semivariance(*GRAIN_REACH)

    def spectrum(self) -> NDArray[np.float64] | None:
        """Radially averaged power spectral density at `FREQUENCIES`; None when the region is too small.

        Blackman and Tukey's way: autocovariance `C(d) = sill - g(d)` under a lag window (here a radial Hann
        window), Fourier-transformed, averaged over directions.
        """
        longest = max(float(np.hypot(*lag)) for lag in self.lags)
        sill = self.semivariance(longest - 1, longest)
        if sill is None or (self._pairs < FEWEST_PAIRS).any():
            return None
        covariance = sill - self._sum / self._pairs
        distance = np.array([np.hypot(*lag) for lag in self.lags])
        window = (1 + np.cos(np.pi * distance / (longest + 1))) / 2
        angle = np.arange(32) * np.pi / 32
        direction = np.stack([np.sin(angle), np.cos(angle)])
        along = np.array(self.lags) @ direction
        turning = np.cos(2 * np.pi * FREQUENCIES[:, None, None] * along[None]).mean(axis=2)
        # Each lag stands for itself and its opposite.
        return np.asarray(sill + 2 * turning @ (window * covariance))


class GrainPair:
    """Grain inside repaired regions beside that around them.

    Grain is stronger in mid-tones than in black and white, and only large regions have long lags: pooled as they
    are, short and long lags would speak of different places. So every difference is divided by the deviation of the
    grain around its own place, which also keeps a textured corner from outweighing the rest, and lets clips of
    different grain be pooled.
    """

    def __init__(self, max_lag: int = MAX_LAG) -> None:
        self.inside = Variogram(max_lag)
        self.around = Variogram(max_lag)

    def add(self, plane: NDArray[Any], mask: Mask, judged: Mask | None = None) -> None:
        """One plane `(h, w)` and the mask of its repaired regions, compared with the ring around each.

        `judged` limits both to where it is True, for example to flat picture, so that edges do not pass for grain.
        """
        ring = surroundings(mask)
        if judged is not None:
            mask, ring = mask & judged, ring & judged
        if not (mask.any() and ring.any()):
            return
        scale, known = _deviation_around(plane, ring)
        self.inside.add(plane, mask & known, scale)
        self.around.add(plane, ring & known, scale)

    def merge(self, other: GrainPair) -> None:
        """Add what another pair has gathered."""
        self.inside.merge(other.inside)
        self.around.merge(other.around)

    @property
    def variance_ratio(self) -> float | None:
        """Variance of the grain inside over that around, 1 = alike; None when either cannot be told."""
        inside, around = self.inside.variance, self.around.variance
        return None if inside is None or not around else inside / around

    @property
    def spectrum_distance(self) -> float | None:
        """Root mean square difference of the two log-spectra over `FREQUENCIES`, decibels; None as above."""
        return spectrum_distance(self.inside.spectrum(), self.around.spectrum())


def _deviation_around(plane: NDArray[Any], ring: Mask) -> tuple[NDArray[np.float64], Mask]:
    """Deviation of the grain of the ring near every pixel, `(h, w)`, and where enough of the ring is near to tell.

    From squared differences of pixels two apart that both lie in the ring, averaged with a Gaussian.
    """
    values = plane.astype(np.float64)
    energy, weight = np.zeros_like(values), np.zeros_like(values)
    for axis in (0, 1):
        # `roll` would pair opposite edges: those two rows or columns are left out.
        both = ring & np.roll(ring, -2, axis)
        both[(slice(-2, None), slice(None)) if axis == 0 else (slice(None), slice(-2, None))] = False
        energy += np.where(both, (np.roll(values, -2, axis) - values) ** 2 / 2, 0)
        weight += both
    energy, weight = (
        cv2.GaussianBlur(each, (0, 0), NEARBY, borderType=cv2.BORDER_CONSTANT) for each in (energy, weight)
    )
    # Below a twentieth of all the pairs there could be, the deviation is mostly chance.
    known = (weight > 0.1) & (energy > 1e-9 * weight)
    return np.sqrt(np.where(known, energy, 1) / np.where(known, weight, 1)), known


def spectrum_distance(one: NDArray[np.float64] | None, reference: NDArray[np.float64] | None) -> float | None:
    """Root mean square difference of two power spectra in decibels; None when either is missing or has no power."""
    if one is None or reference is None or reference.mean() <= 0:
        return None
    floor = SPECTRUM_FLOOR * reference.mean()
    ratio = np.maximum(one, floor) / np.maximum(reference, floor)
    return float(np.sqrt(np.mean((10 * np.log10(ratio)) ** 2)))


def surroundings(mask: Mask, gap: int = 2, width: int = 6) -> Mask:
    """The ring around the regions of a mask: from beyond `gap` pixels off (their soft edges) to `gap + width`."""
    return np.asarray(grown(mask, gap + width) & ~grown(mask, gap))


def grown(mask: Mask, pixels: float) -> Mask:
    """A mask grown by a disc of a radius in pixels: True within that distance of a True pixel."""
    if pixels <= 0 or not mask.any():
        return mask.copy()
    # Distances come in float32: the slack is far below the step to the next distance on a grid.
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= pixels + 5e-4)


def flat_picture(plane: NDArray[Any], share: float = 0.5, sigma: float = 3.0) -> Mask:
    """Where a clean plane `(h, w)` has the least structure: the `share` of pixels whose blurred gradient is lowest."""
    smooth = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), sigma)
    steep = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(steep <= np.quantile(steep, share))


def fine_energy(plane: NDArray[Any], where: Mask, sigma: float = HIGH_PASS_SIGMA) -> float | None:
    """Mean square of a plane's Gaussian high-pass over `where`, in the square of its unit; None when empty.

    For large regions: the quotient of two results of it says what share of the grain a tool left standing.
    """
    if not where.any():
        return None
    values = plane.astype(np.float64)
    rest = values - cv2.GaussianBlur(values, (0, 0), sigma)
    return float(np.mean(rest[where] ** 2))
