"""Reliability against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from reelmend.evaluate.calibration import Reliability


def gathered(seed: int, bins: int = 10, steps: int | None = None) -> tuple[Reliability, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.random((3, 8, 25))
    if steps:
        scores = np.round(scores * steps) / steps
    truth = rng.random(scores.shape) < scores**2
    truth[0, 0, :2] = True, False
    made = Reliability(bins)
    for damage, mask in zip(scores, truth, strict=True):
        made.add(damage, mask)
    return made, scores.ravel(), truth.ravel()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 15), st.sampled_from([None, 10, 40]))
def test_agrees_with_scikit_learn(seed: int, bins: int, steps: int | None) -> None:
    """Steps of a tenth put probabilities onto the edges of bins."""
    made, scores, truth = gathered(seed, bins, steps)
    observed, predicted = calibration_curve(truth, scores, n_bins=bins)
    filled = [each for each in made.bins() if each.pixels]
    np.testing.assert_allclose([each.observed for each in filled], observed)
    np.testing.assert_allclose([each.predicted for each in filled], predicted)
    assert sum(each.pixels for each in filled) == scores.size
    assert made.brier == pytest.approx(brier_score_loss(truth, scores))


def test_expected_error_is_the_weighted_distance_of_the_diagram() -> None:
    made, scores, _ = gathered(1)
    wanted = sum(each.pixels * abs(each.predicted - each.observed) for each in made.bins()) / scores.size
    assert made.expected_error == pytest.approx(wanted)
    assert wanted > 0.1  # the truth was drawn from the square of what is predicted


def test_probabilities_that_mean_what_they_say_have_almost_no_error() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((200, 200))
    made = Reliability()
    made.add(scores, rng.random(scores.shape) < scores)
    assert made.expected_error < 0.02


def test_what_is_not_defined_and_what_is_refused() -> None:
    empty = Reliability(4)
    assert empty.expected_error is None and empty.brier is None
    assert all(each.predicted is None and each.observed is None for each in empty.bins())
    with pytest.raises(ValueError, match="cannot be compared"):
        empty.add(np.zeros((2, 2)), np.zeros((3, 2), bool))
    with pytest.raises(ValueError, match="between 0 and 1"):
        empty.add(np.full((2, 2), -0.1), np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="hold nothing"):
        Reliability(0)
