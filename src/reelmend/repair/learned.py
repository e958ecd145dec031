"""Repair by a network: the neighbours' fill, put right where the network, which sees them too, knows better."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Mask
from reelmend.motion.luma import lighten, luma8
from reelmend.motion.windows import Window
from reelmend.repair.grow import footprint_touches
from reelmend.repair.patches import NEIGHBOURS, Place, cover, together, views
from reelmend.repair.promise import FilledBy, Repair
from reelmend.repair.spatial import put
from reelmend.repair.temporal import TemporalRepairer
from reelmend.runtime import RepairNetwork

SURE, LOST = 3 / 255, 12 / 255
"""Expected error with the grain left out, share of full scale, up to which a repair is sure and from which a guess."""

AS_IT_WAS = 2 / 255
"""Share of full scale: where repair and scan differ by less, averaged over a pixel's near surroundings, the network has
found no damage under the grown mask, and the scan stays. Fine grain is as strong; at 1, 2 and 3 codes 5, 20 and 31 % of
the masks stay, at the same low-passed PSNR to 0.1 dB (test clips)."""

NEAR = 1.0
"""Pixels: standard deviation of that average."""

BEYOND = 4 / 255
"""Share of full scale by which luma may leave the range of what neighbours and their fill show, and still be theirs:
grain and rounding."""


class LearnedRepairer:
    """The temporal repairer's fill and the neighbours, mixed and completed by a network."""

    def __init__(self, network: RepairNetwork) -> None:
        self.name = network.name
        self._network = network

    def repair(self, window: Window, mask: Mask) -> Repair:
        base = TemporalRepairer().repair(window, mask)
        if not mask.any() or not window.neighbours:
            return base
        fill = luma8(base.frame)
        places = cover(mask)
        shown = views(window, fill, mask, base.unsure, places)
        answer = together(self._network.answer(shown), places, mask)
        luma, error = answer
        by = np.where(mask, luma - fill.astype(np.float32) / 255, np.float32(0))
        away = cv2.GaussianBlur(np.abs(luma - window.centre.luma.astype(np.float32) / 255) * mask, (0, 0), NEAR)
        changed = mask & (away >= AS_IT_WAS * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), NEAR))
        origin = np.where(_invented(shown, luma, places, mask), np.uint8(FilledBy.NETWORK), base.filled_by)
        return Repair(
            _only(changed, change_luma(base.frame, mask, by), window.centre.frame),
            np.clip((error - SURE) / (LOST - SURE), 0, 1) * changed,
            np.where(changed, origin, np.uint8(FilledBy.UNTOUCHED)),
        )


def _only(changed: Mask, repaired: Frame, scan: Frame) -> Frame:
    """The repaired frame where it is to be changed, the scan elsewhere."""
    planes = list(scan.planes)
    for index in range(scan.layout.colour_planes):
        where = footprint_touches(changed, *scan.layout.subsampling(index))
        planes[index] = np.where(where, repaired.planes[index], planes[index])
    return repaired.with_planes(tuple(planes))


def change_luma(frame: Frame, mask: Mask, by: NDArray[np.float32]) -> Frame:
    """The frame with its luma changed by a share of full scale: of RGB all channels alike, of YUV the first plane."""
    layout = frame.layout
    planes = list(frame.planes)
    for index in range(3 if layout.family == "rgb" else 1):
        values = planes[index].astype(np.float32)
        planes[index] = put(planes[index], lighten(values, by, layout), mask, layout)
    return frame.with_planes(tuple(planes))


def _invented(shown: NDArray[np.float32], luma: NDArray[np.float32], places: list[Place], mask: Mask) -> Mask:
    """Pixels whose luma neither the fill nor a neighbour shows."""
    offered = np.concatenate([shown[:, :1], shown[:, NEIGHBOURS:]], axis=1)
    span = np.stack([offered.min(axis=1), offered.max(axis=1)], axis=1)
    low, high = together(span, places, mask)
    return np.asarray(mask & ((luma < low - BEYOND) | (luma > high + BEYOND)))
