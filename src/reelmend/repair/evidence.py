"""Which neighbour to believe, cell by cell: decided once on 8-bit luma and used for every plane.

Two things speak for a neighbour: that its picture, moved onto the centre, matches the centre *around* the damage, and
that it agrees with other neighbours *under* the damage. Dirt of its own, an occlusion or wrong motion fails one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.motion.windows import Window
from reelmend.repair.cells import Cells, Floats, sample_at
from reelmend.repair.grow import footprint_touches
from reelmend.repair.spread import spread
from reelmend.repair.through import on_cells, registration

FLICKER = 24.0
"""A difference from the neighbour's middle difference beyond this is motion or damage, not light (8-bit codes)."""
MISMATCH = 40.0
"""Differences count up to this, so that one bright edge does not outvote its surroundings (8-bit codes)."""
LIGHT_PRIOR = 30.0
"""Samples of surroundings that weigh as much as the next coarser level: grain must not be taken for light."""
MATCH_PRIOR = 4.0
CHOICE_PRIOR = 100.0
"""Likewise where one of two flows is chosen. Low-passed PSNR inside true damage, mean of eight clips: 41.5 dB with the
flow of the pictures as they are, 41.6 with that of pictures whose damage was filled, 41.9 with the better of both."""
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
SPOILED = 64
"""A neighbour's sample of which a quarter (of 255) is damaged is damaged."""
SPOILED_SHARE = 1e-6
"""Share of its weight that a neighbour keeps where all it shows is damage."""
SURE, LOST = 4.0, 16.0
"""Doubt, in multiples of the usual mismatch, up to which a fill is sure and from which it is a guess."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was decided for cells; `k` neighbours. Fields as `Cells` has them, `(c, m)`."""

    shifts: Floats
    """`(2 k, m)`: x, y of where a cell's content lies in each neighbour, relative to it, pixels of the frame."""
    weights: Floats
    """`(k, m)`, sum 1."""
    doubt: Floats
    """`(2, m)`, each 0..1: how unsure the repair is, and the share of the spatial fill in it; 0 around the chosen
    cells."""
    seen: Floats
    """`(k, n, samples)`: the neighbours' luma on the cells, light matched, 8-bit codes."""
    spoiled: NDArray[np.bool_] | None
    """`(k, n, samples)`: where each neighbour is damaged too; None where none is."""


def weigh(window: Window, cells: Cells, known: NDArray[np.bool_], masked: NDArray[np.bool_]) -> Evidence:
    """Decide for every cell.

    `known` `(n, samples)` are the cells' samples that are surely undamaged and in the frame, `masked` those to repair.
    """
    centre = cells.gather(window.centre.luma).astype(np.float32)
    trust = known.astype(np.float32)
    shifts, light = _moved(window, cells, centre, known, trust)
    seen = see([one.picture.luma for one in window.neighbours], shifts, cells)
    seen += light[:, cells.own, None]
    mismatch, detail = _mismatch(centre, seen, trust, cells)
    moved = shifts[:, cells.own]
    mismatch[_beyond(window, moved, cells)] = MISMATCH**2
    usual = _usual(mismatch, detail, centre, known)
    around = np.exp(-np.minimum(mismatch / np.float32(AROUND * usual), 30)) + np.float32(1e-12)
    spoiled = spoiled_at(window, shifts, cells)
    if spoiled is not None:
        # However well it matches around the damage: what lies under it this neighbour does not know.
        told = 1 - (spoiled & masked).sum(axis=2) / np.maximum(masked.sum(axis=1), 1)
        around *= np.maximum(told, SPOILED_SHARE).astype(np.float32)
    apart = _apart(seen, cells)
    kinship = np.exp(-np.minimum(apart / np.float32(UNDER * usual), 30))
    weights = around / around.sum(axis=0)
    for _ in range(ROUNDS):
        # Each neighbour gets the votes of those that agree with it, by their own weight.
        votes = (kinship * weights).sum(axis=1)
        weights = around * (votes + np.float32(LONELY)) ** 2
        weights /= weights.sum(axis=0)
    # Expected squared error: of the match around, and of those chosen among each other.
    spreading = (weights * (apart * weights).sum(axis=1)).sum(axis=0)
    doubt = ((weights * mismatch).sum(axis=0) + spreading) / np.float32(usual)
    unsure = np.clip((doubt - SURE) / (LOST - SURE), 0, 1)
    # The two fills are mixed by the inverse square of the error to be expected of each.
    temporal = np.maximum(doubt - USUAL_DOUBT, 0) * np.float32(usual)
    spatial = DETAIL_LOST * detail + np.float32(usual / 4)
    share = temporal**2 / (temporal**2 + spatial**2)
    evened = cells.field(weights, 1 / len(weights))
    return Evidence(shifts, evened, cells.field(np.stack([unsure, share])), seen, spoiled)


def spoiled_at(
    window: Window, shifts: Floats, cells: Cells, sub_x: int = 0, sub_y: int = 0
) -> NDArray[np.bool_] | None:
    """Samples of a plane at which each neighbour is damaged too, `(k, n, samples)`; None where none is."""
    known = [one.damage for one in window.neighbours]
    if not any(one is not None and one.any() for one in known):
        return None
    nothing = np.zeros(window.centre.luma.shape, np.bool_)
    planes = [footprint_touches(nothing if one is None else one, sub_x, sub_y) for one in known]
    codes = [one.view(np.uint8) * np.uint8(255) for one in planes]
    return np.asarray(see(codes, shifts, cells, sub_x, sub_y) >= SPOILED)


def _moved(
    window: Window, cells: Cells, centre: Floats, known: NDArray[np.bool_], trust: Floats
) -> tuple[Floats, Floats]:
    """The shifts `(2 k, m)`, pixels of the frame, and the light `(k, m)` of the neighbours.

    Both are looked for on the flow grid: the flow is no finer, and on large scans it is a fraction of the samples.
    Of two flows to a neighbour each cell takes that by which its surroundings match better.
    """
    factor = window.centre.factor
    step = factor.bit_length() - 1
    small = factor == 1 << step and window.centre.small.shape == cells.plane_size(step, step)
    pictures = [one.picture.luma for one in window.neighbours]
    if small and step:
        centre = cells.gather(window.centre.small, step, step).astype(np.float32)
        good = ~cells.footprints(~known, step, step)
        trust = good.astype(np.float32)
        pictures = [one.picture.small for one in window.neighbours]
    else:
        step = 0
    through = any(one.through is not None for one in window.neighbours)
    guesses = []
    for n in range(1 + through):
        shifts = on_cells([one.flows[min(n, len(one.flows) - 1)] for one in window.neighbours], cells)
        shifts *= np.float32(factor)
        seen = see(pictures, shifts, cells, step, step)
        light = light_of(centre - seen, trust, cells, 1.0)
        seen += light[:, cells.own, None]
        shifts[:, cells.own] += registration(seen, centre - seen, trust, cells) * np.float32(1 << step)
        if through:
            seen = see(pictures, shifts, cells, step, step)
            seen += light[:, cells.own, None]
        guesses.append((shifts, light, _misfit(centre, seen, trust, cells) if through else None))
    (shifts, light, misfit), *others = guesses
    for other_shifts, other_light, other_misfit in others:
        assert misfit is not None and other_misfit is not None
        for k, better in enumerate(other_misfit < misfit):
            places = cells.own[better]
            shifts[2 * k : 2 * k + 2, places] = other_shifts[2 * k : 2 * k + 2, places]
            light[k, places] = other_light[k, places]
    return shifts, light


def _misfit(centre: Floats, seen: Floats, trust: Floats, cells: Cells) -> Floats:
    """Mean squared difference of neighbours and centre around each cell, `(k, n)`, far enough around that grain does
    not choose."""
    sums = np.empty((len(seen) + 1, len(cells)), np.float32)
    for n, one in enumerate(seen):
        sums[n] = _limited(centre, one, trust)
    sums[-1] = trust.sum(axis=1)
    return spread(cells.on_canvas(sums), cells.wide[cells.own], CHOICE_PRIOR)


def _limited(centre: Floats, one: Floats, trust: Floats) -> Floats:
    """Sums of squared differences over the trusted samples of cells, `(n,)`; one bright edge does not outvote all."""
    apart = centre - one
    apart *= apart
    np.minimum(apart, np.float32(MISMATCH**2), out=apart)
    return np.asarray(np.einsum("ns,ns->n", apart, trust), np.float32)


def see(planes: list[NDArray[Any]], shifts: Floats, cells: Cells, sub_x: int = 0, sub_y: int = 0) -> Floats:
    """Planes of the neighbours under shifts `(2 k, m)`: `(planes, n, samples)`, code values, light as it is.

    `planes` are those of the `k` neighbours, once or several times over.
    """
    points = cells.at_samples(shifts, sub_x, sub_y)
    if sub_x or sub_y:
        points[0::2] *= np.float32(1 / (1 << sub_x))
        points[1::2] *= np.float32(1 / (1 << sub_y))
    xs, ys = cells.coordinates(sub_x, sub_y)
    points[0::2] += xs
    points[1::2] += ys
    seen = np.empty((len(planes), *xs.shape), np.float32)
    for n, plane in enumerate(planes):
        at = 2 * n % len(points)
        sample_at(plane, points[at], points[at + 1], seen[n])
    return seen


def _usual(mismatch: Floats, detail: Floats, centre: Floats, known: NDArray[np.bool_]) -> float:
    """What a good match differs by in this frame, 8-bit codes squared: grain and interpolation.

    The middle of the best matches, but no more than the picture's calmest quarter and its detail allow: where all
    matches are bad (a jolt, a neighbour from elsewhere) a bad match must not become the yardstick.
    """
    usual = _quantile(mismatch.min(axis=0), 0.5)
    whole = np.flatnonzero(known.all(axis=1))
    if whole.size:
        few = centre[whole[:: max(1, whole.size // 1024)]]
        calm = _quantile(few.var(axis=1), 0.25)
        usual = min(usual, max(CALM_LIMIT * calm, DETAIL_LIMIT * _quantile(detail, 0.75)))
    return max(usual, LEAST_NOISE)


def _quantile(values: Floats, share: float) -> float:
    """The value that a share of values `(n,)` lies below."""
    at = int(share * (len(values) - 1) + 0.5)
    return float(np.partition(values, at)[at])


def _beyond(window: Window, moved: Floats, cells: Cells) -> NDArray[np.bool_]:
    """Cells whose content, moved by `(2 k, n)`, lies outside each neighbour, `(k, n)`."""
    height, width = window.centre.luma.shape
    x = ((cells.columns + 0.5) * cells.side).astype(np.float32) + moved[0::2]
    y = ((cells.rows + 0.5) * cells.side).astype(np.float32) + moved[1::2]
    return np.asarray((x < 0) | (y < 0) | (x > width) | (y > height))


def _mismatch(centre: Floats, seen: Floats, trust: Floats, cells: Cells) -> tuple[Floats, Floats]:
    """Around each cell: the neighbours' mean squared difference from the centre `(k, n)`, and the centre's variance
    `(n,)`, which is how much a spatial fill can get wrong."""
    count = len(seen)
    sums = np.empty((count + 3, len(cells)), np.float32)
    for n, one in enumerate(seen):
        sums[n] = _limited(centre, one, trust)
    level = centre - np.float32(128)
    level *= trust
    ones = np.ones(centre.shape[1], np.float32)
    sums[count] = level @ ones
    sums[count + 1] = np.einsum("ns,ns->n", level, level)
    sums[count + 2] = trust @ ones
    field = spread(cells.on_canvas(sums), cells.wide[cells.own], MATCH_PRIOR)
    return field[:count], np.maximum(field[count + 1] - field[count] ** 2, 0)


def light_of(apart: Floats, trust: Floats, cells: Cells, scale: float) -> Floats:
    """What to add to neighbours to give them the centre's light, a field of cells `(k, m)`.

    `apart` `(k, n, samples)` is centre minus neighbour, `trust` `(n, samples)` 1 where the centre is undamaged and
    all are finite, `scale` how many code values one 8-bit code stands for.
    """
    usable = np.flatnonzero(trust)
    if usable.size == 0:
        return np.zeros((len(apart), len(cells.wide)), np.float32)
    limit = np.float32(FLICKER * scale)
    few = usable[:: max(1, usable.size // 1024)]
    middle = np.partition(np.take(apart.reshape(len(apart), -1), few, axis=1), len(few) // 2, axis=1)[:, len(few) // 2]
    sums = np.empty((len(apart) + 1, len(cells)), np.float32)
    for n, one in enumerate(apart):
        near = np.maximum(one, middle[n] - limit)
        np.minimum(near, middle[n] + limit, out=near)
        sums[n] = np.einsum("ns,ns->n", near, trust)
    sums[-1] = trust @ np.ones(trust.shape[1], np.float32)
    return spread(cells.on_canvas(sums), cells.wide, LIGHT_PRIOR, fine=False)


def _apart(seen: Floats, cells: Cells) -> Floats:
    """Mean squared difference of each two neighbours around each cell, `(k, k, n)`."""
    count, n, samples = seen.shape
    pairs = [(i, j) for i in range(count) for j in range(i)]
    out = np.zeros((count, count, n), np.float32)
    if not pairs:
        return out
    values = np.empty((len(pairs) + 1, n), np.float32)
    difference = np.empty((n, samples), np.float32)
    for row, (i, j) in enumerate(pairs):
        np.subtract(seen[i], seen[j], out=difference)
        values[row] = np.einsum("ns,ns->n", difference, difference)
    values[:-1] /= samples
    values[-1] = 1
    field = cv2.GaussianBlur(cells.on_canvas(values), (3, 3), 0, borderType=cv2.BORDER_CONSTANT)
    smooth = np.ascontiguousarray(np.take(field.reshape(-1, len(values)), cells.wide[cells.own], axis=0).T)
    smooth[:-1] /= smooth[-1]
    for row, (i, j) in enumerate(pairs):
        out[i, j] = out[j, i] = smooth[row]
    return out
