"""Measuring grain of known strength, spectrum and correlation, and making it again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from grain_footage import GRAY8, LAYOUTS, clean_planes, frame, grain_planes, picture, specks, strength

from reelmend.errors import UsageError
from reelmend.grain import measure, synthesise


def scan_of(layout, sigma=0.02, size=0.7, shape=(256, 384), seed=0, together=0.0):
    clean = clean_planes(layout, *shape)
    grain = grain_planes(layout, *shape, sigma, size, np.random.default_rng(seed), together)
    return frame(layout, [c + g for c, g in zip(clean, grain, strict=True)])


@pytest.mark.parametrize("name", ["gray8", "gray16", "yuv422p10", "rgb-half", "rgba-float"])
def test_strength_by_brightness(name):
    layout = LAYOUTS[name]
    level = np.linspace(0.25, 0.75, 6)
    found = np.mean(
        [measure(scan_of(layout, seed=seed)).planes[0].sigma_at(level * layout.peak) for seed in (1, 2, 3)], 0
    )
    assert found / layout.peak == pytest.approx(strength(level, 0.02), rel=0.08)


@pytest.mark.parametrize("size", [0.0, 0.6, 1.0])
def test_spectrum(size):
    scans = [scan_of(LAYOUTS["gray16"], size=size, seed=seed) for seed in range(6)]
    density = np.mean([measure(scan).planes[0].spectrum(32, 32) for scan in scans], axis=0)
    kernel = np.zeros(32)
    kernel[12:21] = 1 * (np.arange(9) == 4)
    blurred = cv2.GaussianBlur(kernel[None], (0, 0), size)[0] if size else kernel
    true = np.outer(*[np.abs(np.fft.fft(blurred)) ** 2] * 2)
    true /= true.mean()
    clear = true > 0.1
    assert density[clear] / true[clear] == pytest.approx(np.ones(clear.sum()), abs=0.35)
    assert np.abs(density - true).mean() < 0.12
    assert density.mean() == pytest.approx(1, abs=1e-3)


def test_a_spectrum_on_a_finer_grid_is_the_same_curve():
    grain = measure(scan_of(GRAY8)).planes[0]
    size = grain.density.shape[0]
    fine = grain.spectrum(4 * size, 2 * size)
    assert fine.shape == (4 * size, 2 * size)
    assert fine[::4, ::2] / grain.density == pytest.approx(np.ones((size, size)), rel=0.05)


@pytest.mark.parametrize("together", [0.0, 0.5, 1.0])
def test_correlation(together):
    found = measure(scan_of(LAYOUTS["rgb10"], together=together)).correlation
    assert found[0, 2] == pytest.approx(together, abs=0.06)


def test_texture_and_edges_are_no_grain():
    """A frame half of which is texture measures as the half that is not."""
    layout = LAYOUTS["gray8"]
    scan = scan_of(layout)
    plain = measure(scan).planes[0].sigma_at(np.array([128.0]))
    rng = np.random.default_rng(5)
    texture = cv2.GaussianBlur(rng.standard_normal((256, 384)), (0, 0), 1.2) * 60
    texture[:, :192] = 0
    values = np.clip(scan.planes[0] + texture, 0, 255).astype(np.uint8)
    found = measure(scan.with_planes((values,))).planes[0].sigma_at(np.array([128.0]))
    assert found / plain == pytest.approx(1, abs=0.25)


def test_damage_is_kept_out():
    scan = scan_of(GRAY8)
    rng = np.random.default_rng(1)
    mask = specks(256, 384, 20, rng)
    spoiled = scan.with_planes((np.where(mask, rng.integers(0, 255, mask.shape), scan.planes[0]).astype(np.uint8),))
    clean, masked = (measure(each, mask).planes[0].sigma_at(np.array([128.0])) for each in (scan, spoiled))
    assert clean == pytest.approx(masked, rel=1e-6)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(UsageError, match="384x256"):
        measure(scan_of(GRAY8), np.zeros((256, 383), bool))


@pytest.mark.parametrize("shape", [(4, 4), (7, 40), (16, 16), (33, 35)])
def test_small_frames(shape):
    profile = measure(scan_of(LAYOUTS["yuv420p8"], sigma=0.05, shape=shape))
    if min(shape) < 8:
        assert profile.blocks == 0 and not profile.grainy
    else:
        assert profile.blocks > 0 and profile.planes[0].grainy


def test_made_grain_measures_as_the_grain_it_was_made_from():
    layout = LAYOUTS["yuv444p16"]
    profile = measure(scan_of(layout, together=0.4, size=0.8))
    clean = [plane * layout.peak for plane in clean_planes(layout, 256, 384)]
    made = synthesise(profile, clean[0], np.random.default_rng(3))
    again = measure(frame(layout, [(c + g) / layout.peak for c, g in zip(clean, made, strict=True)]))
    level = np.linspace(0.25, 0.75, 5) * layout.peak
    for one, two in zip(profile.planes, again.planes, strict=True):
        assert two.sigma_at(level) / one.sigma_at(level) == pytest.approx(np.ones(5), abs=0.15)
        assert np.abs(two.spectrum(32, 32) - one.spectrum(32, 32)).mean() < 0.2
    assert again.correlation == pytest.approx(profile.correlation, abs=0.08)


def test_made_chroma_grain_is_subsampled_and_goes_with_luma():
    layout = LAYOUTS["yuv420p8"]
    profile = measure(scan_of(layout, sigma=0.03))
    level = picture(100, 151) * 255
    made = synthesise(profile, level, np.random.default_rng(0))
    assert [plane.shape for plane in made] == [(100, 151), (50, 76), (50, 76)]
    assert all(plane.dtype == np.float32 and plane.std() > 1 for plane in made)
    with pytest.raises(UsageError, match="1 or 3"):
        synthesise(profile, (level, level), np.random.default_rng(0))
