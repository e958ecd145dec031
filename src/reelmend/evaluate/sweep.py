"""Damage maps at every threshold: precision-recall and ROC curves, average precision, area under the curve.

A pixel is found when its probability is at least the threshold. Ties are one step of the curve, and average precision
is the sum over steps of (gain in recall) x (precision there), without interpolation: what scikit-learn's
`average_precision_score` computes. See Davis and Goadrich (ICML 2006) on why lines between the points of a
precision-recall curve would promise too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.evaluate.masks import Counts
from reelmend.film import Mask

LEVELS = 1024
"""Steps to which probabilities are rounded when frames are streamed. 8-bit maps keep every value apart; for finer ones
average precision moves by less than what a step of 0.001 of the threshold does."""

Counted = NDArray[np.int64]
Ratios = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Pixels found at falling thresholds; every array `(n,)` has one entry a threshold."""

    thresholds: Ratios
    """Falling, 0..1."""
    hits: Counted
    false_alarms: Counted
    positives: int
    """Damaged pixels there are."""
    negatives: int
    """Clean pixels there are."""

    def counts(self, index: int) -> Counts:
        """Pixel counts at a threshold."""
        hits, false_alarms = int(self.hits[index]), int(self.false_alarms[index])
        return Counts(hits, false_alarms, self.positives - hits, self.negatives - false_alarms)

    @property
    def precision(self) -> Ratios:
        """Share of the found pixels that are damaged; NaN where a threshold finds nothing."""
        found = self.hits + self.false_alarms
        return np.divide(self.hits, found, out=np.full(found.shape, np.nan), where=found > 0)

    @property
    def recall(self) -> Ratios | None:
        """Share of the damaged pixels found; None when nothing is damaged."""
        return self.hits / self.positives if self.positives else None

    @property
    def false_alarm_rate(self) -> Ratios | None:
        """Share of the clean pixels found; None when nothing is clean."""
        return self.false_alarms / self.negatives if self.negatives else None

    @property
    def average_precision(self) -> float | None:
        """Area under the steps of the precision-recall curve; None when nothing is damaged."""
        return _defined(average_precision(self.hits, self.false_alarms))

    @property
    def roc_area(self) -> float | None:
        """Area under the ROC curve, trapezoids; None when nothing is damaged or nothing is clean."""
        return _defined(roc_area(self.hits, self.false_alarms))

    @property
    def best(self) -> int | None:
        """Index of the threshold with the highest Dice, the highest such threshold; None when nothing is damaged."""
        if not self.positives:
            return None
        return int(np.argmax(2 * self.hits / (self.hits + self.false_alarms + self.positives)))

    def at(self, threshold: float) -> Counts:
        """Pixel counts of the mask `map >= threshold`."""
        index = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        return self.counts(index) if index >= 0 else Counts(0, 0, self.positives, self.negatives)


def exact_curve(scores: NDArray[Any], truth: Mask) -> Curve:
    """The curve with a step at every value that occurs; sorts all pixels, so for what fits into memory.

    `scores` and `truth` (boolean) have one shape, any number of axes. Raises ValueError when they do not fit, or a
    score is not a number.
    """
    _check(scores, truth)
    flat, damaged = scores.ravel(), truth.ravel()
    order = np.argsort(flat, kind="stable")[::-1]
    flat, damaged = flat[order], damaged[order]
    ends = np.append(np.flatnonzero(np.diff(flat)), flat.size - 1) if flat.size else np.zeros(0, np.intp)
    hits = np.cumsum(damaged, dtype=np.int64)[ends]
    positives = int(np.count_nonzero(damaged))
    return Curve(flat[ends].astype(np.float64), hits, ends + 1 - hits, positives, damaged.size - positives)


class Sweep:
    """The curve of any number of frames, streamed: pixels counted by rounded probability, damaged and clean apart."""

    def __init__(self, levels: int = LEVELS) -> None:
        if levels < 2:
            raise ValueError(f"{levels} levels are no sweep; take 2 or more")
        self.levels = levels
        self.damaged = np.zeros(levels, np.int64)
        self.clean = np.zeros(levels, np.int64)

    def add(self, damage: NDArray[Any], truth: Mask) -> tuple[Counted, Counted]:
        """One frame: probabilities 0..1 and the true mask, one shape; its own counts (damaged, clean).

        Raises ValueError when shapes do not fit or a probability is not within 0..1.
        """
        _check(damage, truth)
        if damage.size and not (damage.min() >= 0 and damage.max() <= 1):
            raise ValueError("probabilities lie between 0 and 1")
        codes = np.rint(damage.astype(np.float64) * (self.levels - 1)).astype(np.intp)
        damaged = np.bincount(codes[truth], minlength=self.levels)
        clean = np.bincount(codes.ravel(), minlength=self.levels) - damaged
        self.damaged += damaged
        self.clean += clean
        return damaged, clean

    def merge(self, other: Sweep) -> None:
        """Add what another sweep of the same levels has gathered."""
        if self.levels != other.levels:
            raise ValueError("sweeps of different levels cannot be merged")
        self.damaged += other.damaged
        self.clean += other.clean

    def curve(self) -> Curve:
        """The curve so far, with a threshold at every level that occurs."""
        used = np.flatnonzero(self.damaged + self.clean)[::-1]
        hits, false_alarms = np.cumsum(self.damaged[used]), np.cumsum(self.clean[used])
        positives, negatives = int(self.damaged.sum()), int(self.clean.sum())
        return Curve(used / (self.levels - 1), hits, false_alarms, positives, negatives)


def average_precision(hits: NDArray[Any], false_alarms: NDArray[Any]) -> Ratios:
    """Average precision of curves `(..., n)` at falling thresholds; NaN where nothing is damaged.

    The last entry of a curve counts all pixels.
    """
    if not hits.shape[-1]:
        return np.full(hits.shape[:-1], np.nan)
    found = np.maximum(hits + false_alarms, 1)
    gained = np.diff(hits, axis=-1, prepend=0)
    positives = hits[..., -1]
    area = (gained * (hits / found)).sum(axis=-1)
    return np.divide(area, positives, out=np.full(area.shape, np.nan), where=positives > 0)


def roc_area(hits: NDArray[Any], false_alarms: NDArray[Any]) -> Ratios:
    """Area under ROC curves `(..., n)` at falling thresholds; NaN where nothing is damaged or nothing clean."""
    if not hits.shape[-1]:
        return np.full(hits.shape[:-1], np.nan)
    before = np.concatenate([np.zeros_like(hits[..., :1]), hits[..., :-1]], axis=-1)
    width = np.diff(false_alarms, axis=-1, prepend=0)
    area = (width * (hits + before) / 2).sum(axis=-1)
    whole = hits[..., -1].astype(np.float64) * false_alarms[..., -1]
    return np.divide(area, whole, out=np.full(area.shape, np.nan), where=whole > 0)


def _defined(value: Ratios) -> float | None:
    return None if np.isnan(value) else float(value)


def _check(scores: NDArray[Any], truth: Mask) -> None:
    if truth.dtype != np.bool_:
        raise ValueError(f"the truth is boolean, not {truth.dtype}")
    if scores.shape != truth.shape:
        raise ValueError(f"a damage map of {scores.shape} and a mask of {truth.shape} cannot be compared")
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise ValueError("a damage map holds numbers only, no NaN")
