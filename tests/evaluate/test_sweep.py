"""Threshold sweeps against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from reelmend.evaluate.masks import count
from reelmend.evaluate.sweep import LEVELS, Sweep, exact_curve


def scored(seed: int, size: int = 400, steps: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that know something of the truth, in `steps` values where given (many ties)."""
    rng = np.random.default_rng(seed)
    truth = rng.random(size) < rng.uniform(0.02, 0.6)
    truth[0], truth[1] = True, False
    scores = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0, 1)
    return (np.round(scores * steps) / steps if steps else scores), truth


cases = st.tuples(st.integers(0, 2**16), st.sampled_from([None, 3, 20, 255]))


@settings(max_examples=40, deadline=None)
@given(cases)
def test_average_precision_and_area_agree_with_scikit_learn(case: tuple[int, int | None]) -> None:
    scores, truth = scored(case[0], steps=case[1])
    curve = exact_curve(scores, truth)
    assert curve.average_precision == pytest.approx(average_precision_score(truth, scores))
    assert curve.roc_area == pytest.approx(roc_auc_score(truth, scores))


@settings(max_examples=20, deadline=None)
@given(cases)
def test_curves_agree_with_scikit_learn(case: tuple[int, int | None]) -> None:
    scores, truth = scored(case[0], steps=case[1])
    curve = exact_curve(scores, truth)
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    np.testing.assert_allclose(curve.thresholds, thresholds[::-1])
    np.testing.assert_allclose(curve.precision, precision[:-1][::-1])
    np.testing.assert_allclose(curve.recall, recall[:-1][::-1])
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_alarm_rate, false[1:])
    np.testing.assert_allclose(curve.recall, true[1:])


@settings(max_examples=30, deadline=None)
@given(cases)
def test_recall_and_false_alarms_only_rise_along_the_sweep(case: tuple[int, int | None]) -> None:
    curve = exact_curve(*scored(case[0], steps=case[1]))
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.recall) >= 0).all()
    assert (np.diff(curve.false_alarm_rate) >= 0).all()
    assert curve.recall[-1] == curve.false_alarm_rate[-1] == 1


@settings(max_examples=20, deadline=None)
@given(cases, st.floats(0, 1))
def test_counts_of_a_threshold_are_those_of_its_mask(case: tuple[int, int | None], threshold: float) -> None:
    scores, truth = scored(case[0], steps=case[1])
    assert exact_curve(scores, truth).at(threshold) == count(scores >= threshold, truth)


@settings(max_examples=20, deadline=None)
@given(cases)
def test_the_best_threshold_has_the_highest_dice(case: tuple[int, int | None]) -> None:
    scores, truth = scored(case[0], steps=case[1])
    curve = exact_curve(scores, truth)
    dice = [count(scores >= threshold, truth).dice for threshold in curve.thresholds]
    assert curve.best == int(np.argmax(dice))
    assert curve.counts(curve.best).dice == pytest.approx(max(dice))


def test_streaming_codes_of_eight_bits_is_exact() -> None:
    sweep, gathered = Sweep(), []
    for seed in range(3):
        scores, truth = (each.reshape(20, 20) for each in scored(seed, steps=255))
        sweep.add(scores.astype(np.float32), truth)
        gathered.append((scores, truth))
    whole = exact_curve(np.concatenate([s for s, _ in gathered]), np.concatenate([t for _, t in gathered]))
    curve = sweep.curve()
    np.testing.assert_array_equal(curve.hits, whole.hits)
    np.testing.assert_array_equal(curve.false_alarms, whole.false_alarms)
    np.testing.assert_allclose(curve.thresholds, whole.thresholds, atol=0.5 / (LEVELS - 1))
    assert curve.average_precision == whole.average_precision


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16))
def test_streaming_continuous_probabilities_is_near_exact(seed: int) -> None:
    scores, truth = scored(seed, 5000)
    sweep = Sweep()
    sweep.add(scores, truth)
    assert sweep.curve().average_precision == pytest.approx(average_precision_score(truth, scores), abs=0.01)
    assert sweep.curve().roc_area == pytest.approx(roc_auc_score(truth, scores), abs=0.001)


def test_sweeps_merge_into_what_one_would_have_gathered() -> None:
    whole, parts = Sweep(), [Sweep(), Sweep()]
    for seed, part in enumerate(parts):
        scores, truth = scored(seed)
        whole.add(scores, truth)
        part.add(scores, truth)
    parts[0].merge(parts[1])
    np.testing.assert_array_equal(parts[0].damaged, whole.damaged)
    np.testing.assert_array_equal(parts[0].clean, whole.clean)
    with pytest.raises(ValueError, match="different levels"):
        parts[0].merge(Sweep(16))


def test_worked_values() -> None:
    """Four pixels ranked damaged, clean, damaged, clean: precision 1 at recall 1/2, 2/3 at recall 1."""
    curve = exact_curve(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    assert curve.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert curve.roc_area == pytest.approx(3 / 4)


def test_what_is_not_defined_stays_so() -> None:
    scores = np.array([0.2, 0.7])
    clean = exact_curve(scores, np.zeros(2, bool))
    assert clean.average_precision is clean.recall is clean.roc_area is clean.best is None
    damaged = exact_curve(scores, np.ones(2, bool))
    assert damaged.average_precision == 1
    assert damaged.roc_area is None and damaged.false_alarm_rate is None
    nothing = Sweep().curve()
    assert nothing.average_precision is nothing.roc_area is nothing.best is None


def test_what_does_not_fit_is_refused() -> None:
    truth = np.zeros((2, 2), bool)
    with pytest.raises(ValueError, match="cannot be compared"):
        exact_curve(np.zeros((3, 2)), truth)
    with pytest.raises(ValueError, match="no NaN"):
        exact_curve(np.full((2, 2), np.nan), truth)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Sweep().add(np.full((2, 2), 1.5), truth)
    with pytest.raises(ValueError, match="boolean"):
        Sweep().add(np.zeros((2, 2)), np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="no sweep"):
        Sweep(1)
