"""What coverage does to light: point spread, density, mottle, rim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from reelmend.simulate.defect import Cover, Ink
from reelmend.simulate.optics import FAINTEST, expose

SIZE = 40, 60
COVER = Cover(np.ones((10, 20), np.float32), 15, 20)


def whole(patch_image: np.ndarray, top: int, left: int) -> np.ndarray:
    out = np.zeros((*patch_image.shape[:-2], *SIZE))
    out[..., top : top + patch_image.shape[-2], left : left + patch_image.shape[-1]] = patch_image
    return out


def alpha_of(cover: Cover, ink: Ink) -> np.ndarray:
    patch = expose(cover, ink, *SIZE)
    return whole(patch.alpha, patch.top, patch.left)


@pytest.mark.parametrize("softness", [0.5, 0.9, 1.5])
def test_edges_are_a_gaussian_blur_in_density(softness: float) -> None:
    alpha = alpha_of(COVER, Ink(opacity=0.9, softness=softness))
    hard = whole(COVER.coverage, COVER.top, COVER.left)
    wanted = 1 - 10 ** (-gaussian_filter(hard, softness, truncate=6))
    np.testing.assert_allclose(alpha, wanted, atol=4e-3)
    assert ((alpha == 0) | (alpha >= FAINTEST)).all()


def test_dark_absorbs_and_bright_lets_light_past() -> None:
    dark = expose(COVER, Ink(opacity=0.9, softness=0), *SIZE)
    assert dark.alpha.max() == pytest.approx(0.9, rel=1e-5)
    assert dark.lift.max() == 0
    bright = expose(COVER, Ink("bright", 0.6, white=0.9, softness=0), *SIZE)
    assert bright.alpha.max() == pytest.approx(0.6)
    assert bright.lift.max() == pytest.approx(0.54)
    half = Cover(COVER.coverage / 2, 15, 20)
    assert alpha_of(half, Ink(opacity=0.9, softness=0)).max() == pytest.approx(1 - 10**-0.5, rel=1e-5)
    assert alpha_of(COVER, Ink(opacity=1.0, softness=0)).max() == pytest.approx(1 - 10**-2.5, rel=1e-5)


def test_a_tint_is_a_share_for_each_channel() -> None:
    patch = expose(COVER, Ink("bright", 0.8, tint=(0.1, 1.0, 0.5), softness=0), *SIZE)
    np.testing.assert_allclose(patch.alpha.max(axis=(1, 2)), (0.08, 0.8, 0.4), rtol=1e-6)
    np.testing.assert_allclose(patch.strongest, patch.alpha[1])
    gray = expose(COVER, Ink("bright", 0.8, tint=(0.5, 0.5, 0.5), softness=0), *SIZE)
    assert gray.alpha.ndim == 2 and gray.alpha.max() == pytest.approx(0.4)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(-40, 60), st.integers(-40, 80), st.floats(0, 2), st.sampled_from(["dark", "bright"]),
    st.floats(0, 1), st.floats(0, 1), st.sampled_from([(1.0, 1.0, 1.0), (0.2, 1.0, 0.0)]),
)  # fmt: skip
def test_patches_lie_inside_the_frame_and_keep_to_the_range(
    top: int, left: int, softness: float, polarity: str, mottle: float, halo: float, tint: tuple[float, float, float]
) -> None:
    ink = Ink(polarity, 0.9, tint, softness=softness, mottle=mottle, halo=halo, seed=3)  # type: ignore[arg-type]
    patch = expose(replace(COVER, top=top, left=left), ink, *SIZE)
    rows, columns = patch.alpha.shape[-2:]
    assert patch.top >= 0 and patch.top + rows <= SIZE[0]
    assert patch.left >= 0 and patch.left + columns <= SIZE[1]
    assert patch.lift.shape == patch.alpha.shape
    if patch.alpha.size:
        assert patch.alpha.min() >= 0 and patch.alpha.max() <= 1
        assert patch.lift.min() >= 0 and (patch.lift <= patch.alpha + 1e-6).all()


def test_what_is_cut_at_the_edge_changes_nothing_inside() -> None:
    ink = Ink("bright", 0.9, softness=1.0, mottle=0.8, halo=0.3, seed=4)
    inside = alpha_of(COVER, ink)
    moved = alpha_of(replace(COVER, top=-4, left=-7), ink)
    np.testing.assert_allclose(moved[:20, :30], inside[19:39, 27:57], atol=1e-6)


def test_mottle_is_uneven_and_differs_by_seed() -> None:
    large = Cover(np.ones((30, 50), np.float32), 5, 5)
    inks = [Ink("bright", softness=0, mottle=0.5, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (alpha_of(large, ink)[5:35, 5:55] for ink in inks)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.2
    assert 0.1 < first.std() < 0.5


def test_a_fibre_has_a_rim_of_the_other_polarity() -> None:
    hair = Cover(np.ones((2, 40), np.float32), 19, 10)
    ink = Ink("dark", 0.9, softness=0.7, halo=0.4, white=1.0)
    patch = expose(hair, ink, *SIZE)
    lift = whole(patch.lift, patch.top, patch.left)
    alpha = alpha_of(hair, ink)
    middle = lift[:, 30]
    assert lift[19:21, 30].max() < 0.1
    assert 0.2 < middle[15:19].max() <= 0.4 * 0.9 + 1e-6
    assert 0.2 < middle[21:25].max() <= 0.4 * 0.9 + 1e-6
    assert alpha[19, 30] > 0.7
    assert alpha[8, 30] == 0
