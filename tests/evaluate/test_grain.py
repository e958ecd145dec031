"""Grain measures on noise whose variance and spectrum are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.special import j0

from reelmend.evaluate.grain import (
    FREQUENCIES,
    GrainPair,
    Variogram,
    fine_energy,
    flat_picture,
    grown,
    spectrum_distance,
    surroundings,
)

SHAPE = (240, 320)


def field(seed: int, sigma: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(SHAPE)
    if sigma:
        noise = gaussian_filter(noise, sigma)
    return noise / noise.std()


def specks(seed: int, number: int = 120) -> np.ndarray:
    """Small ragged regions of about 20 to 60 pixels."""
    rng = np.random.default_rng(seed)
    seeds = np.zeros(SHAPE, bool)
    seeds[rng.integers(0, SHAPE[0], number), rng.integers(0, SHAPE[1], number)] = True
    return gaussian_filter(seeds.astype(float), 1.8) + 0.01 * rng.uniform(size=SHAPE) > 0.02


def test_variance_of_white_noise_in_specks() -> None:
    gathered = Variogram()
    gathered.add(7 * field(0) + 100, specks(1))
    assert gathered.variance == pytest.approx(49, rel=0.1)


def test_spectrum_agrees_with_theory() -> None:
    """Filtered white noise: its covariance is the filter's autocorrelation, above its level at the longest lags."""
    gathered = Variogram()
    for seed in range(4):
        gathered.add(field(seed, 0.7), np.ones(SHAPE, bool))
    distance = np.hypot(*np.array(gathered.lags).T)
    dot = np.zeros((25, 25))
    dot[12, 12] = 1
    tap = gaussian_filter(dot, 0.7)
    covariance = np.array([(tap * np.roll(tap, lag, axis=(0, 1))).sum() for lag in gathered.lags]) / (tap**2).sum()
    level = covariance[distance >= 3].mean()
    windowed = (covariance - level) * (1 + np.cos(np.pi * distance / 5)) / 2
    wanted = 1 - level + 2 * j0(2 * np.pi * FREQUENCIES[:, None] * distance) @ windowed
    np.testing.assert_allclose(gathered.spectrum(), wanted, atol=0.08)


def test_the_same_grain_inside_and_around_is_alike() -> None:
    pair = GrainPair()
    for seed in range(4):
        pair.add(field(seed, 0.6), specks(seed + 10))
    assert pair.variance_ratio == pytest.approx(1, abs=0.08)
    assert pair.spectrum_distance < 0.6


@pytest.mark.parametrize("strength", [0.5, 0.7, 1.3])
def test_weaker_and_stronger_grain_is_measured(strength: float) -> None:
    pair = GrainPair()
    for seed in range(4):
        mask = specks(seed + 10)
        pair.add(np.where(mask, strength * field(seed + 50, 0.6), field(seed, 0.6)), mask)
    assert pair.variance_ratio == pytest.approx(strength**2, rel=0.1)
    assert pair.spectrum_distance == pytest.approx(abs(20 * np.log10(strength)), abs=0.6)


def test_a_smooth_fill_has_no_grain_and_coarse_grain_another_spectrum() -> None:
    smooth, coarse = GrainPair(), GrainPair()
    for seed in range(4):
        mask = specks(seed + 10)
        smooth.add(np.where(mask, 0, field(seed, 0.5)), mask)
        coarse.add(np.where(mask, field(seed + 50, 1.2), field(seed, 0.5)), mask)
    assert smooth.variance_ratio == 0
    assert smooth.spectrum_distance > 10
    assert coarse.spectrum_distance > 3


def test_slow_shading_hardly_counts() -> None:
    shading = np.linspace(0, 60, SHAPE[1])[None, :] + np.zeros(SHAPE)
    plain, shaded = Variogram(), Variogram()
    plain.add(4 * field(2), specks(3))
    shaded.add(4 * field(2) + shading, specks(3))
    assert shaded.variance == pytest.approx(plain.variance, rel=0.02)


def test_regions_too_small_to_say() -> None:
    pair = GrainPair()
    assert pair.variance_ratio is None and pair.spectrum_distance is None
    lonely = np.zeros(SHAPE, bool)
    lonely[5, 5] = True
    pair.add(field(0), lonely)
    assert pair.variance_ratio is None and pair.spectrum_distance is None
    assert spectrum_distance(np.ones(9), np.zeros(9)) is None


def test_growth_is_by_a_disc() -> None:
    mask = np.zeros((15, 15), bool)
    mask[7, 7] = mask[0, 0] = True
    yy, xx = np.mgrid[-3:4, -3:4]
    np.testing.assert_array_equal(grown(mask, 3), binary_dilation(mask, yy**2 + xx**2 <= 9))
    np.testing.assert_array_equal(grown(mask, 0), mask)
    ring = surroundings(mask, 1, 2)
    assert not (ring & grown(mask, 1)).any()
    np.testing.assert_array_equal(ring | grown(mask, 1), grown(mask, 3))


def test_flat_picture_leaves_edges_out() -> None:
    picture = np.zeros((60, 80))
    picture[:, 40:] = 200
    flat = flat_picture(picture, share=0.5)
    assert not flat[:, 36:44].any()


def test_fine_energy_says_how_much_grain_stands() -> None:
    everywhere = np.ones(SHAPE, bool)
    full, half = fine_energy(field(1), everywhere), fine_energy(0.5 * field(1), everywhere)
    assert full is not None and half == pytest.approx(full / 4)
    assert full == pytest.approx(np.var(field(1) - gaussian_filter(field(1), 1.2)), rel=0.02)
    assert fine_energy(field(1), ~everywhere) is None


def test_grain_that_differs_from_place_to_place_is_told_by_its_own_surroundings() -> None:
    """Twice as strong on the right, where the larger regions lie: long lags would see only those."""
    strength = np.where(np.arange(SHAPE[1]) < SHAPE[1] // 2, 2.0, 6.0)
    pair = GrainPair()
    for seed in range(6):
        mask = specks(seed + 10)
        large = gaussian_filter(mask.astype(float), 2) > 0.12
        mask = np.where(strength > 4, large, mask).astype(bool)
        pair.add(strength * field(seed, 0.5) + 90, mask)
    assert pair.variance_ratio == pytest.approx(1, abs=0.06)
    assert pair.spectrum_distance < 0.5


def test_pairs_merge_into_what_one_would_have_gathered() -> None:
    whole, parts = GrainPair(), [GrainPair(), GrainPair()]
    for seed, part in enumerate(parts):
        mask = specks(seed + 10)
        whole.add(field(seed, 0.6), mask)
        part.add(field(seed, 0.6), mask)
    parts[0].merge(parts[1])
    assert parts[0].variance_ratio == pytest.approx(whole.variance_ratio)
    assert parts[0].spectrum_distance == pytest.approx(whole.spectrum_distance)
    with pytest.raises(ValueError, match="different lags"):
        parts[0].merge(GrainPair(max_lag=3))


def test_a_picture_without_grain_says_nothing() -> None:
    pair = GrainPair()
    pair.add(np.full(SHAPE, 90.0), specks(1))
    assert pair.variance_ratio is None
