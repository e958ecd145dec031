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
"""Samples of surroundings that weigh as much as a wider view of the seam: grain must not be taken for a seam."""
LEAST_SHARE = 0.1
"""A spatial fill with less say than this is not worth computing."""


class TemporalRepairer:
    """Motion-compensated fusion of up to four neighbours, and a spatial fill where they do not help.

    Forward-backward consistency of the flow is not asked for: with the picture's own evidence around and under the
    damage it moved the result by less than 0.05 dB either way.
    """

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
        parts = [(part, weigh(window, part, _known(part, suspect))) for part in cells.parts()]

        whole = (cells.grid[0] * cells.side, cells.grid[1] * cells.side)
        unsure, share, retained = np.zeros(whole, np.float32), np.zeros(whole, np.float32), np.ones(whole, np.float32)
        filled_by = np.zeros(whole, np.uint8)
        for part, evidence in parts:
            masked = part.gather(mask)
            inside = part.inside(frame.height, frame.width)
            if inside is not None:
                masked &= inside
            doubt = part.at_samples(evidence.doubt)
            doubt[:2] *= masked
            part.put(unsure, doubt[0])
            part.put(share, doubt[1])
            part.put(retained, np.where(masked, doubt[2], np.float32(1)))
            kind = np.where(doubt[1] > 0.5, np.uint8(FilledBy.SPATIAL), np.uint8(FilledBy.TEMPORAL))
            part.put(filled_by, kind * masked)
        crop = (slice(frame.height), slice(frame.width))
        wanted = share[crop] > LEAST_SHARE
        fills = fill_frame(frame, mask, wanted) if wanted.any() else None
        planes = [
            _fill_plane(window, index, parts, mask, suspect, wanted, fills) for index in range(layout.colour_planes)
        ]
        return Repair(
            frame.with_planes((*planes, *frame.planes[layout.colour_planes :])),
            np.ascontiguousarray(unsure[crop]),
            np.ascontiguousarray(filled_by[crop]),
            np.ascontiguousarray(retained[crop]),
        )


def _fill_plane(
    window: Window,
    index: int,
    parts: list[tuple[Cells, Evidence]],
    mask: Mask,
    suspect: Mask,
    wanted: Mask,
    fills: list[Floats] | None,
) -> NDArray[Any]:
    """One plane of the centre, filled where its samples' footprints touch the mask.

    `fills` are the planes filled spatially where `wanted`, None where nothing is.
    """
    layout = window.centre.frame.layout
    sub_x, sub_y = layout.subsampling(index)
    plane = window.centre.frame.planes[index]
    touched, doubted = footprint_touches(mask, sub_x, sub_y), footprint_touches(suspect, sub_x, sub_y)
    out = parts[0][0].padded(plane, sub_x, sub_y)
    for cells, evidence in parts:
        own = cells.gather(plane, sub_x, sub_y)
        fill = _fuse(window, index, cells, evidence, own.astype(np.float32), _known(cells, doubted, sub_x, sub_y))
        if fills is not None:
            share = cells.at_samples(evidence.doubt[..., 1:2], sub_x, sub_y)[0]
            share *= cells.gather(footprint_touches(wanted, sub_x, sub_y), sub_x, sub_y)
            fill += share * (cells.gather(fills[index], sub_x, sub_y) - fill)
        where = cells.gather(touched, sub_x, sub_y)
        own[where] = to_codes(fill[where], layout)
        cells.put(out, own, sub_x, sub_y)
    return np.ascontiguousarray(out[: plane.shape[0], : plane.shape[1]])


def _fuse(
    window: Window, index: int, cells: Cells, evidence: Evidence, centre: Floats, known: NDArray[np.bool_]
) -> Floats:
    """The neighbours' weighted mean in the centre's light, without a visible seam: `(n, samples)`, code values.

    `centre` `(n, samples)` is the damaged plane, `known` where it is good.
    """
    layout = window.centre.frame.layout
    sub_x, sub_y = layout.subsampling(index)
    scale = layout.peak / 255
    weights = cells.at_samples(evidence.weights, sub_x, sub_y)
    weights += np.float32(1e-20)
    if index == 0 and _is_luma(window):
        seen, trust = evidence.seen, known.astype(np.float32)
    else:
        seen = _see(window, index, cells, evidence)
        if layout.is_float:
            finite = np.isfinite(seen)
            seen[~finite] = 0
            weights *= np.where(finite, np.float32(1), np.float32(1e-20))
            known = known & np.isfinite(centre) & finite.all(axis=0)
            centre = np.where(np.isfinite(centre), centre, 0)
        trust = known.astype(np.float32)
        seen += cells.at_samples(light_of(centre - seen, trust, cells, scale), sub_x, sub_y)
    weights /= weights.sum(axis=0)
    fill = np.einsum("kns,kns->ns", weights, seen)
    seam = np.clip(centre - fill, -SEAM_LIMIT * scale, SEAM_LIMIT * scale)
    left, weight = np.einsum("ns,ns->n", seam, trust)[None], trust.sum(axis=1)[None]
    step = spread(cells.on_grid(left), cells.on_grid(weight), SEAM_PRIOR, rounds=1)
    return np.asarray(fill + cells.at_samples(step, sub_x, sub_y)[0], np.float32)


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
    seen = np.empty((len(window.neighbours), *xs.shape), np.float32)
    for n, one in enumerate(window.neighbours):
        seen[n] = sample_at(one.picture.frame.planes[index], xs + shifts[2 * n] * across, ys + shifts[2 * n + 1] * down)
    return seen


def _known(cells: Cells, suspect: Mask, sub_x: int = 0, sub_y: int = 0) -> NDArray[np.bool_]:
    """Samples of the cells that are in the frame and away from the damage."""
    known = ~cells.gather(suspect, sub_x, sub_y)
    height, width = suspect.shape
    inside = cells.inside(height, width, sub_x, sub_y)
    return known if inside is None else np.asarray(known & inside)
