"""Patches: all of the damage is shown, with its surroundings, and comes back to its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.luma import lighten, to8
from reelmend.repair.patches import MARGINS, NEIGHBOURS, SIDE, SIDES, VIEWS, cover, cut, together, views

from .scenes import LAYOUTS, MASKS, scene


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    height, width = draw(st.integers(5, 230)), draw(st.integers(5, 230))
    mask = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(1, 6))):
        y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[y : y + draw(st.integers(1, 90)), x : x + draw(st.integers(1, 90))] = True
    return mask


@settings(max_examples=60, deadline=None)
@given(masks(), st.sampled_from([SIDES, (SIDE,), (32,)]))
def test_every_masked_pixel_is_shown_with_its_surroundings(mask: Mask, sides: tuple[int, ...]) -> None:
    height, width = mask.shape
    shown = np.zeros(mask.shape, bool)
    for patches in cover(mask, sides):
        side, margin = patches.side, MARGINS[patches.side]
        assert side in sides and patches.places
        for top, left in patches.places:
            rows = slice(0 if top <= 0 else top + margin, height if top + side >= height else top + side - margin)
            columns = slice(0 if left <= 0 else left + margin, width if left + side >= width else left + side - margin)
            shown[rows, columns] = True
    assert shown[mask].all()


def test_specks_take_a_patch_each_and_near_ones_share_it() -> None:
    mask = np.zeros((400, 400), bool)
    assert cover(mask) == []
    mask[50:53, 60:63] = True
    mask[300:304, 200:210] = True
    assert [(one.side, len(one.places)) for one in cover(mask)] == [(32, 2)]
    mask[60:63, 70:73] = True
    assert [(one.side, len(one.places)) for one in cover(mask)] == [(32, 1), (SIDE, 1)]
    assert [(one.side, len(one.places)) for one in cover(mask, (SIDE,))] == [(SIDE, 2)]


@settings(max_examples=30, deadline=None)
@given(masks(), st.integers(0, 99))
def test_what_patches_show_of_a_picture_is_put_together_to_it(mask: Mask, seed: int) -> None:
    picture = np.random.default_rng(seed).random(mask.shape, np.float32)
    groups = cover(mask)
    whole = together([cut(picture, patches) for patches in groups], groups, mask)
    np.testing.assert_allclose(whole[0][mask], picture[mask], rtol=1e-5)
    assert (whole[0][~mask] == 0).all()


@pytest.mark.parametrize("mask", [MASKS["specks"], MASKS["borders"]])
def test_neighbours_show_what_is_under_the_damage(mask: NDArray[np.bool_]) -> None:
    window, clean = scene(LAYOUTS["gray8"], mask)
    groups = cover(mask)
    fill = clean.planes[0].astype(np.float32) / 255
    shown = [views(window, fill, mask, mask.astype(np.float32), patches) for patches in groups]
    for patches, some in zip(groups, shown, strict=True):
        assert some.shape == (len(patches.places), len(VIEWS), patches.side, patches.side)
        assert some.min() >= 0 and some.max() <= 1
    planes = together(shown, groups, mask)
    truth = clean.planes[0][mask] / 255
    # The scene moves by whole pixels: neighbours are wrong only where the flow is.
    for number in range(NEIGHBOURS, len(VIEWS)):
        assert np.median(np.abs(planes[number][mask] - truth)) < 0.03
    np.testing.assert_allclose(planes[0][mask], truth, atol=1e-6)
    np.testing.assert_allclose(planes[1][mask], window.centre.luma[mask] / 255, atol=1e-6)


@pytest.mark.parametrize("name", ["gray8", "gray10", "gray-float"])
def test_lightening_is_what_the_8_bit_picture_sees(name: str) -> None:
    layout = LAYOUTS[name]
    values = np.linspace(0.2, 0.6, 50, dtype=np.float32) * np.float32(layout.peak)
    before = to8(values.astype(layout.dtype)[None], layout).astype(float)
    after = to8(lighten(values, np.full(50, 0.1, np.float32), layout).astype(layout.dtype)[None], layout)
    np.testing.assert_allclose(after - before, 25.5, atol=1.1)
