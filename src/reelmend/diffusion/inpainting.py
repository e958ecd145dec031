"""Inpainting with a diffusion model that knows pictures and nothing of holes: RePaint and DiffPIR.

Both take a `Denoiser`, the noise levels, the damaged picture `y` and `known`, 1 where it is to be believed and 0 in the
hole. What is known comes out as it went in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from reelmend.diffusion.levels import Levels
from reelmend.diffusion.prediction import Array, Denoiser, epsilon_of
from reelmend.diffusion.samplers import CLEAN, Noise, Step, ancestral_spread

LEAST_NOISE = 0.001
"""DiffPIR's measurement noise where a picture is said to have none."""


def chosen(levels: Levels, steps: int, power: float = 1.0) -> list[Step]:
    """`steps` levels, the noisiest first, as samplers take them; `power` as in `Levels.spaced`."""
    return [(float(levels.alpha[n]), float(levels.sigma[n])) for n in levels.spaced(steps, power)]


def journey(steps: int, jump: int, resample: int) -> list[int]:
    """How RePaint walks through `steps` levels: their numbers, `steps` the noisiest, 0 the picture itself.

    Every `jump` levels on the way down it goes `jump` levels up again and comes back, so that each stretch is walked
    `resample` times (Lugmayr et al. 2022, section 4.2 and figure 9): a hole's content and its surroundings come to
    agree. The last stretch from the noisiest level is walked once. Raises ValueError for counts below one.
    """
    if min(steps, jump, resample) < 1:
        raise ValueError("steps, jump and resample are 1 or more")
    left = dict.fromkeys(range(0, steps - jump, jump), resample - 1)
    level, walked = steps, [steps]
    while level > 0:
        level -= 1
        walked.append(level)
        if left.get(level, 0):
            left[level] -= 1
            walked += range(level + 1, level + jump + 1)
            level += jump
    return walked


def calls(walked: Sequence[int]) -> int:
    """Network calls of a journey: one for each step down."""
    return sum(after < before for before, after in itertools.pairwise(walked))


def repaint(
    denoise: Denoiser,
    steps: Sequence[Step],
    x: Array,
    y: Array,
    known: Array,
    noise: Noise,
    *,
    jump: int = 10,
    resample: int = 10,
) -> Array:
    """Lugmayr et al. (2022), algorithm 1, over `journey(len(steps), jump, resample)`.

    `x` is noise at the first of `steps`, of y's shape. After every step down the known part is y at that level's noise;
    a step up adds the noise that lies between two levels.
    """
    # Level n is steps[-n]; level 0 is the picture.
    at = [CLEAN, *reversed(steps)]
    walked = journey(len(steps), jump, resample)
    for level, following in itertools.pairwise(walked):
        (alpha, sigma), (alpha_next, sigma_next) = at[level], at[following]
        if following > level:
            passed = alpha_next / alpha
            x = passed * x + math.sqrt(max(0.0, sigma_next**2 - (passed * sigma) ** 2)) * noise(x)
            continue
        x0 = denoise(x, alpha, sigma)
        fresh = ancestral_spread(at[level], at[following])
        kept = math.sqrt(max(0.0, sigma_next**2 - fresh**2))
        x = alpha_next * x0 + kept * epsilon_of(x, x0, alpha, sigma)
        if fresh:
            x = x + fresh * noise(x)
        seen = alpha_next * y + sigma_next * noise(x) if sigma_next else y
        x = known * seen + (1 - known) * x
    return x


def diffpir(
    denoise: Denoiser,
    steps: Sequence[Step],
    x: Array,
    y: Array,
    known: Array,
    noise: Noise,
    *,
    trust: float = 1.0,
    fresh: float = 1.0,
    measured: float = LEAST_NOISE,
) -> Array:
    """DiffPIR, Zhu et al. (2023), algorithm 1, for inpainting: one network call a step; `known` may be soft, 0..1.

    Each guess of the picture is drawn towards y as far as the measurement's noise `measured` (sigma_n) and the level's
    allow: rho = trust (sigma_n / bar-sigma_t)^2, x0 = (known y + rho x0) / (known + rho); `trust` is the paper's
    lambda. Then noise is put back, `fresh` (zeta) of it new and the rest what x and x0 imply.
    """
    for (alpha, sigma), (alpha_next, sigma_next) in zip(steps, [*steps[1:], CLEAN], strict=True):
        x0 = denoise(x, alpha, sigma)
        rho = trust * (max(measured, LEAST_NOISE) * alpha / sigma) ** 2
        x0 = (known * y + rho * x0) / (known + rho)
        if not sigma_next:
            return x0
        implied = epsilon_of(x, x0, alpha, sigma)
        x = alpha_next * x0 + sigma_next * (math.sqrt(1 - fresh) * implied + math.sqrt(fresh) * noise(x))
    return x
