"""RePaint and DiffPIR on pictures of two correlated pixels, where what the hole must hold is known exactly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from reelmend.diffusion import linear
from reelmend.diffusion.inpainting import calls, chosen, diffpir, journey, repaint

MEAN = np.array([0.2, -0.1])
COVARIANCE = 0.25 * np.array([[1.0, 0.8], [0.8, 1.0]])
SEEN = 0.7
"""The first pixel; the second is the hole."""
WANTED = MEAN[1] + 0.8 * (SEEN - MEAN[0])
SPREAD = 0.5 * math.sqrt(1 - 0.8**2)
"""Mean and standard deviation of the hole, given the first."""

KNOWN = np.array([1.0, 0.0])
Y = np.array([SEEN, 9.0])
"""What lies in the hole must not matter."""


def exact(x: np.ndarray, alpha: float, sigma: float) -> np.ndarray:
    """E[x0 | x] of the Gaussian pictures, `x` `(n, 2)`."""
    gain = alpha * COVARIANCE @ np.linalg.inv(alpha**2 * COVARIANCE + sigma**2 * np.eye(2))
    return MEAN + (x - alpha * MEAN) @ gain.T


def filled(method: Any, steps: int, count: int = 4000, **options: Any) -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((count, 2))
    power = 2.0 if method is diffpir else 1.0
    noise = lambda x: rng.standard_normal(x.shape)  # noqa: E731
    return method(exact, chosen(linear(), steps, power), x, Y, KNOWN, noise, **options)


@pytest.mark.parametrize(
    ("steps", "jump", "resample", "down", "up"),
    [(250, 10, 10, 2410, 2160), (100, 10, 10, 910, 810), (50, 5, 5, 230, 180), (25, 5, 5, 105, 80), (20, 1, 1, 20, 0)],
)
def test_journeys_have_the_published_number_of_calls(steps: int, jump: int, resample: int, down: int, up: int) -> None:
    walked = journey(steps, jump, resample)
    assert (calls(walked), len(walked) - 1 - calls(walked)) == (down, up)
    assert walked[0] == steps and walked[-1] == 0
    assert all(abs(a - b) == 1 for a, b in itertools.pairwise(walked))


def test_repaint_asks_the_network_as_often_as_it_says() -> None:
    asked = []

    def counted(x: np.ndarray, alpha: float, sigma: float) -> np.ndarray:
        asked.append(sigma)
        return exact(x, alpha, sigma)

    repaint(counted, chosen(linear(), 25), np.zeros((1, 2)), Y, KNOWN, np.zeros_like, jump=5, resample=5)
    assert len(asked) == 105
    with pytest.raises(ValueError, match="1 or more"):
        journey(10, 0, 1)


def test_what_is_known_stays_and_the_hole_is_filled_from_it() -> None:
    found = filled(repaint, 50, jump=5, resample=10)
    assert (found[:, 0] == SEEN).all()
    # It only nears the posterior: with more resampling it comes nearer still.
    assert found[:, 1].mean() == pytest.approx(WANTED, abs=0.08)
    assert found[:, 1].std() == pytest.approx(SPREAD, rel=0.15)


def test_resampling_brings_hole_and_surroundings_together() -> None:
    once = abs(filled(repaint, 50, jump=5, resample=1)[:, 1].mean() - WANTED)
    often = abs(filled(repaint, 50, jump=5, resample=10)[:, 1].mean() - WANTED)
    assert often < once / 2


def test_diffpir_comes_near_with_a_call_a_step() -> None:
    found = filled(diffpir, 100)
    np.testing.assert_allclose(found[:, 0], SEEN, atol=0.02)
    assert found[:, 1].mean() == pytest.approx(WANTED, abs=0.1)


def test_diffpir_believes_a_soft_mask_in_part() -> None:
    def first(weight: float) -> float:
        rng = np.random.default_rng(6)
        steps = chosen(linear(), 30, 2.0)
        known = np.array([weight, 0.0])
        noise = lambda x: rng.standard_normal(x.shape)  # noqa: E731
        return float(diffpir(exact, steps, rng.standard_normal((4000, 2)), Y, known, noise, measured=0.3)[:, 0].mean())

    assert abs(first(1.0) - SEEN) < abs(first(0.1) - SEEN) < abs(first(0.0) - SEEN)
