"""Fidelity against worked values and against scikit-image and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from reelmend.evaluate.fidelity import low_passed_error, low_passed_psnr, mean_squared_error, psnr, ssim, ssim_map


def pictures(seed: int, peak: float = 255.0, shape: tuple[int, int] = (48, 61)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = gaussian_filter(rng.uniform(0, peak, shape), 2)
    return np.clip(truth + rng.normal(0, 0.05 * peak, shape), 0, peak), truth


def test_worked_values() -> None:
    truth = np.zeros((4, 4), np.uint8)
    result = truth.copy()
    result[0, 0] = 255
    assert psnr(result, truth, 255) == pytest.approx(10 * np.log10(16))
    mask = np.zeros((4, 4), bool)
    mask[0] = True
    assert psnr(result, truth, 255, mask) == pytest.approx(10 * np.log10(4))
    assert psnr(result, truth, 255, ~mask) == float("inf")
    assert psnr(result, truth, 255, np.zeros((4, 4), bool)) is None


def test_unsigned_samples_do_not_wrap() -> None:
    low, high = np.full((3, 3), 10, np.uint8), np.full((3, 3), 250, np.uint8)
    assert mean_squared_error(low, high) == mean_squared_error(high, low) == 240**2


def test_a_frames_mask_serves_for_a_clip() -> None:
    result, truth = np.zeros((3, 2, 2)), np.zeros((3, 2, 2))
    result[:, 0, 0] = (1, 2, 3)
    corner = np.array([[True, False], [False, False]])
    assert mean_squared_error(result, truth, corner) == pytest.approx((1 + 4 + 9) / 3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.sampled_from([1.0, 255.0, 1023.0, 65535.0]))
def test_psnr_agrees_with_scikit_image(seed: int, peak: float) -> None:
    result, truth = pictures(seed, peak)
    assert psnr(result, truth, peak) == pytest.approx(peak_signal_noise_ratio(truth, result, data_range=peak))


@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_ssim_agrees_with_scikit_image(peak: float) -> None:
    result, truth = pictures(3, peak)
    options = {"data_range": peak, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    mean, similarity = structural_similarity(truth, result, full=True, **options)
    assert ssim(result, truth, peak) == pytest.approx(mean, abs=1e-9)
    np.testing.assert_allclose(ssim_map(result, truth, peak), similarity, atol=1e-9)


def test_ssim_inside_and_outside_make_up_the_whole() -> None:
    result, truth = pictures(5)
    mask = np.zeros(truth.shape, bool)
    mask[10:20, 12:40] = True
    inside, outside = ssim(result, truth, 255, mask), ssim(result, truth, 255, ~mask)
    assert inside is not None and outside is not None
    whole = mask.mean() * inside + (1 - mask.mean()) * outside
    assert whole == pytest.approx(ssim_map(result, truth, 255).mean())


def test_ssim_of_identical_planes_is_one() -> None:
    _, truth = pictures(7)
    assert ssim(truth, truth, 255) == pytest.approx(1)


def test_low_passed_error_agrees_with_scipy() -> None:
    result, truth = pictures(11)
    expected = gaussian_filter(result - truth, 1.5, mode="reflect", truncate=4.0)
    np.testing.assert_allclose(low_passed_error(result, truth), expected, atol=1e-9)
    mask = np.zeros(truth.shape, bool)
    mask[5:15, 5:15] = True
    wanted = 10 * np.log10(255**2 / np.mean(expected[mask] ** 2))
    assert low_passed_psnr(result, truth, 255, mask) == pytest.approx(wanted)


def test_low_pass_forgives_grain_but_not_an_offset() -> None:
    rng = np.random.default_rng(1)
    truth = np.full((64, 64), 100.0)
    everywhere = np.ones(truth.shape, bool)
    grainy, offset = truth + rng.normal(0, 6, truth.shape), truth + 6
    assert low_passed_psnr(grainy, truth, 255, everywhere) > psnr(grainy, truth, 255) + 10
    assert low_passed_psnr(offset, truth, 255, everywhere) == pytest.approx(psnr(offset, truth, 255))


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(3, 2\)"):
        psnr(np.zeros((2, 2)), np.zeros((3, 2)), 1)
    with pytest.raises(ValueError, match="one plane"):
        low_passed_error(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="two planes"):
        ssim_map(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), 1)
