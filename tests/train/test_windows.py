"""Windows of clean footage."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.simulate.recipe import load_recipe
from reelmend.train.windows import SIDE, Dirt, panned, sources, stacks, write_pack


def photograph(seed: int = 0, size: tuple[int, int] = (420, 560)) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.asarray(128 + 60 * smooth / smooth.std(), np.float32).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def dirt(damage: Path) -> Dirt:
    return Dirt(load_recipe(damage), 0)


def test_neighbours_lie_on_the_centre(dirt: Dirt) -> None:
    """Over a smooth picture that pans, flow finds the way although film is dirty, and no damage is in the windows."""
    run = panned(photograph(), np.random.default_rng(1), 8)
    made = list(stacks(run, dirt, np.random.default_rng(2), 1))
    assert len(made) == 4
    for stack in made:
        assert stack.shape == (5, SIDE, SIDE)
        moved = np.abs(stack[1:].astype(float) - stack[0])[:, 20:-20, 20:-20]
        assert np.median(moved) <= 2
        assert moved.mean() < 4


def test_dirt_is_dirt(dirt: Dirt) -> None:
    clean = np.full((300, 400), 128, np.uint8)
    dirty = dirt.over(clean, np.random.default_rng(0))
    assert dirty.shape == clean.shape
    far = np.abs(dirty.astype(int) - 128) > 60
    assert 0 < far.mean() < 0.2


def test_a_pack_of_photographs(tmp_path: Path, damage: Path) -> None:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"photo_{number:03d}.png"), photograph(number, (500, 640)))
    (tmp_path / "notes.txt").write_text("not a picture")
    said: list[str] = []
    facts = write_pack(sources([tmp_path]), tmp_path / "out.npy", load_recipe(damage), each=3, say=said.append)
    assert facts.windows == {"photo_000.png": 3, "photo_001.png": 3}
    assert len(said) == 1 and "notes.txt" in said[0]
    assert np.load(tmp_path / "out.npy", mmap_mode="r").shape == (6, 5, SIDE, SIDE)
    assert json.loads((tmp_path / "out.json").read_text())["windows"] == facts.windows
    assert not (tmp_path / "out.part").exists()


def test_nothing_to_read_is_one_sentence(tmp_path: Path, damage: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a film")
    with pytest.raises(UsageError, match="none of the footage"):
        write_pack(sources([tmp_path]), tmp_path / "out.npy", load_recipe(damage), say=lambda text: None)
    with pytest.raises(UsageError, match="does not exist"):
        sources([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no footage"):
        sources([tmp_path / "empty"])
