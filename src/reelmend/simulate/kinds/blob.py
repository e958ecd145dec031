"""Flakes and specks: outlines from a fitted density of masks.

A blob is the positive part of a smooth field over its bounding box, read on the pixels of the annotated scans and
traced as their annotations were. Field and box come together from a mixture of Gaussians, so that large flakes are
rougher and longer where the real ones are, notched ones keep their notches, and nothing has to be star-shaped; then
some samples are thrown away so that the rest have the traits of real ones. Statistics of signed distances: M. E.
Leventon, W. E. L. Grimson, O. Faugeras, "Statistical shape influence in geodesic active contours" (CVPR 2000);
rejection by a classifier's odds: S. Azadi et al., "Discriminator rejection sampling" (ICLR 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reelmend.errors import UsageError
from reelmend.simulate.kinds.traced import TRAITS, basis, trace, traits
from reelmend.simulate.outlines import Kind as AnnotatedKind
from reelmend.simulate.outlines import Outline, Points, polygon_area
from reelmend.simulate.statistics import KindStatistics

MARGIN = 0.06
"""The field reaches so far beyond the bounding box on each side, in its width and height."""

OPENING = np.ones((3, 3), dtype=np.uint8)
"""A tried sample of real polygons could be traced from unions of 3 x 3 pixels in nine of ten cases (dust)."""

SHAPES = 80
"""Tried at most for one size: throwing samples away must not change how large they are."""

ATTEMPTS = 100
"""Sizes tried at most."""

Array = NDArray[np.float64]
Table = list[float]


class Acceptance(BaseModel):
    """How much likelier than the mixture makes it a polygon of given traits really is: a logistic regression."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    spread: Table
    """Standard deviation of each of `reelmend.simulate.kinds.traced.TRAITS`."""
    low: Table
    high: Table
    knots: list[Table]
    centre: Table
    """Mean of each term of `traced.basis`."""
    scale: Table
    weights: Table
    full: float
    """Logarithm of the odds from which a sample is always kept."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        traits_known = {len(self.spread), len(self.low), len(self.high), *map(len, self.knots)}
        terms = len(TRAITS) * (len(TRAITS) + 3) // 2 + len(self.knots) * len(TRAITS)
        if traits_known != {len(TRAITS)} or {len(self.centre), len(self.scale), len(self.weights)} != {terms}:
            raise ValueError("traits and terms do not belong together")
        if min(*self.spread, *self.scale) <= 0:
            raise ValueError("spread and scale must be positive")
        return self


class BlobNumbers(BaseModel):
    """What the shape table of a blob-like kind holds; `n` field points a side, `c` components, `k` mixture parts."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    grids: list[tuple[float, float]]
    """Micrometres of a pixel of the annotated scans, and the share of outlines that were drawn on such pixels."""
    area: tuple[float, float]
    """Smallest and largest that a sample may have, square pixels."""
    sizes: Table
    """Square root of the bounding box's area, pixels, at evenly spaced ranks from the smallest to the largest."""
    aspects: Table
    """Longer side of the box over the shorter, at evenly spaced ranks."""
    mean: list[Table]
    """Of the field, `(n, n)`: distance to the outline, positive inside, in fifths of the box's mean side."""
    components: list[list[Table]]
    """Principal components of the field, `(c, n, n)`."""
    weights: Table
    """Of the mixture's parts, `(k,)`."""
    centres: list[Table]
    """`(k, 2 + c)`: normal scores of the box among `sizes` and among `aspects`, then the components' coefficients."""
    factors: list[list[Table]]
    """Square roots of the parts' covariances, lower triangles: row `i` has `i + 1` numbers, `2 + c` rows."""
    acceptance: Acceptance | None = None
    """None where there were too few outlines to learn it."""
    summary: dict[str, Table] = Field(default_factory=dict)
    """For people: 5, 25, 50, 75 and 95 % of what was measured on the outlines fitted, micrometres."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rows, dimensions, parts = len(self.mean), 2 + len(self.components), len(self.weights)
        if any(np.shape(one) != (rows, rows) for one in (self.mean, *self.components)) or rows < 2:
            raise ValueError("mean and components are square fields of one size")
        triangle = list(range(1, dimensions + 1))
        if np.shape(self.centres) != (parts, dimensions) or len(self.factors) != parts:
            raise ValueError("weights, centres and factors do not belong together")
        if any([len(row) for row in factor] != triangle for factor in self.factors):
            raise ValueError("a factor is not a lower triangle")
        for table in (self.sizes, self.aspects):
            if len(table) < 2 or table[0] <= 0 or np.any(np.diff(table) < 0):
                raise ValueError("sizes and aspects must be positive and ascend")
        if min(self.weights) < 0 or sum(self.weights) <= 0 or not 0 < self.area[0] < self.area[1]:
            raise ValueError("weights must be positive and areas ordered")
        if not self.grids or min(min(grid) for grid in self.grids) <= 0:
            raise ValueError("grids must be positive")
        return self


class BlobModel:
    """Samples outlines from fitted numbers."""

    def __init__(self, shape: Mapping[str, Any]) -> None:
        try:
            numbers = BlobNumbers.model_validate(shape)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "shape"
            raise UsageError(
                f"the statistics hold no model of a blob's shape ({where}: {first['msg']}); "
                "fit them again with `reelmend simulate fit`"
            ) from error
        self.area = numbers.area
        self._units = np.array([unit for unit, _ in numbers.grids])
        self._unit_ranks = _ranks([share for _, share in numbers.grids])
        self._sizes, self._aspects = np.array(numbers.sizes), np.array(numbers.aspects)
        self._mean = np.array(numbers.mean)
        self._components = np.array(numbers.components).reshape(len(numbers.components), -1)
        self._weights = np.array(numbers.weights)
        self._centres = np.array(numbers.centres)
        self._factors = np.zeros(self._centres.shape + self._centres.shape[1:])
        for part, factor in enumerate(numbers.factors):
            for row, values in enumerate(factor):
                self._factors[part, row, : row + 1] = values
        self._odds = None if numbers.acceptance is None else Odds(numbers.acceptance)

    def sample(self, rng: np.random.Generator, kind: AnnotatedKind, unit: float | None = None) -> Outline:
        """One outline, centred on its bounding box, its corners on a grid of `unit` micrometres.

        Without a unit it is that of one of the annotated scans, as likely as they used it. Raises UsageError when
        the numbers hardly ever give an outline within their own limits.
        """
        if unit is None:
            unit = float(self._units[_pick(rng, self._unit_ranks)])
        for _ in range(ATTEMPTS):
            score = float(rng.standard_normal())
            for _ in range(SHAPES):
                corners = self.draw(rng, score)
                if len(corners) and (self._odds is None or rng.uniform() < self._odds.keep(corners)):
                    return Outline(kind, (corners * unit,)).centred()
        raise UsageError(f"the statistics of {kind} give no outlines within their own limits; fit them again")

    def draw(self, rng: np.random.Generator, score: float) -> Points:
        """Corners `(n, 2)` in pixels of one sample of the mixture alone, for the normal score of its size among
        `sizes`; none where it falls outside the limits."""
        # Given the first coordinate a part is as likely as it makes it, and the factor's first column is settled.
        away = (score - self._centres[:, 0]) / self._factors[:, 0, 0]
        likely = self._weights * np.exp(-0.5 * (away**2 - (away**2).min())) / self._factors[:, 0, 0]
        part = _pick(rng, _ranks(likely))
        normal: Array = rng.standard_normal((self._centres.shape[1],))
        normal[0] = away[part]
        vector = self._centres[part] + self._factors[part] @ normal
        size, stretch = _of_rank(self._sizes, score), math.sqrt(_of_rank(self._aspects, vector[1]))
        columns, rows = max(round(size * stretch), 1), max(round(size / stretch), 1)
        field = self._mean + (vector[2:] @ self._components).reshape(self._mean.shape)
        x, y = (field_index((np.arange(count) + 0.5) / count, len(field)) for count in (columns, rows))
        read = cv2.remap(field.astype(np.float32), *np.meshgrid(x, y), interpolation=cv2.INTER_CUBIC)
        # The fit has laid all masks flat by quarter turns; dust knows no length or breadth.
        mask = np.rot90(np.pad(read > 0, 2), int(rng.integers(4))).astype(np.uint8)
        corners = trace(cv2.morphologyEx(mask, cv2.MORPH_OPEN, OPENING))
        if len(corners) < 3 or not self.area[0] <= polygon_area(corners) <= self.area[1]:
            return np.zeros((0, 2))
        return corners


class Odds:
    """The acceptance, ready to use."""

    def __init__(self, numbers: Acceptance) -> None:
        self._basis = tuple(np.array(one) for one in (numbers.spread, numbers.low, numbers.high, numbers.knots))
        self._centre = np.array(numbers.centre)
        self._weights = np.array(numbers.weights) / np.array(numbers.scale)
        self._full = numbers.full

    def keep(self, corners: Points) -> float:
        """Probability of keeping a polygon `(n, 2)` in pixels, 0..1."""
        terms = basis(traits(corners)[None], *self._basis)[0]
        return math.exp(min(float((terms - self._centre) @ self._weights) - self._full, 0.0))


def blob_model(numbers: KindStatistics) -> BlobModel:
    """The model of a kind's statistics, built once."""
    return numbers.built(BlobModel)


def field_index(share: Array, points: int) -> NDArray[np.float32]:
    """Where places in the unit box lie among `points` of the field along a side."""
    return np.asarray((share + MARGIN) / (1 + 2 * MARGIN) * (points - 1), dtype=np.float32)


def _ranks(shares: Table | Array) -> Array:
    return np.cumsum(shares) / np.sum(shares)


def _pick(rng: np.random.Generator, ranks: Array) -> int:
    return min(int(np.searchsorted(ranks, rng.uniform(), side="right")), len(ranks) - 1)


def _of_rank(table: Array, score: float) -> float:
    rank = 0.5 * (1 + math.erf(score / math.sqrt(2)))
    return float(np.interp(rank * (len(table) - 1), np.arange(len(table)), table))
