from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from footage import Speck, damaged, pan
from reelmend.film import Frame
from reelmend.motion.copies import is_copy
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import REACH, Window, windows


def numbered(frames: list[Frame]) -> list[Frame]:
    return [replace(frame, index=index) for index, frame in enumerate(frames)]


def shot_numbers(frames: list[Frame]) -> list[int]:
    return [shot for shot, _ in shots(map(picture, numbered(frames)))]


def all_windows(frames: list[Frame]) -> list[Window]:
    with ThreadPoolExecutor(2) as pool:
        found = [(index, future.result()) for index, future in windows(shots(map(picture, frames)), pool)]
    assert [index for index, _ in found] == [window.centre.index for _, window in found]
    return [window for _, window in found]


def offsets(window: Window) -> list[int]:
    return [one.picture.index - window.centre.index for one in window.neighbours]


def test_cuts_are_found_where_they_are() -> None:
    frames = pan(9, seed=1) + pan(7, seed=5) + pan(12, seed=9)
    assert shot_numbers(frames) == [0] * 9 + [1] * 7 + [2] * 12


@pytest.mark.parametrize("length", [1, 2])
def test_cut_near_the_end_of_the_reel(length: int) -> None:
    frames = pan(10, seed=1) + pan(length, seed=5)
    assert shot_numbers(frames) == [0] * 10 + [1] * length


def test_flash_is_no_cut() -> None:
    frames = pan(14)
    for at in (6, 7):
        flash = np.clip(frames[at].planes[0].astype(int) + 110, 0, 255).astype(np.uint8)
        frames[at] = frames[at].with_planes((flash,))
    assert set(shot_numbers(frames)) == {0}


def test_frame_full_of_dirt_is_no_cut() -> None:
    frames = pan(14)
    rng = np.random.default_rng(0)
    plane = frames[7].planes[0].copy()
    for _ in range(60):
        cv2.circle(plane, (int(rng.integers(160)), int(rng.integers(120))), int(rng.integers(3, 10)), 250, -1)
    frames[7] = frames[7].with_planes((plane,))
    assert set(shot_numbers(frames)) == {0}


def test_flicker_and_fast_pan_are_no_cuts() -> None:
    frames = pan(16, speed=(9.0, 0.0))
    for at in range(0, 16, 2):
        frames[at] = frames[at].with_planes((np.clip(frames[at].planes[0] * 0.8, 0, 255).astype(np.uint8),))
    assert set(shot_numbers(frames)) == {0}


def test_jolt_of_the_camera_is_no_cut() -> None:
    frames = pan(16)
    for at in range(8, 16):
        frames[at] = frames[at].with_planes((np.roll(frames[at].planes[0], (9, -12), (0, 1)),))
    assert set(shot_numbers(frames)) == {0}


def test_windows_hold_two_different_neighbours_each_side() -> None:
    found = all_windows(pan(7))
    assert [offsets(window) for window in found] == [
        [1, 2], [-1, 1, 2], [-1, -2, 1, 2], [-1, -2, 1, 2], [-1, -2, 1, 2], [-1, -2, 1], [-1, -2],
    ]  # fmt: skip
    assert all(window.copy_of is None for window in found)


def test_nothing_crosses_a_cut() -> None:
    frames = numbered(pan(6, seed=1) + pan(6, seed=5))
    for window in all_windows(frames):
        for one in window.neighbours:
            assert (one.picture.index < 6) == (window.centre.index < 6)


def test_pulled_down_frames_look_past_their_copies() -> None:
    film = pan(8, speed=(4.0, 1.0))
    # 2:3-like stretch: every fourth frame twice.
    order = [0, 1, 2, 3, 3, 4, 5, 6, 7, 7]
    found = all_windows(numbered([film[n] for n in order]))
    assert offsets(found[3]) == [-1, -2, 2, 3]
    assert offsets(found[4]) == [-2, -3, 1, 2]
    assert found[3].copy_of is None
    assert found[4].copy_of == 3


def test_copies_are_told_even_after_compression() -> None:
    film = pan(6, speed=(6.0, 1.0), grain=3)
    shaken = cv2.imdecode(cv2.imencode(".jpg", film[3].planes[0], [cv2.IMWRITE_JPEG_QUALITY, 97])[1], 0)
    copy = film[3].with_planes((shaken,))
    found = all_windows(numbered([*film[:4], copy, *film[4:]]))
    assert found[4].copy_of == 3


def test_copies_are_told_where_compression_shook_some_blocks() -> None:
    """As in film that was stretched to 30 frames and then compressed: most blocks were copied, some coded anew."""
    film = pan(6, speed=(6.0, 1.0))
    shaken = film[3].planes[0].copy()
    rng = np.random.default_rng(0)
    for _ in range(12):
        y, x = 8 * int(rng.integers(15)), 8 * int(rng.integers(20))
        block = shaken[y : y + 8, x : x + 8]
        block[:] = np.clip(block + rng.choice((-9, 9), block.shape), 0, 255)
    found = all_windows(numbered([*film[:4], film[3].with_planes((shaken,)), *film[4:]]))
    assert found[4].copy_of == 3


@pytest.mark.parametrize(
    ("mean", "block", "usual", "copy"),
    [
        (0.93, 6.2, 17.1, True),  # a compressed film of 1952 that was stretched from 24 to 30 frames
        (0.84, 7.8, 11.8, True),
        (0.96, 14.4, 6.9, False),  # a locked camera on a street: a man goes by
        (1.31, 9.6, 9.7, False),
        (1.02, 21.6, 5.8, False),  # the film of 1952, out of the rhythm of its copies
    ],
)
def test_changes_measured_in_real_films(mean: float, block: float, usual: float, copy: bool) -> None:
    assert is_copy(mean, block, usual) == copy


def test_a_speck_makes_a_still_frame_different() -> None:
    still = pan(1)[0]
    frames, _ = damaged(numbered([still] * 5), [Speck(2, 80, 60)])
    found = all_windows(frames)
    assert {1, 3} & {one.picture.index for one in found[2].neighbours}
    assert found[2].copy_of is None


def test_a_held_title_does_not_gather_without_end() -> None:
    found = all_windows(numbered([pan(1)[0]] * 40))
    assert len(found) == 40
    assert max(abs(offset) for window in found for offset in offsets(window)) <= 2 * REACH


def test_flow_points_from_the_centre_to_the_neighbour() -> None:
    window = all_windows(pan(5, speed=(3.0, 0.0)))[2]
    for one in window.neighbours:
        middle = np.median(one.flow[20:-20, 20:-20], axis=(0, 1))
        assert abs(middle[0] + 3.0 * one.step) < 0.4
        assert abs(np.median(one.back[20:-20, 20:-20], axis=(0, 1))[0] - 3.0 * one.step) < 0.4


@pytest.mark.parametrize("start", [3, 10, 17, 31])
def test_a_run_that_starts_later_sees_the_same_windows(start: int) -> None:
    film = pan(12, seed=1, speed=(3.0, 1.0)) + [pan(1, seed=3)[0]] * 14 + pan(14, seed=5, speed=(3.0, 1.0))
    film = numbered([film[n] for n in range(len(film)) for _ in range(1 + (n % 4 == 2))])
    whole = {window.centre.index: window for window in all_windows(film)}
    context = 4 * REACH + 3
    part = {window.centre.index: window for window in all_windows(film[max(0, start - context) :])}
    for index in range(start, len(film)):
        assert offsets(part[index]) == offsets(whole[index])
        assert part[index].copy_of == whole[index].copy_of
        for a, b in zip(part[index].neighbours, whole[index].neighbours, strict=True):
            np.testing.assert_array_equal(a.flow, b.flow)
