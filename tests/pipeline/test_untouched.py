"""Untouched means untouched: outside the grown mask every sample is the source's, in every pixel format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reelmend
from footage import pan
from reelmend.film import Layout
from reels import HEIGHT, WIDTH, check_outside, in_layout, read, read_masks, scan, write_reel

COUNT = 7
FILMS = {
    "gray": Layout("gray", 8),
    "gray10": Layout("gray", 10),
    "gray16": Layout("gray", 16),
    "yuv420p": Layout("yuv", 8, sub_x=1, sub_y=1),
    "yuv422p10": Layout("yuv", 10, sub_x=1),
    "yuv444p16": Layout("yuv", 16),
    "yuv411p": Layout("yuv", 8, sub_x=2),
    "yuv440p": Layout("yuv", 8, sub_y=1),
    "yuva420p": Layout("yuv", 8, alpha=True, sub_x=1, sub_y=1),
    "gbrp10": Layout("rgb", 10),
    "gbrp16": Layout("rgb", 16),
    "rgba": Layout("rgb", 8, alpha=True),
}
SEQUENCES = {
    "dpx10": ("a_%04d.dpx", Layout("rgb", 10)),
    "dpx16": ("a_%04d.dpx", Layout("rgb", 16)),
    "tiff16": ("a_%04d.tif", Layout("rgb", 16)),
    "tiff-gray16": ("a_%04d.tif", Layout("gray", 16)),
    "png8": ("a_%04d.png", Layout("rgb", 8)),
    "png8-alpha": ("a_%04d.png", Layout("rgb", 8, alpha=True)),
    "png16": ("a_%04d.png", Layout("rgb", 16)),
    "png-gray8": ("a_%04d.png", Layout("gray", 8)),
    "exr-half": ("a_%04d.exr", Layout("rgb", 16, is_float=True)),
    "exr-float": ("a_%04d.exr", Layout("rgb", 32, is_float=True)),
}


def check(source: Path, output: Path, layout: Layout, masks: Path, grow: int = 2) -> None:
    before = read(source)
    assert before[0].layout == layout, "the reel on disk is not in the format that this test is about"
    assert check_outside(before, read(output), read_masks(masks, 0, COUNT), grow) > 100


@pytest.mark.parametrize("layout", FILMS.values(), ids=FILMS)
def test_films(layout: Layout, tmp_path: Path) -> None:
    source = write_reel(tmp_path / "scan.mkv", in_layout(scan(COUNT), layout))
    summary = reelmend.restore(source, tmp_path / "out.mkv", masks=tmp_path / "masks", threads=1)
    assert summary.frames == COUNT
    assert summary.blobs >= 2
    check(source, tmp_path / "out.mkv", layout, tmp_path / "masks")


@pytest.mark.parametrize(("name", "layout"), SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(name: str, layout: Layout, tmp_path: Path) -> None:
    source = write_reel(tmp_path / "scan" / name, in_layout(scan(COUNT), layout)).parent
    reelmend.restore(source, tmp_path / "out", masks=tmp_path / "masks", threads=1)
    check(source, tmp_path / "out", layout, tmp_path / "masks")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in source.iterdir())


@pytest.mark.parametrize("grow", [0, 1, 5])
def test_however_far_the_mask_is_grown(grow: int, tmp_path: Path) -> None:
    layout = FILMS["yuv420p"]
    source = write_reel(tmp_path / "scan.mkv", in_layout(scan(COUNT), layout))
    reelmend.restore(source, tmp_path / "out.mkv", masks=tmp_path / "masks.mkv", grow=grow, threads=1)
    check(source, tmp_path / "out.mkv", layout, tmp_path / "masks.mkv", grow)


def test_repair_brings_the_picture_back(tmp_path: Path) -> None:
    """Not only something inside changed: it came nearer to the film before it was damaged."""
    clean = pan(COUNT, HEIGHT, WIDTH, grain=2)
    source = write_reel(tmp_path / "scan.mkv", scan(COUNT))
    reelmend.restore(source, tmp_path / "out.mkv", masks=tmp_path / "masks", threads=1)
    masks = read_masks(tmp_path / "masks", 0, COUNT)

    def error(frames: list[reelmend.film.Frame]) -> float:
        pairs = zip(frames, clean, masks, strict=True)
        return float(np.mean(np.concatenate([(a.planes[0].astype(float) - b.planes[0])[m] ** 2 for a, b, m in pairs])))

    assert error(read(tmp_path / "out.mkv")) < 0.05 * error(read(source))
