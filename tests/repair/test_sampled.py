"""Repair by sampling: only what is wanted is drawn, it is marked, and it has the spread that the network was taught."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.repair import sampled
from reelmend.repair.grow import grow
from reelmend.repair.learned import LearnedRepairer
from reelmend.repair.mixing import DEEP, Mixture, holes_of
from reelmend.repair.promise import FilledBy, untouched
from reelmend.repair.sampled import DiffusionRepairer, RoutedRepairer, as_grainy, draw, kept_low
from reelmend.repair.temporal import TemporalRepairer
from reelmend.repair.unified import UnifiedRepairer
from reelmend.runtime import RepairNetwork

from .scenes import HEIGHT, LAYOUTS, WIDTH, scene

SPREAD = 0.05

Floats = NDArray[np.float32]


class Mean:
    """A stand-in for a network that mixes: it takes the fill as it is, and expects a large error of large holes."""

    name = "mean"

    def answer(self, shown: Floats) -> Floats:
        wrong = np.where(shown[:, 2:3].sum(axis=(2, 3), keepdims=True) > 200, 0.1, 0.001)
        return np.concatenate([shown[:, :1], np.broadcast_to(wrong, shown[:, :1].shape)], axis=1).astype(np.float32)


class Gaussian:
    """The exact denoiser of holes that are the fill and noise of standard deviation `SPREAD`."""

    name = "drawn"
    calls = 0

    def answer(self, shown: Floats) -> Floats:
        self.calls += 1
        assert shown.shape[1] == 11
        sigma = np.exp(4 * shown[:, 9:10])
        shrink = SPREAD**2 / (SPREAD**2 + sigma**2)
        return np.asarray(shown[:, :1] + shrink * (shown[:, 8:9] - shown[:, :1]) * shown[:, 2:3], np.float32)


def network(one: Any) -> RepairNetwork:
    return cast(RepairNetwork, one)


def two_holes() -> tuple[Mask, Mask, Mask]:
    left, right = np.zeros((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), bool)
    left[40:50, 20:30] = True
    right[40:60, 95:115] = True
    return left | right, left, right


def test_only_where_neighbours_fail_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "ASKED", 0.0)
    mask, left, right = two_holes()
    window, _ = scene(LAYOUTS["gray8"], mask)
    mean = network(Mean())
    mixed = LearnedRepairer(mean).repair(window, mask)
    drawn = RoutedRepairer(network(Gaussian()), mean).repair(window, mask)
    assert not (drawn.filled_by[left] == FilledBy.DIFFUSION).any()
    assert (drawn.filled_by[right] == FilledBy.DIFFUSION).any()
    np.testing.assert_array_equal(drawn.frame.planes[0][~right], mixed.frame.planes[0][~right])
    assert (drawn.frame.planes[0][right] != mixed.frame.planes[0][right]).mean() > 0.5
    everywhere = DiffusionRepairer(network(Gaussian()), mean).repair(window, mask)
    changed = everywhere.filled_by[mask]
    assert set(np.unique(changed)) <= {FilledBy.UNTOUCHED, FilledBy.DIFFUSION}


def test_nothing_is_drawn_where_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "ASKED", 0.0)
    _, small, _ = two_holes()
    window, _ = scene(LAYOUTS["gray8"], small)
    one = Gaussian()
    repair = RoutedRepairer(network(one), network(Mean())).repair(window, small)
    assert one.calls == 0 and FilledBy.DIFFUSION not in repair.filled_by


def test_holes_on_which_neighbours_agree_are_put_to_no_network() -> None:
    mask, _, _ = two_holes()
    window, _ = scene(LAYOUTS["gray8"], mask)
    # None that could answer: being asked would raise.
    repair = RoutedRepairer(network(None), network(None)).repair(window, mask)
    wanted = TemporalRepairer().repair(window, mask)
    np.testing.assert_array_equal(repair.frame.planes[0], wanted.frame.planes[0])
    np.testing.assert_array_equal(repair.filled_by, wanted.filled_by)


def test_deep_holes_are_put_to_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "ASKED", 1e-9)
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    mask = np.hypot(xs - 60, ys - 50) < DEEP + 4
    window, _ = scene(LAYOUTS["gray8"], mask)
    repair = RoutedRepairer(network(None), network(None)).repair(window, mask)
    np.testing.assert_array_equal(repair.filled_by, TemporalRepairer().repair(window, mask).filled_by)


def test_a_seed_gives_the_same_film_and_another_one_another() -> None:
    mask, _, _ = two_holes()
    window, _ = scene(LAYOUTS["yuv420p"], mask)
    first, same, other = (
        DiffusionRepairer(network(Gaussian()), network(Mean()), seed=seed).repair(window, mask) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.frame.planes[0], same.frame.planes[0])
    assert (first.frame.planes[0][mask] != other.frame.planes[0][mask]).any()


def test_a_frame_alone_is_drawn_from_its_surroundings_only_where_that_is_asked_for() -> None:
    mask, _, _ = two_holes()
    window, _ = scene(LAYOUTS["gray8"], mask)
    alone = replace(window, before=(), after=())
    drawn = DiffusionRepairer(network(Gaussian()), network(Mean())).repair(alone, mask)
    assert (drawn.filled_by[mask] == FilledBy.DIFFUSION).mean() > 0.9
    routed = RoutedRepairer(network(Gaussian()), network(Mean())).repair(alone, mask)
    assert (routed.filled_by[mask] == FilledBy.SPATIAL).all()


@pytest.mark.parametrize("steps", [6, 50])
def test_what_is_drawn_has_the_spread_that_was_learned(steps: int) -> None:
    shown = np.full((40, 8, 32, 32), 0.5, np.float32)
    shown[:, 2] = 1
    noise = np.random.default_rng(0).standard_normal((40, 1, 32, 32), np.float32)
    one = Gaussian()
    drawn = draw(network(one), shown, None, noise, steps)
    assert one.calls == steps
    assert drawn.std() == pytest.approx(SPREAD, rel=0.12 if steps == 6 else 0.02)
    assert drawn.mean() == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0, 1.5])
def test_bias_leads_from_the_surroundings_to_the_neighbours_and_beyond(bias: float) -> None:
    told, untold = np.full((20, 8, 32, 32), 0.6, np.float32), np.full((20, 8, 32, 32), 0.4, np.float32)
    told[:, 2] = untold[:, 2] = 1
    noise = np.random.default_rng(0).standard_normal((20, 1, 32, 32), np.float32)
    one = Gaussian()
    drawn = draw(network(one), told, untold, noise, 6, bias)
    assert one.calls == (6 if bias in (0, 1) else 12)
    assert drawn.mean() == pytest.approx(0.4 + 0.2 * bias, abs=0.02)


def test_a_hole_is_guessed_as_a_whole() -> None:
    mask, _, right = two_holes()
    error = np.where(right, np.float32(0.03), np.float32(0))
    error[42:44, 97:99], error[45:47, 22:24] = 0.5, 0.05
    np.testing.assert_array_equal(holes_of(error, mask, 6 / 255), right)


class Neighbourly:
    """Takes what most neighbours show for the clean frame, whatever the noise."""

    name = "neighbourly"

    def answer(self, shown: Floats) -> Floats:
        assert (shown[:, 2] == 1).all() and (shown[:, 3] == 0).all()
        return np.asarray(np.median(shown[:, 4:8], axis=1, keepdims=True), np.float32)


def test_a_unified_model_finds_by_itself_and_repairs_only_what_it_may() -> None:
    mask, left, _ = two_holes()
    window, clean = scene(LAYOUTS["gray8"], mask)
    repairer = UnifiedRepairer(network(Neighbourly()))
    luma, damage = repairer.find(window)
    assert damage.dtype == np.float32 and damage.min() >= 0 and damage.max() <= 1
    assert damage[mask].mean() > 0.9
    inner = np.zeros_like(mask)
    inner[12:-12, 12:-12] = True
    away = inner & ~grow(mask, 4)
    assert damage[away].mean() < 0.1
    assert np.abs(luma * 255 - clean.planes[0])[mask].mean() < 3
    repair = repairer.repair(window, left)
    np.testing.assert_array_equal(repair.frame.planes[0][~left], window.centre.frame.planes[0][~left])
    assert set(np.unique(repair.filled_by[left])) <= {FilledBy.UNTOUCHED, FilledBy.DIFFUSION}
    assert np.abs(repair.frame.planes[0][left].astype(float) - clean.planes[0][left]).mean() < 3


def test_what_the_mean_is_sure_of_keeps_its_low_frequencies() -> None:
    mask, left, right = two_holes()
    rng = np.random.default_rng(0)
    luma = np.full(mask.shape, 0.5, np.float32)
    error = np.where(right, np.float32(0.1), np.float32(0.001)) * mask
    grain = rng.standard_normal(mask.shape).astype(np.float32) * np.float32(0.03)
    drawn = np.where(mask, luma + np.float32(0.1) + grain, luma)
    base = untouched(scene(LAYOUTS["gray8"], mask)[0])
    kept = kept_low(Mixture(base, luma, error, np.zeros_like(mask), mask), drawn, mask)
    np.testing.assert_array_equal(kept[~mask], luma[~mask])
    np.testing.assert_allclose(kept[right], drawn[right], atol=1e-6)
    # The cast of a tenth is gone, most of the grain is not.
    assert abs(float((kept - luma)[left].mean())) < 0.005
    assert float((kept - luma)[left].std()) > 0.6 * float(grain[left].std())


def test_what_is_drawn_has_no_more_fine_detail_than_what_is_around() -> None:
    mask, _, _ = two_holes()
    rng = np.random.default_rng(0)
    grain = rng.standard_normal(mask.shape).astype(np.float32)
    scan = np.float32(0.5) + np.float32(0.01) * grain
    fill = np.where(mask, np.float32(0.5), scan)
    away = rng.standard_normal(mask.shape).astype(np.float32)

    def drawn(strength: float) -> Floats:
        return np.where(mask, fill + np.float32(strength) * away, fill)

    inner = grow(~mask, 2) ^ True
    strong, faint = (as_grainy(fill, drawn(one), mask, mask) for one in (0.05, 0.005))
    for one in (strong, faint):
        np.testing.assert_array_equal(one[~mask], fill[~mask])
    fine = scan - cv2.GaussianBlur(scan, (0, 0), 1.2)
    detail = strong - cv2.GaussianBlur(strong, (0, 0), 1.2)
    assert 0.7 < detail[inner].std() / fine[~mask].std() < 1.3
    # Fainter grain than the film's is left as it was drawn: what lacks is added later.
    assert np.abs(faint - drawn(0.005))[inner].mean() < 0.001


def test_a_cast_is_no_detail() -> None:
    mask, _, _ = two_holes()
    fill = np.full(mask.shape, 0.5, np.float32)
    kept = as_grainy(fill, np.where(mask, fill + np.float32(0.1), fill), mask, mask)
    np.testing.assert_allclose(kept[mask], 0.6, atol=1e-5)
