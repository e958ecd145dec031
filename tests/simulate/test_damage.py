"""Drawing and laying over of damage, against geometry and the formulas themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from reelmend.film import Frame, Layout
from reelmend.simulate.damage import (
    TRUTH_ALPHA,
    Damage,
    Defect,
    Recipe,
    coverage,
    damage_frame,
    draw,
    sample_defects,
)
from reelmend.simulate.outlines import Outline, polygon_area
from reelmend.simulate.procedural import flake, sample_outlines
from reelmend.simulate.raster import rasterise

BOX = Outline("dirt", (np.array([(-10.0, -5.0), (10.0, -5.0), (10.0, 5.0), (-10.0, 5.0)]),))
PLAIN = Defect(BOX, x=30, y=20, scale=1, softness=0)
LAYOUTS = {
    "gray": Layout("gray", 8),
    "yuv420p": Layout("yuv", 8, sub_x=1, sub_y=1),
    "yuv422p10": Layout("yuv", 10, sub_x=1),
    "yuv444p16": Layout("yuv", 16),
    "rgb12": Layout("rgb", 12),
    "rgba8": Layout("rgb", 8, alpha=True),
    "half": Layout("rgb", 16, is_float=True),
}


def frame_of(layout: Layout, height: int = 41, width: int = 61, seed: int = 0) -> Frame:
    rng = np.random.default_rng(seed)
    shapes = [layout.plane_shape(index, height, width) for index in range(len(layout.planes))]
    planes = tuple((rng.uniform(0.1, 0.9, shape) * layout.peak).astype(layout.dtype) for shape in shapes)
    return Frame(0, planes, layout)


def test_pixels_are_covered_by_their_exact_share() -> None:
    box = np.array([(1.25, 2.5), (4.5, 2.5), (4.5, 5.0), (1.25, 5.0)])
    for polygon in (box, box[::-1]):
        np.testing.assert_allclose(rasterise(polygon, 7, 6)[3], [0, 0.75, 1, 1, 0.5, 0])
        np.testing.assert_allclose(rasterise(polygon, 7, 6)[2], [0, 0.375, 0.5, 0.5, 0.25, 0])
    triangle = np.array([(1.0, 1.0), (9.0, 1.0), (1.0, 5.0)])
    assert rasterise(triangle, 8, 12).sum() == pytest.approx(16, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**20))
def test_rasterising_keeps_the_area(seed: int) -> None:
    polygon = flake(np.random.default_rng(seed), 9.0, 0.25) + 12.3
    assert rasterise(polygon, 25, 25).sum() == pytest.approx(polygon_area(polygon), rel=0.02)


def test_a_box_covers_its_pixels_exactly() -> None:
    damage = draw([PLAIN], 40, 60)
    wanted = np.zeros((40, 60), bool)
    wanted[15:25, 20:40] = True
    np.testing.assert_array_equal(damage.truth, wanted)


def test_area_is_kept_by_turning_and_sub_pixel_places() -> None:
    for angle in (0.0, 0.3, 1.2, 2.5):
        soft, _, _ = coverage(replace(PLAIN, angle=angle, x=30.37, y=20.81, softness=0.8), 80, 80)
        assert soft.sum() == pytest.approx(200, rel=0.02)


def test_turning_and_mirroring_follow_the_picture() -> None:
    flag = Outline("dirt", (np.array([(0.0, 0.0), (8.0, 0.0), (8.0, 2.0), (0.0, 2.0)]),))
    turned = draw([Defect(flag, 20, 20, 1, angle=np.pi / 2, softness=0)], 40, 40).truth
    assert set(np.nonzero(turned)[0].tolist()) == set(range(20, 28))
    mirrored = draw([Defect(flag, 20, 20, 1, mirrored=True, softness=0)], 40, 40).truth
    assert set(np.nonzero(mirrored)[1].tolist()) == set(range(12, 20))


def test_soft_edges_are_a_gaussian_blur() -> None:
    sharp, top, left = coverage(PLAIN, 60, 80)
    hard = np.zeros((60, 80))
    hard[top : top + sharp.shape[0], left : left + sharp.shape[1]] = sharp
    soft, top, left = coverage(replace(PLAIN, softness=1.2), 60, 80)
    wanted = gaussian_filter(hard, 1.2)[top : top + soft.shape[0], left : left + soft.shape[1]]
    np.testing.assert_allclose(soft, wanted, atol=2e-3)


def test_damage_over_the_edge_is_cut_and_beyond_it_is_none() -> None:
    assert draw([replace(PLAIN, x=0, y=0)], 40, 60).truth.sum() == 10 * 5
    assert draw([replace(PLAIN, x=-50, y=20)], 40, 60).truth.sum() == 0
    assert draw([replace(PLAIN, x=30, y=500)], 40, 60).truth.sum() == 0


def test_a_hair_that_crosses_itself_stays_filled() -> None:
    bars = (
        np.array([(-10.0, -1.0), (10.0, -1.0), (10.0, 1.0), (-10.0, 1.0)]),
        np.array([(-1.0, -10.0), (1.0, -10.0), (1.0, 10.0), (-1.0, 10.0)]),
    )
    truth = draw([Defect(Outline("long hair", bars), 20, 20, 1, softness=0)], 40, 40).truth
    assert truth.sum() == 20 * 2 * 2 - 4
    assert truth[19:21, 19:21].all()


def test_dark_adds_density_and_bright_moves_to_white() -> None:
    dark = draw([replace(PLAIN, opacity=0.9)], 40, 60)
    assert dark.gain[20, 30] == pytest.approx(0.1, rel=1e-4)
    half = draw([replace(PLAIN, opacity=0.9, x=30.5)], 40, 60)
    # Half covered is half the density, not half the light.
    assert half.gain[20, 20] == pytest.approx(10**-0.5, rel=1e-3)
    assert dark.lift.max() == 0
    bright = draw([replace(PLAIN, polarity="bright", opacity=0.6, white=0.9)], 40, 60)
    assert bright.gain[20, 30] == pytest.approx(0.4)
    assert bright.lift[20, 30] == pytest.approx(0.54)


def test_later_damage_lies_over_earlier() -> None:
    both = draw([replace(PLAIN, polarity="bright", opacity=1.0), replace(PLAIN, opacity=0.75)], 40, 60)
    assert both.gain[20, 30] == 0
    assert both.lift[20, 30] == pytest.approx(0.25)


@pytest.mark.parametrize("name", LAYOUTS)
def test_only_damaged_samples_change(name: str) -> None:
    layout = LAYOUTS[name]
    frame = frame_of(layout)
    before = [plane.copy() for plane in frame.planes]
    damage = draw([replace(PLAIN, softness=0.9, x=31, y=21)], 41, 61)
    result = damage_frame(frame, damage, full_range=name == "gray")
    for index, (plane, source) in enumerate(zip(result.planes, before, strict=True)):
        assert plane.dtype == source.dtype
        np.testing.assert_array_equal(frame.planes[index], source)
        sub_x, sub_y = layout.subsampling(index)
        touched = np.zeros((-(-41 >> sub_y) << sub_y, -(-61 >> sub_x) << sub_x), bool)
        touched[:41, :61] = damage.alpha > 0
        rows, columns = plane.shape
        touched = touched.reshape(rows, 1 << sub_y, columns, 1 << sub_x).any(axis=(1, 3))
        if index >= layout.colour_planes:
            np.testing.assert_array_equal(plane, source)
            continue
        np.testing.assert_array_equal(plane[~touched], source[~touched])
        assert (plane[touched] != source[touched]).mean() > 0.5


def test_codes_follow_the_range() -> None:
    layout = LAYOUTS["yuv422p10"]
    black = Damage(np.zeros((41, 61), np.float32), np.zeros((41, 61), np.float32))
    white = Damage(np.zeros((41, 61), np.float32), np.ones((41, 61), np.float32))
    limited = [damage_frame(frame_of(layout), each) for each in (black, white)]
    assert [int(each.planes[0][5, 5]) for each in limited] == [64, 940]
    assert [int(each.planes[1][5, 5]) for each in limited] == [512, 512]
    full = [damage_frame(frame_of(layout), each, full_range=True) for each in (black, white)]
    assert [int(each.planes[0][5, 5]) for each in full] == [0, 1023]
    assert float(damage_frame(frame_of(LAYOUTS["half"]), white).planes[0][0, 0]) == 1.0


def test_damage_must_fit_the_frame() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        damage_frame(frame_of(LAYOUTS["gray"]), draw([], 4, 4))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**20), st.sampled_from(["35mm", "16mm", "super8"]))
def test_sampled_damage_reaches_its_area(seed: int, gauge: str) -> None:
    rng = np.random.default_rng(seed)
    recipe = Recipe(gauge=gauge, area=(0.004, 0.008))
    pool = sample_outlines(rng, 40)
    defects = sample_defects(rng, pool, 180, 320, recipe)
    damage = draw(defects, 180, 320)
    assert 0.0039 < damage.truth.mean() < 0.017
    assert ((damage.gain >= 0) & (damage.gain <= 1) & (damage.lift >= 0) & (damage.lift <= 1)).all()
    np.testing.assert_array_equal(damage.truth, damage.alpha > TRUTH_ALPHA)


def test_sampling_repeats_with_its_seed_and_bounds_hold() -> None:
    pool = sample_outlines(np.random.default_rng(1), 60)
    recipe = Recipe(bright=0.0, opacity=(0.7, 0.8))
    first, second = (sample_defects(np.random.default_rng(5), pool, 120, 200, recipe) for _ in range(2))
    assert first == second
    assert all(each.polarity == "dark" and 0.7 <= each.opacity <= 0.8 for each in first)
    assert all(each.scale * max(each.outline.extent) >= recipe.smallest - 1e-9 for each in first)


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="no outlines"):
        sample_defects(np.random.default_rng(0), [], 10, 10, Recipe())
