"""The batch and the reel of the same recipe come to the same damage: how much, how large, how bright.

Amounts that differ from reel to reel are held fixed, so that a few hundred windows tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from reelmend.simulate.batch import Simulator, render
from reelmend.simulate.damage import TRUTH_ALPHA, draw
from reelmend.simulate.life import Timeline
from reelmend.simulate.outlines import GAUGE_HEIGHT, GAUGE_WIDTH
from reelmend.simulate.recipe import Entry, Recipe
from reelmend.simulate.statistics import Statistics

SIDE, WIDTH = 192, 768
EDGE = 90
"""Pixels of a frame's border that no window shows: a frame has nothing centred outside it, a window has."""

HEIGHT = round(WIDTH * GAUGE_HEIGHT["16mm"] / GAUGE_WIDTH["16mm"])
WINDOWS = 8 * 32
FITTED = {
    "dust": Entry(bright=0.3),
    "dirt": Entry(bright=0.3),
    "short hair": Entry(bright=0.3, halo=(0.3, 0.3)),
    "long hair": Entry(bright=0.3),
}
OTHERS = {
    "water spot": Entry(per_frame=(6, 6), bright=0.3),
    "line scratch": Entry(per_frame=(0.1, 0.1), bright=0.3, frames=(20, 20)),
    "abrasion": Entry(per_frame=(12, 12), bright=0.3),
}


@dataclass(frozen=True)
class Found:
    """What is seen of many windows."""

    fraction: float
    bright: float
    sizes: NDArray[np.float64]
    """Areas of blobs, pixels."""


def same_statistics() -> Statistics:
    """The package's own, but every reel alike and nothing in clusters, which would need thousands of windows."""
    shipped = Statistics.load()
    kinds = {
        name: kind.model_copy(
            update={
                "count": kind.count.model_copy(update={"dispersion": 0.0}),
                "space": kind.space.model_copy(update={"clustered": 0.0}),
            }
        )
        for name, kind in shipped.kinds.items()
    }
    return shipped.model_copy(update={"kinds": kinds})


def found(alphas: NDArray[np.float32], moved: NDArray[np.float32]) -> Found:
    """`alphas` and `moved` are `(n, h, w)`: share lost, and what a mid-gray picture changed by."""
    truth = alphas > TRUTH_ALPHA
    sizes = [cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA] for mask in truth]
    return Found(float(truth.mean()), float((moved[truth] > 0).mean()), np.concatenate(sizes).astype(np.float64))


def of_reel(recipe: Recipe, statistics: Statistics) -> Found:
    """Windows from anywhere in whole frames of a few reels."""
    rng = np.random.default_rng(3)
    alphas, moved = [], []
    for seed in range(WINDOWS // 8):
        timeline = Timeline(recipe, seed, (HEIGHT, WIDTH), statistics=statistics)
        damage = draw(timeline.alive(500), HEIGHT, WIDTH, 500)
        for _ in range(8):
            top, left = (int(rng.integers(EDGE, size - SIDE - EDGE)) for size in (HEIGHT, WIDTH))
            place = np.s_[top : top + SIDE, left : left + SIDE]
            alphas.append(damage.alpha[place])
            moved.append(damage.gain[place] * 0.5 + damage.lift[place] - 0.5)
    return found(np.stack(alphas), np.stack(moved))


def of_batches(recipe: Recipe, statistics: Statistics) -> Found:
    simulator = Simulator(recipe, 5, frames=1, steps=1, members=200, statistics=statistics)
    gray = torch.full((WINDOWS, 1, 1, SIDE, SIDE), 0.5)
    batch = simulator.batch(gray)
    return found(batch.alpha[:, 0, 0].numpy(), (batch.damaged - batch.clean)[:, 0, 0].numpy())


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Kolmogorov and Smirnov's: the largest difference between two cumulative distributions."""
    at = np.unique(np.concatenate([one, other]))
    shares = [np.searchsorted(np.sort(sample), at, side="right") / len(sample) for sample in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


@pytest.mark.parametrize(("damage", "tolerance"), [(FITTED, 0.2), (OTHERS, 0.4)], ids=["fitted", "others"])
def test_batch_and_reel_agree(damage: dict[str, Entry], tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # So many members that none of them weighs much.
    monkeypatch.setattr(render, "BUDGET", 10_000_000)
    recipe = Recipe(gauge=("16mm",), scan_width=(WIDTH, WIDTH + 1), amount=(1, 1), damage=damage)
    statistics = same_statistics()
    reel, batch = of_reel(recipe, statistics), of_batches(recipe, statistics)
    # The mean of so many windows is known to about a tenth (a sixth for the few and large others).
    assert batch.fraction == pytest.approx(reel.fraction, rel=tolerance)
    assert len(batch.sizes) == pytest.approx(len(reel.sizes), rel=tolerance)
    assert batch.bright == pytest.approx(reel.bright, abs=0.12)
    assert min(len(batch.sizes), len(reel.sizes)) > 300
    assert distance(batch.sizes, reel.sizes) < 0.08
