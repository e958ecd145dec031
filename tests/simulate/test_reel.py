"""Whole simulated reels: known to the pixel, the same every time, whole or not at all."""

from __future__ import annotations

import errno
import json
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.simulate.frames import LAYOUTS, frame_of
from tests.tiny_films import film_facts

from reelmend.errors import MediaError, UsageError
from reelmend.evaluate.annotations import draw, read_annotations
from reelmend.film import Colour, Frame, Layout
from reelmend.media import open_mask_reader, open_reel
from reelmend.simulate.recipe import Recipe, load_recipe, recorded_seed
from reelmend.simulate.reel import Result, simulate
from reelmend.simulate.simulation import Simulation

COUNT, HEIGHT, WIDTH = 5, 72, 96

RECIPE = Recipe.model_validate(
    {
        "gauge": ["16mm", "super8"],
        "amount": [1.0, 1.0],
        "damage": {
            "dust": {"opacity": [0.7, 1.0]},
            "long hair": {"times": [4.0, 4.0], "halo": [0.2, 0.2]},
            "line scratch": {"per_frame": [0.2, 0.2], "frames": [3, 9], "tints": ["green", "yellow"]},
            "gate hair": {"per_frame": [0.2, 0.2], "frames": [3, 9], "wobble": [10, 20]},
        },
        "sticking": {"chance": 0.2},
        "grain": {},
        "lookalikes": {"rain": {"chance": 1.0}, "glints": {"chance": 1.0}},
        "picture": {"flicker": [0.02, 0.02], "weave": [20, 20], "jumps": [100, 100], "fading": [0.2, 0.2]},
    }
)


def smooth(layout: Layout, count: int = COUNT) -> list[Frame]:
    frames = []
    for index in range(count):
        planes = []
        for plane in range(len(layout.planes)):
            rows, columns = layout.plane_shape(plane, HEIGHT, WIDTH)
            y, x = np.mgrid[0:rows, 0:columns]
            wave = 0.5 + 0.2 * np.sin(x / columns * 9 + plane + 0.2 * index) * np.cos(y / rows * 5)
            planes.append((wave * layout.peak).astype(layout.dtype))
        frames.append(Frame(index, tuple(planes), layout, pts=index, duration=1))
    return frames


@pytest.fixture
def clean(write_film: Callable[..., Path]) -> Path:
    layout = LAYOUTS["yuv420p"]
    return write_film("clean.mkv", smooth(layout), film_facts(layout, HEIGHT, WIDTH, colour=Colour(range="limited")))


def make(
    clean: Path, folder: Path, name: str = "out", recipe: Recipe = RECIPE, seed: int = 4, **options: Any
) -> Result:
    folder.mkdir(exist_ok=True)
    return simulate(
        clean, folder / f"{name}.mkv", folder / f"{name}.masks.mkv", recipe, seed,
        reference=folder / f"{name}.reference.mkv", threads=1, **options,
    )  # fmt: skip


def planes(path: Path) -> list[tuple[np.ndarray, ...]]:
    with open_reel(path) as reel:
        return [frame.planes for frame in reel.frames()]


def masks(path: Path, first: int = 0, count: int = COUNT) -> list[np.ndarray]:
    with open_mask_reader(path, HEIGHT, WIDTH) as reader:
        return [reader.mask(first + index) for index in range(count)]


def test_damage_lies_where_masks_and_annotations_say(clean: Path, tmp_path: Path) -> None:
    made = make(clean, tmp_path / "new")
    damaged, reference, truth = planes(made.output), planes(made.reference), masks(made.masks)
    entries = read_annotations(made.annotations)
    assert made.frames == COUNT == len(damaged)
    assert made.damaged_fraction == pytest.approx(np.mean(truth))
    assert sum(map(len, entries.values())) == made.defects > 20
    for index in range(COUNT):
        step = np.abs(damaged[index][0].astype(int) - reference[index][0])
        assert truth[index].any()
        assert (step[truth[index]] > 3).mean() > 0.7
        # Outside the truth only the faint skirt of soft edges is left: 0.12 of the range to white, one over the other.
        assert step[~truth[index]].max() <= 2 * 0.12 * 219
        assert (step == 0).mean() > 0.3
        listed = np.zeros((HEIGHT, WIDTH), bool)
        for entry in entries[index]:
            listed |= draw(entry.polygons, HEIGHT, WIDTH)
        # Where the faint skirts of two defects meet, the mask may have what neither has alone.
        assert not (listed & ~truth[index]).any()
        assert (truth[index] & ~listed).sum() <= 0.2 * truth[index].sum()
    assert {entry.kind for found in entries.values() for entry in found} <= set(RECIPE.damage)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "out.masks.annotations.json", "out.masks.mkv", "out.masks.recipe.toml", "out.mkv", "out.reference.mkv",
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(clean: Path, tmp_path: Path) -> None:
    first, second = make(clean, tmp_path / "a"), make(clean, tmp_path / "b")
    for name in ("output", "masks", "annotations", "recipe", "reference"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes(), name
    other = make(clean, tmp_path / "c", seed=5)
    assert other.masks.read_bytes() != first.masks.read_bytes()


def test_a_stretch_is_those_frames_of_the_whole(clean: Path, tmp_path: Path) -> None:
    whole, part = make(clean, tmp_path / "a"), make(clean, tmp_path / "b", start=2, frames=3)
    for name in ("output", "reference"):
        for one, other in zip(planes(getattr(whole, name))[2:5], planes(getattr(part, name)), strict=True):
            for plane, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(plane, same)
    # Numbered as the frames of the damaged film are: from 0.
    np.testing.assert_array_equal(masks(whole.masks)[2:5], masks(part.masks, 0, 3))
    defects = [one for one in json.loads(whole.annotations.read_text())["defects"] if 2 <= one["frame"] < 5]
    for one in defects:
        one["frame"] -= 2
    assert json.loads(part.annotations.read_text())["defects"] == defects


def test_threads_change_nothing(clean: Path, tmp_path: Path) -> None:
    one = simulate(clean, tmp_path / "a.mkv", tmp_path / "a", RECIPE, 3, threads=1)
    four = simulate(clean, tmp_path / "b.mkv", tmp_path / "b", RECIPE, 3, threads=4)
    assert four.annotations.read_bytes() == one.annotations.read_bytes()
    for first, second in zip(planes(one.output), planes(four.output), strict=True):
        for plane, same in zip(first, second, strict=True):
            np.testing.assert_array_equal(plane, same)


def test_the_written_recipe_repeats_the_run(clean: Path, tmp_path: Path) -> None:
    first = make(clean, tmp_path / "a", seed=9)
    values = tomllib.loads(first.recipe.read_text())
    assert values["run"] | {"version": ""} == {"version": "", "seed": 9, "start": 0}
    assert values["gauge"] == [first.gauge]
    again = make(clean, tmp_path / "b", recipe=load_recipe(first.recipe), seed=recorded_seed(first.recipe) or 0)
    assert again.output.read_bytes() == first.output.read_bytes()
    assert again.annotations.read_bytes() == first.annotations.read_bytes()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_damaged_in_its_own_planes(name: str) -> None:
    layout = LAYOUTS[name]
    frame = frame_of(layout, HEIGHT, WIDTH)
    simulation = Simulation(RECIPE, 3, (HEIGHT, WIDTH), Colour(), layout.family)
    made = simulation.frame(frame)
    assert made.frame.layout == layout
    assert all(plane.dtype == layout.dtype for plane in made.frame.planes)
    step = np.abs(made.frame.planes[0].astype(float) - made.clean.planes[0])
    assert made.truth.any()
    assert (step[made.truth] > 0.01 * layout.peak).mean() > 0.7
    assert (step == 0).mean() > 0.3
    if not layout.is_float:
        assert all(plane.max() <= layout.peak for plane in made.frame.planes)


def test_sequences_and_single_images(tmp_path: Path) -> None:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"scan_{number:04d}.png"), np.full((HEIGHT, WIDTH, 3), 120 + number, np.uint8))
    made = simulate(tmp_path / "scan_%04d.png", tmp_path / "out" / "dirty_%04d.png", tmp_path / "masks", RECIPE, 1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dirty_0000.png", "dirty_0001.png"]
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["mask_000000.png", "mask_000001.png"]
    assert made.annotations == tmp_path / "masks.annotations.json"
    image = cv2.imwrite(str(tmp_path / "photo.png"), np.full((HEIGHT, WIDTH, 3), 120, np.uint8))
    assert image
    one = simulate(tmp_path / "photo.png", tmp_path / "dirty", tmp_path / "mask.mkv", RECIPE, 1)
    assert one.frames == 1
    assert len(list((tmp_path / "dirty").iterdir())) == 1


def test_a_full_disk_leaves_nothing(clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reelmend.simulate import reel

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reel, "sync", full)
    with pytest.raises(MediaError, match=r"the disk is full while writing .*recipe\.toml"):
        make(clean, tmp_path / "new")
    # Masks and annotations may be whole by then; the film, which says that all is done, is not there.
    left = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert left == ["out.masks.annotations.json", "out.masks.mkv"]


def test_a_stopped_run_leaves_nothing(clean: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int | None, damaged: float) -> None:
        assert total == COUNT
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(clean, tmp_path / "new", progress=stop)
    assert list((tmp_path / "new").iterdir()) == []


def test_places_that_would_touch_one_another_are_refused(clean: Path, tmp_path: Path) -> None:
    out, masks = tmp_path / "out.mkv", tmp_path / "masks"
    before = clean.read_bytes()
    with pytest.raises(UsageError, match="is the source itself"):
        simulate(clean, out, clean, RECIPE, overwrite=True)
    with pytest.raises(UsageError, match="is the source itself"):
        simulate(clean, clean, masks, RECIPE, overwrite=True)
    with pytest.raises(UsageError, match="two things"):
        simulate(clean, out, out, RECIPE)
    with pytest.raises(UsageError, match="two things"):
        simulate(clean, out, masks, RECIPE, reference=out)
    (tmp_path / "masks.recipe.toml").write_text("mine")
    with pytest.raises(UsageError, match=r"masks\.recipe\.toml exists already"):
        simulate(clean, out, masks, RECIPE)
    with pytest.raises(UsageError, match=f"has no frame {COUNT}"):
        simulate(clean, out, tmp_path / "other", RECIPE, start=COUNT)
    assert clean.read_bytes() == before
    assert not out.exists()


def test_what_the_film_carries_is_damaged_too_only_in_the_picture(
    make_container: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_container(
        "sound.mov", codec="prores_ks", pixels="yuv422p10le", audio="pcm_s16le", timecode="01:00:00:00"
    )
    made = simulate(source, tmp_path / "out.mov", tmp_path / "masks", RECIPE)
    with open_reel(made.output) as reel:
        assert [stream.kind for stream in reel.facts.streams if stream.kind == "audio"] == ["audio"]
        assert reel.facts.timecode == "01:00:00:00"
        assert reel.facts.rate == Fraction(24)
