"""PNGs and JPEGs whose colour was dropped, frame by frame, by the program that saved them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.errors import MediaError
from reelmend.film import Layout
from reelmend.media import open_reel, open_writer


@pytest.fixture
def mixed(tmp_path: Path) -> Callable[[str], Path]:
    def make(suffix: str) -> Path:
        folder = tmp_path / "scan"
        folder.mkdir()
        rng = np.random.default_rng(1)
        for number in range(5):
            shape = (20, 30) if number in (2, 3) else (20, 30, 3)
            picture = rng.integers(0, 256, shape, dtype=np.uint8)
            assert cv2.imwrite(str(folder / f"s_{number:04d}{suffix}"), picture)
        return folder

    return make


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_gray_picture_among_colour_is_its_three_equal_planes(mixed: Callable[[str], Path], suffix: str) -> None:
    folder = mixed(suffix)
    with open_reel(folder) as reel:
        frames = list(reel.frames())
    assert {frame.layout for frame in frames} == {Layout("rgb", 8)}
    gray = cv2.imread(str(folder / f"s_0002{suffix}"), cv2.IMREAD_UNCHANGED)
    assert gray.ndim == 2
    for plane in frames[2].planes:
        np.testing.assert_array_equal(plane, gray)
    assert not np.array_equal(frames[1].planes[0], frames[1].planes[1])


def test_it_is_written_in_colour_and_reads_the_same(mixed: Callable[[str], Path], tmp_path: Path) -> None:
    with open_reel(mixed(".png")) as reel:
        with open_writer(tmp_path / "out", reel.facts, source=reel, work=tmp_path / "work", threads=1) as writer:
            for frame in reel.frames():
                writer.write(frame)
            writer.finish()
        with open_reel(tmp_path / "out") as again:
            for before, after in zip(reel.frames(), again.frames(), strict=True):
                for a, b in zip(before.planes, after.planes, strict=True):
                    np.testing.assert_array_equal(a, b)
    assert cv2.imread(str(tmp_path / "out" / "s_0002.png"), cv2.IMREAD_UNCHANGED).ndim == 3


def test_colour_in_a_sequence_that_began_gray_is_refused(mixed: Callable[[str], Path]) -> None:
    folder = mixed(".png")
    for number in (0, 1):
        (folder / f"s_{number:04d}.png").unlink()
    with (
        open_reel(folder) as reel,
        pytest.raises(MediaError, match=r"s_0004\.png is uint8 rgb, .*uint8 gray"),
    ):
        list(reel.frames())
