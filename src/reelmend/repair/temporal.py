"""Filling from neighbouring frames: the content under the damage is there, seen before it and after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Layout, Mask
from reelmend.motion.windows import Window
from reelmend.repair.cells import Cells, Floats
from reelmend.repair.evidence import light_of, see, spoiled_at, weigh
from reelmend.repair.grow import footprint_touches, grow
from reelmend.repair.promise import FilledBy, Repair, check_mask, untouched
from reelmend.repair.spatial import SpatialRepairer, fill_plane, to_codes
from reelmend.repair.spread import spread

SEAM_LIMIT = 24.0
"""The seam's correction looks at differences up to this, 8-bit codes."""
SEAM_PRIOR = 30.0
"""Samples of surroundings that weigh as much as a wider view of the seam: grain must not be taken for a seam."""
UNHEARD = 1e-20
"""Weight of a damaged neighbour's sample, against 1 for another: where all are damaged something must be put, but the
least weight that evidence gives to an undamaged one (1e-15) is more."""
LEAST_SHARE = 0.2
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
        parts = [_Part(part, mask, suspect) for part in Cells.around(mask, window.centre.factor).parts()]
        done = untouched(window)
        wanted = np.zeros(mask.shape, np.bool_)
        for part in parts:
            part.decide(window)
            part.report(window, done, wanted)
        doubtful = bool(wanted.any())
        planes = list(frame.planes)
        for together in _planes_alike(layout):
            new = [planes[index].copy() for index in together]
            for part in parts:
                part.fill(window, together, new)
            if doubtful:
                # After the temporal fill: where that is sure, it is part of the surroundings to be continued.
                where = footprint_touches(wanted, *layout.subsampling(together[0]))
                fills = [fill_plane(plane, where) for plane in new]
                for part in parts:
                    part.mix(window, together, new, fills)
            for index, plane in zip(together, new, strict=True):
                planes[index] = plane
        return Repair(frame.with_planes(tuple(planes)), done.unsure, done.filled_by)


def _planes_alike(layout: Layout) -> list[tuple[int, ...]]:
    """The colour planes that are filled in one go: of one subsampling, luma and floating point by themselves."""
    count = layout.colour_planes
    if layout.is_float:
        return [(index,) for index in range(count)]
    return [tuple(range(3))] if layout.family == "rgb" else [(0,), (1, 2)][: 1 + (count > 1)]


class _Part:
    """Some cells of a frame under repair."""

    def __init__(self, cells: Cells, mask: Mask, suspect: Mask) -> None:
        """`suspect` is the mask with the samples next to it, which may be damaged too."""
        self.cells = cells
        self.masked, self.suspect = cells.gather_mask(mask), cells.gather_mask(suspect)
        self.core: NDArray[np.intp] = np.flatnonzero(self.masked.any(axis=1))
        """Of the cells, those that hold damage; the others are there to compare."""
        self._spoiled_at: dict[tuple[int, int], NDArray[np.bool_] | None] = {}

    def decide(self, window: Window) -> None:
        self.evidence = weigh(window, self.cells, self._known(0, 0), self.masked)

    def report(self, window: Window, done: Repair, wanted: Mask) -> None:
        """Write down how sure the repair is, and where a spatial fill is wanted."""
        masked = self.masked[self.core]
        places = self.cells.places()[self.core][masked]
        unsure, share = self._doubt(window, 0, 0)[:, masked]
        done.unsure.reshape(-1)[places] = unsure
        spatial = share > 0.5
        kinds = np.array([FilledBy.TEMPORAL, FilledBy.SPATIAL], np.uint8)
        done.filled_by.reshape(-1)[places] = kinds[spatial.view(np.uint8)]
        wanted.reshape(-1)[places[share > LEAST_SHARE]] = True
        self.wanted = self.cells.gather_mask(wanted)

    def fill(self, window: Window, together: tuple[int, ...], new: list[NDArray[Any]]) -> None:
        """Fill planes of one subsampling, `new`, from the neighbours, where their footprints touch the mask."""
        layout = window.centre.frame.layout
        touched, places = self._within(self.masked, *layout.subsampling(together[0]))
        for plane, fused in zip(new, self._fuse(window, together), strict=True):
            plane.reshape(-1)[places] = to_codes(fused[touched], layout)

    def mix(self, window: Window, together: tuple[int, ...], new: list[NDArray[Any]], fills: list[Floats]) -> None:
        """Mix the planes filled spatially into those filled from the neighbours, by the share each is worth."""
        layout = window.centre.frame.layout
        sub = layout.subsampling(together[0])
        touched, places = self._within(self.wanted, *sub)
        share = self._doubt(window, *sub)[1][touched]
        for plane, other in zip(new, fills, strict=True):
            flat = plane.reshape(-1)
            values = flat[places].astype(np.float32)
            flat[places] = to_codes(values + share * (other.reshape(-1)[places] - values), layout)

    def _spoiled(self, window: Window, sub_x: int, sub_y: int) -> NDArray[np.bool_] | None:
        """Samples of a plane at which each neighbour is damaged too, `(k, n, samples)`; None where none is."""
        if (sub_x, sub_y) == (0, 0):
            return self.evidence.spoiled
        if (sub_x, sub_y) not in self._spoiled_at:
            self._spoiled_at[sub_x, sub_y] = spoiled_at(window, self.evidence.shifts, self.cells, sub_x, sub_y)
        return self._spoiled_at[sub_x, sub_y]

    def _doubt(self, window: Window, sub_x: int, sub_y: int) -> Floats:
        """How unsure the repair is and the share of the spatial fill, on the cells that hold damage, `(2, n, samples)`;
        both 1 where every neighbour is damaged too: dirt in the gate, scratches along the film."""
        doubt = self.cells.at_samples(self.evidence.doubt, sub_x, sub_y, which=self.core)
        spoiled = self._spoiled(window, sub_x, sub_y)
        if spoiled is not None:
            doubt[:, spoiled[:, self.core].all(axis=0)] = 1
        return doubt

    def _within(self, held: NDArray[np.bool_], sub_x: int, sub_y: int) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Samples of a plane, of the cells that hold damage, whose footprints touch pixels `held` `(n, side**2)`, and
        their places in the flattened plane."""
        touched = self.cells.footprints(held, sub_x, sub_y)[self.core]
        inside = self.cells.inside(sub_x, sub_y)
        if inside is not None:
            touched &= inside[self.core]
        return touched, self.cells.places(sub_x, sub_y)[self.core][touched]

    def _fuse(self, window: Window, together: tuple[int, ...]) -> Floats:
        """The neighbours' weighted mean in the centre's light, without a visible seam, on the cells that hold damage:
        `(planes, cells, samples)`, code values."""
        cells, evidence = self.cells, self.evidence
        frame = window.centre.frame
        layout = frame.layout
        sub_x, sub_y = layout.subsampling(together[0])
        scale = layout.peak / 255
        count = len(window.neighbours)
        centre = np.stack([cells.gather(frame.planes[index], sub_x, sub_y) for index in together]).astype(np.float32)
        known = self._known(sub_x, sub_y)
        weights = cells.at_samples(evidence.weights, sub_x, sub_y)
        spoiled = self._spoiled(window, sub_x, sub_y)
        if spoiled is not None:
            weights[spoiled] *= np.float32(UNHEARD)
            weights /= weights.sum(axis=0)
        if together == (0,) and _is_luma(window):
            seen, trust = evidence.seen, known.astype(np.float32)
        else:
            planes = [one.picture.frame.planes for one in window.neighbours]
            seen = see([some[index] for index in together for some in planes], evidence.shifts, cells, sub_x, sub_y)
            if layout.is_float:
                finite = np.isfinite(seen)
                seen[~finite] = 0
                weights *= np.where(finite, np.float32(1), np.float32(1e-20))
                weights += np.float32(1e-20)
                weights /= weights.sum(axis=0)
                known = known & np.isfinite(centre[0]) & finite.all(axis=0)
                centre[~np.isfinite(centre)] = 0
            trust = known.astype(np.float32)
            apart = np.repeat(centre, count, axis=0)
            apart -= seen
            seen += cells.at_samples(light_of(apart, trust, cells, scale), sub_x, sub_y)
        seen = seen.reshape(len(together), count, *trust.shape)
        fill = weights[0] * seen[:, 0]
        for n in range(1, count):
            fill += weights[n] * seen[:, n]
        seam = centre - fill
        np.maximum(seam, np.float32(-SEAM_LIMIT * scale), out=seam)
        np.minimum(seam, np.float32(SEAM_LIMIT * scale), out=seam)
        sums = np.empty((len(together) + 1, len(cells)), np.float32)
        for n, one in enumerate(seam):
            sums[n] = np.einsum("ns,ns->n", one, trust)
        sums[-1] = trust.sum(axis=1)
        step = spread(cells.on_canvas(sums), cells.wide, SEAM_PRIOR)
        return np.asarray(fill[:, self.core] + cells.at_samples(step, sub_x, sub_y, self.core), np.float32)

    def _known(self, sub_x: int, sub_y: int) -> NDArray[np.bool_]:
        """Samples of the cells that are on their plane and away from the damage."""
        known = ~self.cells.footprints(self.suspect, sub_x, sub_y)
        inside = self.cells.inside(sub_x, sub_y)
        return known if inside is None else np.asarray(known & inside)


def _is_luma(window: Window) -> bool:
    """Whether the first plane is the very picture that the evidence was seen on."""
    pictures = [window.centre, *(one.picture for one in window.neighbours)]
    return all(one.luma is one.frame.planes[0] for one in pictures)
