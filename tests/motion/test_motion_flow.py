from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from footage import pan
from reelmend.motion.flow import FlowPair, compose, dense_map, disagreement, flow_factor, grid, optical_flow, shrink
from reelmend.motion.luma import luma8
from reelmend.motion.warp import add_light, light_difference, sample


def inner(field: np.ndarray) -> np.ndarray:
    return field[16:-16, 16:-16]


def test_flow_follows_a_pan_to_a_quarter_pixel() -> None:
    frames = pan(2, speed=(3.0, -2.0))
    flow = optical_flow(frames[0].planes[0], frames[1].planes[0])
    # The camera moves right, the scene moves left.
    assert np.abs(np.median(inner(flow), axis=(0, 1)) - (-3.0, 2.0)).max() < 0.25


def test_composed_flow_is_the_flow_over_two_steps() -> None:
    frames = [frame.planes[0] for frame in pan(3, 240, 400, speed=(4.0, 1.0))]
    both = compose(optical_flow(frames[0], frames[1]), optical_flow(frames[1], frames[2]))
    assert np.abs(np.median(inner(both), axis=(0, 1)) - (-8.0, -2.0)).max() < 0.4


@pytest.mark.parametrize("shape", [(60, 80), (301, 407), (480, 960)])
def test_composing_with_stillness_changes_nothing(shape: tuple[int, int]) -> None:
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    flow = np.stack([0.01 * xs - 2, 0.02 * ys + 1], axis=-1)
    still = np.zeros((*shape, 2), np.float32)
    np.testing.assert_allclose(inner(compose(flow, still)), inner(flow), atol=1e-3)
    np.testing.assert_allclose(inner(compose(still, flow)), inner(flow), atol=1e-3)


def test_forward_and_backward_flow_agree_on_a_pan_and_not_on_noise() -> None:
    frames = pan(2)
    pair = FlowPair.between(frames[0].planes[0], frames[1].planes[0])
    assert np.median(inner(disagreement(pair.forward, pair.backward))) < 0.1
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (2, 120, 160), np.uint8)
    wild = FlowPair.between(noise[0], noise[1])
    assert np.median(inner(disagreement(wild.forward, wild.backward))) > 0.5


def test_dense_map_of_a_smaller_grid_scales_and_stays_in_place() -> None:
    flow = np.full((54, 96, 2), (1.5, -0.5), np.float32)
    points = dense_map(flow, 107, 191, 2)
    assert points.shape == (107, 191, 2)
    np.testing.assert_allclose(points - grid(107, 191), np.broadcast_to((3.0, -1.0), points.shape), atol=1e-5)


def test_grids_are_shared_and_cannot_be_spoiled() -> None:
    with pytest.raises(ValueError, match="read-only"):
        grid(20, 30)[0, 0] = 5


@pytest.mark.parametrize(("width", "factor"), [(320, 1), (640, 1), (1280, 1), (1920, 2), (4096, 4)])
def test_flow_grid_is_about_960_wide(width: int, factor: int) -> None:
    assert flow_factor(width) == factor


def test_tiny_pictures_get_a_grid_that_flow_can_work_on() -> None:
    small = shrink(np.zeros((9, 12), np.uint8), 1)
    assert small.shape == (16, 16)
    assert optical_flow(small, small).shape == (16, 16, 2)


def test_sampling_any_number_of_points() -> None:
    ys, xs = np.mgrid[:50, :60].astype(np.float32)
    plane = 2 * xs + 3 * ys
    rng = np.random.default_rng(0)
    for count in (0, 1, 1023, 40_000):
        x, y = rng.uniform(0, 59, count).astype(np.float32), rng.uniform(0, 49, count).astype(np.float32)
        # remap rounds positions to 1/32 pixel.
        np.testing.assert_allclose(sample(plane, x, y), 2 * x + 3 * y, atol=5 / 32)


def test_flicker_is_matched_but_damage_is_not() -> None:
    frame = pan(1)[0].planes[0]
    brighter = np.clip(frame.astype(np.int16) + 9, 0, 255).astype(np.uint8)
    brighter[40:60, 40:60] = 255
    light = light_difference(brighter, frame)
    matched = add_light(frame, light)
    outside = np.ones(frame.shape, bool)
    outside[30:70, 30:70] = False
    assert np.abs(matched.astype(int) - brighter)[outside].max() <= 2
    # The patch stays a patch.
    assert (brighter.astype(int) - matched)[45:55, 45:55].mean() > 60


def test_light_that_is_equal_is_left_alone() -> None:
    frame = pan(1)[0].planes[0]
    assert add_light(frame, light_difference(frame, frame)) is frame


def test_luma_is_the_same_picture_at_every_depth() -> None:
    from reelmend.film import Frame, Layout

    gray = pan(1)[0].planes[0]
    ten = Frame(0, ((gray.astype(np.uint32) * 1023 // 255).astype(np.uint16),), Layout("gray", 10))
    sixteen = Frame(0, (gray.astype(np.uint16) * 257,), Layout("gray", 16))
    rgb = Frame(0, (gray, gray, gray), Layout("rgb", 8))
    for frame in (ten, sixteen, rgb):
        assert np.abs(luma8(frame).astype(int) - gray).max() <= 1
    half = Frame(
        0, tuple(((gray / 255.0) ** 2.4).astype(np.float16) for _ in range(3)), Layout("rgb", 16, is_float=True)
    )
    assert np.abs(luma8(half).astype(int) - gray).max() <= 2


def test_luma_survives_infinities_and_nans() -> None:
    from reelmend.film import Frame, Layout

    plane = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float16)
    assert luma8(Frame(0, (plane,), Layout("gray", 16, is_float=True))).tolist()[0][1:3] == [255, 0]


SMALL = [(16, 16), (20, 30), (48, 64), (24, 500), (47, 500), (16, 399), (960, 16), (16, 960)]


@pytest.mark.parametrize("size", SMALL)
def test_flow_of_small_pictures_is_flow_and_changes_no_other(size: tuple[int, int]) -> None:
    """OpenCV chooses scales for small pictures: it crashes on some, and keeps them for what comes after others."""

    def flow_of(height: int, width: int) -> np.ndarray:
        first, second = (frame.planes[0] for frame in pan(2, height, width, seed=3, grain=2.0))
        return optical_flow(first, second)

    def alone(height: int, width: int) -> np.ndarray:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(flow_of, height, width).result()

    def after_each_other() -> list[np.ndarray]:
        return [flow_of(*size), flow_of(97, 131), flow_of(*size), flow_of(540, 960)]

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(after_each_other).result()
    for flow, wanted in zip(found, [size, (97, 131), size, (540, 960)], strict=True):
        assert flow.shape == (*wanted, 2) and np.isfinite(flow).all()
        np.testing.assert_array_equal(flow, alone(*wanted))
