"""Counts for a unit of film, with what scans differ by beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reelmend.simulate.statistics import Count

MOST_DISPERSED = 20.0
"""Upper end of the search; at 20 nineteen of twenty scans would have next to nothing."""


def fit_count(counts: Sequence[int], areas_mm2: Sequence[float]) -> Count:
    """Rate and over-dispersion of counts, one number and one area of film for each scan.

    The rate is the total over the total area. The dispersion `a` is the maximum of the negative binomial likelihood
    (Poisson with a gamma distributed level, variance `m + a m^2`; Cameron and Trivedi, Regression Analysis of Count
    Data, 2013, section 3.3) given that rate, and 0 where Poisson explains the counts as well or there is one scan.
    Raises ValueError for no scans.
    """
    from scipy.optimize import minimize_scalar

    number, area = np.asarray(counts, dtype=np.float64), np.asarray(areas_mm2, dtype=np.float64)
    if not len(number):
        raise ValueError("counts of one scan and more")
    rate = float(number.sum() / area.sum())
    if rate == 0 or len(number) < 2:
        return Count(per_mm2=rate, dispersion=0.0)
    found = minimize_scalar(
        lambda log: -_log_likelihood(number, rate * area, float(np.exp(log))),
        bounds=(np.log(1e-4), np.log(MOST_DISPERSED)),
        method="bounded",
    )
    better = -found.fun > _log_likelihood(number, rate * area, 1e-8)
    return Count(per_mm2=rate, dispersion=float(np.exp(found.x)) if better else 0.0)


def _log_likelihood(number: np.ndarray, mean: np.ndarray, dispersion: float) -> float:
    from scipy.stats import nbinom

    size = 1 / dispersion
    return float(nbinom.logpmf(number, size, size / (size + mean)).sum())
