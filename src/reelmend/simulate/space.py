"""How many defects lie in a piece of film, and where, from the fitted statistics.

Everything is a rate for a unit of film area, so a training window, a frame and a whole scan each get what belongs to
their area.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.statistics import Space, Statistics

REACH = 4.0
"""Clusters whose centres lie up to so many radii outside the window still send members into it."""

SQUARE_MICROMETRES = 1e6
"""In a square millimetre."""


def sample_reel_factor(rng: np.random.Generator, statistics: Statistics, kind: str) -> float:
    """How dirty one reel is, times the mean: gamma distributed with mean 1 and the fitted variance.

    Drawn once for a reel (or training sample) and given to every `sample_places` of it. Raises KeyError for a kind
    without statistics.
    """
    dispersion = statistics.kinds[kind].count.dispersion
    return 1.0 if dispersion == 0 else float(rng.gamma(1 / dispersion, dispersion))


def sample_places(
    rng: np.random.Generator,
    statistics: Statistics,
    kind: str,
    width_um: float,
    height_um: float,
    times: float = 1.0,
    reel_factor: float = 1.0,
) -> NDArray[np.float64]:
    """Places of one frame's defects of a kind, `(n, 2)` x and y in micrometres from the frame's top left corner.

    The mean number is the fitted rate times the area, `times` (what the recipe asks for) and `reel_factor`. More
    damage means more clusters, not larger ones. Raises KeyError for a kind without statistics.
    """
    numbers = statistics.kinds[kind]
    rate = numbers.count.per_mm2 * times * reel_factor / SQUARE_MICROMETRES
    return sample_process(rng, numbers.space, rate, width_um, height_um)


def sample_process(
    rng: np.random.Generator, space: Space, rate: float, width: float, height: float
) -> NDArray[np.float64]:
    """The clustered process alone: `rate` points a square micrometre in `width` x `height` micrometres, `(n, 2)`."""
    clustered = space.clustered if space.members > 0 else 0.0
    lone = _uniform(rng, rng.poisson(rate * (1 - clustered) * width * height), 0.0, width, height)
    if clustered == 0:
        return lone
    margin = REACH * space.radius
    area = (width + 2 * margin) * (height + 2 * margin)
    centres = _uniform(rng, rng.poisson(rate * clustered / space.members * area), margin, width, height)
    sizes = rng.poisson(space.members, len(centres))
    points = np.repeat(centres, sizes, axis=0) + rng.normal(0, space.radius, (int(sizes.sum()), 2))
    inside = np.all((points >= 0) & (points < (width, height)), axis=1)
    return np.concatenate([lone, points[inside]])


def _uniform(rng: np.random.Generator, count: int, margin: float, width: float, height: float) -> NDArray[np.float64]:
    return rng.uniform((-margin, -margin), (width + margin, height + margin), (count, 2))
