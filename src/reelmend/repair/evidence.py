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
    """`(..., 2)`: how unsure the repair is, 0..1, and the share of the spatial fill in it, 0..1."""


def weigh(window: Window, cells: Cells, known: NDArray[np.bool_]) -> Evidence:
    """Decide for every cell; `known` `(n, samples)` are the cells' samples that are surely undamaged and in the frame."""
    centre = cells.gather(window.centre.luma).astype(np.float32)
    trust = known.astype(np.float32)
    factor = np.float32(window.centre.factor)
    found = np.concatenate([on_cells(one.flow, cells.grid) for one in window.neighbours], axis=-1) * factor
    first = _look(window, found, cells, centre, trust)
    step = cells.on_grid(registration(first.seen, first.apart, trust, cells))
    second = _look(window, found + step, cells, centre, trust)
    better = second.mismatch < first.mismatch
    seen = np.where(better[..., None], second.seen, first.seen)
    mismatch = np.where(better, second.mismatch, first.mismatch)
    shifts = found + step * np.repeat(cells.on_grid(better.astype(np.float32)), 2, axis=-1)
    usual = max(float(np.median(mismatch.min(axis=0))), LEAST_NOISE)
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
    spatial = DETAIL_LOST * _detail(cells, centre, trust) + usual / 4
    share = temporal**2 / (temporal**2 + spatial**2)
    return Evidence(shifts, cells.on_grid(weights.astype(np.float32)), cells.on_grid(np.stack([unsure, share])))


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    seen: Floats
    """`(k, n, samples)`, light matched."""
    apart: Floats
    """`(k, n, samples)`, centre minus seen."""
    mismatch: Floats
    """`(k, n)`, mean squared difference from the centre around each cell."""


def _look(window: Window, flows: Floats, cells: Cells, centre: Floats, trust: Floats) -> _Look:
    """The neighbours' luma under flows `(grid rows, grid columns, 2 k)`."""
    height, width = window.centre.luma.shape
    xs, ys = cells.coordinates()
    shifts = cells.at_samples(flows)
    seen = np.empty((len(window.neighbours), *centre.shape), np.float32)
    beyond = np.zeros(seen.shape[:2], bool)
    middle = centre.shape[1] // 2
    for n, one in enumerate(window.neighbours):
        x, y = xs + shifts[2 * n], ys + shifts[2 * n + 1]
        seen[n] = sample_at(one.picture.luma, x, y)
        mx, my = x[:, middle], y[:, middle]
        beyond[n] = (mx < 0) | (my < 0) | (mx > width) | (my > height)
    apart = centre - seen
    light = light_of(apart, trust, cells, 1.0)
    at_cells = light[cells.rows, cells.columns].T[..., None]
    seen += at_cells
    apart -= at_cells
    total = np.einsum("kns,ns->kn", np.minimum(apart * apart, np.float32(MISMATCH**2)), trust)
    weight = np.broadcast_to(trust.sum(axis=1), total.shape)
    field = spread(cells.on_grid(total), cells.on_grid(weight), MATCH_PRIOR, rounds=1)
    mismatch = field[cells.rows, cells.columns].T
    return _Look(seen, apart, np.where(beyond, MISMATCH**2, mismatch))


def _detail(cells: Cells, centre: Floats, trust: Floats) -> Floats:
    """Variance of the centre's luma around each cell, `(n,)`: how much there is to get wrong by a spatial fill."""
    level = centre - np.float32(128)
    sums = np.stack([np.einsum("ns,ns->n", level, trust), np.einsum("ns,ns,ns->n", level, level, trust)])
    weight = np.broadcast_to(trust.sum(axis=1), sums.shape)
    field = spread(cells.on_grid(sums), cells.on_grid(weight), MATCH_PRIOR, rounds=1)[cells.rows, cells.columns]
    return np.asarray(np.maximum(field[:, 1] - field[:, 0] ** 2, 0))


def light_of(apart: Floats, trust: Floats, cells: Cells, scale: float) -> Floats:
    """What to add to neighbours to give them the centre's light, a field of cells `(grid rows, grid columns, k)`.

    `apart` `(k, n, samples)` is centre minus neighbour, `trust` `(n, samples)` or `(k, n, samples)` 1 where the
    centre is undamaged, `scale` how many code values one 8-bit code stands for.
    """
    usable = trust > 0
    if not usable.any():
        return np.zeros((*cells.grid, len(apart)), np.float32)
    limit = np.float32(FLICKER * scale)
    total = np.empty(apart.shape[:2], np.float32)
    weight = np.empty_like(total)
    for n, one in enumerate(apart):
        at = usable if usable.ndim == 2 else usable[n]
        few = one[at][:: max(1, at.size // 4096)]
        middle = np.median(few) if few.size else np.float32(0)
        near = (np.abs(one - middle) < limit) & at
        total[n] = np.einsum("ns,ns->n", one, near.astype(np.float32))
        weight[n] = np.count_nonzero(near, axis=1)
    return spread(cells.on_grid(total), cells.on_grid(weight), LIGHT_PRIOR)


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
