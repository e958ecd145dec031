"""Classifier two-sample test: can a classifier tell real shapes from simulated ones?

D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017. An accuracy of one half means that it
cannot. Folds keep the shapes of whole scans, and those simulated for them, out of training; a second run with folds
drawn at random shows what a classifier tells that has seen shapes of the same scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.check.crops import WINDOWS, crop, describe, gradients
from reelmend.simulate.outlines import Outline

Features = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What one classifier reached on shapes it was not trained on."""

    classifier: str
    """`trees on shape` or `vectors on picture`."""
    value: float
    """Share told right, 0..1; real and simulated are equally many."""
    low: float
    """Lower end of the 95 % interval (Wilson)."""
    high: float
    count: int
    """Shapes judged, real and simulated together."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The classifier test of one kind of damage."""

    best: Accuracy
    """Of the classifier that tells best on scans it never saw; a little too high, as it is the better of two."""
    all: tuple[Accuracy, ...]
    """Folds by scan."""
    at_random: tuple[Accuracy, ...]
    """The same classifiers, folds at random."""
    score: NDArray[np.float64]
    """How real the best classifier takes each judged shape for, 0..1: the real ones, then the simulated ones."""


MOST = 2000
"""Real shapes, and simulated ones, of a kind that are judged: an accuracy of these is known to 1.5 %."""


def judge(
    kind: str, real: Sequence[Outline], simulated: Sequence[Outline], scans: Sequence[str], seed: int = 0
) -> Judgement:
    """Trains and tests two classifiers, with folds by scan and with folds at random.

    `scans[i]` names the scan of `real[i]` and the scan whose place `simulated[i]` takes; the three are equally long.
    Raises ValueError when they are not, or when there are fewer than two scans.
    """
    if not len(real) == len(simulated) == len(scans):
        raise ValueError("real and simulated shapes are compared in equal numbers, with a scan for each")
    if len(set(scans)) < 2:
        raise ValueError("a classifier needs shapes of two scans at least, one to be tested on")
    if len(real) > MOST:
        # The same places of both: a real shape and the one simulated for its scan.
        kept = np.sort(np.random.default_rng(seed).permutation(len(real))[:MOST])
        real, simulated, scans = ([sequence[index] for index in kept] for sequence in (real, simulated, scans))
    shapes = [*real, *simulated]
    truth = np.repeat([1, 0], len(real))
    folds = fold_numbers([*scans, *scans])
    window = WINDOWS[kind]
    features: Mapping[str, Features] = {
        "trees on shape": np.stack([describe(shape) for shape in shapes]),
        "vectors on picture": np.stack([gradients(crop(shape, window)) for shape in shapes]),
    }
    scores = {name: _scores(name, table, truth, folds, seed) for name, table in features.items()}
    found = [_accuracy(name, score, truth) for name, score in scores.items()]
    best = max(found, key=lambda accuracy: accuracy.value)
    mixed = np.random.default_rng(seed).permutation(len(shapes)) % FOLDS
    mixed_scores = {name: _scores(name, table, truth, mixed, seed) for name, table in features.items()}
    at_random = tuple(_accuracy(name, score, truth) for name, score in mixed_scores.items())
    return Judgement(best, tuple(found), at_random, scores[best.classifier])


FOLDS = 5
"""At most; fewer where there are fewer scans."""


def fold_numbers(scans: Sequence[str], most: int = FOLDS) -> NDArray[np.int64]:
    """A fold for each shape, so that a scan is in one fold and the folds are about equally full, `(n,)`."""
    names, counts = np.unique(np.asarray(scans), return_counts=True)
    full = np.zeros(min(most, len(names)))
    fold_of = {}
    for index in np.argsort(-counts, kind="stable"):
        fold = int(np.argmin(full))
        fold_of[str(names[index])] = fold
        full[fold] += counts[index]
    return np.array([fold_of[name] for name in scans], dtype=np.int64)


def _scores(
    name: str, table: Features, truth: NDArray[np.int64], folds: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    score = np.zeros(len(truth))
    for fold in np.unique(folds):
        test = folds == fold
        model = _classifier(name, int((~test).sum()), seed)
        model.fit(table[~test], truth[~test])
        if hasattr(model, "predict_proba"):
            score[test] = model.predict_proba(table[test])[:, 1]
        else:
            score[test] = 1 / (1 + np.exp(-model.decision_function(table[test])))
    return score


def _classifier(name: str, count: int, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if name == "vectors on picture":
        return make_pipeline(StandardScaler(), SVC())
    if count < 400:
        return ExtraTreesClassifier(400, min_samples_leaf=2, random_state=seed)
    return HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.06, max_leaf_nodes=15, l2_regularization=1.0, random_state=seed
    )


def _accuracy(name: str, score: NDArray[np.float64], truth: NDArray[np.int64]) -> Accuracy:
    right = int(((score > 0.5) == (truth == 1)).sum())
    low, high = wilson(right, len(truth))
    return Accuracy(name, right / len(truth), low, high, len(truth))


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, J. American Statistical Association 22, 1927)."""
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return float(middle - half), float(middle + half)
