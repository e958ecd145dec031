"""Inpainting with a model of film: what is drawn follows the model and the surroundings, for any number of calls."""

from __future__ import annotations

import json
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from reelmend.repair import make_repairer, weights_of
from reelmend.repair.prior import DiffPIR, PriorRepairer, RePaint
from reelmend.repair.promise import FilledBy
from reelmend.runtime import RepairNetwork

from .scenes import HEIGHT, LAYOUTS, WIDTH, scene

MIDDLE, SPREAD = 0.5, 0.1

Floats = NDArray[np.float32]


class Flat:
    """The exact denoiser of pictures that are one gray each, drawn from a Gaussian: what is known tells the hole."""

    name = "flat"
    calls = 0

    def answer(self, shown: Floats) -> Floats:
        self.calls += 1
        assert shown.shape[1] == 2
        sigma = np.exp(4 * shown[:, 1:2, :1, :1])
        pixels = shown.shape[2] * shown.shape[3]
        mean = shown[:, :1].mean(axis=(2, 3), keepdims=True)
        gray = MIDDLE + SPREAD**2 / (SPREAD**2 + sigma**2 / pixels) * (mean - MIDDLE)
        return np.broadcast_to(gray, shown[:, :1].shape).astype(np.float32)


@pytest.mark.parametrize("method", [RePaint(20, 4, 6), DiffPIR(20)])
def test_a_hole_takes_the_gray_of_its_surroundings(method: RePaint | DiffPIR) -> None:
    window, _ = scene(LAYOUTS["gray8"], np.zeros((HEIGHT, WIDTH), bool))
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[40:48, 60:70] = True
    frame = window.centre.frame
    frame.planes[0][:] = np.where(mask, 0, 150)
    window.centre.luma[:] = frame.planes[0]
    network = Flat()
    repair = PriorRepairer("flat", cast(RepairNetwork, network), method).repair(window, mask)
    assert network.calls == method.calls
    assert np.abs(repair.frame.planes[0][mask].astype(float) - 150).max() < 8
    assert (repair.filled_by[mask] == FilledBy.DIFFUSION).all() and (repair.filled_by[~mask] == 0).all()
    np.testing.assert_array_equal(repair.frame.planes[0][~mask], frame.planes[0][~mask])


def test_calls_are_those_of_the_papers_schedules() -> None:
    # Nothing resampled is one call a step; each of the 8 stretches before the last step is walked 5 times more.
    assert RePaint(50, 5, 1).calls == 50
    assert RePaint(250, 10, 10).calls == 250 + 24 * 10 * 9
    assert DiffPIR(37).calls == 37


@pytest.mark.parametrize("method", [RePaint(6, 2, 2), DiffPIR(6)])
def test_a_seed_gives_the_same_film(method: RePaint | DiffPIR) -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[40:44, 60:66] = True
    window, _ = scene(LAYOUTS["yuv422p10"], mask)
    first, second = (
        PriorRepairer("flat", cast(RepairNetwork, Flat()), method, seed=3).repair(window, mask) for _ in range(2)
    )
    for one, two in zip(first.frame.planes, second.frame.planes, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", ["repaint", "diffpir"])
def test_by_name_they_draw_with_the_model_of_film(name: str) -> None:
    made = make_repairer(name)
    assert made.name == name
    assert [json.loads(card)["name"] for card in weights_of(name)] == ["film-prior"]


def test_with_the_shipped_model_a_hole_comes_near_to_its_surroundings() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[50:53, 60:64] = True
    window, clean = scene(LAYOUTS["gray8"], mask)
    repair = make_repairer("diffpir").repair(window, mask)
    away = repair.frame.planes[0][mask].astype(float) - clean.planes[0][mask]
    assert (repair.filled_by[mask] == FilledBy.DIFFUSION).all()
    assert (
        np.abs(away).mean()
        < np.abs(window.centre.frame.planes[0][mask].astype(float) - clean.planes[0][mask]).mean() / 3
    )
