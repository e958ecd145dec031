"""MS-SSIM against the authors' program, written again with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate, gaussian_filter
from scipy.signal import convolve2d

from reelmend.evaluate.fidelity import ssim
from reelmend.evaluate.multiscale import SMALLEST, WEIGHTS, ms_ssim


def theirs(x: np.ndarray, y: np.ndarray, peak: float) -> float:
    """`msssim.m` of the paper: valid windows, 2 x 2 means with symmetric edges, every second pixel."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    structures = []
    for scale in range(5):
        mx, my, xx, yy, xy = (convolve2d(each, window, "valid") for each in (x, y, x * x, y * y, x * y))
        structure = (2 * (xy - mx * my) + c2) / ((xx - mx**2) + (yy - my**2) + c2)
        luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        structures.append(float(np.mean(structure if scale < 4 else luminance * structure)))
        x, y = (correlate(each, np.full((2, 2), 0.25), mode="reflect", origin=-1)[::2, ::2] for each in (x, y))
    return float(np.prod(np.array(structures) ** np.array(WEIGHTS)))


def pictures(seed: int, shape: tuple[int, int] = (183, 210), noise: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = gaussian_filter(rng.uniform(0, 255, shape), 3) * 3 - 255
    return truth + rng.normal(0, noise, shape), truth


@pytest.mark.parametrize("shape", [(176, 176), (183, 210), (240, 205)])
def test_agrees_with_the_authors_program(shape: tuple[int, int]) -> None:
    result, truth = pictures(1, shape)
    assert ms_ssim(result, truth, 255) == pytest.approx(theirs(result, truth, 255), abs=1e-9)
    assert 0.3 < ms_ssim(result, truth, 255) < 0.999


def test_identical_planes_have_one() -> None:
    _, truth = pictures(2)
    assert ms_ssim(truth, truth, 255) == pytest.approx(1)
    assert ms_ssim(truth, truth, 255, np.eye(*truth.shape, dtype=bool)) == pytest.approx(1)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 999))
def test_more_noise_is_never_better_and_the_order_of_planes_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, truth = pictures(seed)
    noise = rng.normal(0, 1, truth.shape)
    values = [ms_ssim(truth + strength * noise, truth, 255) for strength in (2, 8, 20, 50)]
    assert values == sorted(values, reverse=True)
    assert ms_ssim(truth, truth + 8 * noise, 255) == pytest.approx(values[1])


def test_damage_shows_inside_and_hardly_outside() -> None:
    _, truth = pictures(3)
    mask = np.zeros(truth.shape, bool)
    mask[60:90, 70:120] = True
    result = np.where(mask, truth.mean(), truth)
    inside, outside = ms_ssim(result, truth, 255, mask), ms_ssim(result, truth, 255, ~mask)
    assert inside < 0.7
    assert outside > 0.95


def test_noise_is_judged_more_mildly_than_by_its_finest_scale() -> None:
    result, truth = pictures(4, noise=25)
    assert ms_ssim(result, truth, 255) > ssim(result, truth, 255)


def test_the_opposite_of_a_picture_is_not_below_nothing() -> None:
    _, truth = pictures(5)
    assert ms_ssim(255 - truth, truth, 255) == 0


def test_what_is_too_small_or_empty_is_undefined() -> None:
    small = np.zeros((SMALLEST - 1, 400))
    assert ms_ssim(small, small, 1.0) is None
    _, truth = pictures(6)
    assert ms_ssim(truth, truth, 255, np.zeros(truth.shape, bool)) is None


def test_what_does_not_fit_is_refused() -> None:
    _, truth = pictures(7)
    with pytest.raises(ValueError, match="two planes"):
        ms_ssim(truth[1:], truth, 255)
    with pytest.raises(ValueError, match="does not fit"):
        ms_ssim(truth, truth, 255, np.ones((2, 2), bool))
