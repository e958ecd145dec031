"""How damage clusters on film: a Thomas process fitted by the neighbours that chance does not explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.outlines import SCAN_SIZE
from reelmend.simulate.space import sample_process
from reelmend.simulate.statistics import Space

RADII = np.array([100, 200, 300, 450, 600, 800, 1200, 1600, 2400, 3200, 4800], dtype=np.float64)
"""Micrometres; the largest is a fifth of a scan's height, beyond which few pairs are seen whole."""

SPREADS = np.geomspace(50, 4000, 60)
"""Radii of clusters that are tried, micrometres."""

SHARES = (0.15, 0.25, 0.4, 0.6, 0.8, 1.0)
"""Shares of points in clusters that are tried."""

CLEAR = 10.0
"""How much better than evenly strewn points the clusters must explain the neighbours, chi-square of two numbers:
by chance once in 150 fits."""

Array = NDArray[np.float64]


def fit_space(places: Sequence[Array], size: tuple[float, float] = SCAN_SIZE) -> Space:
    """The process behind the points of several scans, each `(n, 2)` micrometres within `size`.

    Each point of a Thomas process has on average `c m (1 - exp(-r^2 / 4 s^2))` more neighbours within r than chance
    gives (share c in clusters of m members and radius s), whatever the scan's own rate. The product `c m` and `s`
    come from least squares on that curve, pooled over scans (minimum contrast, Diggle 2013, Statistical Analysis of
    Spatial and Spatio-Temporal Point Patterns, 6.1), `c` from distances to the nearest neighbour.
    """
    scans = [points for points in places if len(points) >= 2]
    even = Space(clustered=0.0, members=0.0, radius=0.0)
    if sum(len(points) for points in scans) < 30:
        return even
    excess, spread = _excess(scans, size)
    best, product, radius = 0.0, 0.0, 0.0
    for candidate in SPREADS:
        curve = (1 - np.exp(-(RADII**2) / (4 * candidate**2))) / spread
        scaled = excess / spread
        height = max(float(curve @ scaled / (curve @ curve)), 0.0)
        gain = float((scaled**2).sum() - ((scaled - height * curve) ** 2).sum())
        if gain > best:
            best, product, radius = gain, height, float(candidate)
    if best < CLEAR:
        return even
    tried = [Space(clustered=share, members=product / share, radius=radius) for share in SHARES]
    return min(tried, key=lambda space: _nearest_misfit(scans, space, size))


def _excess(scans: Sequence[Array], size: tuple[float, float]) -> tuple[Array, Array]:
    """Neighbours of a point within `RADII` beyond those of evenly strewn points, and what chance makes of it."""
    extra, chance, number = np.zeros(len(RADII)), np.zeros(len(RADII)), 0
    for points in scans:
        away = np.abs(points[:, None] - points[None])
        distance = np.hypot(away[..., 0], away[..., 1])
        np.fill_diagonal(distance, np.inf)
        near = distance <= RADII[-1]
        # Pairs near the edge stand for those whose partner lies outside (translation correction, Ohser 1983).
        weight = 1 / ((1 - away[..., 0][near] / size[0]) * (1 - away[..., 1][near] / size[1]))
        order = np.argsort(distance[near])
        total = np.concatenate([[0.0], np.cumsum(weight[order])])
        pairs = total[np.searchsorted(distance[near][order], RADII, side="right")]
        even = len(points) * (len(points) - 1) * np.pi * RADII**2 / (size[0] * size[1])
        extra += pairs - even
        chance += 2 * even
        number += len(points)
    return extra / number, np.sqrt(chance + 1) / number


def nearest_distances(points: Array) -> Array:
    """Distance of each point `(n, 2)` to its nearest neighbour, `(n,)`; empty for fewer than two."""
    from scipy.spatial import cKDTree

    if len(points) < 2:
        return np.zeros(0)
    return np.asarray(cKDTree(points).query(points, k=2)[0][:, 1])


def _nearest_misfit(scans: Sequence[Array], space: Space, size: tuple[float, float], copies: int = 6) -> float:
    """Largest difference between the distributions of nearest distances, in units of each scan's mean spacing."""
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    real, ours = [], []
    for points in scans:
        rate = len(points) / (size[0] * size[1])
        real.append(nearest_distances(points) * np.sqrt(rate))
        for _ in range(copies):
            ours.append(nearest_distances(sample_process(rng, space, rate, *size)) * np.sqrt(rate))
    return float(ks_2samp(np.concatenate(real), np.concatenate(ours)).statistic)
