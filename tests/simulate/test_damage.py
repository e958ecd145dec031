"""Defects drawn through their kinds, and laid over frames of any layout."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from tests.simulate.frames import LAYOUTS, frame_of, touched_samples

from reelmend.film import Layout
from reelmend.simulate.damage import Damage, damage_frame, draw, patches
from reelmend.simulate.defect import Cover, Defect, Ink, Pose
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.planes import change_rgb, rgb_of

BT601 = (0.299, 0.114)


class Box:
    """A hard box of `shape` pixels about the pose, a pixel wider each frame."""

    name: ClassVar[str] = "box"
    spans: ClassVar[bool] = False

    def draw(self, shape: tuple[int, int], pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        return Cover(np.ones((shape[0], shape[1] + age), np.float32), round(pose.y), round(pose.x))


@pytest.fixture(autouse=True)
def box_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "box", Box())  # type: ignore[arg-type]


def box(ink: Ink, **changes: object) -> Defect:
    return replace(Defect("box", (10, 20), Pose(20, 15, 1), ink), **changes)


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (0.1, 1.0, 0.3)])
@pytest.mark.parametrize("name", LAYOUTS)
def test_only_damaged_samples_change(name: str, tint: tuple[float, float, float]) -> None:
    layout = LAYOUTS[name]
    frame = frame_of(layout)
    before = [plane.copy() for plane in frame.planes]
    damage = draw([box(Ink(softness=0.9, tint=tint))], 41, 61)
    result = damage_frame(frame, damage, full_range=name == "gray")
    for index, (plane, source) in enumerate(zip(result.planes, before, strict=True)):
        assert plane.dtype == source.dtype
        np.testing.assert_array_equal(frame.planes[index], source)
        touched = touched_samples(damage.alpha, layout, index)
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


def test_defects_show_while_they_live_and_age() -> None:
    defect = box(Ink(softness=0), first=5, frames=7, every=3)
    widths = {index: draw([defect], 41, 61, index).truth.sum() // 10 for index in range(15)}
    assert widths == {index: {5: 20, 8: 23, 11: 26}.get(index, 0) for index in range(15)}


def test_later_damage_lies_over_earlier_also_in_colour() -> None:
    white, green = Ink("bright", 1.0, softness=0), Ink("dark", 0.9, softness=0, tint=(0.0, 1.0, 0.0))
    both = draw([box(white), box(green)], 41, 61)
    assert both.gain.shape == (3, 41, 61)
    np.testing.assert_allclose(both.gain[:, 20, 30], 0)
    np.testing.assert_allclose(both.lift[:, 20, 30], (1, 0.1, 1), rtol=1e-5)
    np.testing.assert_allclose(both.lift[:, 5, 5], 0)
    assert len(list(patches([box(white), box(green)], 41, 61))) == 2


@pytest.mark.parametrize("full", [False, True])
def test_coloured_damage_goes_through_the_matrix(full: bool) -> None:
    layout = Layout("yuv", 16)
    frame = frame_of(layout)
    damage = draw([box(Ink("bright", 0.8, softness=0, tint=(0.1, 1.0, 0.2), white=0.9))], 41, 61)
    changed = rgb_of(damage_frame(frame, damage, full_range=full, weights=BT601), full, BT601)
    wanted = rgb_of(frame, full, BT601) * damage.gain + damage.lift
    inside = np.abs(wanted - 0.5).max(axis=0) < 0.5  # where no code is clipped
    np.testing.assert_allclose(changed[:, inside], wanted[:, inside], atol=1e-4)


def test_neutral_damage_in_three_channels_is_neutral_damage() -> None:
    for name in ("yuv420p", "yuv422p10", "rgb12", "gray"):
        frame = frame_of(LAYOUTS[name])
        flat = draw([box(Ink("bright", 0.6, softness=0.8, white=0.9))], 41, 61)
        deep = Damage(*(np.repeat(image[None], 3, axis=0) for image in (flat.gain, flat.lift)))
        for one, other in zip(damage_frame(frame, flat).planes, damage_frame(frame, deep).planes, strict=True):
            assert np.abs(one.astype(int) - other).max() <= 1  # rounding, in another order
    assert deep.truth.sum() == flat.truth.sum()


def test_gray_takes_the_luma_of_coloured_damage() -> None:
    frame = frame_of(LAYOUTS["gray"])
    damage = draw([box(Ink("dark", 0.9, softness=0, tint=(0.0, 1.0, 0.0)))], 41, 61)
    changed = damage_frame(frame, damage, full_range=True, weights=BT601).planes[0]
    wanted = frame.planes[0][20, 30] * (1 - 0.9 * (1 - sum(BT601)))
    assert changed[20, 30] == pytest.approx(wanted, abs=0.51)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_change_of_nothing_changes_nothing(name: str) -> None:
    frame = frame_of(LAYOUTS[name])
    before = rgb_of(frame, False)
    for plane, source in zip(change_rgb(frame, before, before.copy(), False).planes, frame.planes, strict=True):
        np.testing.assert_array_equal(plane, source)
