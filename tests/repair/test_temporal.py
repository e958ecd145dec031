"""The temporal repairer finds the content under the damage, whatever else happens in the neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reelmend.motion.windows import Window
from reelmend.repair import FilledBy, Repair, SpatialRepairer, TemporalRepairer

from .scenes import HEIGHT, LAYOUTS, WIDTH, Floats, frame, moving, psnr, scene, specks, window_of

GRAY = LAYOUTS["gray8"]
MASK = specks((50, 57, 60, 68), (20, 24, 90, 93), (70, 72, 20, 45))


def repair(window: Window) -> Repair:
    return TemporalRepairer().repair(window, MASK)


def test_a_moving_texture_is_recovered() -> None:
    window, clean = scene(GRAY, MASK)
    found = repair(window)
    assert psnr(found.frame, clean, MASK) > 42
    assert psnr(SpatialRepairer().repair(window, MASK).frame, clean, MASK) < 30
    assert (found.filled_by[MASK] == FilledBy.TEMPORAL).all()
    assert found.unsure.max() < 0.1


@pytest.mark.parametrize("step", [(0.5, 0.25), (-3.3, 1.6), (0.0, 6.0)])
def test_motion_between_samples_and_fast_motion(step: tuple[float, float]) -> None:
    images = moving(step)
    hurt = images[2].copy()
    hurt[MASK] = 0.05
    window = window_of([frame(n, hurt if n == 2 else one, GRAY) for n, one in enumerate(images)], 2)
    assert psnr(repair(window).frame, frame(2, images[2], GRAY), MASK) > 36


@pytest.mark.parametrize("name", ["yuv420p", "yuv411p", "yuv444p16", "rgb16", "rgb-half-alpha"])
def test_every_plane_is_recovered(name: str) -> None:
    window, clean = scene(LAYOUTS[name], MASK)
    found = repair(window).frame
    for plane in range(found.layout.colour_planes):
        sub_x, sub_y = found.layout.subsampling(plane)
        inside = MASK[:: 1 << sub_y, :: 1 << sub_x]
        assert psnr(found, clean, inside, plane) > 34


@pytest.mark.parametrize("side", ["before", "after"])
def test_one_side_is_enough_where_the_surroundings_agree(side: str) -> None:
    window, clean = scene(GRAY, MASK)
    found = repair(replace(window, **{side: ()}))
    assert psnr(found.frame, clean, MASK) > 38
    assert found.unsure.max() < 0.2


def test_a_single_neighbour_is_a_copy() -> None:
    images = [moving((2.0, 1.0))[2]] * 2
    noisy = [np.clip(one + np.random.default_rng(n).normal(0, 0.02, one.shape), 0, 1) for n, one in enumerate(images)]
    window = window_of([frame(n, one.astype(np.float32), GRAY) for n, one in enumerate(noisy)], 0)
    assert len(window.neighbours) == 1
    found = repair(window).frame.planes[0] / GRAY.peak
    grain, other = (one[MASK] - images[0][MASK] for one in (found, noisy[1]))
    assert np.corrcoef(grain, other)[0, 1] > 0.8


@pytest.mark.parametrize("which", [1, 3])
def test_dirt_of_a_neighbour_is_not_copied_in(which: int) -> None:
    def dirty(n: int, image: Floats) -> Floats:
        if n == which:
            # Where the content of the centre's damage lies in that frame.
            right, down = 2 * (n - 2), n - 2
            image[48 + down : 60 + down, 57 + right : 70 + right] = 0.02
        return image

    window, clean = scene(GRAY, MASK, dirty)
    assert psnr(repair(window).frame, clean, MASK) > 38


def test_neighbours_damaged_at_the_same_place_leave_a_smooth_fill() -> None:
    def dirty(n: int, image: Floats) -> Floats:
        if n != 2:
            right, down = 2 * (n - 2), n - 2
            image[46 + down : 61 + down, 56 + right : 72 + right] = (0.0, 1.0, 0, 0.02, 0.98)[n]
        return image

    window, clean = scene(GRAY, MASK, dirty)
    found = repair(window)
    big = specks((50, 57, 60, 68))
    assert found.unsure[big].mean() > 0.8
    assert (found.filled_by[big] == FilledBy.SPATIAL).mean() > 0.8
    error = np.abs(found.frame.planes[0].astype(float) - clean.planes[0])
    left = np.abs(window.centre.frame.planes[0].astype(float) - clean.planes[0])
    assert error[big].mean() < left[big].mean() / 2
    assert psnr(found.frame, clean, specks((20, 24, 90, 93))) > 38


@pytest.mark.parametrize("gain", [0.88, 1.12])
def test_flicker_does_not_enter(gain: float) -> None:
    def flicker(n: int, image: Floats) -> Floats:
        return image if n == 2 else image * np.float32(gain if n % 2 else 2 - gain)

    window, clean = scene(GRAY, MASK, flicker)
    found = repair(window)
    assert psnr(found.frame, clean, MASK) > 34
    drift = (found.frame.planes[0].astype(float) - clean.planes[0])[MASK].mean()
    assert abs(drift) < 2


def test_an_occluded_side_gives_way_to_the_other() -> None:
    def cover(n: int, image: Floats) -> Floats:
        if n > 2:
            image[30:80, 40:] = 0.75
        return image

    window, clean = scene(GRAY, MASK, cover)
    big = specks((50, 57, 60, 68))
    assert psnr(repair(window).frame, clean, big) > 34


def test_unrelated_neighbours_are_not_believed() -> None:
    other = moving((0.0, 0.0), seed=7)[0]
    images = [other, other + 0.05, moving((2.0, 1.0))[2], other[::-1] * 0.9, other[:, ::-1]]
    window = window_of([frame(n, np.ascontiguousarray(one), GRAY) for n, one in enumerate(images)], 2)
    found = repair(window)
    spatial = SpatialRepairer().repair(window, MASK)
    clean = window.centre.frame
    assert psnr(found.frame, clean, MASK) > psnr(spatial.frame, clean, MASK) - 3


def test_no_outline_is_left_around_the_repair() -> None:
    def ramp(n: int, image: Floats) -> Floats:
        light = np.linspace(-0.08, 0.08, WIDTH, dtype=np.float32) * (n - 2)
        return (0.5 + 0.2 * (image - 0.5) + light).astype(np.float32)

    window, clean = scene(GRAY, MASK, ramp)
    error = repair(window).frame.planes[0].astype(float) - clean.planes[0]
    assert np.abs(error[MASK]).mean() < 1.5


def test_a_mask_over_everything_is_worked_off_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    window, _ = scene(GRAY, MASK)
    everything = np.ones((HEIGHT, WIDTH), bool)
    whole = TemporalRepairer().repair(window, everything)
    monkeypatch.setattr("reelmend.repair.cells._MOST_SAMPLES", 2048)
    parts = TemporalRepairer().repair(window, everything)
    apart = np.abs(whole.frame.planes[0].astype(float) - parts.frame.planes[0])
    # What a good match is, is decided a part; so is what no neighbour shows at the frame's edge.
    temporal = (whole.filled_by == FilledBy.TEMPORAL) & (parts.filled_by == FilledBy.TEMPORAL)
    assert temporal.mean() > 0.4
    assert apart[temporal].mean() < 2
