from __future__ import annotations

import numpy as np
import pytest

from reelmend.simulate.grain import Grain, add_grain, grain_of, noise, response


def test_noise_is_standard_and_correlated_as_told() -> None:
    pattern = noise(np.random.default_rng(0), (300, 400, 3), Grain(0.02, 0.6, 0.4))
    assert pattern.std() == pytest.approx(1, abs=0.01)
    assert pattern.mean() == pytest.approx(0, abs=0.02)
    channels = np.corrcoef(pattern.reshape(-1, 3).T)
    np.testing.assert_allclose(channels[np.triu_indices(3, 1)], 0.4, atol=0.02)


@pytest.mark.parametrize("size", [0.5, 0.8, 1.5])
def test_neighbours_correlate_by_the_size(size: float) -> None:
    pattern = noise(np.random.default_rng(1), (400, 500), Grain(0.02, size))
    taps = np.exp(-0.5 * (np.arange(-8, 9) / size) ** 2)
    wanted = (taps[1:] * taps[:-1]).sum() / (taps**2).sum()
    assert np.corrcoef(pattern[:, 1:].ravel(), pattern[:, :-1].ravel())[0, 1] == pytest.approx(wanted, abs=0.02)


def test_grain_peaks_in_the_mid_tones() -> None:
    assert response(np.float32([0, 0.5, 1])).tolist() == pytest.approx([0.25, 1, 0.25])
    grain = Grain(0.03, 0.5)
    spread = [
        add_grain(np.full((200, 200), level, np.float32), grain, np.random.default_rng(2)).std()
        for level in (0.1, 0.5, 0.9)
    ]
    assert spread[1] == pytest.approx(0.03, rel=0.03)
    assert spread[0] < 0.6 * spread[1] > spread[2]


def test_grain_stays_in_range_and_repeats() -> None:
    picture = np.random.default_rng(3).uniform(0, 1, (50, 60, 3)).astype(np.float32)
    first, second = (add_grain(picture, Grain(0.2), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1


def test_smaller_gauges_and_faster_stock_are_grainier() -> None:
    strengths = [grain_of(gauge, 640).strength for gauge in ("35mm", "16mm", "super8")]
    assert strengths == sorted(strengths)
    assert [round(255 * strength, 1) for strength in strengths] == [3.6, 6.4, 7.6]
    assert grain_of("16mm", 640, granularity=15).strength > grain_of("16mm", 640, granularity=5).strength
    assert grain_of("super8", 1920).size > grain_of("super8", 640).size


def test_selwyns_law_where_grain_is_fine() -> None:
    """Twice the pixel, half the deviation, as long as a pixel is much larger than a clump."""
    assert grain_of("35mm", 100).strength == pytest.approx(2 * grain_of("35mm", 50).strength, rel=0.01)
