"""Which samples of a blob's mixture are to be thrown away: a logistic regression of real against sampled traits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.kinds.blob import BlobModel
from reelmend.simulate.kinds.traced import basis, traits

SAMPLES = 8000
"""Drawn from the mixture at most; twice the number of real ones where that is fewer."""

FEWEST = 300
"""Real outlines from which the regression is learnt."""

RIDGE = 50.0
"""Weight of the squared coefficients against the log likelihood: of 203 terms most must stay near nothing."""

ALWAYS = 0.985
"""Share of the mixture's samples below the odds from which all are kept; higher keeps fewer of the rest."""

KNOTS = np.linspace(0.08, 0.92, 6)
"""Ranks of the hinges' places."""

Array = NDArray[np.float64]


def fit_acceptance(real: Array, model: BlobModel, rng: np.random.Generator) -> dict[str, Any] | None:
    """The table of `reelmend.simulate.kinds.blob.Acceptance` for real traits `(n, d)` and a model without one; None
    for fewer than `FEWEST` real ones."""
    if len(real) < FEWEST:
        return None
    wanted = min(SAMPLES, 2 * len(real))
    drawn = (model.draw(rng, float(rng.standard_normal())) for _ in range(10 * wanted))
    found = [traits(corners) for corners, _ in zip((one for one in drawn if len(one)), range(wanted), strict=False)]
    values = np.concatenate([real, np.stack(found)])
    truth = np.repeat([1.0, 0.0], [len(real), len(found)])
    tables = {
        "spread": values.std(axis=0) + 1e-6,
        "low": np.quantile(values, 0.003, axis=0),
        "high": np.quantile(values, 0.997, axis=0),
        "knots": np.quantile(values, KNOTS, axis=0),
    }
    terms = basis(values, **tables)
    centre, scale = terms.mean(axis=0), terms.std(axis=0) + 1e-9
    weights = logistic((terms - centre) / scale, truth)
    odds = ((terms - centre) / scale) @ weights
    tables |= {"centre": centre, "scale": scale, "weights": weights}
    rounded = {
        name: np.vectorize(lambda value: float(f"{value:.6g}"))(table).tolist() for name, table in tables.items()
    }
    return {**rounded, "full": float(np.quantile(odds[len(real) :], ALWAYS))}


def logistic(terms: Array, truth: Array, ridge: float = RIDGE, rounds: int = 12) -> Array:
    """Coefficients `(m,)` of a ridge logistic regression with a free constant, by Newton's method (Hastie, Tibshirani
    and Friedman, The Elements of Statistical Learning, 2009, 4.4.1). `terms` `(n, m)` are centred, `truth` 0 or 1."""
    design = np.column_stack([terms, np.ones(len(terms))])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 1e-6
    found = np.zeros(design.shape[1])
    for _ in range(rounds):
        share = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (truth - share) - penalty * found
        curve = (design * (share * (1 - share))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        found += step
        if np.abs(step).max() < 1e-6:
            break
    return found[:-1]
