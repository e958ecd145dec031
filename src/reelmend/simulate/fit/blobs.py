"""The shape model of dust and dirt, fitted to annotated outlines (`reelmend.simulate.kinds.blob` samples from it)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.fit.acceptance import fit_acceptance
from reelmend.simulate.fit.annotated import mask_of
from reelmend.simulate.fit.measure import measure_all
from reelmend.simulate.fit.mixture import fit_mixture
from reelmend.simulate.kinds.blob import MARGIN, BlobModel
from reelmend.simulate.kinds.traced import traits
from reelmend.simulate.outlines import Outline, Points, polygon_area

FIELD = 16
"""Points of a field along each side."""

COMPONENTS = 24
"""Principal components kept."""

PARTS = 24
"""Of the mixture."""

FIFTH = 0.2
"""Unit of the field: this share of the box's mean side. Distances are cut at one unit: how deep a point lies inside
says little about the outline."""

RANKS = 201
"""Of the tables of sizes and aspects."""

SMALLEST_SCORE = 0.05
"""Standard deviation, in normal scores, below which no part may know size or aspect."""

SMALLEST_SHARE = 0.002
"""The same for the components, share of their mean variance."""

JITTER = 0.4
"""Sides are whole pixels: spread by so many to either side, or parts of the mixture would collapse onto whole
numbers."""

RARE = 0.002
"""Share of outlines smaller than the smallest sample: slips of the annotator."""

FINE = 8
"""Points for a pixel where distances to a mask's edge are taken."""

Array = NDArray[np.float64]
Mask = NDArray[np.uint8]


def fit_blobs(outlines: Sequence[Outline], units: Sequence[float]) -> dict[str, Any]:
    """The shape table of one kind; `units` are the micrometres of each outline's annotation grid.

    Masks are turned by quarters until they lie alike, and samples are turned again: dust knows no length or breadth.
    Sizes are counted in pixels of the annotation, which is how real scans agree: a scan annotated on coarser pixels
    has the same polygons, larger. Raises ValueError for fewer than three outlines.
    """
    if len(outlines) < 3:
        raise ValueError("a shape model needs three outlines and more")
    rng = np.random.default_rng(0)
    polygons = [outline.parts[0] / unit for outline, unit in zip(outlines, units, strict=True)]
    masks = [laid_alike(mask_of(polygon - polygon.min(axis=0))[0]) for polygon in polygons]
    fields = np.stack([field_of(mask).ravel() for mask in masks])
    boxes = np.array([mask.shape[::-1] for mask in masks]) + rng.uniform(-JITTER, JITTER, (len(masks), 2))
    sizes, aspects = np.sqrt(boxes.prod(axis=1)), boxes[:, 0] / boxes[:, 1]
    mean = fields.mean(axis=0)
    _, _, axes = np.linalg.svd(fields - mean, full_matrices=False)
    axes = axes[:COMPONENTS]
    data = np.column_stack([_normal_scores(sizes), _normal_scores(aspects), (fields - mean) @ axes.T])
    ground = np.full(len(axes), max(SMALLEST_SHARE * float(data[:, 2:].var(axis=0).mean()), 1e-6))
    mixture = fit_mixture(data, PARTS, np.concatenate([np.full(2, SMALLEST_SCORE**2), ground]))
    areas = [polygon_area(polygon) for polygon in polygons]
    measures = measure_all(outlines)
    shape: dict[str, Any] = {
        "grids": [[unit, number / len(units)] for unit, number in sorted(Counter(units).items())],
        "area": [float(np.quantile(areas, RARE)), 1.2 * max(areas)],
        "sizes": _rounded(np.quantile(sizes, np.linspace(0, 1, RANKS))),
        "aspects": _rounded(np.quantile(aspects, np.linspace(0, 1, RANKS))),
        "mean": _rounded(mean.reshape(FIELD, FIELD)),
        "components": _rounded(axes.reshape(-1, FIELD, FIELD)),
        "weights": _rounded(mixture.weights, 5),
        "centres": _rounded(mixture.centres),
        "factors": [_triangle(covariance) for covariance in mixture.covariances],
        "summary": {
            name: [float(value) for value in np.percentile(measures[name], [5, 25, 50, 75, 95])]
            for name in ("area", "length", "width", "elongation", "roughness", "corners")
        },
    }
    acceptance = fit_acceptance(np.stack([traits(polygon) for polygon in polygons]), BlobModel(shape), rng)
    return shape if acceptance is None else {**shape, "acceptance": acceptance}


def laid_alike(mask: Mask) -> Mask:
    """A mask cut to its box and turned by quarters until the box lies flat with the heavier end first.

    Never mirrored: simplified contours lean one way round, and mirror images of them are told from real ones at once.
    """
    rows, columns = np.nonzero(mask)
    mask = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    if mask.shape[1] < mask.shape[0]:
        mask = np.rot90(mask)
    middle = mask.sum(axis=0) @ np.arange(mask.shape[1]) / mask.sum()
    return np.rot90(mask, 2) if middle > (mask.shape[1] - 1) / 2 else mask


def field_of(mask: Mask) -> Array:
    """Distance to the edge of a mask that fills its box, positive inside, `(FIELD, FIELD)`, -1..1 (see `FIFTH`)."""
    rows, columns = mask.shape
    border = int(np.ceil(MARGIN * max(rows, columns))) + 2
    fine = cv2.resize(np.pad(mask, border), None, fx=FINE, fy=FINE, interpolation=cv2.INTER_NEAREST)
    inside, outside = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (fine, 1 - fine))
    line = np.linspace(-MARGIN, 1 + MARGIN, FIELD)
    x, y = np.meshgrid(*((line * side + border) * FINE - 0.5 for side in (columns, rows)))
    distance = cv2.remap((inside - outside) / FINE, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(np.clip(distance / (FIFTH * np.sqrt(rows * columns)), -1, 1), dtype=np.float64)


def _normal_scores(values: Array) -> Array:
    """The normal deviates of the values' ranks, `(n,)`."""
    from scipy.special import ndtri

    order = np.empty(len(values))
    order[np.argsort(values, kind="stable")] = np.arange(len(values))
    return np.asarray(ndtri((order + 0.5) / len(values)))


def _triangle(covariance: Array) -> list[Any]:
    root = np.linalg.cholesky(covariance)
    return [_rounded(root[row, : row + 1]) for row in range(len(root))]


def _rounded(values: NDArray[np.floating[Any]] | Points, digits: int = 4) -> Any:
    return np.round(values, digits).tolist()
