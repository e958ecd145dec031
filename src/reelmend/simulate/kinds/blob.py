"""Flakes and specks: outlines from a fitted density of level sets.

A blob is the positive part of a smooth field over its bounding box. Field and box come together from a mixture of
Gaussians, so that large flakes are rougher and longer where the real ones are, notched ones keep their notches, and
nothing has to be star-shaped. Statistics of signed distances: M. E. Leventon, W. E. L. Grimson, O. Faugeras,
"Statistical shape influence in geodesic active contours" (CVPR 2000).
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
from reelmend.simulate.outlines import Kind as AnnotatedKind
from reelmend.simulate.outlines import Outline, Points, polygon_area
from reelmend.simulate.statistics import KindStatistics

MARGIN = 0.1
"""The field reaches so far beyond the bounding box on each side, in its width and height."""

FINENESS = 4
"""Points on which the contour is traced for one of the field's."""

SIMPLER = 0.6
"""A corner is left out where the outline moves by less than this, points of the traced grid."""

ATTEMPTS = 200
"""At most, to draw a blob within the limits of what was seen."""


class BlobNumbers(BaseModel):
    """What the shape table of a blob-like kind holds; `n` field points a side, `c` components, `k` mixture parts."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    area: tuple[float, float]
    """Smallest and largest that a sample may have, square micrometres."""
    narrowest: float = Field(ge=0)
    """Least width of the smallest rectangle around a sample, micrometres."""
    sizes: list[float]
    """Square root of the bounding box's area, micrometres, at evenly spaced ranks from the smallest to the largest."""
    aspects: list[float]
    """Longer side of the box over the shorter, at evenly spaced ranks."""
    mean: list[list[float]]
    """Of the field, `(n, n)`: signed distance to the outline, box sides, positive inside."""
    components: list[list[list[float]]]
    """Principal components of the field, `(c, n, n)`."""
    weights: list[float]
    """Of the mixture's parts, `(k,)`."""
    centres: list[list[float]]
    """`(k, 2 + c)`: normal scores of the box among `sizes` and among `aspects`, then the components' coefficients."""
    factors: list[list[list[float]]]
    """Lower triangular square roots of the parts' covariances, `(k, 2 + c, 2 + c)`."""
    summary: dict[str, list[float]] = Field(default_factory=dict)
    """For people: 5, 25, 50, 75 and 95 % of what was measured on the outlines fitted."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        sizes = {np.shape(self.mean), *(np.shape(one) for one in self.components)}
        dimensions, parts = 2 + len(self.components), len(self.weights)
        if len(sizes) != 1 or len(np.shape(self.mean)) != 2 or np.shape(self.mean)[0] != np.shape(self.mean)[1]:
            raise ValueError("mean and components are square fields of one size")
        if np.shape(self.centres) != (parts, dimensions) or np.shape(self.factors) != (parts, dimensions, dimensions):
            raise ValueError("weights, centres and factors do not belong together")
        for table in (self.sizes, self.aspects):
            if len(table) < 2 or table[0] <= 0 or np.any(np.diff(table) < 0):
                raise ValueError("sizes and aspects must be positive and ascend")
        if min(self.weights) < 0 or sum(self.weights) <= 0 or not 0 < self.area[0] < self.area[1]:
            raise ValueError("weights must be positive and areas ordered")
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
        self.area, self.narrowest = numbers.area, numbers.narrowest
        self._sizes, self._aspects = np.array(numbers.sizes), np.array(numbers.aspects)
        self._mean = np.array(numbers.mean)
        self._components = np.array(numbers.components).reshape(len(numbers.components), -1)
        self._weights = np.cumsum(numbers.weights) / np.sum(numbers.weights)
        self._centres, self._factors = np.array(numbers.centres), np.array(numbers.factors)

    def sample(self, rng: np.random.Generator, kind: AnnotatedKind) -> Outline:
        """One outline, no smaller, larger or narrower than those fitted, centred on its bounding box.

        Raises UsageError when the numbers hardly ever give such an outline.
        """
        for _ in range(ATTEMPTS):
            points = self._draw(rng)
            if len(points) >= 3 and self._likely(points):
                return Outline(kind, (points,))
        raise UsageError(f"the statistics of {kind} give no outlines within their own limits; fit them again")

    def _likely(self, points: Points) -> bool:
        if not self.area[0] <= polygon_area(points) <= self.area[1]:
            return False
        return min(cv2.minAreaRect(points.astype(np.float32))[1]) >= self.narrowest

    def _draw(self, rng: np.random.Generator) -> Points:
        part = min(int(np.searchsorted(self._weights, rng.uniform(), side="right")), len(self._weights) - 1)
        normal = rng.standard_normal(self._centres.shape[1])
        vector = self._centres[part] + self._factors[part] @ normal
        field = self._mean + (vector[2:] @ self._components).reshape(self._mean.shape)
        size, stretch = _of_rank(self._sizes, vector[0]), np.sqrt(_of_rank(self._aspects, vector[1]))
        points = unit_outline(field) * (size * stretch, size / stretch)
        # The fit has laid all outlines flat by quarter turns; dust knows no length or breadth.
        turns = int(rng.integers(4))
        if turns % 2:
            points = points[:, ::-1] * (-1.0, 1.0)
        return -points if turns > 1 else points


def _of_rank(table: NDArray[np.float64], score: float) -> float:
    rank = 0.5 * (1 + math.erf(score / math.sqrt(2)))
    return float(np.interp(rank * (len(table) - 1), np.arange(len(table)), table))


def blob_model(numbers: KindStatistics) -> BlobModel:
    """The model of a kind's statistics, built once."""
    return numbers.built(BlobModel)


def field_places(size: int) -> Points:
    """Where the field's `size` x `size` points lie in the unit box, `(size * size, 2)`, row by row."""
    line = np.linspace(-MARGIN, 1 + MARGIN, size)
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def unit_outline(field: NDArray[np.float64]) -> Points:
    """Outline of a field's largest positive part, stretched to sides of 1 and centred; empty where there is none."""
    fine = cv2.resize(field, None, fx=FINENESS, fy=FINENESS, interpolation=cv2.INTER_CUBIC)
    mask = np.pad((fine > 0).astype(np.uint8), 1)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros((0, 2))
    largest = max(contours, key=len)
    corners = cv2.approxPolyDP(largest, SIMPLER, True)[:, 0].astype(np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if len(corners) < 3 or np.any(high - low <= 0):
        return np.zeros((0, 2))
    return np.asarray((corners - (low + high) / 2) / (high - low))
