"""How a picture is shown to a diffusion model: through fresh noise once, or noised by the model itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from reelmend.diffusion.prediction import epsilon_of
from reelmend.errors import UsageError
from reelmend.segment.attention import AttentionMap, lay_out, watch
from reelmend.segment.models import Model

INVERSION_STEPS = 12
"""Network calls of an inversion."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How much noise, and which."""

    noise: float = 0.5
    """Standard deviation of the noise, in that of the pictures themselves."""
    timestep: int | None = None
    """The level by its number instead, for models that count timesteps."""
    inversion: bool = False
    """Whether the noise is that which DDIM inversion finds (Song et al. 2021, section 4.3), which leads back to this
    very picture, instead of fresh Gaussian noise."""
    passes: int = 1
    """Times that fresh noise is drawn; maps are averaged."""
    layers: tuple[str, ...] | None = None
    """Names of layers, or how they begin; None for all."""
    seed: int = 0


def level_of(model: Model, showing: Showing) -> int:
    """The number of the level that is nearest. Raises UsageError for a timestep that the model does not have."""
    if showing.timestep is None:
        wanted = math.log(showing.noise * model.spread)
        return min(range(len(model.levels)), key=lambda n: abs(math.log(model.levels.ratio[n]) - wanted))
    if not model.timesteps:
        raise UsageError(f"{model.name} counts no timesteps; say how much noise with --noise.")
    if not 0 <= showing.timestep < len(model.levels):
        raise UsageError(f"{model.name} has timesteps 0 to {len(model.levels) - 1}, not {showing.timestep}.")
    return showing.timestep


@torch.no_grad()
def see(model: Model, picture: Tensor, showing: Showing) -> list[list[AttentionMap]]:
    """What the layers looked at, a list for each pass; `picture` `(1, 3, h, w)`, 0..1, sides multiples of a patch."""
    x0 = model.encode(picture)
    last = level_of(model, showing)
    passes = []
    for number in range(1 if showing.inversion else showing.passes):
        if showing.inversion:
            x = invert(model, x0, last)
        else:
            generator = torch.Generator().manual_seed(showing.seed + number)
            noise = torch.randn(x0.shape, generator=generator).to(x0)
            x = float(model.levels.alpha[last]) * x0 + float(model.levels.sigma[last]) * noise
        with watch(model.net, showing.layers) as seen:
            model.denoise(x, float(model.levels.alpha[last]), float(model.levels.sigma[last]))
        lay_out(seen.maps, (int(x.shape[2]), int(x.shape[3])))
        passes.append(seen.maps)
    return passes


def invert(model: Model, x0: Tensor, last: int, steps: int = INVERSION_STEPS) -> Tensor:
    """The noisy picture at level `last` that DDIM would lead back to `x0`: its steps, taken backwards."""
    ratio = model.levels.ratio
    # Evenly in the logarithm of the noise; the first step adds the little noise of level 0.
    wanted = [math.exp(math.log(ratio[0]) + (math.log(ratio[last]) - math.log(ratio[0])) * n / steps)
              for n in range(steps + 1)]  # fmt: skip
    way = sorted({int(abs(ratio[: last + 1] - one).argmin()) for one in wanted})
    x = float(model.levels.alpha[way[0]]) * x0
    for now, after in pairwise(way):
        alpha, sigma = float(model.levels.alpha[now]), float(model.levels.sigma[now])
        guess = model.denoise(x, alpha, sigma)
        noise = epsilon_of(x, guess, alpha, sigma)
        x = float(model.levels.alpha[after]) * guess + float(model.levels.sigma[after]) * noise
    return x
