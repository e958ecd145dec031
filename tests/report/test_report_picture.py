"""Frames as displayable pictures, against values worked out from the standards."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reelmend.film import Colour, Frame, Layout
from reelmend.report.picture import crop, display_white, overlay_rgba, to_rgb8


def flat(layout: Layout, *values: float, height: int = 6, width: int = 8) -> Frame:
    planes = tuple(
        np.full(layout.plane_shape(number, height, width), value, layout.dtype) for number, value in enumerate(values)
    )
    return Frame(0, planes, layout)


def shown(frame: Frame, colour: Colour = Colour()) -> list[int]:  # noqa: B008
    picture = to_rgb8(frame, colour)
    assert picture.shape == (frame.height, frame.width, 3)
    assert (picture == picture[0, 0]).all()
    return [int(value) for value in picture[0, 0]]


@pytest.mark.parametrize(
    ("layout", "colour", "values", "rgb"),
    [
        (Layout("gray", 8), Colour(), (77,), (77, 77, 77)),
        (Layout("gray", 10), Colour(), (1023,), (255, 255, 255)),
        (Layout("gray", 8), Colour(range="limited"), (235,), (255, 255, 255)),
        (Layout("gray", 8), Colour(range="limited"), (16,), (0, 0, 0)),
        (Layout("rgb", 16), Colour(), (65535, 0, 32896), (255, 0, 128)),
        (Layout("rgb", 8, alpha=True), Colour(), (1, 2, 3, 0), (1, 2, 3)),
        # BT.601 colour bars at 75 %, 8 bits: yellow and blue (Rec. ITU-R BT.801-1).
        (Layout("yuv", 8), Colour(matrix="smpte170m"), (162, 44, 142), (191, 191, 0)),
        (Layout("yuv", 8), Colour(matrix="smpte170m"), (35, 212, 114), (0, 0, 191)),
        # BT.709 colour bars at 75 %, 10 bits: red and green.
        (Layout("yuv", 10, sub_x=1), Colour(matrix="bt709"), (205, 435, 848), (191, 0, 0)),
        (Layout("yuv", 10, sub_x=1, sub_y=1), Colour(matrix="bt709"), (534, 253, 207), (0, 191, 0)),
        (Layout("yuv", 8), Colour(range="full"), (200, 128, 128), (200, 200, 200)),
        (Layout("yuv", 8), Colour(matrix="gbr", range="full"), (20, 30, 10), (10, 20, 30)),
        # Middle gray, scene-linear 0.18, is 118 in sRGB.
        (Layout("rgb", 32, is_float=True), Colour(), (0.18, 0.18, 0.18), (118, 118, 118)),
        (Layout("gray", 16, is_float=True), Colour(), (float("nan"),), (0, 0, 0)),
    ],
)
def test_known_colours(layout: Layout, colour: Colour, values: tuple[float, ...], rgb: tuple[int, int, int]) -> None:
    assert np.abs(np.subtract(shown(flat(layout, *values), colour), rgb)).max() <= 1


def test_untagged_yuv_is_bt601_small_and_bt709_large() -> None:
    layout = Layout("yuv", 8)
    small, large = flat(layout, 120, 90, 200), flat(layout, 120, 90, 200, height=720)
    assert shown(small) == shown(small, Colour(matrix="smpte170m", range="limited"))
    assert shown(large) == shown(large, Colour(matrix="bt709", range="limited"))
    assert shown(small) != shown(small, Colour(matrix="bt709"))


def test_every_yuv_layout_agrees_with_opencv() -> None:
    rng = np.random.default_rng(3)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 9)
    smooth = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)
    packed = cv2.cvtColor(smooth, cv2.COLOR_RGB2YUV_I420)
    planes = (packed[:48], packed[48:60].reshape(24, 32), packed[60:].reshape(24, 32))
    ours = to_rgb8(Frame(0, planes, Layout("yuv", 8, sub_x=1, sub_y=1)), Colour(matrix="smpte170m", range="limited"))
    theirs = cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_I420)
    assert np.abs(ours.astype(int) - theirs).mean() < 2.5


def test_bright_float_pictures_keep_their_highlights() -> None:
    layout = Layout("rgb", 16, is_float=True)
    ramp = np.tile(np.linspace(0, 6, 64, dtype=np.float16), (8, 1))
    frame = Frame(0, (ramp, ramp, ramp), layout)
    assert display_white(frame) == pytest.approx(6, rel=0.06)
    picture = to_rgb8(frame)[0, :, 0].astype(int)
    assert (np.diff(picture) >= 0).all()
    assert (picture == 255).sum() < 8
    assert to_rgb8(frame, white=1.0)[0, 30, 0] == 255


def test_pq_white_is_bright_and_black_is_black() -> None:
    layout = Layout("yuv", 10)
    tags = Colour(matrix="bt2020nc", transfer="smpte2084")
    assert shown(flat(layout, 64, 512, 512), tags) == [0, 0, 0]
    diffuse = shown(flat(layout, 64 + round(0.58 * 876), 512, 512), tags)  # 203 cd/m2, BT.2408
    assert 170 < diffuse[0] < 220
    assert diffuse[0] == diffuse[1] == diffuse[2]


@pytest.mark.parametrize("layout", [Layout("yuv", 8, sub_x=1, sub_y=1), Layout("rgb", 16), Layout("gray", 8)])
def test_sizes_odd_and_asked_for(layout: Layout) -> None:
    frame = flat(layout, *(100,) * layout.colour_planes, height=7, width=11)
    assert to_rgb8(frame).shape == (7, 11, 3)
    assert to_rgb8(frame, size=(5, 3)).shape == (3, 5, 3)


def test_a_crop_holds_whole_chroma_samples() -> None:
    layout = Layout("yuv", 8, sub_x=1, sub_y=1)
    frame = flat(layout, 50, 128, 128, height=9, width=13)
    part = crop(frame, (3, 5, 9, 13))
    assert [plane.shape for plane in part.planes] == [(7, 9), (4, 5), (4, 5)]
    assert part.planes[1].shape == layout.plane_shape(1, part.height, part.width)


def test_an_overlay_shows_specks_smaller_than_a_pixel_and_marks_doubt() -> None:
    mask, unsure = np.zeros((400, 600), bool), np.zeros((400, 600), bool)
    mask[100, 100] = mask[300, 500] = unsure[300, 500] = True
    over = overlay_rgba(mask, unsure, (150, 100), (1, 2, 3))
    assert over.shape == (100, 150, 4)
    assert over[25, 25, 3] > 0
    assert over[75, 125, 3] > over[25, 25, 3]
    assert (over[:10] == 0).all()
