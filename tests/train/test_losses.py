"""Losses against sums written out."""

from __future__ import annotations

import math

import pytest
import torch

from reelmend.train.losses import pixel_loss, region_loss

LOGITS = torch.tensor([[[[2.0, -1.0], [0.5, -3.0]]]])
TRUTH = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
ALL = torch.ones_like(TRUTH)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_pixel_loss_is_cross_entropy() -> None:
    expected = -(math.log(sigmoid(2)) + math.log(sigmoid(1)) + math.log(sigmoid(-0.5)) + math.log(sigmoid(-3))) / 4
    assert float(pixel_loss(LOGITS, TRUTH, ALL)) == pytest.approx(expected, rel=1e-6)


def test_focus_leaves_the_undecided_alone_and_quiets_the_sure() -> None:
    undecided = torch.zeros_like(LOGITS)
    assert float(pixel_loss(undecided, TRUTH, ALL, focus=2)) == pytest.approx(math.log(2), rel=1e-6)
    sure = torch.full_like(LOGITS, -4.0)
    nothing = torch.zeros_like(TRUTH)
    assert float(pixel_loss(sure, nothing, ALL, focus=2)) < 0.01 * float(pixel_loss(sure, nothing, ALL))


def test_region_loss_is_one_minus_the_dice_of_probabilities() -> None:
    p = [sigmoid(x) for x in (2, -1, 0.5, -3)]
    hits, found, true = p[0] + p[3], sum(p), 2.0
    expected = 1 - (2 * hits + 2) / (found + true + 2)
    assert float(region_loss(LOGITS, TRUTH, ALL)) == pytest.approx(expected, rel=1e-6)


def test_misses_weigh_as_told() -> None:
    misses = torch.full_like(LOGITS, -9.0)
    assert region_loss(misses, TRUTH, ALL, 0.9) > region_loss(misses, TRUTH, ALL, 0.5)
    assert region_loss(-misses, TRUTH, ALL, 0.9) < region_loss(-misses, TRUTH, ALL, 0.5)


@pytest.mark.parametrize("loss", [pixel_loss, region_loss])
def test_what_is_not_judged_has_no_gradient(loss: object) -> None:
    logits = LOGITS.clone().requires_grad_()
    judged = torch.tensor([[[[0.0, 1.0], [1.0, 1.0]]]])
    loss(logits, TRUTH, judged).backward()  # type: ignore[operator]
    assert logits.grad is not None
    assert logits.grad[0, 0, 0, 0] == 0
    assert (logits.grad[0, 0, 1] != 0).all()
