"""From noise to a picture: samplers, each a loop of a dozen lines in the symbols of its paper.

All take a `Denoiser`, the steps as (alpha, sigma) from the noisiest on, and x at the first of them; after the last they
give the picture. Random numbers are an argument: `noise(x)` gives standard Gaussian ones of x's shape and type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from reelmend.diffusion.prediction import Array, Denoiser, epsilon_of

Step = tuple[float, float]
"""alpha and sigma."""

Noise = Callable[[Array], Array]

CLEAN: Step = (1.0, 0.0)
"""Where every sampler ends."""


def ddpm(denoise: Denoiser, steps: Sequence[Step], x: Array, noise: Noise) -> Array:
    """Ancestral sampling: the posterior q(x_s | x_t, x0) of Ho et al. (2020), equation 7, over any steps."""
    return ddim(denoise, steps, x, noise, eta=1.0)


def ddim(denoise: Denoiser, steps: Sequence[Step], x: Array, noise: Noise | None = None, eta: float = 0.0) -> Array:
    """Song et al. (2021), equations 12 and 16: deterministic for eta = 0, the ancestral sampler for eta = 1.

    One call of the network a step. Raises ValueError for eta above 0 without `noise`.
    """
    if eta and noise is None:
        raise ValueError("eta above 0 needs noise")
    for (alpha, sigma), (alpha_next, sigma_next) in _pairs(steps):
        x0 = denoise(x, alpha, sigma)
        epsilon = epsilon_of(x, x0, alpha, sigma)
        fresh = eta * ancestral_spread((alpha, sigma), (alpha_next, sigma_next))
        x = alpha_next * x0 + math.sqrt(max(0.0, sigma_next**2 - fresh**2)) * epsilon
        if fresh and noise is not None:
            x = x + fresh * noise(x)
    return x


def ancestral_spread(now: Step, after: Step) -> float:
    """Standard deviation of x_s given x_t and x0 in the forward process: Ho et al. (2020), the root of tilde-beta."""
    (alpha, sigma), (alpha_next, sigma_next) = now, after
    if not sigma_next:
        return 0.0
    passed = alpha / alpha_next
    return sigma_next / sigma * math.sqrt(max(0.0, sigma**2 - (passed * sigma_next) ** 2))


def dpm_solver(denoise: Denoiser, steps: Sequence[Step], x: Array, noise: Noise | None = None) -> Array:
    """DPM-Solver++(2M), Lu et al. (2022b), algorithm 2: second order, one call of the network a step.

    lambda = log(alpha / sigma). The first step and the last (to no noise at all, where lambda is infinite) are of the
    first order, which there is the same as DDIM.
    """
    before: tuple[Array, float] | None = None
    for (alpha, sigma), (alpha_next, sigma_next) in _pairs(steps):
        x0 = denoise(x, alpha, sigma)
        if not sigma_next:
            return x0
        h = math.log(alpha_next / sigma_next) - math.log(alpha / sigma)
        guess = x0
        if before is not None:
            r = before[1] / h
            guess = x0 + (x0 - before[0]) / (2 * r)
        x = (sigma_next / sigma) * x - alpha_next * math.expm1(-h) * guess
        before = (x0, h)
    return x


def heun(denoise: Denoiser, steps: Sequence[Step], x: Array, noise: Noise | None = None) -> Array:
    """Karras et al. (2022), algorithm 1: second order, two calls of the network a step but the last.

    Levels with alpha below 1 are run as x / alpha against sigma / alpha, the same differential equation.
    """
    x = x / steps[0][0]
    for (alpha, sigma), (alpha_next, sigma_next) in _pairs(steps):
        t, t_next = sigma / alpha, sigma_next / alpha_next
        slope = (x - denoise(alpha * x, alpha, sigma)) / t
        ahead = x + (t_next - t) * slope
        if sigma_next:
            slope_next = (ahead - denoise(alpha_next * ahead, alpha_next, sigma_next)) / t_next
            ahead = x + (t_next - t) * (slope + slope_next) / 2
        x = ahead
    return x


SAMPLERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"ddpm": ddpm, "ddim": ddim, "dpm-solver": dpm_solver, "heun": heun}
)
"""By name: `(denoise, steps, x, noise)`."""


def _pairs(steps: Sequence[Step]) -> zip[tuple[Step, Step]]:
    return zip(steps, [*steps[1:], CLEAN], strict=True)
