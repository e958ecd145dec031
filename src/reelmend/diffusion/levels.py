"""How much noise, step by step: a picture x0 is seen as x = alpha x0 + sigma eps, with eps standard Gaussian.

Variance-preserving schedules have alpha^2 + sigma^2 = 1 (Ho et al. 2020; Nichol and Dhariwal 2021), those of Karras et
al. (2022) keep alpha = 1 and let sigma grow. Both are lists of (alpha, sigma), so every sampler runs on either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Noise levels from the cleanest to the noisiest; level 0 of a schedule has little noise, not none."""

    alpha: Floats
    """`(n,)`, what the picture is multiplied by."""
    sigma: Floats
    """`(n,)`, standard deviation of the noise; rising against alpha."""

    def __post_init__(self) -> None:
        if self.alpha.shape != self.sigma.shape or self.alpha.ndim != 1 or not len(self.alpha):
            raise ValueError("alpha and sigma are two lists of one length")
        if not (self.alpha > 0).all() or not (np.diff(self.ratio) > 0).all():
            raise ValueError("alpha is above 0, and noise rises from level to level")

    def __len__(self) -> int:
        return len(self.alpha)

    @property
    def alpha_bar(self) -> Floats:
        """alpha^2, the bar-alpha of Ho et al. (2020)."""
        return self.alpha**2

    @property
    def ratio(self) -> Floats:
        """sigma / alpha: noise against picture, what Karras et al. call sigma."""
        return self.sigma / self.alpha

    def spaced(self, steps: int, power: float = 1.0) -> NDArray[np.int64]:
        """`steps` level numbers, the noisiest first, from the last level to level 0, evenly in level ** (1 / power).

        `power` 1 is the even spacing of DDIM, 2 the quadratic one of Song et al. (2021) and DiffPIR, closer together
        where noise is low. Raises ValueError for fewer than one step or more than there are levels.
        """
        if not 1 <= steps <= len(self):
            raise ValueError(f"{steps} steps through {len(self)} levels; take 1 to {len(self)}")
        last = len(self) - 1
        if steps == 1:
            return np.array([last])
        places = np.rint(last * np.linspace(1, 0, steps) ** power).astype(np.int64)
        # Rounding may put two steps on one level where levels are few: each is moved to the next that is free.
        floor = np.arange(steps)[::-1]
        return np.asarray(np.minimum.accumulate(np.maximum(places, floor) + np.arange(steps)) - np.arange(steps))


def linear(count: int = 1000, first: float = 1e-4, last: float = 0.02) -> Levels:
    """beta from `first` to `last` evenly, Ho et al. (2020), equation 4."""
    return _of_alpha_bar(np.asarray(np.cumprod(1 - np.linspace(first, last, count)), np.float64))


def cosine(count: int = 1000, offset: float = 0.008, largest: float = 0.999) -> Levels:
    """bar-alpha as a squared cosine, Nichol and Dhariwal (2021), equation 17; no beta above `largest`."""
    times = np.arange(count + 1) / count
    wanted = np.cos((times + offset) / (1 + offset) * np.pi / 2) ** 2
    beta = np.minimum(1 - wanted[1:] / wanted[:-1], largest)
    return _of_alpha_bar(np.cumprod(1 - beta))


def karras(count: int = 18, smallest: float = 0.002, largest: float = 80.0, rho: float = 7.0) -> Levels:
    """sigma from `smallest` to `largest`, evenly in sigma^(1/rho); Karras et al. (2022), equation 5. alpha = 1."""
    ramp = np.linspace(0, 1, count) if count > 1 else np.ones(1)
    sigma = (smallest ** (1 / rho) + ramp * (largest ** (1 / rho) - smallest ** (1 / rho))) ** rho
    return Levels(np.ones(count), sigma)


def _of_alpha_bar(alpha_bar: Floats) -> Levels:
    return Levels(np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar))
