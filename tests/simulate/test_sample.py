"""The demo reel: known to the pixel, and the same every time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.film import Colour, Frame, Layout, ReelFacts
from reelmend.media import open_mask_reader, open_reel, open_writer
from reelmend.simulate.sample import BUNDLED, build_sample

LAYOUT = Layout("yuv", 8, sub_x=1, sub_y=1)
FRAMES, HEIGHT, WIDTH = 4, 64, 96


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    facts = ReelFacts(
        path=folder / "clean.mkv",
        kind="container",
        format="matroska",
        codec="ffv1",
        pixel_format="yuv420p",
        layout=LAYOUT,
        width=WIDTH,
        height=HEIGHT,
        rate=Fraction(24),
        time_base=Fraction(1, 24),
        frames=FRAMES,
        colour=Colour(range="limited"),
    )
    ramp = np.broadcast_to(np.linspace(60, 180, WIDTH).astype(np.uint8), (HEIGHT, WIDTH))
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    with open_writer(facts.path, facts, source=None, work=folder / "work") as writer:
        for index in range(FRAMES):
            writer.write(Frame(index, (ramp, chroma, chroma), LAYOUT, pts=index, duration=1))
        writer.finish()
    return facts.path


def planes(path: Path) -> list[tuple[np.ndarray, ...]]:
    with open_reel(path) as reel:
        return [frame.planes for frame in reel.frames()]


def test_damage_lies_where_the_masks_say(source: Path, tmp_path: Path) -> None:
    sample = build_sample(tmp_path, source)
    clean, damaged = planes(sample.clean), planes(sample.damaged)
    assert len(clean) == len(damaged) == FRAMES
    with open_mask_reader(sample.masks, HEIGHT, WIDTH) as masks:
        for index in range(FRAMES):
            truth = masks.mask(index)
            step = np.abs(damaged[index][0].astype(int) - clean[index][0])
            assert truth.any()
            assert (step[truth] > 3).mean() > 0.8
            # Outside the truth only the faint skirt of soft edges is left: 0.12 of at most the range to white.
            assert step[~truth].max() <= 0.12 * 175 + 1
            assert (step == 0).mean() > 0.9
    grain = clean[0][0].astype(float) - planes(source)[0][0]
    assert 0.7 < grain.std() < 1.5  # of 96 pixels across 16 mm film: weak grain
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.mkv", "damaged.mkv", "masks.mkv"]


def test_two_builds_are_identical(source: Path, tmp_path: Path) -> None:
    first, second = build_sample(tmp_path / "a", source), build_sample(tmp_path / "b", source)
    for one, other in zip(
        (first.clean, first.damaged, first.masks), (second.clean, second.damaged, second.masks), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()
    other_seed = build_sample(tmp_path / "c", source, seed=1)
    assert other_seed.masks.read_bytes() != first.masks.read_bytes()


def test_a_build_replaces_the_one_before(source: Path, tmp_path: Path) -> None:
    before = build_sample(tmp_path, source, seed=1).damaged.read_bytes()
    assert build_sample(tmp_path, source).damaged.read_bytes() != before


def test_a_missing_source_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.mp4 does not exist"):
        build_sample(tmp_path, tmp_path / "nothing.mp4")


def test_the_bundled_clip_is_small_and_long_enough() -> None:
    assert BUNDLED.stat().st_size < 900_000
    with open_reel(BUNDLED) as reel:
        frames = sum(1 for _ in reel.frames())
        assert frames / reel.facts.rate >= 3
        assert (reel.facts.width, reel.facts.height) == (640, 360)
