"""What a network makes of the neighbours and their fill, before anybody decides what to do with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Mask
from reelmend.motion.luma import lighten, luma8
from reelmend.motion.windows import Window
from reelmend.repair.cells import Floats
from reelmend.repair.grow import footprint_touches
from reelmend.repair.patches import NEIGHBOURS, SIDE, Patches, cover, together, views
from reelmend.repair.promise import FilledBy, Repair
from reelmend.repair.spatial import SpatialRepairer, put
from reelmend.repair.temporal import TemporalRepairer
from reelmend.runtime import RepairNetwork

SURE, LOST = 3 / 255, 9 / 255
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


DEEP = SIDE / 4
"""Pixels from the rim: deep in a hole patches show little but damage, and a network takes its pattern for the scene's
(the mottled stain of train_robbery_1903, frame 22)."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A frame's holes, filled by a network that sees the neighbours and the temporal repairer's fill."""

    base: Repair
    """By the temporal repairer; where there is no neighbour, by the spatial one."""
    luma: Floats
    """`(h, w)`, 0..1: the network's in the mask, the base's elsewhere."""
    error: Floats
    """`(h, w)`, absolute error to be expected of luma with the grain left out, 0..1; 0 outside the mask."""
    added: Mask
    """`(h, w)`, pixels whose luma neither the fill nor a neighbour shows."""
    asked: Mask
    """`(h, w)`, the part of the mask that the network was asked about; the base's own is the rest."""


def mix(network: RepairNetwork, window: Window, mask: Mask, least: float = 0.0) -> Mixture:
    """Fill a mask that is not empty. Without neighbours there is nothing to mix, and the base stays as it is.

    Holes that the temporal repairer is less unsure of than `least`, 0..1, on average stay as it fills them: they cost
    nothing more. So do, where `least` is not 0, holes deeper than `DEEP`.
    """
    base = TemporalRepairer().repair(window, mask)
    fill = luma_of(base)
    wanted = holes_of(base.unsure, mask, least) & shallow(mask) if least else mask
    if not window.neighbours or not wanted.any():
        nothing = np.zeros_like(mask)
        error = np.asarray(mask * np.float32(0 if window.neighbours else LOST), np.float32)
        return Mixture(base, fill, error, nothing, nothing)
    return _answered(network, base, fill, window, mask, base.unsure, wanted)


def holes_of(measure: Floats, mask: Mask, least: float) -> Mask:
    """The holes (8-connected) of a mask in which a measure is `least` or more on average."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    sums = np.bincount(labels[mask], measure[mask], count)
    sizes = np.bincount(labels[mask], minlength=count)
    return np.asarray((sums >= least * np.maximum(sizes, 1))[labels] & mask)


def shallow(mask: Mask) -> Mask:
    """The holes (8-connected) of a mask that are nowhere deeper than `DEEP`."""
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, labels[mask], cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)[mask])
    return np.asarray((deepest <= DEEP)[labels] & mask)


def complete(network: RepairNetwork, window: Window, mask: Mask) -> Mixture:
    """The same by a network that looks at the frame alone: what it starts from is the spatial fill."""
    base = SpatialRepairer().repair(window, mask)
    alone = replace(window, before=(), after=())
    return _answered(network, base, luma_of(base), alone, mask, mask.astype(np.float32), mask)


def _answered(
    network: RepairNetwork, base: Repair, fill: Floats, window: Window, mask: Mask, doubt: Floats, wanted: Mask
) -> Mixture:
    groups = cover(wanted)
    shown = [views(window, fill, mask, doubt, patches) for patches in groups]
    luma, error = together([network.answer(one) for one in shown], groups, wanted)
    return Mixture(base, np.where(wanted, luma, fill), error, _added(shown, luma, groups, wanted), wanted)


def luma_of(repair: Repair) -> Floats:
    """A repaired frame's luma `(h, w)`, 0..1, as networks are shown it."""
    return np.asarray(luma8(repair.frame).astype(np.float32) / np.float32(255), np.float32)


def finish(
    mixture: Mixture, window: Window, mask: Mask, luma: Floats | None = None, drawn: Mask | None = None
) -> Repair:
    """The repaired frame. `luma` 0..1 instead of the mixture's where some was `drawn` by a diffusion model.

    Where the mixture finds no damage under the grown mask the scan stays as it was.
    """
    away = cv2.GaussianBlur(np.abs(mixture.luma - window.centre.luma.astype(np.float32) / 255) * mask, (0, 0), NEAR)
    damaged = away >= AS_IT_WAS * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), NEAR)
    changed = mask & (damaged | ~mixture.asked)
    origin = np.where(mixture.added, np.uint8(FilledBy.NETWORK), mixture.base.filled_by)
    if drawn is not None:
        origin = np.where(drawn, np.uint8(FilledBy.DIFFUSION), origin)
    base = mixture.base.frame
    new = mixture.luma if luma is None else luma
    by = np.where(mask, new - luma_of(mixture.base), np.float32(0))
    return Repair(
        _only(changed, change_luma(base, mask, by), window.centre.frame),
        np.where(mixture.asked, unsureness(mixture.error) * changed, mixture.base.unsure),
        np.where(changed, origin, np.uint8(FilledBy.UNTOUCHED)),
    )


def unsureness(error: Floats) -> Floats:
    """0 sure .. 1 a guess, of the error to be expected."""
    return np.asarray(np.clip((error - np.float32(SURE)) / np.float32(LOST - SURE), 0, 1), np.float32)


def change_luma(frame: Frame, mask: Mask, by: Floats) -> Frame:
    """The frame with its luma changed by a share of full scale: of RGB all channels alike, of YUV the first plane."""
    layout = frame.layout
    planes = list(frame.planes)
    for index in range(3 if layout.family == "rgb" else 1):
        values = planes[index].astype(np.float32)
        planes[index] = put(planes[index], lighten(values, by, layout), mask, layout)
    return frame.with_planes(tuple(planes))


def _only(changed: Mask, repaired: Frame, scan: Frame) -> Frame:
    """The repaired frame where it is to be changed, the scan elsewhere."""
    planes = list(scan.planes)
    for index in range(scan.layout.colour_planes):
        where = footprint_touches(changed, *scan.layout.subsampling(index))
        planes[index] = np.where(where, repaired.planes[index], planes[index])
    return repaired.with_planes(tuple(planes))


def _added(shown: list[NDArray[np.float32]], luma: Floats, groups: list[Patches], mask: Mask) -> Mask:
    offered = [np.concatenate([one[:, :1], one[:, NEIGHBOURS:]], axis=1) for one in shown]
    span = [np.stack([one.min(axis=1), one.max(axis=1)], axis=1) for one in offered]
    low, high = together(span, groups, mask)
    return np.asarray(mask & ((luma < low - BEYOND) | (luma > high + BEYOND)))
