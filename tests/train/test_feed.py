"""Batches by their number, kept ones too."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from reelmend.errors import UsageError
from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import load_recipe
from reelmend.train.cache import CachedFeed
from reelmend.train.feed import Crops, Feed, open_pack
from reelmend.train.recipe import Data


def feed_of(pack: Path, damage: Path, frames: int = 5, seed: int = 0) -> Feed:
    # Drawing is the longest part: one simulator a seed.
    return Feed([pack], Data(crop=64), simulator_of(damage, seed), frames, seed)


@cache
def simulator_of(damage: Path, seed: int) -> Simulator:
    return Simulator(load_recipe(damage), seed, members=8)


def same(one: Crops, other: Crops) -> bool:
    pairs = ((one.stack, other.stack), (one.truth, other.truth), (one.judged, other.judged))
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_shapes_and_ranges(pack: Path, damage: Path, frames: int) -> None:
    crops = feed_of(pack, damage, frames).batch(0, 4)
    assert crops.stack.shape == (4, frames, 64, 64)
    assert crops.truth.shape == crops.judged.shape == (4, 1, 64, 64)
    assert float(crops.stack.min()) >= 0 and float(crops.stack.max()) <= 1
    assert set(crops.truth.unique().tolist()) == {0.0, 1.0}


def test_a_batch_is_known_by_its_number(pack: Path, damage: Path) -> None:
    one, other = feed_of(pack, damage), feed_of(pack, damage)
    first, second = one.batch(0, 3), one.batch(1, 3)
    assert same(other.batch(1, 3), second)
    assert same(other.batch(0, 3), first)
    assert not same(first, second)
    assert not same(feed_of(pack, damage, seed=1).batch(0, 3), first)


def test_damage_is_where_the_truth_says(pack: Path, damage: Path) -> None:
    """Pictures stand still and neighbours are rarely dirty at the same place: a difference is damage of the centre."""
    crops = feed_of(pack, damage).batch(0, 8)
    away = (crops.stack[:, :1] - crops.stack[:, 1:].median(dim=1, keepdim=True).values).abs()
    sure = (crops.truth > 0) & (crops.judged > 0)
    assert float((away[sure] > 0.02).float().mean()) > 0.7
    assert float((away[crops.truth == 0] > 0.1).float().mean()) < 0.02


def test_unjudged_pixels_are_damaged_ones_that_nobody_sees(pack: Path, damage: Path) -> None:
    crops = feed_of(pack, damage).batch(2, 8)
    assert ((crops.judged == 1) | (crops.truth == 1)).all()


def test_kept_crops_are_those_of_the_feed(pack: Path, damage: Path, tmp_path: Path) -> None:
    kept = CachedFeed(feed_of(pack, damage), tmp_path, 20, {"a": 1}, seed=0)
    batch = kept.batch(0, 20)
    fresh = torch.cat([feed_of(pack, damage).batch(n, 16).truth for n in (0, 1)])[:20]
    # Turned and in another order, but the same crops.
    areas = sorted(fresh.sum(dim=(1, 2, 3)).tolist())
    assert sorted(batch.truth.sum(dim=(1, 2, 3)).tolist()) == areas
    again = CachedFeed(feed_of(pack, damage), tmp_path, 20, {"a": 1}, seed=0)
    assert same(again.batch(3, 5), kept.batch(3, 5))


def test_kept_crops_of_something_else_are_made_again(pack: Path, damage: Path, tmp_path: Path) -> None:
    CachedFeed(feed_of(pack, damage), tmp_path, 16, {"a": 1}, seed=0)
    before = np.load(tmp_path / "truths.npy")
    CachedFeed(feed_of(pack, damage, seed=5), tmp_path, 16, {"a": 2}, seed=0)
    assert not np.array_equal(np.load(tmp_path / "truths.npy"), before)


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_what_is_no_pack_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pack.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="not a pack of windows"):
        open_pack(path)


def test_an_array_of_another_shape_is_no_pack(tmp_path: Path) -> None:
    np.save(tmp_path / "pack.npy", np.zeros((3, 4), np.uint8))
    with pytest.raises(UsageError, match="not a pack of windows"):
        open_pack(tmp_path / "pack.npy")


@pytest.mark.parametrize("frames", [1, 5])
def test_undamaged_batches_are_the_same_film_without_damage(pack: Path, damage: Path, frames: int) -> None:
    feed = feed_of(pack, damage, frames)
    dirty, clean = feed.batch(3, 4), feed.batch(3, 4, undamaged=True)
    assert not clean.truth.any() and dirty.truth.any()
    there = dirty.truth[:, 0] > 0.5
    far = torch.nn.functional.max_pool2d(dirty.truth, 15, 1, 7)[:, 0] < 0.5
    moved = (dirty.stack[:, 0] - clean.stack[:, 0]).abs()
    assert moved[there].mean() > 10 * moved[far].mean()
