"""Filling from neighbouring frames: the content under the damage is there, seen before it and after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.windows import Window
from reelmend.repair.blocks import Blocks, footprint_mean
from reelmend.repair.evidence import Evidence, light, weigh
from reelmend.repair.grow import footprint_touches, grow
from reelmend.repair.promise import FilledBy, Repair, check_mask, untouched
from reelmend.repair.sampling import Floats, inside_frame, sample_at, surroundings
from reelmend.repair.spatial import SpatialRepairer, fill_frame, to_codes
from reelmend.repair.through import candidate_flows

SEAM_LIMIT = 24.0
"""The seam's correction looks at differences up to this, 8-bit codes."""
SEAM_PRIOR = 30.0


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
        flows = [candidate_flows(window, neighbour, mask) for neighbour in window.neighbours]
        suspect = grow(mask, 1)
        planes: list[NDArray[Any]] = [plane.copy() for plane in frame.planes[: layout.colour_planes]]
        touched = [footprint_touches(mask, *layout.subsampling(index)) for index in range(layout.colour_planes)]
        unsure = np.zeros(mask.shape, np.float32)
        retained = np.ones(mask.shape, np.float32)
        spatial: list[Floats] | None = None
        for blocks in Blocks.covering(mask):
            masked = blocks.gather(mask)
            xs, ys = blocks.coordinates()
            known = ~blocks.gather(suspect) & inside_frame(xs + 0.5, ys + 0.5, (frame.height + 1, frame.width + 1))
            known &= (xs >= 0) & (ys >= 0) & (xs < frame.width) & (ys < frame.height)
            evidence = weigh(window, flows, blocks, known, masked)
            blocks.write(unsure, evidence.unsure, masked)
            kept = (evidence.weights**2).sum(axis=0) * (1 - evidence.unsure) ** 2
            blocks.write(retained, kept, masked)
            if spatial is None and bool((evidence.unsure[masked] > 0).any()):
                spatial = fill_frame(frame, mask)
            for index, plane in enumerate(planes):
                self._plane(window, index, blocks, evidence, suspect, touched[index], spatial, plane)
        filled_by = np.where(mask, np.uint8(FilledBy.TEMPORAL), np.uint8(FilledBy.UNTOUCHED))
        filled_by[unsure > 0.5] = FilledBy.SPATIAL
        return Repair(frame.with_planes((*planes, *frame.planes[layout.colour_planes :])), unsure, filled_by, retained)

    @staticmethod
    def _plane(
        window: Window,
        index: int,
        blocks: Blocks,
        evidence: Evidence,
        suspect: Mask,
        touched: Mask,
        spatial: list[Floats] | None,
        out: NDArray[Any],
    ) -> None:
        """Fill one plane's samples of these blocks into `out`."""
        frame = window.centre.frame
        layout = frame.layout
        sub = layout.subsampling(index)
        scale = layout.peak / 255
        plane = frame.planes[index]
        centre = blocks.gather(plane, *sub).astype(np.float32)
        xs, ys = blocks.coordinates(*sub)
        known = ~blocks.gather(footprint_touches(suspect, *sub), *sub)
        known &= (xs >= 0) & (ys >= 0) & (xs < plane.shape[1]) & (ys < plane.shape[0])
        seen = np.stack(
            [
                sample_at(
                    neighbour.picture.frame.planes[index],
                    xs + footprint_mean(evidence.dx[n], *sub) / (1 << sub[0]),
                    ys + footprint_mean(evidence.dy[n], *sub) / (1 << sub[1]),
                )
                for n, neighbour in enumerate(window.neighbours)
            ]
        )
        weights = np.stack([footprint_mean(one, *sub) for one in evidence.weights])
        if layout.is_float:
            finite = np.isfinite(seen)
            seen = np.where(finite, seen, 0)
            weights = weights * finite + np.float32(1e-20)
            weights /= weights.sum(axis=0)
            known &= np.isfinite(centre) & finite.all(axis=0)
            centre = np.where(np.isfinite(centre), centre, 0)
        seen += light(blocks, centre, seen, known, plane.shape, *sub, scale=scale)
        fill = (weights * seen).sum(axis=0)
        seam = np.clip(centre - fill, -SEAM_LIMIT * scale, SEAM_LIMIT * scale)
        fill += surroundings(
            blocks, seam[None], known.astype(np.float32), plane.shape, *sub, prior=SEAM_PRIOR, sigma=1.0
        )[0]
        if spatial is not None:
            share = footprint_mean(evidence.unsure, *sub)
            fill += share * (blocks.gather(spatial[index], *sub) - fill)
        blocks.write(out, to_codes(fill, layout), blocks.gather(touched, *sub), *sub)
