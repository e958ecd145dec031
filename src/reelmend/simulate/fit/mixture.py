"""A mixture of Gaussians by expectation and maximisation (Dempster, Laird and Rubin, 1977), plain and repeatable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixture:
    """`k` parts over `d` dimensions."""

    weights: Array
    centres: Array
    covariances: Array

    def log_density(self, data: Array) -> Array:
        """Natural logarithm of each part's weighted density at each row of `data` `(n, d)`, `(n, k)`."""
        columns = []
        for weight, centre, covariance in zip(self.weights, self.centres, self.covariances, strict=True):
            root = np.linalg.cholesky(covariance)
            scaled = np.linalg.solve(root, (data - centre).T)
            norm = np.log(np.diag(root)).sum() + 0.5 * data.shape[1] * np.log(2 * np.pi)
            columns.append(np.log(weight) - norm - 0.5 * (scaled**2).sum(axis=0))
        return np.stack(columns, axis=1)


def fit_mixture(data: Array, parts: int, floor: Array, rounds: int = 60, seed: int = 0) -> Mixture:
    """The mixture that `rounds` of EM from random rows of `data` `(n, d)` come to.

    `floor` `(d,)` is added to the variances: no part may shrink onto a single row. The same data give the same
    mixture.
    """
    rng = np.random.default_rng(seed)
    count, width = data.shape
    parts = max(1, min(parts, count // (8 * width)))
    spread = np.cov(data.T) + np.diag(floor)
    mixture = Mixture(
        np.full(parts, 1 / parts),
        data[_far_apart(data / data.std(axis=0).clip(1e-9), parts, rng)],
        np.stack([spread] * parts),
    )
    for _ in range(rounds):
        logs = mixture.log_density(data)
        share = np.exp(logs - logs.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        mass = share.sum(axis=0) + 1e-9
        centres = share.T @ data / mass[:, None]
        covariances = []
        for part in range(parts):
            away = data - centres[part]
            own = (share[:, part, None] * away).T @ away
            # As if `width` more rows with the spread of all data belonged to it: small parts stay sound.
            covariances.append((own + width * 0.05 * spread) / (mass[part] + width * 0.05) + np.diag(floor))
        mixture = Mixture(mass / mass.sum(), centres, np.stack(covariances))
    return mixture


def _far_apart(data: Array, count: int, rng: np.random.Generator) -> list[int]:
    """Rows to begin with, each with the chance of its squared distance to those before (k-means++)."""
    chosen = [int(rng.integers(len(data)))]
    nearest = ((data - data[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(int(rng.choice(len(data), p=nearest / nearest.sum())))
        nearest = np.minimum(nearest, ((data - data[chosen[-1]]) ** 2).sum(axis=1))
    return chosen
