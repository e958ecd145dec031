"""What every repairer promises, in every layout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reelmend.film import Frame, Layout, Mask
from reelmend.motion.windows import Window
from reelmend.repair import REPAIRERS, FilledBy, Repair, make_repairer
from reelmend.repair.grow import footprint_touches

from .scenes import HEIGHT, LAYOUTS, MASKS, WIDTH, frame, moving, scene, window_of


def bits(plane: np.ndarray) -> np.ndarray:
    """A plane's bits, so that NaN equals itself."""
    return plane.view({1: np.uint8, 2: np.uint16, 4: np.uint32}[plane.dtype.itemsize])


def keeps_its_promise(repair: Repair, centre: Frame, mask: Mask) -> None:
    layout = centre.layout
    assert len(repair.frame.planes) == len(centre.planes)
    for number, (new, old) in enumerate(zip(repair.frame.planes, centre.planes, strict=True)):
        assert new.dtype == old.dtype and new.shape == old.shape
        free = ~footprint_touches(mask, *layout.subsampling(number))
        if number >= layout.colour_planes:
            free = np.ones(old.shape, bool)
        np.testing.assert_array_equal(bits(new)[free], bits(old)[free])
        assert np.isfinite(new[~free].astype(np.float64)).all()
        if not layout.is_float:
            assert new.max() <= layout.peak
    assert (repair.frame.index, repair.frame.pts) == (centre.index, centre.pts)
    assert repair.unsure.dtype == np.float32 and repair.unsure.shape == mask.shape
    assert repair.unsure.min() >= 0 and repair.unsure.max() <= 1
    assert (repair.unsure[~mask] == 0).all()
    assert repair.filled_by.dtype == np.uint8
    assert (repair.filled_by[~mask] == FilledBy.UNTOUCHED).all()
    assert np.isin(repair.filled_by, [int(code) for code in FilledBy]).all()
    same = repair.filled_by == FilledBy.UNTOUCHED
    np.testing.assert_array_equal(bits(repair.frame.planes[0])[same], bits(centre.planes[0])[same])


@pytest.mark.parametrize("name", REPAIRERS)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_only_the_mask_changes(name: str, layout: Layout, mask: Mask) -> None:
    window, _ = scene(layout, mask)
    before = [plane.copy() for plane in window.centre.frame.planes]
    repair = make_repairer(name).repair(window, mask)
    keeps_its_promise(repair, window.centre.frame, mask)
    for kept, plane in zip(before, window.centre.frame.planes, strict=True):
        np.testing.assert_array_equal(kept, plane)
    if mask.any() and not mask.all():
        changed = repair.frame.planes[0][mask] != window.centre.frame.planes[0][mask]
        assert changed.mean() > 0.95, "the damage itself must be replaced"


@pytest.mark.parametrize("name", REPAIRERS)
@pytest.mark.parametrize("layout", [LAYOUTS["yuv420p"], LAYOUTS["rgb-half-alpha"]])
def test_the_same_input_gives_the_same_output(name: str, layout: Layout) -> None:
    window, _ = scene(layout, MASKS["specks"])
    first, second = (make_repairer(name).repair(window, MASKS["specks"]) for _ in range(2))
    for one, two in zip(first.frame.planes, second.frame.planes, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(first.unsure, second.unsure)


@pytest.mark.parametrize("name", REPAIRERS)
@pytest.mark.parametrize("layout", [LAYOUTS["gray8"], LAYOUTS["yuv422p10"], LAYOUTS["rgb-float"]])
def test_a_lone_frame_is_filled_from_itself(name: str, layout: Layout) -> None:
    mask = MASKS["specks"]
    window, clean = scene(layout, mask)
    repair = make_repairer(name).repair(replace(window, before=(), after=()), mask)
    keeps_its_promise(repair, window.centre.frame, mask)
    changed = repair.filled_by > 0
    assert changed[mask].mean() > 0.8
    assert np.isin(repair.filled_by[changed], [FilledBy.SPATIAL, FilledBy.DIFFUSION]).all()
    assert (repair.unsure[changed] == 1).all()
    error = np.abs(repair.frame.planes[0].astype(float) - clean.planes[0])[mask].mean()
    left = np.abs(window.centre.frame.planes[0].astype(float) - clean.planes[0])[mask].mean()
    # What is drawn is one of many things that could have been there.
    assert error < left / (1.5 if FilledBy.DIFFUSION in repair.filled_by else 3)


@pytest.mark.parametrize("name", REPAIRERS)
@pytest.mark.parametrize("layout", [LAYOUTS["gray-float"], LAYOUTS["rgb-half-alpha"]])
def test_strange_floats_stay_outside_and_do_not_enter(name: str, layout: Layout) -> None:
    mask = MASKS["specks"]
    window, _ = scene(layout, mask)
    frames = [one.picture.frame for one in (*window.before[::-1],)] + [window.centre.frame]
    frames += [one.picture.frame for one in window.after]
    for one in frames:
        # Next to the damage, under it, and far away: NaN with a payload, infinities, the largest value.
        for plane in one.planes[: layout.colour_planes]:
            plane[49, 60:64], plane[57, 62] = np.nan, np.inf
            plane[53, 64], plane[10, 10] = -np.inf, np.finfo(plane.dtype).max
    repair = make_repairer(name).repair(window_of(frames, 2), mask)
    keeps_its_promise(repair, window.centre.frame, mask)


@pytest.mark.parametrize("name", REPAIRERS)
def test_a_mask_that_does_not_fit_is_refused(name: str) -> None:
    window, _ = scene(LAYOUTS["gray8"], MASKS["specks"])
    for wrong in (np.ones((HEIGHT, WIDTH - 1), bool), np.ones((HEIGHT, WIDTH), np.uint8)):
        with pytest.raises(ValueError, match="does not fit"):
            make_repairer(name).repair(window, wrong)


@pytest.mark.parametrize("name", REPAIRERS)
def test_nothing_to_do_gives_the_frame_itself(name: str) -> None:
    window, _ = scene(LAYOUTS["yuv420p"], MASKS["none"])
    assert make_repairer(name).repair(window, MASKS["none"]).frame is window.centre.frame


@pytest.mark.parametrize("name", REPAIRERS)
@pytest.mark.parametrize("size", [(16, 16), (17, 40), (64, 5)])
def test_very_small_frames(name: str, size: tuple[int, int]) -> None:
    layout = Layout("yuv", 8, sub_x=1, sub_y=1)
    frames = [frame(n, image[: size[0], : size[1]], layout) for n, image in enumerate(moving((1.0, 0.0)))]
    window: Window = window_of(frames, 2)
    mask = np.zeros(size, bool)
    mask[2:5, 1:4] = True
    keeps_its_promise(make_repairer(name).repair(window, mask), window.centre.frame, mask)


def test_names_are_those_of_the_table() -> None:
    assert {name: make_repairer(name).name for name in REPAIRERS} == {name: name for name in REPAIRERS}
