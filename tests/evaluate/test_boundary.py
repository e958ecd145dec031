"""The boundary F-score against worked values and a count pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

from reelmend.evaluate.boundary import BoundaryCounts, boundary, boundary_counts

masks = arrays(bool, (9, 12))


def square(top: int, left: int, side: int = 6, shape: tuple[int, int] = (20, 24)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def slow_counts(found: np.ndarray, truth: np.ndarray, tolerance: float) -> BoundaryCounts:
    """Distances between all pairs of boundary pixels, boundaries by SciPy's erosion."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    edges = [np.argwhere(m & ~binary_erosion(m, cross, border_value=1)) for m in (found, truth)]
    if not all(len(each) for each in edges):
        return BoundaryCounts(0, len(edges[0]), 0, len(edges[1]))
    near = cdist(*edges) <= tolerance
    return BoundaryCounts(int(near.any(1).sum()), len(edges[0]), int(near.any(0).sum()), len(edges[1]))


@settings(max_examples=60, deadline=None)
@given(masks, masks, st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0]))
def test_agrees_with_all_pairs(found: np.ndarray, truth: np.ndarray, tolerance: float) -> None:
    assert boundary_counts(found, truth, tolerance) == slow_counts(found, truth, tolerance)


@settings(max_examples=30, deadline=None)
@given(masks, masks)
def test_swapping_the_masks_swaps_precision_and_recall_and_keeps_f(one: np.ndarray, other: np.ndarray) -> None:
    ab, ba = boundary_counts(one, other), boundary_counts(other, one)
    assert (ab.precision, ab.recall) == (ba.recall, ba.precision)
    assert ab.f_score == pytest.approx(ba.f_score)


@settings(max_examples=30, deadline=None)
@given(masks, masks)
def test_a_wider_tolerance_never_lowers_it(one: np.ndarray, other: np.ndarray) -> None:
    scores = [boundary_counts(one, other, tolerance).f_score for tolerance in (0, 1, 2, 5)]
    if scores[0] is not None:
        assert scores == sorted(scores)


def test_a_shift_within_the_tolerance_is_as_good_as_exact() -> None:
    truth = square(5, 5)
    assert boundary_counts(truth, truth, 0).f_score == 1
    assert boundary_counts(square(5, 7), truth, 2).f_score == 1
    assert boundary_counts(square(5, 7), truth, 1).f_score < 1
    assert boundary_counts(square(12, 16), truth, 2).f_score == 0


def test_worked_value() -> None:
    """One found pixel on a true row of five: two neighbours and itself are near at a tolerance of one."""
    truth = np.zeros((5, 9), bool)
    truth[2, 2:7] = True
    found = np.zeros_like(truth)
    found[2, 4] = True
    counts = boundary_counts(found, truth, 1)
    assert (counts.precision, counts.recall) == (1, 3 / 5)
    assert counts.f_score == pytest.approx(2 * 0.6 / 1.6)


def test_empty_masks() -> None:
    truth, empty = square(5, 5), np.zeros((20, 24), bool)
    assert boundary_counts(empty, truth).figures() == {"precision": None, "recall": 0, "f_score": 0}
    assert boundary_counts(truth, empty).figures() == {"precision": 0, "recall": None, "f_score": 0}
    assert boundary_counts(empty, empty).figures() == {"precision": None, "recall": None, "f_score": None}


def test_the_edge_of_the_frame_is_no_boundary() -> None:
    assert not boundary(np.ones((6, 7), bool)).any()
    left = np.zeros((6, 7), bool)
    left[:, :3] = True
    np.testing.assert_array_equal(np.argwhere(boundary(left))[:, 1], [2] * 6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        boundary_counts(square(1, 1), square(1, 1), -1)
    with pytest.raises(ValueError, match="cannot be compared"):
        boundary_counts(square(1, 1), square(1, 1, shape=(9, 9)))
    with pytest.raises(ValueError, match="boolean"):
        boundary(np.zeros((3, 3), np.uint8))
