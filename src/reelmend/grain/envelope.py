"""Strength of grain by brightness: the lower envelope of what blocks hold, since texture only ever adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LOW = 0.1
"""The quantile of each brightness group that its grain is read from: right if a few in a hundred blocks are flat."""
LOW_DEVIATE = -1.2816
"""The standard normal deviate of `LOW`."""

GROUP_PIECES = 48
"""Pieces that make one point of the curve: its low quantile then rests on five."""

GROUPS = 8
"""Points of the curve at most."""

SLACK = 1.0
"""Doublings over the whole scale that the variance of grain may depart from what `film_response` allows."""


def film_response(tone: NDArray[Any]) -> NDArray[Any]:
    """Standard deviation of film grain by brightness 0..1 at its most uneven: a quarter in black and white, full in
    the mid-tones. In black the print is too dense to show it, in white the highlights hold few developed grains."""
    share = np.clip(tone, 0, 1)
    return np.asarray(0.25 + 3 * share * (1 - share))


def gamma_quantile(deviate: float, spread: float) -> float:
    """Quantile of the variance of a piece of pure grain whose mean is 1 and whose standard deviation is `spread`.

    Variances of Gaussian samples follow a gamma distribution; E. B. Wilson and M. M. Hilferty, "The distribution of
    chi-square", PNAS 1931.
    """
    share = spread**2 / 9
    return float(max(1 - share + deviate * np.sqrt(share), 0.05) ** 3)


def quantile(values: NDArray[np.floating], share: float) -> float:
    """Quantile of values; numpy's own takes ten times as long on a few dozen."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


@dataclass(frozen=True, slots=True)
class Envelope:
    """High-pass variance of grain by brightness."""

    points: Floats
    """Brightness, code values, ascending."""
    variance: Floats
    """Of the high-pass residual, code values squared."""


def envelope(
    level: Floats, variance: Floats, spread: float, scale: tuple[float, float] | None, tiny: float
) -> Envelope:
    """The high-pass variance that grain explains at each brightness.

    `level`, `variance` `(n,)`: brightness and high-pass variance of small pieces of the picture; `spread`: relative
    standard deviation of the variance of a piece that holds nothing but grain; `scale`: code values of black and
    white, None for floating point; `tiny`: variance below which there is none. A group of pieces is read at a low
    quantile, put back to the middle by what that quantile of pure grain would be. A second pass works on ratios to
    the first, or the slope of the curve inside a group would pass for scatter. Where all of a group is textured, what
    groups of other brightness show bounds it.
    """
    order = np.argsort(level, kind="stable")
    groups = np.array_split(order, max(1, min(GROUPS, len(order) // GROUP_PIECES)))
    points = np.array([np.median(level[group]) for group in groups], np.float32)
    points, unique = np.unique(points, return_index=True)
    groups = [groups[index] for index in unique]
    low = gamma_quantile(LOW_DEVIATE, spread)
    found = np.array([quantile(variance[group], LOW) for group in groups]) / low
    if len(groups) > 1 and found.min() > 0:
        ratio = variance / np.interp(level, points, found)
        found = found * np.array([quantile(ratio[group], LOW) for group in groups]) / low
        padded = np.pad(found, 1, mode="edge")
        found = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return Envelope(points, _bounded(points, found, scale, tiny).astype(np.float32))


def _bounded(
    points: Floats, found: NDArray[np.float64], scale: tuple[float, float] | None, tiny: float
) -> NDArray[np.float64]:
    """Variances no higher than grain can be by what is found at other brightness."""
    black, white = scale if scale else (0.0, 1.0)
    tone = (points.astype(np.float64) - black) / (white - black)
    near = np.clip(tone, 0, 1)
    response = film_response(near)
    allowed = np.maximum(response[:, None] / response, 1) ** 2 * 2 ** (SLACK * np.abs(near[:, None] - near))
    if scale:
        # In black and white grain is clipped.
        source = (found > tiny) & (tone > 0) & (tone < 1)
    else:
        # Linear light has no white, and its grain may grow in proportion to it.
        light = np.maximum(tone, 1e-6 * max(float(np.abs(tone).max()), 1e-12))
        allowed = np.maximum(allowed, (light[:, None] / light) ** 2)
        source = found > tiny
    if not source.any():
        return found
    bounded: NDArray[np.float64] = np.minimum(found, (found[source] * allowed[:, source]).min(axis=1))
    return bounded
