from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.simulate.space import sample_places, sample_process, sample_reel_factor
from reelmend.simulate.statistics import Count, KindStatistics, Space, Statistics

CLUSTERED = Space(clustered=0.7, members=8.0, radius=600.0)


def statistics(dispersion: float = 0.5, space: Space = CLUSTERED) -> Statistics:
    kind = KindStatistics(count=Count(per_mm2=2.0, dispersion=dispersion), space=space, shape={})
    return Statistics(scans=["one"], film_mm2=1.0, kinds={"dust": kind})


@pytest.mark.parametrize("size", [(500.0, 500.0), (2000.0, 1500.0), (10_000.0, 7_000.0)])
def test_the_number_follows_the_area_even_below_a_cluster(size: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    rounds = int(max(4e8 / (size[0] * size[1]), 40))
    rounds = min(rounds, 4000)
    counts = [len(sample_places(rng, statistics(), "dust", *size, times=1.5)) for _ in range(rounds)]
    expected = 2.0 * 1.5 * size[0] * size[1] / 1e6
    error = np.std(counts) / np.sqrt(rounds)
    assert abs(np.mean(counts) - expected) < 4 * error


def test_dirtier_reels_have_more_clusters_not_larger_ones() -> None:
    rng = np.random.default_rng(1)
    calm, dirty = (
        [len(sample_places(rng, statistics(), "dust", 8000, 8000, reel_factor=factor)) for _ in range(300)]
        for factor in (0.5, 2.0)
    )
    assert np.mean(dirty) / np.mean(calm) == pytest.approx(4, rel=0.1)
    # A sum of four times as many clusters: its variance grows four times, not sixteen.
    assert np.var(dirty) / np.var(calm) == pytest.approx(4, rel=0.5)


def test_reels_differ_as_the_fit_says() -> None:
    rng = np.random.default_rng(2)
    factors = np.array([sample_reel_factor(rng, statistics(0.5), "dust") for _ in range(6000)])
    assert factors.mean() == pytest.approx(1, abs=0.04)
    assert factors.var() == pytest.approx(0.5, rel=0.12)
    assert sample_reel_factor(rng, statistics(0.0), "dust") == 1


def test_windows_cut_from_a_field_see_no_edge() -> None:
    """Members of clusters outside reach in: the rim of the window is as full as its middle."""
    rng = np.random.default_rng(3)
    points = np.concatenate([sample_process(rng, CLUSTERED, 2e-5, 3000, 3000) for _ in range(150)])
    rim = np.any((points < 300) | (points > 2700), axis=1).mean()
    assert rim == pytest.approx(1 - 0.8**2, abs=0.03)


def test_an_unknown_kind_has_no_places() -> None:
    with pytest.raises(KeyError):
        sample_places(np.random.default_rng(0), statistics(), "coffee", 100, 100)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), width=st.floats(0, 5000), height=st.floats(0, 5000), times=st.floats(0, 3))
def test_places_lie_in_the_frame_and_repeat(seed: int, width: float, height: float, times: float) -> None:
    first, again = (
        sample_places(np.random.default_rng(seed), statistics(), "dust", width, height, times) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == (len(first), 2)
    assert np.all(first >= 0)
    assert np.all(first <= (width, height))
    assert times > 0 or len(first) == 0
