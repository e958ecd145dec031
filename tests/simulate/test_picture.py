"""Changes of the picture that are not damage."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.simulate.frames import LAYOUTS, frame_of

from reelmend.film import Frame, Layout
from reelmend.simulate import recipe as recipes
from reelmend.simulate.picture import JUMP, PITCH, Picture, blur, compress, fade, move
from reelmend.simulate.planes import rgb_of

WILD = recipes.Picture(flicker=(0.05, 0.05), weave=(40, 40), jumps=(50, 50), fading=(0.2, 0.4))


def smooth(layout: Layout, height: int = 48, width: int = 64) -> Frame:
    planes = []
    for index in range(len(layout.planes)):
        rows, columns = layout.plane_shape(index, height, width)
        y, x = np.mgrid[0:rows, 0:columns]
        wave = 0.5 + 0.2 * np.sin(x / columns * 7 + index) * np.cos(y / rows * 5)
        planes.append((wave * layout.peak).astype(layout.dtype))
    return Frame(0, tuple(planes), layout)


def test_any_frame_can_be_asked_for_first() -> None:
    one, other = (Picture.of(WILD, 5, "35mm", 640) for _ in range(2))
    forward = [(one.gain(n), one.shift(n)) for n in range(60)]
    assert [(other.gain(n), other.shift(n)) for n in reversed(range(60))] == forward[::-1]
    assert Picture.of(WILD, 6, "35mm", 640).gain(3) != one.gain(3)


def test_flicker_weave_and_jumps_are_as_strong_as_asked_for() -> None:
    picture = Picture.of(WILD, 1, "35mm", 1245)
    gains = np.array([picture.gain(n) for n in range(3000)])
    assert gains.mean() == pytest.approx(1, abs=0.006)
    assert gains.std() == pytest.approx(0.05, rel=0.08)
    x = np.array([picture.shift(n)[0] for n in range(3000)])
    assert x.std() == pytest.approx(40 * 1245 / 24_900, rel=0.08)
    assert 0.2 < np.corrcoef(x[:-1], x[1:])[0, 1] < 0.8  # half slow, half fresh
    still = Picture.of(recipes.Picture(jumps=(50, 50)), 1, "16mm", 1026)
    y = np.array([still.shift(n)[1] for n in range(3000)])
    assert set(np.round(np.abs(y), 6)) == {0, round(JUMP * PITCH["16mm"] / 10, 6)}
    assert (y != 0).mean() == pytest.approx(0.05 * 1.5, rel=0.25)


def test_a_plain_recipe_changes_nothing() -> None:
    picture = Picture.of(recipes.Picture(), 1, "35mm", 640)
    frame = frame_of(LAYOUTS["yuv420p"])
    assert picture.gain(7) == 1 and picture.shift(7) == (0, 0)
    assert compress(blur(fade(move(frame, (0, 0), 1.0), 0), 0), 0) is frame


@pytest.mark.parametrize("name", LAYOUTS)
def test_moving_by_whole_pixels_moves_every_plane(name: str) -> None:
    layout = LAYOUTS[name]
    frame = frame_of(layout, 48, 64)
    moved = move(frame, (4, -6), 1.0)
    for index, (plane, source) in enumerate(zip(moved.planes, frame.planes, strict=True)):
        sub_x, sub_y = layout.subsampling(index)
        down, right = 6 >> sub_y, 4 >> sub_x
        assert plane.dtype == source.dtype
        np.testing.assert_array_equal(plane[:-down, right:], source[down:, :-right])


def test_half_a_pixel_there_and_back_is_nearly_nothing() -> None:
    frame = smooth(Layout("yuv", 10, sub_x=1, sub_y=1))
    back = move(move(frame, (0.5, 0.5), 1.0), (-0.5, -0.5), 1.0)
    for plane, source in zip(back.planes, frame.planes, strict=True):
        assert np.abs(plane[6:-6, 6:-6].astype(int) - source[6:-6, 6:-6]).max() <= 3


def test_gain_is_about_black_and_keeps_hue() -> None:
    frame = smooth(Layout("yuv", 10, sub_x=1))
    dimmed = move(frame, (0, 0), 0.5)
    np.testing.assert_allclose(dimmed.planes[0] - 64.0, (frame.planes[0] - 64.0) / 2, atol=0.51)
    np.testing.assert_allclose(dimmed.planes[1] - 512.0, (frame.planes[1] - 512.0) / 2, atol=0.51)
    bright = move(smooth(Layout("rgb", 8)), (0, 0), 5.0)
    assert bright.planes[0].max() == 255


@pytest.mark.parametrize("name", ["yuv422p10", "rgb12", "yuv444p16"])
def test_fading_takes_cyan_and_yellow_first(name: str) -> None:
    frame = smooth(LAYOUTS[name])
    neutral = Frame(0, tuple(frame.planes[0] if p in "RGB" else plane for p, plane in zip(
        frame.layout.planes, frame.planes, strict=True)), frame.layout)  # fmt: skip
    if neutral.layout.family == "yuv":
        gray = [np.full_like(plane, 1 << (neutral.layout.bits - 1)) for plane in neutral.planes[1:]]
        neutral = neutral.with_planes((neutral.planes[0], *gray))
    red, green, blue = rgb_of(fade(neutral, 1.0), False)
    dark = rgb_of(neutral, False)[1] < 0.6
    assert (red[dark] > blue[dark] + 0.01).all()
    assert (blue[dark] > green[dark] + 0.05).all()
    np.testing.assert_allclose(green, np.clip(rgb_of(neutral, False)[1], 0, 1) ** 0.75, atol=0.02)


def test_fading_halves_the_contrast_of_gray() -> None:
    frame = frame_of(Layout("gray", 16))
    faded = fade(frame, 1.0, full_range=True).planes[0] / 65535
    np.testing.assert_allclose(faded - 0.5, (frame.planes[0] / 65535 - 0.5) / 2, atol=1e-4)


def test_blur_follows_the_chroma_grid() -> None:
    layout = Layout("yuv", 16, sub_x=1, sub_y=1)
    frame = frame_of(layout, 80, 80)
    result = blur(frame, 2.0)
    for index, sigma in ((0, 2.0), (1, 1.0)):
        wanted = gaussian_filter(frame.planes[index].astype(float), sigma, mode="nearest")
        np.testing.assert_allclose(result.planes[index], wanted, rtol=0.02)


def test_compression_is_the_error_of_a_jpeg() -> None:
    frame = frame_of(Layout("gray", 8), 64, 64)
    packed = cv2.imencode(".jpg", frame.planes[0], [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    np.testing.assert_array_equal(compress(frame, 1.0).planes[0], cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    deep = smooth(Layout("rgb", 16))
    weak, strong = (np.abs(compress(deep, c).planes[1].astype(float) - deep.planes[1]).mean() for c in (0.1, 1.0))
    assert weak < strong / 3
    half = compress(smooth(LAYOUTS["half"]), 1.0)
    assert half.planes[0].dtype == np.float16 and np.isfinite(half.planes[0]).all()
