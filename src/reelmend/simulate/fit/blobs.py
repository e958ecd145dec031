"""The shape model of dust and dirt, fitted to annotated outlines (`reelmend.simulate.kinds.blob` samples from it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.fit.measure import centroid, measure_all, signed_distance
from reelmend.simulate.fit.mixture import fit_mixture
from reelmend.simulate.kinds.blob import field_places
from reelmend.simulate.outlines import Outline, Points

FIELD = 14
"""Points of a field along each side."""

COMPONENTS = 20
"""Principal components kept; more carry single corners."""

PARTS = 24
"""Of the mixture."""

CLIP = 0.25
"""Signed distances are cut here: how deep a point lies inside says little about the outline."""

RANKS = 201
"""Of the tables of sizes and aspects."""

SMALLEST_SCALE = 0.1
"""Standard deviation, in normal scores, below which no part may know size or aspect."""

JITTER = 0.25
"""Sides are whole pixels of the annotation: spread by so many to either side, or parts of the mixture would collapse
onto whole numbers. Half a pixel would be all of the rounding, but tracing a sample again rounds once more."""

RARE = 0.005
"""Share of outlines narrower than the narrowest sample: a slip of the annotator."""

Array = NDArray[np.float64]


def fit_blobs(outlines: Sequence[Outline], units: Sequence[float]) -> dict[str, Any]:
    """The shape table of one kind; `units` are the micrometres of each outline's annotation grid.

    Outlines are turned by quarters until they lie alike, and samples are turned again: dust knows no length or
    breadth. Raises ValueError for fewer than three outlines.
    """
    if len(outlines) < 3:
        raise ValueError("a shape model needs three outlines and more")
    boxes, fields = _read(outlines, units, np.random.default_rng(0))
    size = fields.shape[1]
    fields = fields.reshape(-1, size**2)
    sizes, aspects = np.sqrt(boxes.prod(axis=1)), boxes.max(axis=1) / boxes.min(axis=1)
    scores = np.stack([_normal_scores(sizes), _normal_scores(aspects)], axis=1)
    mean = fields.mean(axis=0)
    _, _, axes = np.linalg.svd(fields - mean, full_matrices=False)
    axes = axes[:COMPONENTS]
    data = np.concatenate([scores, (fields - mean) @ axes.T], axis=1)
    floor = np.concatenate([np.full(2, SMALLEST_SCALE**2), np.full(len(axes), 0.01 * data[:, 2:].var(axis=0).mean())])
    mixture = fit_mixture(data, PARTS, floor)
    measures = measure_all(outlines)
    return {
        "area": [float(measures["area"].min()), float(measures["area"].max())],
        "narrowest": float(np.quantile(measures["width"], RARE)),
        "sizes": _rounded(np.quantile(sizes, np.linspace(0, 1, RANKS)), 2),
        "aspects": _rounded(np.quantile(aspects, np.linspace(0, 1, RANKS))),
        "mean": _rounded(mean.reshape(size, size)),
        "components": _rounded(axes.reshape(-1, size, size)),
        "weights": _rounded(mixture.weights),
        "centres": _rounded(mixture.centres),
        "factors": _rounded(np.linalg.cholesky(mixture.covariances)),
        "summary": {
            name: [float(value) for value in np.percentile(measures[name], [5, 25, 50, 75, 95])]
            for name in ("area", "length", "width", "elongation", "roughness", "corners")
        },
    }


def _read(outlines: Sequence[Outline], units: Sequence[float], rng: np.random.Generator) -> tuple[Array, Array]:
    places = field_places(FIELD)
    boxes, fields = [], []
    for outline, unit in zip(outlines, units, strict=True):
        points = laid_alike(outline.parts[0])
        low, high = points.min(axis=0), points.max(axis=0)
        side = np.maximum(high - low, unit)
        fields.append(signed_distance((points - low) / side, places).clip(-CLIP, CLIP).reshape(FIELD, FIELD))
        boxes.append(side + rng.uniform(-JITTER, JITTER, 2) * unit)
    return np.array(boxes), np.array(fields)


def laid_alike(points: Points) -> Points:
    """A polygon `(n, 2)` turned by quarters until its box lies flat with the heavier end first.

    Never mirrored: simplified contours lean one way round (`reelmend.simulate.fit.annotated`), and mirror images of
    them are told from real ones at once.
    """
    if np.ptp(points[:, 0]) < np.ptp(points[:, 1]):
        points = points[:, ::-1] * (-1.0, 1.0)
    points = points - centroid(points)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return -points if middle[0] < 0 else points


def _normal_scores(values: Array) -> Array:
    """The normal deviates of the values' ranks, `(n,)`."""
    from scipy.special import ndtri

    order = np.empty(len(values))
    order[np.argsort(values, kind="stable")] = np.arange(len(values))
    return np.asarray(ndtri((order + 0.5) / len(values)))


def _rounded(values: NDArray[np.floating[Any]], digits: int = 4) -> Any:
    return np.round(values, digits).tolist()
