"""Damage of given outlines, against geometry and the formulas themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from reelmend.simulate.damage import TRUTH_ALPHA
from reelmend.simulate.defect import Defect, Ink, Pose
from reelmend.simulate.outlines import Outline
from reelmend.simulate.pool import PoolRecipe, coverage, draw, sample_defects
from reelmend.simulate.procedural import sample_outlines

BOX = Outline("dirt", (np.array([(-10.0, -5.0), (10.0, -5.0), (10.0, 5.0), (-10.0, 5.0)]),))


def plain(outline: Outline = BOX, **changes: Any) -> Defect:
    """A hard box of 20 x 10 pixels at (30, 20), or what `changes` make of it."""
    pose = {name: changes.pop(name) for name in ("x", "y", "angle", "mirrored") if name in changes}
    return Defect(
        outline.kind, outline, Pose(**({"x": 30, "y": 20, "scale": 1} | pose)), Ink(**({"softness": 0} | changes))
    )


PLAIN = plain()


def test_a_box_covers_its_pixels_exactly() -> None:
    damage = draw([PLAIN], 40, 60)
    wanted = np.zeros((40, 60), bool)
    wanted[15:25, 20:40] = True
    np.testing.assert_array_equal(damage.truth, wanted)


def test_area_is_kept_by_turning_and_sub_pixel_places() -> None:
    for angle in (0.0, 0.3, 1.2, 2.5):
        soft, _, _ = coverage(plain(angle=angle, x=30.37, y=20.81, softness=0.8), 80, 80)
        assert soft.sum() == pytest.approx(200, rel=0.02)


def test_turning_and_mirroring_follow_the_picture() -> None:
    flag = Outline("dirt", (np.array([(0.0, 0.0), (8.0, 0.0), (8.0, 2.0), (0.0, 2.0)]),))
    turned = draw([plain(flag, x=20, y=20, angle=np.pi / 2)], 40, 40).truth
    assert set(np.nonzero(turned)[0].tolist()) == set(range(20, 28))
    mirrored = draw([plain(flag, x=20, y=20, mirrored=True)], 40, 40).truth
    assert set(np.nonzero(mirrored)[1].tolist()) == set(range(12, 20))


def test_soft_edges_are_a_gaussian_blur() -> None:
    sharp, top, left = coverage(PLAIN, 60, 80)
    hard = np.zeros((60, 80))
    hard[top : top + sharp.shape[0], left : left + sharp.shape[1]] = sharp
    soft, top, left = coverage(plain(softness=1.2), 60, 80)
    wanted = gaussian_filter(hard, 1.2)[top : top + soft.shape[0], left : left + soft.shape[1]]
    np.testing.assert_allclose(soft, wanted, atol=2e-3)


def test_damage_over_the_edge_is_cut_and_beyond_it_is_none() -> None:
    assert draw([plain(x=0, y=0)], 40, 60).truth.sum() == 10 * 5
    assert draw([plain(x=-50, y=20)], 40, 60).truth.sum() == 0
    assert draw([plain(x=30, y=500)], 40, 60).truth.sum() == 0


def test_a_hair_that_crosses_itself_stays_filled() -> None:
    bars = (
        np.array([(-10.0, -1.0), (10.0, -1.0), (10.0, 1.0), (-10.0, 1.0)]),
        np.array([(-1.0, -10.0), (1.0, -10.0), (1.0, 10.0), (-1.0, 10.0)]),
    )
    truth = draw([plain(Outline("long hair", bars), x=20, y=20)], 40, 40).truth
    assert truth.sum() == 20 * 2 * 2 - 4
    assert truth[19:21, 19:21].all()


def test_dark_adds_density_and_bright_moves_to_white() -> None:
    dark = draw([plain(opacity=0.9)], 40, 60)
    assert dark.gain[20, 30] == pytest.approx(0.1, rel=1e-4)
    half = draw([plain(opacity=0.9, x=30.5)], 40, 60)
    # Half covered is half the density, not half the light.
    assert half.gain[20, 20] == pytest.approx(10**-0.5, rel=1e-3)
    assert dark.lift.max() == 0
    bright = draw([plain(polarity="bright", opacity=0.6, white=0.9)], 40, 60)
    assert bright.gain[20, 30] == pytest.approx(0.4)
    assert bright.lift[20, 30] == pytest.approx(0.54)


def test_later_damage_lies_over_earlier() -> None:
    both = draw([plain(polarity="bright", opacity=1.0), plain(opacity=0.75)], 40, 60)
    assert both.gain[20, 30] == 0
    assert both.lift[20, 30] == pytest.approx(0.25)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**20), st.sampled_from(["35mm", "16mm", "super8"]))
def test_sampled_damage_reaches_its_area(seed: int, gauge: str) -> None:
    rng = np.random.default_rng(seed)
    recipe = PoolRecipe(gauge=gauge, area=(0.004, 0.008))
    pool = sample_outlines(rng, 40)
    defects = sample_defects(rng, pool, 180, 320, recipe)
    damage = draw(defects, 180, 320)
    assert 0.0039 < damage.truth.mean() < 0.017
    assert ((damage.gain >= 0) & (damage.gain <= 1) & (damage.lift >= 0) & (damage.lift <= 1)).all()
    np.testing.assert_array_equal(damage.truth, damage.alpha > TRUTH_ALPHA)


def test_sampling_repeats_with_its_seed_and_bounds_hold() -> None:
    pool = sample_outlines(np.random.default_rng(1), 60)
    recipe = PoolRecipe(bright=0.0, opacity=(0.7, 0.8))
    first, second = (sample_defects(np.random.default_rng(5), pool, 120, 200, recipe) for _ in range(2))
    assert first == second
    assert all(each.ink.polarity == "dark" and 0.7 <= each.ink.opacity <= 0.8 for each in first)
    assert all(each.pose.scale * max(each.shape.extent) >= recipe.smallest - 1e-9 for each in first)


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="no outlines"):
        sample_defects(np.random.default_rng(0), [], 10, 10, PoolRecipe())
