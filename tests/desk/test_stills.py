"""Stills: the right frame whatever the order, from any thread, in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

import reelmend.desk.stills as stills_module
from reelmend.desk.stills import Shelf, Stills
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.media import open_reel
from reels import in_layout, long_reel, write_reel

FRAMES = 40


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = in_layout(long_reel(), Layout("yuv", 10, sub_x=1))
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", (frames * 5)[:FRAMES])


def test_any_order_and_any_thread_gives_the_frame_asked_for(reel: Path) -> None:
    with open_reel(reel) as film:
        wanted = [frame.planes[0] for frame in film.frames()]
    asked = list(np.random.default_rng(0).integers(0, len(wanted), 60))
    stills = Stills(reel)
    with ThreadPoolExecutor(4) as pool:
        for number, frame in zip(asked, pool.map(stills.frame, asked), strict=True):
            assert frame.index == number
            np.testing.assert_array_equal(frame.planes[0], wanted[number])
    stills.close()


def test_pictures_are_as_wide_as_asked_and_kept(reel: Path) -> None:
    stills = Stills(reel)
    width, height = stills.facts.width, stills.facts.height
    whole = cv2.imdecode(np.frombuffer(stills.picture(3), np.uint8), cv2.IMREAD_COLOR)
    assert whole.shape == (height, width, 3)
    small = cv2.imdecode(np.frombuffer(stills.picture(3, 64), np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (round(height * 64 / width), 64, 3)
    assert stills.picture(3, 64) is stills.picture(3, 64)
    assert stills.picture(3, 10**9) is stills.picture(3)
    stills.close()


def test_numbers_beyond_the_reel_are_said(reel: Path) -> None:
    stills = Stills(reel)
    for number in (-1, FRAMES + 500, 10**12):
        with pytest.raises(UsageError, match="no frame"):
            stills.frame(number)
    assert stills.frame(0).index == 0
    stills.close()


def test_memory_stays_bounded(reel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stills(reel)
    size = sum(plane.nbytes for plane in one.frame(0).planes)
    one.close()
    monkeypatch.setattr(stills_module, "FRAMES_KEPT", 5 * size)
    stills = Stills(reel)
    with open_reel(reel) as film:
        count = sum(1 for _ in film.frames())
    for number in range(count):
        stills.frame(number)
        assert stills._frames.held <= 5 * size
    stills.close()


def test_a_shelf_gives_up_what_was_used_least_recently() -> None:
    shelf: Shelf[str] = Shelf(10)
    shelf.put("a", "a", 4)
    shelf.put("b", "b", 4)
    assert shelf.get("a") == "a"
    shelf.put("c", "c", 4)
    assert shelf.get("b") is None and shelf.get("a") == "a" and shelf.held == 8
    shelf.put("d", "d", 100)
    assert shelf.get("d") == "d" and shelf.held == 100
    shelf.put("d", "e", 1)
    assert shelf.held == 1
