"""How far a figure would move had other frames been measured: bootstrap intervals, seeded.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13: frames (or clips) are drawn with
replacement, the pooled figure is computed of each draw, and the interval lies between percentiles of the draws.
Neighbouring frames look alike, which makes frame-wise intervals too narrow; drawing stretches of consecutive frames
(Künsch 1989; circular, Politis and Romano 1992) keeps that likeness within a draw.

An interval speaks of other frames like these. It knows nothing of other films.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
CONFIDENCE = 0.95

_AT_ONCE = 2**22
"""Numbers of pooled rows held at a time, 32 MB."""

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Pooled rows `(draws, columns)` in, a figure a draw `(draws,)` out, NaN where it is not defined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies, by percentiles of the draws."""

    low: float
    high: float
    defined: float
    """Share of the draws in which the figure was defined; an interval of few draws says little."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How to draw."""

    draws: int = DRAWS
    seed: int = 0
    block: int = 1
    """Consecutive units drawn together."""
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if self.draws < 1 or self.block < 1 or not 0 < self.confidence < 1:
            raise ValueError("draws and block are 1 or more, confidence lies between 0 and 1")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"draws": self.draws, "seed": self.seed, "block": self.block, "confidence": self.confidence}


def weights(units: int, how: Resampling) -> Iterator[NDArray[np.float64]]:
    """How often each unit occurs in each draw, some draws at a time: `(draws, units)`, rows sum to `units`."""
    rng = np.random.default_rng(how.seed)
    block = min(how.block, units)
    stretches = -(-units // block)
    step = max(1, min(how.draws, _AT_ONCE // max(units, 1)))
    for first in range(0, how.draws, step):
        rows = min(step, how.draws - first)
        starts = rng.integers(0, units, (rows, stretches))
        # The last stretch is cut where the draw is as long as the film.
        drawn = ((starts[..., None] + np.arange(block)) % units).reshape(rows, -1)[:, :units]
        flat = (drawn + units * np.arange(rows)[:, None]).ravel()
        yield np.bincount(flat, minlength=rows * units).reshape(rows, units).astype(np.float64)


def intervals(
    rows: NDArray[Any] | Sequence[Sequence[float]], statistics: dict[str, Statistic], how: Resampling | None = None
) -> dict[str, Interval | None]:
    """Intervals of figures that are functions of sums over units.

    `rows` is `(units, columns)`, what each frame or clip adds: counts of pixels, squared errors. Every statistic
    gets the columns summed over the units of each draw. None where fewer than two blocks of units can be drawn, or
    the figure is defined in no draw. The same seed draws the same units, whatever the statistics.
    """
    how = how or Resampling()
    table = np.asarray(rows, np.float64)
    if table.ndim != 2:
        raise ValueError(f"rows and columns are needed, not an array of shape {table.shape}")
    units = table.shape[0]
    if units < 2 * how.block:
        return dict.fromkeys(statistics)
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in statistics}
    step = max(1, _AT_ONCE // max(1, table.shape[1]))
    for some in weights(units, how):
        for first in range(0, len(some), step):
            pooled = some[first : first + step] @ table
            for name, statistic in statistics.items():
                values[name].append(statistic(pooled))
    return {name: _interval(np.concatenate(each), how) for name, each in values.items()}


def _interval(values: NDArray[np.float64], how: Resampling) -> Interval | None:
    defined = values[~np.isnan(values)]
    if not defined.size:
        return None
    tail = (1 - how.confidence) / 2
    # No interpolation between draws: infinite figures (PSNR of identical pictures) have no value between them.
    low, high = np.quantile(defined, [tail, 1 - tail], method="nearest")
    return Interval(float(low), float(high), defined.size / values.size)


def quotient(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """`part / whole`, NaN where the whole is 0: what a statistic of counts needs."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
