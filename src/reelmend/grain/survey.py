"""Looking at each repaired region: how much grain is around it, and how much the repair has kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.grain.bands import BAND_GRID, BAND_WHITE, REACH, averaging_loss, band_gain, respond, taps
from reelmend.grain.cells import CELL, Cells, Sites
from reelmend.grain.profile import PlaneGrain

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Counts = NDArray[np.signedinteger[Any]]
Indices = NDArray[np.intp]

MARGIN = 12
"""How far around a region's bounding box its surroundings reach, luma pixels."""
LATTICE = 9
"""Surroundings are read on a lattice of 9 x 9 points."""
CAP = 9.0
"""Squared responses count at most this many times what the grain explains: three standard deviations, beyond which
an edge is at work and not grain."""
CAP_LOSS = 0.9966
"""What the cap leaves of the mean square of a normal variable."""
MEDIAN_SQUARE = 0.4549
"""Median of the square of a standard normal variable."""
EVEN_FRACTIONS = 1 / 3
"""Interpolation strength where it cannot be measured: fractional shifts spread evenly (see `averaging_loss`)."""
UNKNOWN_KEPT = 0.5
"""Share of variance a repair is taken to keep where it is too thin to be measured: that of the mean of two frames."""
TRUST = 8
"""Readings at which a region's own kept share weighs as much as the mean of all regions."""
ENOUGH = 0.75
"""Share of the grain around that drawn regions have, all together, from which on nothing is added: how much they have
is known no better."""
DRAWN_TRUST = 64
"""Readings in drawn regions at which they weigh as much as the assumption that their grain is right."""
LOCAL_LIMIT = 1.05
"""The surroundings raise the measured grain at most this much in variance: above, they hold texture."""
LOCAL_DOUBT = 0.4
"""A deviation of this size, relative, is followed half-way; lattice readings scatter by about half of it."""

_STRENGTHS = np.linspace(0, 0.5, 6)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found in one plane."""

    local: Floats
    """Grain variance around each region relative to the frame's at the same brightness, `(regions,)`."""
    kept: Floats
    """Low-frequency power kept by the repair in each region, relative to the grain around it, 0..1, `(regions,)`."""
    averaging: float
    """Strength of interpolation that the kept grain shows, 0..0.5; see `bands.averaging_loss`."""
    drawn: float = 1.0
    """Power of the grain in regions that were drawn with grain, relative to that around, of all of them together; 1
    where it is `ENOUGH`."""


def unseen(regions: int) -> Survey:
    """What is taken to hold where there was nothing to look at."""
    ones = np.ones(regions, np.float32)
    return Survey(ones, UNKNOWN_KEPT * ones, EVEN_FRACTIONS)


@dataclass(frozen=True, slots=True)
class _Bands:
    """What grain of unit strength looks like through the two filters."""

    grain: PlaneGrain
    gain: Floats
    """Variance of each band's response to grain of unit variance, `(2,)`."""
    rounding: Floats
    """Variance of each band's response to the rounding of code values, `(2,)`."""
    share: Floats
    """Part of each band's response that is grain and not rounding, at the frame's mean strength, `(2,)`."""
    weight: Floats
    """How much each band's reading counts, `(2,)`, sum 1: little where rounding or the tail of the spectrum rules."""

    def explained(self, level: Floats) -> Floats:
        """Variance of both responses that grain and rounding explain at each brightness, `(n, 2)`."""
        variance = self.grain.sigma_at(level)[:, None] ** 2 * self.gain + self.rounding
        explained: Floats = np.maximum(variance, 1e-20).astype(np.float32)
        return explained

    def combined(self, ratio: Floats) -> Floats:
        """Grain relative to the frame's, `(n,)`, from responses relative to what is explained `(n, 2)`."""
        return np.asarray((1 + (ratio - 1) / self.share) @ self.weight, dtype=np.float32)


def _bands(grain: PlaneGrain, spectrum: Floats) -> _Bands:
    gain = band_gain(spectrum)
    rounding = (np.float32(grain.step**2 / 12) * BAND_WHITE).astype(np.float32)
    mean = gain * float((grain.sigma**2).mean())
    share = np.clip(mean / np.maximum(mean + rounding, 1e-20), 0.05, 1).astype(np.float32)
    # A band where the density is under a hundredth of its mean hangs on the tail of the measured spectrum.
    density = gain / BAND_WHITE
    weight = share**2 * density / (density + 0.01) + 1e-9
    return _Bands(grain, gain, rounding, share, (weight / weight.sum()).astype(np.float32))


def _surroundings(scan: NDArray[Any], cells: Cells, bands: _Bands) -> tuple[Floats, Floats]:
    """Around each region: grain variance relative to the frame's, and relative variance that is texture instead."""
    fractions = (np.arange(LATTICE) + 0.5) / LATTICE
    corners = cells.boxes[:, :2] * CELL - MARGIN
    sides = cells.boxes[:, 2:] * CELL + 2 * MARGIN
    height, width = scan.shape
    points = (corners[:, :, None] + sides[:, :, None] * fractions).astype(np.intp)
    rows = np.clip(points[:, 0], REACH, height - 1 - REACH)
    columns = np.clip(points[:, 1], REACH, width - 1 - REACH)
    shape = (len(rows), LATTICE, LATTICE)
    rows = np.broadcast_to(rows[:, :, None], shape).reshape(len(rows), -1)
    columns = np.broadcast_to(columns[:, None, :], shape).reshape(len(columns), -1)
    near = cv2.dilate(cells.coarse, np.ones((3, 3), np.uint8))
    free = near[rows // CELL, columns // CELL] == 0
    region, point = np.nonzero(free)
    rows, columns = rows[region, point], columns[region, point]
    found = respond(scan, rows, columns)
    ratio = found[:, :2] ** 2 / bands.explained(found[:, 2])
    count = free.sum(axis=1)
    filled = np.full((len(free), LATTICE * LATTICE + 1, 2), np.inf, np.float32)
    filled[region, point] = ratio
    filled.sort(axis=1)
    which = np.arange(len(free))
    known = count >= 12
    median = filled[which, np.where(known, count // 2, 0)] / MEDIAN_SQUARE
    known &= np.isfinite(median).all(axis=1)
    middle = bands.combined(np.where(known[:, None], median, 1))
    capped = np.minimum(np.where(np.isfinite(filled), filled, 0), CAP).sum(axis=1)
    mean = bands.combined(capped / np.maximum(count, 1)[:, None] / CAP_LOSS)
    away = np.where(known, middle, 1) - 1
    local = 1 + away * away**2 / (away**2 + LOCAL_DOUBT**2)
    # So little is no scatter: the surroundings are clipped, or drawn.
    local = np.where(middle < 0.25, np.minimum(local, middle), local)
    texture = np.where(known, np.maximum(mean - np.maximum(middle, 1) - 0.15, 0), 0)
    return np.clip(local, 0, LOCAL_LIMIT).astype(np.float32), texture.astype(np.float32)


def _interior(sites: Sites, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Samples for which the filters read nothing but repaired samples."""
    covered = np.zeros(shape, np.bool_)
    covered[sites.rows, sites.columns] = True
    height, width = shape
    within = (sites.rows >= REACH) & (sites.rows < height - REACH)
    within &= (sites.columns >= REACH) & (sites.columns < width - REACH)
    flat = sites.rows[within] * width + sites.columns[within]
    lies = covered.reshape(-1)
    every = lies.take(flat)
    for tap in taps(width):
        every &= lies.take(flat + tap)
    within[within] = every
    return within


def survey(
    repaired: NDArray[Any],
    scan: NDArray[Any],
    cells: Cells,
    sites: Sites,
    grain: PlaneGrain,
    drawn: NDArray[np.bool_] | None = None,
) -> Survey:
    """Look at the regions of one full-size plane, whose samples are `sites` and whose grain is `grain`.

    One plane stands for all: a repair treats the planes alike, and so does what is done to grain around a region.
    `drawn` `(n,)`: which of the samples were drawn with grain of their own; they say nothing about the others.
    """
    regions = len(cells.boxes)
    if min(scan.shape) < 2 * REACH + 1:
        return unseen(regions)
    spectrum = grain.spectrum(BAND_GRID, BAND_GRID)
    bands = _bands(grain, spectrum)
    local, texture = _surroundings(scan, cells, bands)
    interior = _interior(sites, scan.shape)
    if not interior.any():
        return replace(unseen(regions), local=local)
    rows, columns, label = sites.rows[interior], sites.columns[interior], sites.label[interior]
    found = respond(repaired, rows, columns)
    capped = np.minimum(found[:, :2] ** 2 / bands.explained(found[:, 2]), CAP) / CAP_LOSS
    capped = np.nan_to_num(capped, nan=0.0)

    def inside(which: NDArray[np.bool_]) -> tuple[Counts, Doubles]:
        """Readings of each region, and its grain in both bands relative to that around, `(regions, 2)`."""
        count = np.bincount(label[which], minlength=regions)
        sums = np.stack([np.bincount(label[which], capped[which, band], regions) for band in (0, 1)], axis=1)
        relative = 1 + (sums / np.maximum(count, 1)[:, None] - 1) / bands.share
        return count, np.clip(relative - texture[:, None], 0, None) / np.maximum(local, 0.05)[:, None]

    lively = np.zeros(len(label), np.bool_) if drawn is None else drawn[interior]
    count, strength = inside(~lively)
    averaging, kept = _kept(count, strength, spectrum, bands)
    return Survey(local, kept, averaging, _drawn_share(*inside(lively), bands))


def _kept(count: Counts, inside: Doubles, spectrum: Floats, bands: _Bands) -> tuple[float, Floats]:
    """Strength of interpolation, and power that each region kept, from its readings and the grain they show."""
    if not count.any():
        return EVEN_FRACTIONS, np.full(len(count), UNKNOWN_KEPT, np.float32)
    # One strength for the frame, from the regions that kept grain at all: a smooth fill has none to show.
    losses = [averaging_loss(BAND_GRID, BAND_GRID, float(strength)) for strength in _STRENGTHS]
    gains = np.array([band_gain(spectrum * loss) for loss in losses]) / np.maximum(bands.gain, 1e-12)
    keeping = count * (inside[:, 1] > 0.2)
    averaging = EVEN_FRACTIONS
    if keeping.sum() >= 30 and bands.weight.min() > 0.1:
        fine, coarse = (keeping[:, None] * inside).sum(axis=0)
        averaging = float(np.interp(-fine / max(coarse, 1e-9), -gains[:, 0] / gains[:, 1], _STRENGTHS))
    passed = np.array([np.interp(averaging, _STRENGTHS, gains[:, band]) for band in (0, 1)])
    own = inside @ bands.weight / max(float(passed @ bands.weight), 1e-6)
    mean = float((own * count).sum() / count.sum())
    kept = np.clip((own * count + mean * TRUST) / (count + TRUST), 0, 1)
    return averaging, kept.astype(np.float32)


def _drawn_share(count: Counts, inside: Doubles, bands: _Bands) -> float:
    """`Survey.drawn`, from the readings of drawn samples and the grain they show, by region."""
    share = float(((inside @ bands.weight) * count).sum() + DRAWN_TRUST) / (float(count.sum()) + DRAWN_TRUST)
    return 1.0 if share >= ENOUGH else share
