"""Bootstrap intervals against SciPy and against what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from reelmend.evaluate.bootstrap import Resampling, intervals, quotient, weights


def recall(rows: np.ndarray) -> np.ndarray:
    return quotient(rows[:, 0], rows[:, 0] + rows[:, 1])


def test_agrees_with_scipy() -> None:
    rng = np.random.default_rng(3)
    rows = np.stack([rng.poisson(20, 60), rng.poisson(7, 60)], axis=1)

    def statistic(hits: np.ndarray, misses: np.ndarray, axis: int = -1) -> np.ndarray:
        return hits.sum(axis) / (hits.sum(axis) + misses.sum(axis))

    theirs = bootstrap(
        tuple(rows.T), statistic, paired=True, method="percentile", n_resamples=4000, rng=np.random.default_rng(0)
    ).confidence_interval
    ours = intervals(rows, {"recall": recall}, Resampling(draws=4000))["recall"]
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)
    assert ours.defined == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=4, max_size=30), st.integers(0, 99))
def test_the_interval_holds_the_estimate(rows: list[tuple[int, int]], seed: int) -> None:
    table = np.array(rows)
    found = intervals(table, {"recall": recall}, Resampling(draws=400, seed=seed))["recall"]
    estimate = recall(table.sum(0, keepdims=True))[0]
    if np.isnan(estimate):
        assert found is None
    else:
        assert found.low - 1e-12 <= estimate <= found.high + 1e-12


def test_the_same_seed_draws_the_same() -> None:
    rows = np.random.default_rng(1).integers(0, 50, (20, 2))
    same = [intervals(rows, {"recall": recall}, Resampling(seed=5)) for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != intervals(rows, {"recall": recall}, Resampling(seed=6))


def test_blocks_are_stretches_of_neighbours() -> None:
    drawn = np.concatenate(list(weights(12, Resampling(draws=50, block=4))))
    assert drawn.shape == (50, 12)
    assert (drawn.sum(1) == 12).all()
    for row in drawn:
        # Three stretches of four: around the film, the count changes at six places at most.
        assert np.count_nonzero(np.diff(np.append(row, row[0]))) <= 6


def test_frames_that_look_alike_need_blocks() -> None:
    """Ten scenes of ten like frames: frame by frame, the interval is about three times too narrow."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.integers(0, 100, (10, 1)), 10, axis=0)
    rows = np.hstack([rows, 100 - rows])
    single, block = (intervals(rows, {"recall": recall}, Resampling(block=n))["recall"] for n in (1, 10))
    assert block.high - block.low > 2 * (single.high - single.low)


def test_too_few_units_have_no_interval() -> None:
    assert intervals([[3, 4]], {"recall": recall}) == {"recall": None}
    assert intervals(np.ones((7, 2)), {"recall": recall}, Resampling(block=4)) == {"recall": None}


def test_draws_without_a_figure_are_left_out_and_told() -> None:
    found = intervals([[1, 1], [0, 0]], {"recall": recall}, Resampling(draws=2000))["recall"]
    assert (found.low, found.high) == (0.5, 0.5)
    assert found.defined == pytest.approx(0.75, abs=0.04)


def test_infinite_figures_do_not_spoil_the_others() -> None:
    rows = np.array([[0.0, 10.0]] * 3 + [[4.0, 10.0]])

    def psnr(pooled: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return -10 * np.log10(pooled[:, 0] / pooled[:, 1])

    found = intervals(rows, {"psnr": psnr}, Resampling(draws=500))["psnr"]
    assert np.isfinite(found.low)
    assert found.high == np.inf


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="rows and columns"):
        intervals(np.ones(4), {"recall": recall})
    with pytest.raises(ValueError, match="1 or more"):
        Resampling(draws=0)
