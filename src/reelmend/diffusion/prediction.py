"""What a network predicts, and the picture that this stands for.

Every sampler asks a `Denoiser` for its best guess of the clean picture, E[x0 | x]. A network may predict the noise (Ho
et al. 2020), the velocity v = alpha eps - sigma x0 (Salimans and Ho 2022), the picture itself, or the preconditioned
residual of Karras et al. (2022).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

Array = Any
"""A NumPy array or a torch tensor: only arithmetic is done with it."""


class Denoiser(Protocol):
    """The best guess of the clean picture x0, given x = alpha x0 + sigma eps."""

    def __call__(self, x: Array, alpha: float, sigma: float) -> Array: ...


def picture_of_epsilon(x: Array, epsilon: Array, alpha: float, sigma: float) -> Array:
    """x0 where the network predicts the noise."""
    return (x - sigma * epsilon) / alpha


def picture_of_v(x: Array, v: Array, alpha: float, sigma: float) -> Array:
    """x0 where the network predicts v = alpha eps - sigma x0; for levels with alpha^2 + sigma^2 = 1."""
    return alpha * x - sigma * v


def picture_of_x0(x: Array, x0: Array, alpha: float, sigma: float) -> Array:
    """x0 where the network predicts it."""
    return x0


PREDICTIONS: Mapping[str, Callable[[Array, Array, float, float], Array]] = MappingProxyType(
    {"epsilon": picture_of_epsilon, "v": picture_of_v, "x0": picture_of_x0}
)
"""By name: from x, the network's output, alpha and sigma to x0."""


def epsilon_of(x: Array, x0: Array, alpha: float, sigma: float) -> Array:
    """The noise that x and a guess of x0 imply."""
    return (x - alpha * x0) / sigma


class EDM:
    """Karras et al. (2022), table 1: D(x; sigma) = c_skip x + c_out F(c_in x, c_noise), for alpha = 1."""

    def __init__(self, data: float = 0.5) -> None:
        """`data` is the standard deviation of the training pictures."""
        self.data = data

    def skip(self, sigma: float) -> float:
        return self.data**2 / (sigma**2 + self.data**2)

    def out(self, sigma: float) -> float:
        return sigma * self.data / math.sqrt(sigma**2 + self.data**2)

    def into(self, sigma: float) -> float:
        return 1 / math.sqrt(sigma**2 + self.data**2)

    def noise(self, sigma: float) -> float:
        return math.log(sigma) / 4

    def weight(self, sigma: float) -> float:
        """lambda(sigma): what the squared error of D is multiplied by, so that F's loss is even over noise levels."""
        return (sigma**2 + self.data**2) / (sigma * self.data) ** 2

    def denoise(self, net: Callable[[Array, float], Array], x: Array, alpha: float, sigma: float) -> Array:
        """The picture, with `net(c_in x, c_noise)`; x may come from levels with any alpha."""
        ratio, seen = sigma / alpha, x / alpha
        return self.skip(ratio) * seen + self.out(ratio) * net(self.into(ratio) * seen, self.noise(ratio))
