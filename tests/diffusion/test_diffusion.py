"""Schedules and samplers against the exact answer for Gaussian data, and against the schedulers of diffusers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from reelmend.diffusion import EDM, PREDICTIONS, SAMPLERS, Levels, cosine, ddim, ddpm, dpm_solver, heun, karras, linear
from reelmend.diffusion.prediction import epsilon_of

MEAN, SPREAD = 0.3, 0.4
"""Of the Gaussian pictures."""


def exact(x: Any, alpha: float, sigma: float) -> Any:
    """E[x0 | x] of Gaussian pictures: the posterior mean of a conjugate normal."""
    gain = alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + sigma**2)
    return MEAN + gain * (x - alpha * MEAN)


def flow(x: Any, alpha: float, sigma: float) -> Any:
    """Where the probability flow takes x: Gaussian pictures keep their place in units of their spread."""
    return MEAN + SPREAD * (x - alpha * MEAN) / math.sqrt(alpha**2 * SPREAD**2 + sigma**2)


def steps_of(levels: Levels, count: int) -> list[tuple[float, float]]:
    return [(float(levels.alpha[n]), float(levels.sigma[n])) for n in levels.spaced(count)]


LEVELS = {"linear": linear(), "cosine": cosine(), "karras": karras(1000, 0.01, 40.0)}
START = np.linspace(-2, 2, 9)


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_schedules_preserve_variance(name: str) -> None:
    levels = LEVELS[name]
    np.testing.assert_allclose(levels.alpha**2 + levels.sigma**2, 1, atol=1e-12)
    assert levels.alpha_bar[0] > 0.999 - 0.0005 and levels.alpha_bar[-1] < 1e-4


def test_schedules_are_those_of_diffusers() -> None:
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(beta_schedule="linear", beta_start=1e-4, beta_end=0.02)
    np.testing.assert_allclose(linear().alpha_bar, theirs.alphas_cumprod.numpy(), rtol=2e-5)
    theirs = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    np.testing.assert_allclose(cosine().alpha_bar, theirs.alphas_cumprod.numpy(), rtol=2e-3, atol=1e-7)
    theirs = diffusers.EDMEulerScheduler(sigma_min=0.002, sigma_max=80, rho=7)
    theirs.set_timesteps(18)
    np.testing.assert_allclose(karras().sigma[::-1], theirs.sigmas.numpy()[:-1], rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 999, 1000])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_spacing_falls_from_the_last_level_to_the_first(steps: int, power: float) -> None:
    places = linear().spaced(steps, power)
    assert len(places) == steps and places[0] == 999
    assert (np.diff(places) < 0).all()
    assert places[-1] == (0 if steps > 1 else 999)


def test_impossible_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="rises"):
        Levels(np.array([0.9, 1.0]), np.array([0.4, 0.1]))
    with pytest.raises(ValueError, match="one length"):
        Levels(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="1 to 10"):
        linear(10).spaced(11)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions_stand_for_the_picture(name: str) -> None:
    rng = np.random.default_rng(0)
    x0, epsilon = rng.normal(size=(2, 5))
    alpha, sigma = 0.6, 0.8
    output = {"epsilon": epsilon, "v": alpha * epsilon - sigma * x0, "x0": x0}[name]
    x = alpha * x0 + sigma * epsilon
    np.testing.assert_allclose(PREDICTIONS[name](x, output, alpha, sigma), x0, atol=1e-12)
    np.testing.assert_allclose(epsilon_of(x, x0, alpha, sigma), epsilon, atol=1e-12)


@pytest.mark.parametrize("ratio", [0.01, 0.5, 3.0, 60.0])
def test_preconditioning_keeps_unit_variance(ratio: float) -> None:
    """What Karras et al. (2022), appendix B.6, ask for: input, target and effective weight of one variance."""
    edm = EDM(SPREAD)
    assert edm.into(ratio) ** 2 * (SPREAD**2 + ratio**2) == pytest.approx(1)
    target = ((1 - edm.skip(ratio)) ** 2 * SPREAD**2 + (edm.skip(ratio) * ratio) ** 2) / edm.out(ratio) ** 2
    assert target == pytest.approx(1)
    assert edm.weight(ratio) * edm.out(ratio) ** 2 == pytest.approx(1)
    # A network that predicts nothing leaves the best linear guess for pictures of mean 0.
    assert edm.denoise(lambda x, t: 0 * x, 2.0, 1.0, ratio) == pytest.approx(2 * SPREAD**2 / (SPREAD**2 + ratio**2))


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("sampler", [ddim, dpm_solver, heun])
def test_samplers_converge_to_the_exact_flow(sampler: Any, levels: str) -> None:
    chosen = LEVELS[levels]
    x = chosen.alpha[-1] * MEAN + math.sqrt(chosen.alpha[-1] ** 2 * SPREAD**2 + chosen.sigma[-1] ** 2) * START
    wanted = flow(x, chosen.alpha[-1], chosen.sigma[-1])
    found = sampler(exact, steps_of(chosen, 1000), x)
    np.testing.assert_allclose(found, wanted, atol=0.02 if sampler is ddim else 0.006)


def test_order_of_convergence() -> None:
    """Twice the steps: half the error for the first order, a quarter for the second."""

    def error(sampler: Any, count: int) -> float:
        levels = karras(count, 0.05, 20.0)
        steps = steps_of(levels, count)
        x = MEAN + math.hypot(SPREAD, steps[0][1]) * START
        # To the last level with noise only: the step to none is of the first order for all.
        end: list[np.ndarray] = []

        def watched(x: np.ndarray, alpha: float, sigma: float) -> np.ndarray:
            if sigma == steps[-1][1]:
                end.append(x)
            return exact(x, alpha, sigma)

        sampler(watched, steps, x)
        wanted = MEAN + math.hypot(SPREAD, steps[-1][1]) * START
        return float(np.abs(end[-1] - wanted).max())

    assert error(ddim, 80) / error(ddim, 160) == pytest.approx(2, abs=0.2)
    assert error(dpm_solver, 80) / error(dpm_solver, 160) > 3.4


def test_ancestral_sampling_has_the_right_mean_and_variance() -> None:
    levels = linear()
    rng = np.random.default_rng(1)
    x = rng.standard_normal(20_000)
    # The mean stands in for x0 in every step, so variance comes short by about the length of a step.
    found = ddpm(exact, steps_of(levels, 1000), x, lambda x: rng.standard_normal(x.shape))
    assert found.mean() == pytest.approx(MEAN, abs=0.01)
    assert found.std() == pytest.approx(SPREAD, rel=0.03)


@pytest.mark.parametrize("name", SAMPLERS)
def test_torch_and_numpy_give_the_same(name: str) -> None:
    steps = steps_of(linear(), 12)
    fixed = np.random.default_rng(2).standard_normal((12, 9))
    draws = iter(fixed), iter(torch.from_numpy(fixed))
    here = SAMPLERS[name](exact, steps, START, lambda x: next(draws[0]))
    there = SAMPLERS[name](exact, steps, torch.from_numpy(START), lambda x: next(draws[1]))
    assert isinstance(there, torch.Tensor)
    np.testing.assert_allclose(here, there.numpy(), atol=1e-12)


def test_eta_without_noise_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="needs noise"):
        ddim(exact, steps_of(linear(), 4), START, eta=0.5)


def theirs(scheduler: Any, count: int, x: np.ndarray) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Runs a scheduler of diffusers with the exact prediction of the noise; its result and the levels it stopped at."""
    scheduler.set_timesteps(count)
    alpha_bar = scheduler.alphas_cumprod.double().numpy()
    picture, steps = torch.from_numpy(x), []
    for t in scheduler.timesteps:
        alpha, sigma = math.sqrt(alpha_bar[int(t)]), math.sqrt(1 - alpha_bar[int(t)])
        steps.append((alpha, sigma))
        epsilon = epsilon_of(picture, exact(picture, alpha, sigma), alpha, sigma)
        picture = scheduler.step(epsilon, t, picture).prev_sample
    return picture.numpy(), steps


def test_ddim_is_that_of_diffusers() -> None:
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DDIMScheduler(clip_sample=False, set_alpha_to_one=True, timestep_spacing="leading")
    wanted, steps = theirs(scheduler, 20, START)
    np.testing.assert_allclose(ddim(exact, steps, START), wanted, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_dpm_solver_is_that_of_diffusers() -> None:
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero", euler_at_final=True
    )
    wanted, steps = theirs(scheduler, 20, START)
    np.testing.assert_allclose(dpm_solver(exact, steps, START), wanted, atol=1e-5)
