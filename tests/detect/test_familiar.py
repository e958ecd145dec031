"""What comes back nearby in the neighbours is left alone; dust is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from footage import pan
from reelmend.detect import familiar as module
from reelmend.detect.familiar import clear_familiar, familiar
from reelmend.detect.labels import Labels
from reelmend.detect.learned import LearnedDetector
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows
from small_networks import network

HEIGHT, WIDTH = 120, 160
HOLE = (60, 80)


def stack_with(
    *places: tuple[int, int] | None, size: tuple[int, int] = (HEIGHT, WIDTH), radius: int = 2, grain: float = 0.01
) -> NDArray[np.float32]:
    """Pictures with grain and a dark hole at a place of each; None: without."""
    rng = np.random.default_rng(1)
    frames = []
    for place in places:
        one = np.full(size, 0.6, np.float32)
        if place is not None:
            cv2.circle(one, place[::-1], radius, 0.2, -1)
        frames.append(cv2.GaussianBlur(one, (0, 0), max(0.6, radius / 4)) + rng.normal(0, grain, size))
    return np.asarray(frames, np.float32)


def found(stack: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The median of the neighbours, and what stands out from it in the centre."""
    expected = np.asarray(np.median(stack[1:], axis=0), np.float32)
    return expected, np.asarray(np.abs(stack[0] - expected) > 0.1)


def beside(down: int, across: int) -> tuple[int, int]:
    return HOLE[0] + down, HOLE[1] + across


@pytest.mark.parametrize("others", [4, 3])
def test_a_hole_that_flow_put_beside_its_place_comes_back(others: int) -> None:
    stack = stack_with(HOLE, *[beside(5, 2), beside(-6, 1), beside(2, 7), beside(-3, -6)][:others])
    expected, mask = found(stack)
    assert mask[HOLE]
    np.testing.assert_array_equal(familiar(stack, expected, mask), mask)


@pytest.mark.parametrize(
    "elsewhere",
    [
        (None, None, None, None),
        pytest.param((beside(5, 2), None, None, None), id="another speck beside it in one neighbour"),
        pytest.param((beside(5, 2), None, beside(-4, 4), None), id="in two"),
        pytest.param((beside(30, 0), beside(0, 30), beside(-30, 0), beside(0, -30)), id="far away"),
    ],
)
def test_dust_does_not(elsewhere: tuple[tuple[int, int] | None, ...]) -> None:
    stack = stack_with(HOLE, *elsewhere)
    expected, mask = found(stack)
    assert mask[HOLE]
    assert not familiar(stack, expected, mask)[HOLE]


def test_dust_on_a_pattern_is_none_of_it() -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    knit = (0.08 * np.sin(rows / 1.9) * np.sin(columns / 1.9)).astype(np.float32)
    stack = stack_with(HOLE, None, None, None, None) + knit
    expected, mask = found(stack)
    assert mask[HOLE]
    assert not familiar(stack, expected, mask).any()


def test_dust_beside_something_dark_is_none_of_it() -> None:
    """Its surroundings must come back with it."""
    stack = stack_with(HOLE, None, None, None, None)
    stack[:, HOLE[0] - 20 : HOLE[0] + 20, HOLE[1] + 4 : HOLE[1] + 20] -= 0.3
    expected, mask = found(stack)
    assert mask[HOLE]
    assert not familiar(stack, expected, mask).any()


@pytest.mark.parametrize(("clear", "comes_back"), [(1, False), (2, True)])
def test_two_must_be_nearly_the_same_and_a_third_alike(clear: int, comes_back: bool) -> None:
    stack = stack_with(HOLE, beside(5, 2), beside(-6, 1), beside(2, 7), None, grain=0.002)
    stack[1 + clear : 4] = 0.6 + 0.37 * (stack[1 + clear : 4] - 0.6)
    expected, mask = found(stack)
    assert mask[HOLE]
    assert familiar(stack, expected, mask)[HOLE] == comes_back


@pytest.mark.parametrize("twice", [False, True])
def test_two_neighbours_are_too_few_to_tell(twice: bool) -> None:
    stack = stack_with(HOLE, beside(5, 2), beside(-6, 1))
    if twice:
        # As windows at the ends of shots have them.
        stack = stack[[0, 1, 1, 2, 2]]
    expected, mask = found(stack)
    assert mask[HOLE]
    assert not familiar(stack, expected, mask).any()


def test_the_reach_grows_with_the_scan() -> None:
    """Fifteen pixels beside its place, on a scan three times as wide as lengths are meant for."""
    size, middle = (240, 1920), (120, 900)
    places = [(middle[0] + down, middle[1] + across) for down, across in ((15, 5), (-16, 3), (6, 18), (-9, -17))]
    stack = stack_with(middle, *places, size=size, radius=6)
    expected, mask = found(stack)
    assert mask[middle]
    assert familiar(stack, expected, mask)[middle]
    narrow = np.ascontiguousarray(stack[:, :, 580:1220])
    assert not familiar(narrow, *found(narrow))[middle[0], middle[1] - 580]


def test_what_is_long_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = stack_with(HOLE, beside(5, 2), beside(-6, 1), beside(2, 7), beside(-3, -6))
    monkeypatch.setattr(module, "LONGEST", 2)
    assert not familiar(stack, *found(stack)).any()


@pytest.mark.parametrize("place", [(0, 0), (HEIGHT - 1, WIDTH - 1), (0, 80)])
def test_the_frame_may_end_beside_it(place: tuple[int, int]) -> None:
    stack = stack_with(place, None, None, None, None)
    expected, mask = found(stack)
    assert mask[place]
    assert not familiar(stack, expected, mask).any()


def test_blobs_go_by_the_half() -> None:
    mask = np.zeros((20, 40), np.bool_)
    mask[5:9, 5:9] = mask[5:9, 20:24] = True
    again = np.zeros_like(mask)
    again[5:8, 5:9] = again[5:7, 20:24] = True
    clear_familiar(Labels(mask), again)
    assert not mask[5:9, 5:9].any()
    assert mask[5:9, 20:24].all()


def test_a_detector_leaves_what_hops_about() -> None:
    frames = pan(5, 180, 240, speed=(2.0, 0.0))
    for n, (y, x) in enumerate([(88, 126), (98, 124), (92, 129), (86, 129), (97, 131)]):
        plane = frames[n].planes[0].copy()
        plane[y : y + 4, x : x + 4] = 15
        frames[n] = frames[n].with_planes((plane,))
    with ThreadPoolExecutor(2) as pool:
        looked = [one.result() for _, one in windows(shots(map(picture, frames)), pool)]
    masks = {}
    for apart in (False, True):
        detector = LearnedDetector("spikes", network=network(5), apart=apart)
        seen = [detector.look(window) for window in looked]
        others = tuple(seen[n] if 0 <= n < 5 else None for n in detector.needs(seen[2]))
        masks[apart] = detector.decide(seen[2], others).mask
    assert masks[False][92:96, 129:133].any()
    assert not masks[True].any()
