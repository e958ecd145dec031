"""Damage as patches: what networks that repair are shown, and their answers put together again.

Cost follows damage: a patch for each speck, several that overlap for what is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.flow import Flow
from reelmend.motion.stack import STEPS, stand_in
from reelmend.motion.warp import follow, sample
from reelmend.motion.windows import Neighbour, Window
from reelmend.repair.cells import Floats, touched_cells

SIDE = 64
"""Pixels of a patch: what a network sees at once."""

SIDES = (32, SIDE)
"""Patches come in two sizes: most specks fit in the small one, at a quarter of the cost."""

MARGINS = {32: 10, SIDE: 12}
"""Pixels around the damage that a patch of each size shows at least, within the frame."""

VIEWS = ("fill", "scan", "mask", "doubt", "before", "after", "two before", "two after")
"""Planes of a patch. `fill` is the frame with the neighbours' fill in the mask, `scan` the frame as it was: what shows
through, and what neighbours had better not look like. `doubt` is how unsure the fill is."""

NEIGHBOURS = 4
"""The first plane of a neighbour."""

FLICKER = 24.0
"""Differences beyond this are motion, not light (8-bit codes)."""

SPOILED = 0.25
"""A neighbour's pixel of which so much is damaged is damaged."""

_CELL = 8

Place = tuple[int, int]
"""Top and left of a patch; both may be negative, or reach beyond the frame, where the frame is smaller than it."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Where patches of one size lie."""

    side: int
    places: list[Place]


def cover(mask: Mask, sides: Sequence[int] = SIDES) -> list[Patches]:
    """Patches that show every masked pixel, `MARGINS` from their edges but at the frame's own; no empty groups.

    A blob (pixels within about 8 of each other) gets a patch in its middle, of the least of `sides` that will do; what
    is larger than the last of them a grid of those. Blobs that a patch shows whole already get none.
    """
    held = touched_cells(mask, _CELL)
    count, labels = cv2.connectedComponents(held.view(np.uint8), connectivity=8)
    if count == 1:
        return []
    ys, xs = np.nonzero(mask)
    blob = labels[ys // _CELL, xs // _CELL] - 1
    low = np.full((count - 1, 2), np.iinfo(np.int32).max, np.int64)
    high = np.full((count - 1, 2), -1, np.int64)
    for axis, at_axis in enumerate((ys, xs)):
        np.minimum.at(low[:, axis], blob, at_axis)
        np.maximum.at(high[:, axis], blob, at_axis)
    shown = np.zeros(mask.shape, np.bool_)
    places: dict[int, list[Place]] = {side: [] for side in sides}
    # The largest first: their patches often show the small ones beside them.
    for n in np.argsort((low - high).min(axis=1), kind="stable"):
        top, left = low[n]
        bottom, right = high[n] + 1
        if shown[top:bottom, left:right].all():
            continue
        side = _side(max(bottom - top, right - left), sides)
        margin = MARGINS[side]
        for y in _spaced(int(top), int(bottom), side, mask.shape[0]):
            for x in _spaced(int(left), int(right), side, mask.shape[1]):
                if not mask[max(y, 0) : y + side, max(x, 0) : x + side].any():
                    continue
                places[side].append((y, x))
                # To the frame's edge where the patch reaches it: there is nothing beyond to be shown.
                first_y, first_x = (0 if y <= 0 else y + margin), (0 if x <= 0 else x + margin)
                last_y = mask.shape[0] if y + side >= mask.shape[0] else y + side - margin
                last_x = mask.shape[1] if x + side >= mask.shape[1] else x + side - margin
                shown[first_y:last_y, first_x:last_x] = True
    return [Patches(side, some) for side, some in places.items() if some]


def _side(extent: int, sides: Sequence[int]) -> int:
    return next((side for side in sides if extent <= side - 2 * MARGINS[side]), sides[-1])


def _spaced(first: int, last: int, side: int, size: int) -> list[int]:
    """Where patches begin whose inner parts show `first` to `last` (exclusive) along an axis of `size` pixels."""
    inner = side - 2 * MARGINS[side]
    count = -(-(last - first) // inner)
    spread = max(last - first, inner)
    starts = np.linspace(0, spread - inner, count) if count > 1 else np.array([(last - first - inner) / 2])
    begins = np.rint(first + starts - MARGINS[side]).astype(int)
    return sorted({int(one) for one in np.clip(begins, min(0, size - side), max(0, size - side))})


def views(window: Window, fill: Floats, mask: Mask, doubt: Floats, patches: Patches) -> NDArray[np.float32]:
    """Patches as networks see them, `(n, 8, side, side)` float32 0..1, planes as in `VIEWS`.

    `fill`, luma 0..1, `mask` and `doubt`, 0..1, are of the frame's size; beyond the frame its edge is repeated. A
    missing neighbour is stood in for by another, as in `motion.stack`; where there is none, and where a neighbour ends
    or is damaged itself, the fill stands in.
    """
    out = np.empty((len(patches.places), len(VIEWS), patches.side, patches.side), np.float32)
    there = {one.step: one for one in window.neighbours}
    chosen = [stand_in(there, step) if there else None for step in STEPS]
    rows, columns = _reach(patches, *mask.shape)
    part = (rows[:, :, None], columns[:, None, :])
    own, hole = fill[part] * np.float32(255), mask[part]
    out[:, 0], out[:, 1], out[:, 2], out[:, 3] = own, window.centre.luma[part], hole, doubt[part]
    xs, ys = (np.asarray(np.broadcast_to(one, hole.shape), np.float32) for one in part[::-1])
    seen: dict[int, Floats] = {}
    for n, neighbour in enumerate(chosen):
        if neighbour is not None and neighbour.step not in seen:
            seen[neighbour.step] = _moved(neighbour, xs, ys, window.centre.factor, own, hole)
        out[:, 4 + n] = own if neighbour is None else seen[neighbour.step]
    out[:, :2] /= 255
    out[:, 4:] /= 255
    return out


def cut(plane: Floats, patches: Patches) -> NDArray[np.float32]:
    """A plane `(h, w)` as patches `(n, 1, side, side)`; beyond the frame its edge is repeated."""
    rows, columns = _reach(patches, *plane.shape)
    return np.asarray(plane[rows[:, :, None], columns[:, None, :]][:, None], np.float32)


def _reach(patches: Patches, height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows and the columns of the frame that patches show, `(n, side)` each."""
    begins = np.asarray(patches.places, np.intp).reshape(-1, 2)
    reach = np.arange(patches.side)
    return np.clip(begins[:, :1] + reach, 0, height - 1), np.clip(begins[:, 1:] + reach, 0, width - 1)


def _moved(one: Neighbour, xs: Floats, ys: Floats, factor: int, own: Floats, hole: NDArray[np.bool_]) -> Floats:
    """A neighbour's luma where the centre's content lies in it, `(n, side, side)`, in each patch's light, 8-bit
    codes. Of two flows to it each patch takes that by which its surroundings match better."""
    found, misfit = _moved_by(one.flow, one, xs, ys, factor, own, hole)
    for flow in one.flows[1:]:
        other, misfit_of_other = _moved_by(flow, one, xs, ys, factor, own, hole)
        found = np.where((misfit_of_other < misfit)[:, None, None], other, found)
    return found


def _moved_by(
    flow: Flow, one: Neighbour, xs: Floats, ys: Floats, factor: int, own: Floats, hole: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """By one flow; and each patch's mean absolute difference from the centre around the hole, `(n,)`."""
    x, y = follow(flow, xs, ys, factor)
    luma = one.picture.luma
    moved = sample(luma, x, y)
    height, width = luma.shape
    beyond = (x < -1) | (y < -1) | (x > width) | (y > height)
    if one.damage is not None:
        # Damaged there too, it shows nothing of what is under the hole.
        beyond |= sample(one.damage.astype(np.float32), x, y) >= SPOILED
    sure = ~(hole | beyond)
    moved += _light(own - moved, sure)[:, None, None]
    moved[beyond] = own[beyond]
    misfit = (np.abs(own - moved) * sure).sum(axis=(1, 2)) / np.maximum(sure.sum(axis=(1, 2)), 1)
    return np.clip(moved, 0, 255), misfit


def _light(apart: Floats, sure: NDArray[np.bool_]) -> Floats:
    """What to add to each patch `(n,)`: its mean difference where that is sure and near the middle one."""
    flat, counts = sure.reshape(len(sure), -1), sure.sum(axis=(1, 2))
    ranked = np.sort(np.where(flat, apart.reshape(len(apart), -1), np.float32(np.inf)), axis=1)
    at = np.stack([(counts - 1) // 2, counts // 2], axis=1).clip(0, ranked.shape[1] - 1)
    middle = np.take_along_axis(ranked, at, axis=1).mean(axis=1)
    near = sure & (np.abs(apart - middle[:, None, None]) <= FLICKER)
    several = near.sum(axis=(1, 2))
    light = np.where(several > 0, (apart * near).sum(axis=(1, 2)) / np.maximum(several, 1), middle)
    return np.where(counts > 0, light, 0).astype(np.float32)


def together(answers: Sequence[NDArray[np.float32]], groups: Sequence[Patches], mask: Mask) -> NDArray[np.float32]:
    """Answers `(n, c, side, side)` of every group of patches as planes `(c, h, w)`, 0 outside the mask.

    Where patches overlap their mean counts, each the more the nearer its middle: no seams.
    """
    height, width = mask.shape
    total = np.zeros((answers[0].shape[1], height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    for patches, group in zip(groups, answers, strict=True):
        side = patches.side
        tent = _tent(side)
        for (top, left), answer in zip(patches.places, group, strict=True):
            y, x = max(top, 0), max(left, 0)
            part = (slice(y, min(top + side, height)), slice(x, min(left + side, width)))
            own = (slice(part[0].start - top, part[0].stop - top), slice(part[1].start - left, part[1].stop - left))
            total[(slice(None), *part)] += tent[own] * answer[(slice(None), *own)]
            weight[part] += tent[own]
    total /= np.maximum(weight, 1e-6)
    total *= mask
    return total


@lru_cache(maxsize=len(SIDES))
def _tent(side: int) -> NDArray[np.float32]:
    slope = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5)
    return np.minimum(slope[:, None], slope).astype(np.float32) / (side / 2)
