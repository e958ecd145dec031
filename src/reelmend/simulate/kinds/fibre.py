"""Hairs, lint and handling scratches: a centre line that turns at random, with a width that varies along it.

The numbers come from `reelmend.simulate.fit.fibres`. What belongs together (long hairs are drawn with fewer corners,
thick ones turn less) is kept by a Gaussian copula: each trait has its own distribution, as a table of quantiles, and
the correlation is that of their normal scores (R. B. Nelsen, An Introduction to Copulas, 2006).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.polygon import draw_polygons
from reelmend.simulate.outlines import Points

Floats = NDArray[np.float64]

TRAITS = ("length", "width", "step", "turn", "curl", "ripple", "tip")
"""Of one fibre. Logarithms of micrometres: length of the centre line, mean width, and the step between two corners of
its outline, which is how finely its course is known. Radians: the turning from one step to the next (root mean
square, about its mean) and the absolute turning over the whole length. Standard deviation of the logarithm of the
width along it. Mean width near the ends as a share of the whole's."""

PIECES = 4
"""Points of the centre line between two steps."""

TABLE = np.linspace(0.0, 1.0, 21)
"""Probabilities at which quantiles are kept."""

SECTORS = 36
"""Of half a circle, for the distribution of directions."""


@dataclass(frozen=True, slots=True)
class FibreShape:
    """A fibre: its outline runs along one side of the centre line and back along the other."""

    spine: tuple[tuple[float, float], ...]
    """Points of the centre line, micrometres, about the middle of its bounding box."""
    width: tuple[float, ...]
    """Across it at each point, micrometres."""
    step: float
    """Micrometres between the corners by which somebody would outline it."""
    traced: bool
    """Whether an annotator would have had it traced by the machine, or clicked round it by hand."""
    crumbs: tuple[tuple[float, float, float], ...] = ()
    """Bits of dirt beside it: x, y and radius, micrometres."""

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height of the bounding box of the centre line, micrometres."""
        points = np.asarray(self.spine)
        width, height = np.ptp(points, axis=0).tolist()
        return width, height


@dataclass(frozen=True, slots=True)
class FibreStyle:
    """The fitted numbers of one way in which fibres were annotated, ready to draw from."""

    share: float
    """Of fibres annotated so."""
    traced: bool
    quantiles: Floats
    """`(traits, len(TABLE))`."""
    root: Floats
    """Cholesky factor of the correlation of the traits' normal scores."""
    turns: Floats
    """Quantiles of the turning at a step in units of its own root mean square, `(len(TABLE),)`."""
    turn_follows: float
    """Correlation of a turn with the next."""
    ripple_follows: float
    """Correlation of the width's deviation with that one step on."""
    tip_spread: float
    """How far the two ends differ: standard deviation of the logarithm of one's width."""
    crumbs: float
    """Mean number for a millimetre of fibre."""
    directions: Floats
    """Cumulative share of directions, `(SECTORS + 1,)`."""

    @classmethod
    def of(cls, numbers: Mapping[str, Any]) -> FibreStyle:
        """From one of the `styles` in the `shape` of a `KindStatistics`. Raises KeyError where a number is missing."""
        share = np.asarray(numbers["directions"], dtype=np.float64)
        return cls(
            share=float(numbers["share"]),
            traced=bool(numbers["traced"]),
            quantiles=np.array([numbers["traits"][trait] for trait in TRAITS], dtype=np.float64),
            root=np.linalg.cholesky(np.asarray(numbers["correlation"], dtype=np.float64)),
            turns=np.asarray(numbers["turns"], dtype=np.float64),
            turn_follows=float(numbers["turn_follows"]),
            ripple_follows=float(numbers["ripple_follows"]),
            tip_spread=float(numbers["tip_spread"]),
            crumbs=float(numbers["crumbs"]),
            directions=np.concatenate([[0.0], np.cumsum(share) / share.sum()]),
        )


class FibreModel:
    """All styles in which fibres of one kind were annotated, each as often as it was found."""

    def __init__(self, shape: Mapping[str, Any]) -> None:
        """From the `shape` of a `KindStatistics`. Raises UsageError where it is of something else."""
        try:
            self._styles = tuple(FibreStyle.of(style) for style in shape["styles"])
            self._shares = np.cumsum([style.share for style in self._styles])
        except (KeyError, TypeError, ValueError, np.linalg.LinAlgError) as error:
            raise UsageError(
                f"the statistics hold no model of a fibre's shape ({error}); "
                "fit them again with `reelmend simulate fit`"
            ) from error

    def sample(self, rng: np.random.Generator) -> FibreShape:
        """A fibre of one of the styles."""
        drawn = np.searchsorted(self._shares, rng.uniform() * self._shares[-1], side="right")
        return sample_fibre(rng, self._styles[min(int(drawn), len(self._styles) - 1)])


def sample_fibre(rng: np.random.Generator, model: FibreStyle) -> FibreShape:
    """A fibre in the direction, length, width and curvature of the model's, about its own origin."""
    share = _normal_cdf(model.root @ rng.standard_normal(len(TRAITS)))
    drawn = [float(np.interp(share[i], TABLE, model.quantiles[i])) for i in range(len(TRAITS))]
    length, width, step = np.exp(drawn[:3])
    turn, curl, ripple, tip = np.maximum(drawn[3:], 0.0)
    steps = max(round(length / step), 1)
    knots = _course(rng, model, steps, turn, curl) * (length / steps)
    spine = _smooth(knots)
    along = np.linspace(0, steps, len(spine))
    deviation = _following(rng, model.ripple_follows, steps + 1) * ripple
    profile = np.exp(np.interp(along, np.arange(steps + 1), deviation))
    profile *= _ends(rng, model, along / steps * length / width, length / width, tip)
    profile *= width / max(float(profile.mean()), 1e-9)
    spine = _turned(spine, model, rng)
    middle = (spine.min(axis=0) + spine.max(axis=0)) / 2
    spine -= middle
    return FibreShape(
        tuple((float(x), float(y)) for x, y in spine),
        tuple(profile.tolist()),
        float(step),
        model.traced,
        _crumbs(rng, model.crumbs * length / 1000, spine, profile),
    )


CRUMB_RADIUS = (4.0, 16.0)
"""Micrometres."""

CRUMB_GAP = (14.0, 42.0)
"""From the fibre's side to the middle of a crumb, micrometres: what lies nearer is the width's ripple, what lies
farther was annotated by itself."""

CRUMBLY = 2.0
"""Variance of the crumbs' rate over the square of its mean: most fibres are clean, some are full of them."""


def _crumbs(
    rng: np.random.Generator, mean: float, spine: Points, width: Floats
) -> tuple[tuple[float, float, float], ...]:
    if mean <= 0:
        return ()
    count = int(rng.poisson(mean * rng.gamma(1 / CRUMBLY, CRUMBLY)))
    at = rng.integers(len(spine), size=count)
    angle = rng.uniform(0, 2 * np.pi, count)
    away = width[at] / 2 + rng.uniform(*CRUMB_GAP, count)
    places = spine[at] + away[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    radii = np.exp(rng.uniform(np.log(CRUMB_RADIUS[0]), np.log(CRUMB_RADIUS[1]), count))
    return tuple((float(x), float(y), float(radius)) for (x, y), radius in zip(places, radii, strict=True))


def sides(shape: FibreShape) -> tuple[Points, Points]:
    """Its left and its right side, `(n, 2)` each, micrometres."""
    spine, half = np.asarray(shape.spine), np.asarray(shape.width)[:, None] / 2
    tangent = np.gradient(spine, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    return spine + normal * half, spine - normal * half


def fibre_parts(shape: FibreShape, links: int = 8) -> tuple[Points, ...]:
    """Its outline as a chain of polygons `links` points long, so that it stays filled where it crosses itself;
    then its crumbs."""
    left, right = sides(shape)
    chain = tuple(
        np.concatenate([left[i : i + links + 1], right[i : i + links + 1][::-1]])
        for i in range(0, len(left) - 1, links)
    )
    return chain + tuple(_OCTAGON * radius + (x, y) for x, y, radius in shape.crumbs)


_OCTAGON = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


def draw_fibre(shape: FibreShape, pose: Pose, canvas: tuple[int, int]) -> Cover:
    """Coverage of the whole fibre."""
    return draw_polygons(fibre_parts(shape), pose, canvas)


def _course(rng: np.random.Generator, model: FibreStyle, steps: int, turn: float, curl: float) -> Points:
    """Knots of the centre line one unit apart, `(steps + 1, 2)`."""
    follows = _normal_cdf(_following(rng, model.turn_follows, max(steps - 1, 1)))
    turns = np.interp(follows, TABLE, model.turns) * turn
    turns += curl * (1 if rng.uniform() < 0.5 else -1) / len(turns)
    heading = np.concatenate([[0.0], np.cumsum(turns)])[:steps]
    unit = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(unit, axis=0)])


def _ends(rng: np.random.Generator, model: FibreStyle, at: Floats, length: float, tip: float) -> Floats:
    """Width towards the ends, 1 = as elsewhere; `at` and `length` in widths."""
    first, last = tip * np.exp(rng.normal(0, model.tip_spread, 2))
    reach = min(TAPER, length / 2)
    profile = np.ones_like(at)
    for end, distance in ((first, at), (last, length - at)):
        profile *= 1 + (min(end, 1.6) - 1) * np.clip(1 - distance / reach, 0, 1)
    return np.asarray(np.maximum(profile, 0.0))


TAPER = 2.0
"""Widths over which a fibre's end tapers."""


def _smooth(knots: Points) -> Points:
    """A Catmull-Rom curve through the knots, `(PIECES * (n - 1) + 1, 2)`."""
    before, after = 2 * knots[0] - knots[1], 2 * knots[-1] - knots[-2]
    padded = np.concatenate([[before], knots, [after]])
    a, b, c, d = (padded[i : i + len(knots) - 1][:, None] for i in range(4))
    t = np.arange(PIECES)[None, :, None] / PIECES
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([curve.reshape(-1, 2), knots[-1:]])


def _turned(spine: Points, model: FibreStyle, rng: np.random.Generator) -> Points:
    """The centre line with its longest direction drawn from the model's."""
    wanted = np.interp(rng.uniform(), model.directions, np.linspace(0, np.pi, SECTORS + 1))
    turn = wanted - direction(spine)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(spine @ np.array([[cos, sin], [-sin, cos]]))


def direction(points: Points) -> float:
    """Angle of the longest principal axis of points `(n, 2)`, radians in 0..pi, y pointing down."""
    centred = points - points.mean(axis=0)
    xx, yy, xy = (centred[:, 0] ** 2).sum(), (centred[:, 1] ** 2).sum(), (centred[:, 0] * centred[:, 1]).sum()
    return float(0.5 * np.arctan2(2 * xy, xx - yy) % np.pi)


def _following(rng: np.random.Generator, correlation: float, count: int) -> Floats:
    """A stationary first-order autoregression of unit variance, `(count,)`."""
    values = rng.standard_normal(count)
    for index in range(1, count):
        values[index] = correlation * values[index - 1] + np.sqrt(1 - correlation**2) * values[index]
    return values


_NORMAL = NormalDist()
_SCORES = np.linspace(-4.5, 4.5, 181)
_SHARES = np.array([_NORMAL.cdf(score) for score in _SCORES])


def _normal_cdf(values: Floats) -> Floats:
    return np.asarray(np.interp(values, _SCORES, _SHARES))
