"""Filling from neighbouring frames: the content under the damage is there, seen before it and after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.windows import Window
from reelmend.repair.cells import Cells, Floats, sample_at
from reelmend.repair.evidence import Evidence, light_of, weigh
from reelmend.repair.grow import footprint_touches, grow
from reelmend.repair.promise import FilledBy, Repair, check_mask, untouched
from reelmend.repair.spatial import SpatialRepairer, fill_frame, to_codes
from reelmend.repair.spread import spread

SEAM_LIMIT = 24.0
"""The seam's correction looks at differences up to this, 8-bit codes."""
SEAM_PRIOR = 30.0
LEAST_SHARE = 0.05
"""A spatial fill with less say than this is not worth computing."""


class TemporalRepairer:
    """Motion-compensated fusion of up to four neighbours, and a spatial fill where they do not help."""

    name = "temporal"

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        if not window.neighbours:
            return SpatialRepairer().repair(window, mask)
        frame = window.centre.frame
        layout = frame.layout
        suspect = grow(mask, 1)
        cells = Cells.around(mask, window.centre.factor)
        evidence = weigh(window, cells, _known(cells, suspect))
        masked = cells.gather(mask)
        if cells.inside(*mask.shape) is not None:
            masked &= cells.inside(*mask.shape)
        doubt, share = cells.at_samples(evidence.doubt) * masked
        unsure = _spread_out(cells, doubt, mask.shape)
        kept = np.where(masked, _kept(cells.at_samples(evidence.weights)) * (1 - share) ** 2, 1)
        retained = _spread_out(cells, kept, mask.shape, empty=1)
        spatial = _spread_out(cells, share, mask.shape)
        fills = fill_frame(frame, mask, spatial > LEAST_SHARE) if (share > LEAST_SHARE).any() else None
        planes = [
            self._plane(window, index, cells, evidence, mask, suspect, fills) for index in range(layout.colour_planes)
        ]
        filled_by = mask.astype(np.uint8) * np.uint8(FilledBy.TEMPORAL)
        filled_by[spatial > 0.5] = FilledBy.SPATIAL
        return Repair(frame.with_planes((*planes, *frame.planes[layout.colour_planes :])), unsure, filled_by, retained)

    @staticmethod
    def _plane(
        window: Window,
        index: int,
        cells: Cells,
        evidence: Evidence,
        mask: Mask,
        suspect: Mask,
        fills: list[Floats] | None,
    ) -> NDArray[Any]:
        frame = window.centre.frame
        layout = frame.layout
        sub = layout.subsampling(index)
        scale = layout.peak / 255
        plane = frame.planes[index]
        own = cells.gather(plane, *sub)
        centre = own.astype(np.float32)
        known = _known(cells, footprint_touches(suspect, *sub), *sub)
        weights = cells.at_samples(evidence.weights, *sub)
        weights += np.float32(1e-20)
        if index == 0 and _is_luma(window):
            seen, trust = evidence.seen, known.astype(np.float32)
        else:
            seen = _see(window, index, cells, evidence)
            if layout.is_float:
                finite = np.isfinite(seen)
                seen[~finite] = 0
                weights *= np.where(finite, np.float32(1), np.float32(1e-20))
                known &= np.isfinite(centre) & finite.all(axis=0)
                centre[~np.isfinite(centre)] = 0
            trust = known.astype(np.float32)
            seen += cells.at_samples(light_of(centre - seen, trust, cells, scale), *sub)
        weights /= weights.sum(axis=0)
        fill = np.einsum("kns,kns->ns", weights, seen)
        seam = np.clip(centre - fill, -SEAM_LIMIT * scale, SEAM_LIMIT * scale)
        left = np.einsum("ns,ns->n", seam, trust)[None]
        fill += cells.at_samples(
            spread(cells.on_grid(left), cells.on_grid(trust.sum(axis=1)[None]), SEAM_PRIOR, rounds=1), *sub
        )[0]
        if fills is not None:
            share = cells.at_samples(evidence.doubt[..., 1:], *sub)[0]
            share *= share > LEAST_SHARE
            fill += share * (cells.gather(fills[index], *sub) - fill)
        touched = cells.gather(footprint_touches(mask, *sub), *sub)
        own[touched] = to_codes(fill[touched], layout)
        out = cells.padded(plane, *sub)
        cells.view(out, *sub)[cells.rows, cells.columns] = own.reshape(-1, *cells.size(*sub))
        return np.ascontiguousarray(out[: plane.shape[0], : plane.shape[1]])


def _is_luma(window: Window) -> bool:
    """Whether the first plane is the very picture that the evidence was seen on."""
    pictures = [window.centre, *(one.picture for one in window.neighbours)]
    return all(one.luma is one.frame.planes[0] for one in pictures)


def _see(window: Window, index: int, cells: Cells, evidence: Evidence) -> Floats:
    """A plane of the neighbours on the cells, `(k, n, samples)`, code values, light as it is."""
    sub_x, sub_y = window.centre.frame.layout.subsampling(index)
    shifts = cells.at_samples(evidence.shifts, sub_x, sub_y)
    xs, ys = cells.coordinates(sub_x, sub_y)
    across, down = np.float32(1 / (1 << sub_x)), np.float32(1 / (1 << sub_y))
    return np.stack(
        [
            sample_at(one.picture.frame.planes[index], xs + shifts[2 * n] * across, ys + shifts[2 * n + 1] * down)
            for n, one in enumerate(window.neighbours)
        ]
    ).astype(np.float32)


def _known(cells: Cells, suspect: Mask, sub_x: int = 0, sub_y: int = 0) -> NDArray[np.bool_]:
    """Samples of the cells that are in the frame and away from the damage."""
    known = ~cells.gather(suspect, sub_x, sub_y)
    inside = cells.inside(*suspect.shape, sub_x, sub_y)
    return known if inside is None else np.asarray(known & inside)


def _kept(weights: Floats) -> Floats:
    """Fraction of the variance of independent grain that survives a weighted mean over the first axis."""
    total = np.maximum(weights.sum(axis=0), 1e-6)
    return np.asarray((weights**2).sum(axis=0) / total**2)


def _spread_out(cells: Cells, values: Floats, shape: tuple[int, int], empty: float = 0) -> Floats:
    """Values of the cells' samples on a whole frame."""
    out = np.full((cells.grid[0] * cells.side, cells.grid[1] * cells.side), empty, np.float32)
    cells.view(out)[cells.rows, cells.columns] = values.reshape(-1, cells.side, cells.side)
    return np.ascontiguousarray(out[: shape[0], : shape[1]])
