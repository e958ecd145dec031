"""Which neighbour to believe, cell by cell: decided once on 8-bit luma and used for every plane.

Two things speak for a neighbour: that its picture, moved onto the centre, matches the centre *around* the damage, and
that it agrees with other neighbours *under* the damage. Dirt of its own, an occlusion or wrong motion fails one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.motion.windows import Window
from reelmend.repair.cells import Cells, Floats, sample_at
from reelmend.repair.spread import spread
from reelmend.repair.through import on_cells, registration

FLICKER = 24.0
"""A difference from the neighbour's middle difference beyond this is motion or damage, not light (8-bit codes)."""
MISMATCH = 40.0
"""Differences count up to this, so that one bright edge does not outvote its surroundings (8-bit codes)."""
LIGHT_PRIOR = 30.0
"""Samples of surroundings that weigh as much as the next coarser level: grain must not be taken for light."""
MATCH_PRIOR = 4.0
AROUND = 3.0
"""Mismatch around the damage, in multiples of the usual, at which a neighbour's weight has fallen to 1/e."""
UNDER = 2.5
"""Disagreement of two neighbours under the damage, likewise."""
ROUNDS = 2
LONELY = 0.05
"""Weight that a neighbour has with nobody agreeing, against 1 for one with which all agree."""
LEAST_NOISE = 2.0
"""Variance below which two pictures count as the same (8-bit codes squared): rounding and interpolation alone."""
USUAL_DOUBT = 2.5
"""Doubt where neighbours are as good as they get: noise alone."""
DETAIL_LOST = 0.4
"""Squared error of a spatial fill against the variance of its surroundings (measured: 0.13 to 0.3 with the grain
filtered out), relative to what a unit of doubt stands for (0.6)."""
CALM_LIMIT, DETAIL_LIMIT = 2.5, 0.25
"""The usual mismatch is at most this many times the variance within the calmest quarter of cells, or this share of
the variance around the more detailed ones, whichever is more (measured on good matches: 1 to 2.9, 0.05 to 0.25)."""
GRAIN_CORRELATION = 0.35
"""Of neighbouring samples' grain: between the 0.24 of 35 mm and the 0.4 of 16 mm on scans 640 pixels wide."""
SURE, LOST = 4.0, 16.0
"""Doubt, in multiples of the usual mismatch, up to which a fill is sure and from which it is a guess."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was decided for cells; `k` neighbours. Fields lie on the grid of cells, `(grid rows, grid columns, ...)`."""

    shifts: Floats
    """`(..., 2 k)`: x, y of where a cell's content lies in each neighbour, relative to it, pixels of the frame."""
    weights: Floats
    """`(..., k)`, sum 1 where there are cells."""
    doubt: Floats
    """`(..., 3)`, each 0..1: how unsure the repair is, the share of the spatial fill in it, and the fraction of the
    grain's variance that it carries."""
    seen: Floats
    """`(k, n, samples)`: the neighbours' luma on the cells, light matched, 8-bit codes."""


def weigh(window: Window, cells: Cells, known: NDArray[np.bool_]) -> Evidence:
    """Decide for every cell.

    `known` `(n, samples)` are the cells' samples that are surely undamaged and in the frame.
    """
    centre = cells.gather(window.centre.luma).astype(np.float32)
    trust = known.astype(np.float32)
    factor = np.float32(window.centre.factor)
    found = np.concatenate([on_cells(one.flow, cells.grid) for one in window.neighbours], axis=-1) * factor
    seen = _see(window, found, cells, centre)
    light = light_of(centre - seen, trust, cells, 1.0)
    at_cells = light[cells.rows, cells.columns].T[..., None]
    seen += at_cells
    shifts = found + cells.on_grid(registration(seen, centre - seen, trust, cells))
    seen = _see(window, shifts, cells, centre)
    seen += at_cells
    mismatch, detail = _mismatch(centre, seen, trust, cells)
    mismatch = np.where(_beyond(window, shifts, cells), np.float32(MISMATCH**2), mismatch)
    usual = _usual(mismatch, detail, centre, known)
    around = np.exp(-np.minimum(mismatch / (AROUND * usual), 30)) + 1e-12
    apart = _apart(seen, cells)
    kinship = np.exp(-np.minimum(apart / (UNDER * usual), 30))
    weights = around / around.sum(axis=0)
    for _ in range(ROUNDS):
        # Each neighbour gets the votes of those that agree with it, by their own weight.
        votes = np.einsum("ijn,jn->in", kinship, weights)
        weights = around * (votes + LONELY) ** 2
        weights /= weights.sum(axis=0)
    # Expected squared error: of the match around, and of those chosen among each other.
    spreading = np.einsum("in,ijn,jn->n", weights, apart, weights)
    doubt = ((weights * mismatch).sum(axis=0) + spreading) / usual
    unsure = np.clip((doubt - SURE) / (LOST - SURE), 0, 1)
    # The two fills are mixed by the inverse square of the error to be expected of each.
    temporal = np.maximum(doubt - USUAL_DOUBT, 0) * usual
    spatial = DETAIL_LOST * detail + usual / 4
    share = temporal**2 / (temporal**2 + spatial**2)
    retained = (weights**2 * _kept_between_samples(shifts, cells)).sum(axis=0) * (1 - share) ** 2
    return Evidence(shifts, cells.on_grid(weights), cells.on_grid(np.stack([unsure, share, retained])), seen)


def _usual(mismatch: Floats, detail: Floats, centre: Floats, known: NDArray[np.bool_]) -> float:
    """What a good match differs by in this frame, 8-bit codes squared: grain and interpolation.

    The middle of the best matches, but no more than the picture's calmest quarter and its detail allow: where all
    matches are bad (a jolt, a neighbour from elsewhere) a bad match must not become the yardstick.
    """
    usual = float(np.median(mismatch.min(axis=0)))
    whole = known.all(axis=1)
    if whole.any():
        calm = float(np.quantile(centre[whole].var(axis=1), 0.25))
        usual = min(usual, max(CALM_LIMIT * calm, DETAIL_LIMIT * float(np.quantile(detail, 0.75))))
    return max(usual, LEAST_NOISE)


def _kept_between_samples(shifts: Floats, cells: Cells) -> Floats:
    """Fraction of the grain's variance left by bilinear interpolation in each neighbour, `(k, n)`."""
    moved = shifts[cells.rows, cells.columns].T
    between = moved - np.floor(moved)
    kept = 1 - 2 * between * (1 - between) * np.float32(1 - GRAIN_CORRELATION)
    return np.asarray(kept[0::2] * kept[1::2])


def _see(window: Window, shifts: Floats, cells: Cells, centre: Floats) -> Floats:
    """The neighbours' luma under shifts `(grid rows, grid columns, 2 k)`: `(k, n, samples)`, light as it is."""
    moved = cells.at_samples(shifts)
    xs, ys = cells.coordinates()
    seen = np.empty((len(window.neighbours), *centre.shape), np.float32)
    for n, one in enumerate(window.neighbours):
        seen[n] = sample_at(one.picture.luma, xs + moved[2 * n], ys + moved[2 * n + 1])
    return seen


def _beyond(window: Window, shifts: Floats, cells: Cells) -> NDArray[np.bool_]:
    """Cells whose content lies outside each neighbour, `(k, n)`."""
    height, width = window.centre.luma.shape
    moved = shifts[cells.rows, cells.columns].T
    x = (cells.columns + 0.5) * cells.side + moved[0::2]
    y = (cells.rows + 0.5) * cells.side + moved[1::2]
    return np.asarray((x < 0) | (y < 0) | (x > width) | (y > height))


def _mismatch(centre: Floats, seen: Floats, trust: Floats, cells: Cells) -> tuple[Floats, Floats]:
    """Around each cell: the neighbours' mean squared difference from the centre `(k, n)`, and the centre's variance
    `(n,)`, which is how much a spatial fill can get wrong."""
    count = len(seen)
    sums = np.empty((count + 2, len(cells)), np.float32)
    for n, one in enumerate(seen):
        apart = centre - one
        apart *= apart
        np.minimum(apart, np.float32(MISMATCH**2), out=apart)
        sums[n] = np.einsum("ns,ns->n", apart, trust)
    level = (centre - np.float32(128)) * trust
    sums[count] = level.sum(axis=1)
    sums[count + 1] = np.einsum("ns,ns->n", level, level)
    weight = trust.sum(axis=1)[None]
    field = spread(cells.on_grid(sums), cells.on_grid(weight), MATCH_PRIOR, rounds=1)[cells.rows, cells.columns].T
    return field[:count], np.maximum(field[count + 1] - field[count] ** 2, 0)


def light_of(apart: Floats, trust: Floats, cells: Cells, scale: float) -> Floats:
    """What to add to neighbours to give them the centre's light, a field of cells `(grid rows, grid columns, k)`.

    `apart` `(k, n, samples)` is centre minus neighbour, `trust` `(n, samples)` 1 where the centre is undamaged and
    all are finite, `scale` how many code values one 8-bit code stands for.
    """
    usable = np.flatnonzero(trust)
    if usable.size == 0:
        return np.zeros((*cells.grid, len(apart)), np.float32)
    limit = np.float32(FLICKER * scale)
    few = usable[:: max(1, usable.size // 2048)]
    total = np.empty(apart.shape[:2], np.float32)
    for n, one in enumerate(apart):
        middle = np.float32(np.median(one.ravel()[few]))
        total[n] = np.einsum("ns,ns->n", np.clip(one, middle - limit, middle + limit), trust)
    return spread(cells.on_grid(total), cells.on_grid(trust.sum(axis=1)[None]), LIGHT_PRIOR)


def _apart(seen: Floats, cells: Cells) -> Floats:
    """Mean squared difference of each two neighbours around each cell, `(k, k, n)`."""
    count, n, samples = seen.shape
    pairs = [(i, j) for i in range(count) for j in range(i)]
    out = np.zeros((count, count, n), np.float32)
    if not pairs:
        return out
    values = np.empty((len(pairs) + 1, n), np.float32)
    for row, (i, j) in enumerate(pairs):
        difference = seen[i] - seen[j]
        values[row] = np.einsum("ns,ns->n", difference, difference)
    values[:-1] /= samples
    values[-1] = 1
    field = cv2.GaussianBlur(cells.on_grid(values), (3, 3), 0, borderType=cv2.BORDER_CONSTANT)
    smooth = field[cells.rows, cells.columns].T
    for row, (i, j) in enumerate(pairs):
        out[i, j] = out[j, i] = smooth[row] / smooth[-1]
    return out
