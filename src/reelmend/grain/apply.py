"""Regrain: giving repaired pixels the grain of their surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Frame, Layout, Mask
from reelmend.grain.cells import Cells, Sites, find_cells, footprint_sum, plane_sites
from reelmend.grain.measuring import check_size, measure_outside
from reelmend.grain.profile import GrainProfile, PlaneGrain
from reelmend.grain.survey import UNKNOWN_KEPT, Survey, survey, unseen
from reelmend.grain.synthesis import Field, make_fields, tile_side

Floats = NDArray[np.float32]


def regrain(
    repaired: Frame,
    scan: Frame,
    mask: Mask,
    *,
    retained: NDArray[np.float32] | None = None,
    drawn: Mask | None = None,
    seed: int,
    alpha: NDArray[np.float32] | None = None,
    profile: GrainProfile | None = None,
) -> Frame:
    """The repaired frame with the grain of its surroundings inside the mask, and nothing changed outside.

    `repaired` holds plain repaired values inside `mask` `(h, w)` and equals `scan` elsewhere. Interpolating and
    averaging neighbours loses grain, a smooth fill has none: only what is missing is added, frequency by frequency,
    with the strength, spectrum and channel correlation measured in `scan` outside the mask, adjusted to each
    region's own surroundings. A subsampled chroma sample may change where its footprint touches the mask. Integer
    samples stay within 0..peak; floating point is not clipped, but does not turn negative by grain alone.

    `retained` `(h, w)`, 0..1: the share of grain variance the repair kept at each pixel (0 for a smooth fill, about
    0.5 for a mean of two); None measures it, region by region. `drawn` `(h, w)`: where a model drew the brightness with
    grain of its own; nothing is added to it unless grain plainly lacks in all of that together. `alpha` `(h, w)`, 0..1:
    where edges are feathered, the share of a pixel that is repair, the rest being scan with its grain; None takes all
    of a masked pixel as repair. `profile`: grain already measured; None measures `scan` outside the mask. Where there
    is no grain to measure the repair comes back as it is.

    The noise of a pixel follows from `seed` (any integer), `scan.index` and the pixel's place alone.

    Raises `UsageError` where sizes or layouts do not fit.
    """
    _check(repaired, scan, mask, retained, drawn, alpha)
    if not mask.any():
        return repaired
    cells = find_cells(np.asarray(mask, dtype=np.bool_))
    if profile is None:
        profile = measure_outside(scan, cells.coarse)
    if not profile.grainy:
        return repaired
    layout = scan.layout
    guides = (1, 0, 2) if layout.family == "rgb" else (0,)
    guide = next((plane for plane in guides if profile.planes[plane].grainy), -1)
    if guide >= 0:
        full = plane_sites(cells, layout, guide)
        lively = None if drawn is None else drawn[full.rows, full.columns]
        seen = survey(repaired.planes[guide], scan.planes[guide], cells, full, profile.planes[guide], lively)
    else:
        seen = unseen(len(cells.boxes))
    rng = np.random.default_rng([seed & (2**64 - 1), scan.index & (2**64 - 1)])
    fields = make_fields(profile, rng, tile_side(scan.height, scan.width), seen.averaging)
    share = _Shares(cells, retained, alpha)
    planes = list(repaired.planes)
    for plane, (grain, field) in enumerate(zip(profile.planes, fields, strict=True)):
        if field is None:
            continue
        sub = layout.subsampling(plane)
        sites = full if guide >= 0 and sub == (0, 0) else plane_sites(cells, layout, plane)
        brightness = repaired.planes[plane if layout.family == "rgb" else 0]
        level = brightness[sites.rows << sub[1], sites.columns << sub[0]].astype(np.float32)
        kept, lost = share.kept(sites, sub, seen, field), np.ones(len(sites.rows), np.float32)
        if drawn is not None:
            own = drawn[sites.rows << sub[1], sites.columns << sub[0]]
            if layout.family == "yuv" and plane > 0:
                # What was drawn is brightness: colour is a mean of neighbours as everywhere else.
                kept[own] = UNKNOWN_KEPT
            else:
                kept[own], lost[own] = seen.drawn, 0
        noise = _noise(sites, level, grain, field, seen, _Kept(kept, lost, share.alpha(sites, sub)))
        planes[plane] = _added(planes[plane], sites, noise, layout)
    return repaired.with_planes(tuple(planes))


def _check(repaired: Frame, scan: Frame, mask: Mask, retained: Any, drawn: Any, alpha: Any) -> None:
    for array in (mask, retained, drawn, alpha):
        if array is not None:
            check_size(scan, array)
    shapes = [tuple(plane.shape for plane in frame.planes) for frame in (repaired, scan)]
    if repaired.layout != scan.layout or shapes[0] != shapes[1]:
        raise UsageError(f"frame {scan.index}: the repaired frame and its scan differ in layout or size; pass a pair")


class _Shares:
    """Per-pixel shares brought to the samples of a plane, as means over the masked pixels of a footprint."""

    def __init__(self, cells: Cells, retained: Floats | None, alpha: Floats | None) -> None:
        self._cells = cells
        self._retained = None if retained is None else np.clip(cells.gather(retained).astype(np.float32), 0, 1)
        self._alpha = None if alpha is None else np.clip(cells.gather(alpha).astype(np.float32), 0, 1)

    def kept(self, sites: Sites, sub: tuple[int, int], seen: Survey, field: Field) -> Floats:
        """Low-frequency power the repair kept at each sample, 0..1."""
        if self._retained is None:
            return seen.kept[sites.label]
        weight = self._cells.inside.astype(np.float32)
        total = self._at(footprint_sum(self._retained * weight, sub), sites)
        share = total / np.maximum(self._at(footprint_sum(weight, sub), sites), 1)
        # Given is a share of the whole variance; interpolation has taken mostly high frequencies.
        low = np.minimum(share / max(1 - field.lost_share, 1e-3), 1)
        return low.astype(np.float32)

    def alpha(self, sites: Sites, sub: tuple[int, int]) -> Floats | None:
        """Share of repair in each sample, 0..1."""
        if self._alpha is None:
            return None
        weight = self._cells.inside.astype(np.float32)
        return self._at(footprint_sum(self._alpha * weight, sub), sites) * np.float32(0.5 ** sum(sub))

    @staticmethod
    def _at(values: NDArray[Any], sites: Sites) -> Floats:
        picked: Floats = values[sites.cell, sites.within[0], sites.within[1]]
        return picked


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What the repair left of the grain at each sample, 0..1."""

    power: Floats
    """Of its low frequencies."""
    averaged: Floats
    """How far the sample is a mean of others, which takes high frequencies."""
    alpha: Floats | None
    """Share of repair in it; None: all of it."""


def _noise(
    sites: Sites,
    level: Floats,
    grain: PlaneGrain,
    field: Field,
    seen: Survey,
    repair: _Kept,
) -> Floats:
    """What to add to each sample.

    With P the grain's spectrum, F what interpolation leaves of it and g the power kept, P (1 - g F) is missing. That
    is (1 - g) P + g P (1 - F): two independent parts, weighed per sample; the second only as far as the sample is
    averaged. A sample that is scan by 1 - alpha keeps (1 - alpha)^2 P of that besides alpha^2 g F P.
    """
    kept, averaged, alpha = repair.power, repair.averaged, repair.alpha
    if alpha is not None:
        kept = alpha**2 * kept
    missing = 1 - kept if alpha is None else np.maximum(1 - (1 - alpha) ** 2 - kept, 0)
    full, lost = field.at(sites.rows, sites.columns)
    noise = np.sqrt(missing) * full + np.sqrt(kept * averaged) * lost
    target = grain.sigma_at(level) ** 2 * seen.local[sites.label]
    added = target * (missing + kept * averaged * field.lost_share)
    # The repair was rounded once already and will be again: that much variance is there, or will be.
    spared = np.float32(grain.step**2 / 12)
    share = np.maximum(added - spared, 0) / np.maximum(added, 1e-20)
    result: Floats = noise * np.sqrt(target * share)
    return result


def _added(plane: NDArray[Any], sites: Sites, noise: Floats, layout: Layout) -> NDArray[Any]:
    changed = plane.copy()
    before = plane[sites.rows, sites.columns].astype(np.float32)
    after = before + noise
    if layout.is_float:
        after = np.maximum(after, np.minimum(before, 0))
    else:
        after = np.clip(np.rint(after), 0, layout.peak)
    changed[sites.rows, sites.columns] = after.astype(plane.dtype)
    return changed
