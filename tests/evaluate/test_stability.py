"""Warping error and flicker on motion that is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from reelmend.evaluate.stability import Stability, visible

HEIGHT, WIDTH, STEP = 96, 128, 3


def film(count: int = 4, seed: int = 0) -> list[np.ndarray]:
    """A camera that pans by three pixels a frame over a texture, 0..1."""
    wide = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH + STEP * count)), 2.5)
    wide = 0.5 + 0.12 * wide / wide.std()
    return [wide[:, STEP * i : STEP * i + WIDTH] for i in range(count)]


def measured(results: list[np.ndarray], clean: list[np.ndarray], masks: list[np.ndarray]) -> Stability:
    made = Stability()
    for result, truth, mask in zip(results, clean, masks, strict=True):
        made.add(result, truth, np.rint(255 * truth).astype(np.uint8), mask)
    return made


def blocks(count: int = 4) -> list[np.ndarray]:
    masks = [np.zeros((HEIGHT, WIDTH), bool) for _ in range(count)]
    for number, mask in enumerate(masks):
        mask[30:42, 40 + 9 * number : 52 + 9 * number] = True
    return masks


def test_the_clean_film_is_calm() -> None:
    made = measured(film(), film(), blocks())
    assert made.everywhere.flicker == made.inside.flicker == made.light_flicker == 0
    assert made.everywhere.warping_error == made.everywhere.warping_error_clean < 1e-4
    assert made.everywhere.visible > 0.6 * 3 * HEIGHT * WIDTH


def test_a_wrong_fill_that_comes_and_goes_is_seen_inside() -> None:
    clean, masks = film(), blocks()
    results = [np.where(mask, truth + 0.1, truth) for truth, mask in zip(clean, masks, strict=True)]
    made = measured(results, clean, masks)
    assert made.inside.warping_error > 20 * made.inside.warping_error_clean
    # Blocks of 12 x 12 that overlap by three columns: the error changes by 0.1 wherever one of them was alone.
    union, both = 2 * 144 - 36, 36
    assert made.inside.flicker == pytest.approx(0.1 * (union - both) / union)
    assert made.inside.pixels == 3 * union
    assert made.everywhere.flicker == pytest.approx(made.inside.flicker * 3 * union / (3 * HEIGHT * WIDTH))


def test_an_error_that_stands_still_does_not_flicker_but_does_not_follow_the_motion() -> None:
    clean = film()
    stain = np.zeros((HEIGHT, WIDTH))
    stain[40:52, 60:72] = 0.2
    made = measured([truth + stain for truth in clean], clean, blocks())
    assert made.everywhere.flicker == pytest.approx(0, abs=1e-12)
    assert made.everywhere.warping_error > 5 * made.everywhere.warping_error_clean


def test_flicker_of_light_is_that_of_the_frames_mean() -> None:
    clean = film()
    made = measured([truth + 0.02 * (number % 2) for number, truth in enumerate(clean)], clean, blocks())
    assert made.light_flicker == pytest.approx(0.02)
    assert made.everywhere.flicker == pytest.approx(0.02)


def test_warping_error_agrees_with_a_plain_one_where_the_motion_is_known() -> None:
    rng = np.random.default_rng(2)
    clean = film(2)
    results = [truth + 0.05 * rng.standard_normal(truth.shape) for truth in clean]
    made = measured(results, clean, blocks(2))
    rows, columns = np.indices((HEIGHT, WIDTH - 2 * STEP)) + np.array([0, STEP])[:, None, None]
    moved = map_coordinates(results[1], [rows, columns - STEP], order=1)
    plain = np.mean((results[0][rows, columns] - moved) ** 2)
    # DIS finds the shift to a tenth of a pixel, and bilinear warping by that averages a little of the noise away.
    assert made.everywhere.warping_error == pytest.approx(plain, rel=0.25)


def test_no_step_leads_over_a_cut() -> None:
    made = Stability()
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for number, truth in enumerate([*film(2), *film(2, seed=9)]):
        made.add(truth, truth, np.rint(255 * truth).astype(np.uint8), mask, cut=number == 2)
    assert made.steps == 2
    assert made.everywhere.warping_error < 1e-4
    assert made.inside.warping_error is None and made.inside.flicker is None


def test_a_single_frame_says_nothing() -> None:
    made = measured(film(1), film(1), blocks(1))
    assert made.light_flicker is None
    assert made.everywhere.figures() == dict.fromkeys(("warping_error", "warping_error_clean", "flicker"))


def test_what_one_picture_alone_shows_is_not_visible() -> None:
    there = np.zeros((20, 30, 2), np.float32)
    there[..., 0] = 5
    seen = visible(there, -there)
    assert seen[:, :25].all()
    assert not seen[:, 25:].any()
    assert not visible(there, there).any()
    torn = np.zeros((20, 30, 2), np.float32)
    torn[:, 15:, 0] = 4
    assert not visible(torn, -torn)[:, 14:16].any()


def test_frames_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Stability().add(np.zeros((4, 4)), np.zeros((4, 5)), np.zeros((4, 4), np.uint8), np.zeros((4, 4), bool))
