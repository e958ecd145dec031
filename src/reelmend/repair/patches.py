"""Damage as patches of one size: what networks that repair are shown, and their answers put together again.

Cost follows damage: a patch for each speck, several that overlap for what is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.flow import at
from reelmend.motion.stack import STEPS, stand_in
from reelmend.motion.warp import follow
from reelmend.motion.windows import Neighbour, Window
from reelmend.repair.cells import Floats, touched_cells

SIDE = 64
"""Pixels of a patch: what a network sees at once."""

MARGIN = 12
"""Pixels around the damage that a patch shows at least, within the frame."""

VIEWS = ("fill", "scan", "mask", "doubt", "before", "after", "two before", "two after")
"""Planes of a patch. `fill` is the frame with the neighbours' fill in the mask, `scan` the frame as it was: what shows
through, and what neighbours had better not look like. `doubt` is how unsure the fill is."""

NEIGHBOURS = 4
"""The first plane of a neighbour."""

FLICKER = 24.0
"""Differences beyond this are motion, not light (8-bit codes)."""

_CELL = 8

Place = tuple[int, int]
"""Top and left of a patch; both may be negative, or reach beyond the frame, where the frame is smaller than it."""


def cover(mask: Mask) -> list[Place]:
    """Patches that show every masked pixel, `MARGIN` from their edges but at the frame's own.

    A blob (pixels within about 8 of each other) gets a patch in its middle, a large one a grid of them; blobs that a
    patch shows whole already get none.
    """
    inner = SIDE - 2 * MARGIN
    held = touched_cells(mask, _CELL)
    count, labels = cv2.connectedComponents(held.view(np.uint8), connectivity=8)
    places: list[Place] = []
    if count == 1:
        return places
    ys, xs = np.nonzero(mask)
    blob = labels[ys // _CELL, xs // _CELL] - 1
    low = np.full((count - 1, 2), np.iinfo(np.int32).max, np.int64)
    high = np.full((count - 1, 2), -1, np.int64)
    for axis, at_axis in enumerate((ys, xs)):
        np.minimum.at(low[:, axis], blob, at_axis)
        np.maximum.at(high[:, axis], blob, at_axis)
    shown = np.zeros(mask.shape, np.bool_)
    # The largest first: their patches often show the small ones beside them.
    for n in np.argsort((low - high).min(axis=1), kind="stable"):
        top, left = low[n]
        bottom, right = high[n] + 1
        if shown[top:bottom, left:right].all():
            continue
        for y in _spaced(int(top), int(bottom), inner, mask.shape[0]):
            for x in _spaced(int(left), int(right), inner, mask.shape[1]):
                if not mask[max(y, 0) : y + SIDE, max(x, 0) : x + SIDE].any():
                    continue
                places.append((y, x))
                # To the frame's edge where the patch reaches it: there is nothing beyond to be shown.
                first_y, first_x = (0 if y <= 0 else y + MARGIN), (0 if x <= 0 else x + MARGIN)
                last_y = mask.shape[0] if y + SIDE >= mask.shape[0] else y + SIDE - MARGIN
                last_x = mask.shape[1] if x + SIDE >= mask.shape[1] else x + SIDE - MARGIN
                shown[first_y:last_y, first_x:last_x] = True
    return places


def _spaced(first: int, last: int, inner: int, size: int) -> list[int]:
    """Where patches begin whose inner parts show `first` to `last` (exclusive) along an axis of `size` pixels."""
    count = -(-(last - first) // inner)
    spread = max(last - first, inner)
    starts = np.linspace(0, spread - inner, count) if count > 1 else np.array([(last - first - inner) / 2])
    begins = np.rint(first + starts - MARGIN).astype(int)
    return sorted({int(one) for one in np.clip(begins, min(0, size - SIDE), max(0, size - SIDE))})


def views(
    window: Window, fill: NDArray[np.uint8], mask: Mask, doubt: Floats, places: Sequence[Place]
) -> NDArray[np.float32]:
    """The patches at `places` as networks see them, `(n, 8, SIDE, SIDE)` float32 0..1, planes as in `VIEWS`.

    `fill`, 8-bit luma, `mask` and `doubt`, 0..1, are of the frame's size; beyond the frame its edge is repeated. A
    missing neighbour is stood in for by another, as in `motion.stack`; where there is none, and where a neighbour ends,
    the fill stands in.
    """
    out = np.empty((len(places), len(VIEWS), SIDE, SIDE), np.float32)
    there = {one.step: one for one in window.neighbours}
    chosen = [stand_in(there, step) if there else None for step in STEPS]
    height, width = mask.shape
    reach = np.arange(SIDE)
    for (top, left), patch in zip(places, out, strict=True):
        rows, columns = np.clip(top + reach, 0, height - 1), np.clip(left + reach, 0, width - 1)
        part = np.ix_(rows, columns)
        own = fill[part].astype(np.float32)
        hole = mask[part]
        patch[0], patch[1], patch[2], patch[3] = own, window.centre.luma[part], hole, doubt[part]
        xs, ys = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        seen: dict[int, Floats] = {}
        for n, one in enumerate(chosen):
            if one is not None and one.step not in seen:
                seen[one.step] = _moved(one, xs, ys, window.centre.factor, own, hole)
            patch[4 + n] = own if one is None else seen[one.step]
    out[:, :2] /= 255
    out[:, 4:] /= 255
    return out


def _moved(one: Neighbour, xs: Floats, ys: Floats, factor: int, own: Floats, hole: NDArray[np.bool_]) -> Floats:
    """A neighbour's luma where the centre's content lies in it, in the centre's light, 8-bit codes."""
    x, y = follow(one.flow, xs, ys, factor)
    luma = one.picture.luma
    moved = at(luma, np.stack([x, y], axis=-1)).astype(np.float32)
    height, width = luma.shape
    beyond = (x < -1) | (y < -1) | (x > width) | (y > height)
    sure = ~(hole | beyond)
    if sure.any():
        apart = (own - moved)[sure]
        middle = float(np.median(apart))
        near = apart[np.abs(apart - middle) <= FLICKER]
        moved += near.mean() if near.size else middle
    moved[beyond] = own[beyond]
    return np.clip(moved, 0, 255)


def together(answers: NDArray[np.float32], places: Sequence[Place], mask: Mask) -> NDArray[np.float32]:
    """Answers of patches `(n, c, SIDE, SIDE)` as planes `(c, h, w)`, 0 outside the mask.

    Where patches overlap their mean counts, each the more the nearer its middle: no seams.
    """
    height, width = mask.shape
    total = np.zeros((answers.shape[1], height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    tent = _tent()
    for (top, left), answer in zip(places, answers, strict=True):
        y, x = max(top, 0), max(left, 0)
        part = (slice(y, min(top + SIDE, height)), slice(x, min(left + SIDE, width)))
        own = (slice(part[0].start - top, part[0].stop - top), slice(part[1].start - left, part[1].stop - left))
        total[(slice(None), *part)] += tent[own] * answer[(slice(None), *own)]
        weight[part] += tent[own]
    total /= np.maximum(weight, 1e-6)
    total *= mask
    return total


@lru_cache(maxsize=1)
def _tent() -> NDArray[np.float32]:
    slope = np.minimum(np.arange(SIDE) + 0.5, SIDE - np.arange(SIDE) - 0.5)
    return np.minimum(slope[:, None], slope).astype(np.float32) / (SIDE / 2)
