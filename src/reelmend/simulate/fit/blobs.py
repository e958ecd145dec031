"""The shape model of dust and dirt, fitted to annotated outlines (`reelmend.simulate.kinds.blob` samples from it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.fit.measure import measure_all, signed_distance
from reelmend.simulate.fit.mixture import fit_mixture
from reelmend.simulate.kinds.blob import field_places
from reelmend.simulate.outlines import Outline

FIELD = 14
"""Points of a field along each side."""

COMPONENTS = 14
"""Principal components kept; more carry single corners."""

PARTS = 10
"""Of the mixture."""

CLIP = 0.25
"""Signed distances are cut here: how deep a point lies inside says little about the outline."""

SMALLEST_SCALE = 0.03
"""Standard deviation below which no part may know a box side (share of it): half of the annotators' rounding."""

JITTER = 0.5

Array = NDArray[np.float64]


def fit_blobs(outlines: Sequence[Outline], units: Sequence[float]) -> dict[str, Any]:
    """The shape table of one kind; `units` are the micrometres of each outline's annotation grid.

    Outlines are taken as they are, mirrored along x, along y and along both: dust knows no left and no down. Raises
    ValueError for fewer than three outlines.
    """
    if len(outlines) < 3:
        raise ValueError("a shape model needs three outlines and more")
    rng = np.random.default_rng(0)
    boxes, fields = _read(outlines, units, rng)
    size = fields.shape[1]
    # Annotators' polygons lean one way (a contour begins at its top left corner); mirrored copies take that out.
    fields = np.concatenate([fields, fields[:, ::-1], fields[:, :, ::-1], fields[:, ::-1, ::-1]]).reshape(-1, size**2)
    boxes = np.tile(boxes, (4, 1))
    mean = fields.mean(axis=0)
    _, _, axes = np.linalg.svd(fields - mean, full_matrices=False)
    axes = axes[:COMPONENTS]
    data = np.concatenate([boxes, (fields - mean) @ axes.T], axis=1)
    floor = np.concatenate([np.full(2, SMALLEST_SCALE**2), np.full(len(axes), 0.01 * data[:, 2:].var(axis=0).mean())])
    mixture = fit_mixture(data, PARTS, floor)
    measures = measure_all(outlines)
    return {
        "area": [float(measures["area"].min()), float(measures["area"].max())],
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
        points = outline.parts[0]
        low, high = points.min(axis=0), points.max(axis=0)
        side = np.maximum(high - low, unit)
        fields.append(signed_distance((points - low) / side, places).clip(-CLIP, CLIP).reshape(FIELD, FIELD))
        # Sides are whole pixels: spread evenly over the pixel, or parts of the mixture collapse onto whole numbers.
        boxes.append(np.log(side + rng.uniform(-JITTER, JITTER, 2) * unit))
    return np.array(boxes), np.array(fields)


def _rounded(values: Array) -> Any:
    return np.round(values, 4).tolist()
