"""What comes back nearby in the neighbours is of the scene, wherever motion was followed wrongly.

Flow goes astray on knitwear, leaves, fur and fingers: a dark hole between stitches lies a few pixels beside where it is
looked for, and stands out from all neighbours like dust. But it is in them, and dust is not: a find is looked for in
each neighbour around its place, with a rim of what surrounds it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.labels import Labels
from reelmend.film import Mask

Floats = NDArray[np.float32]

WIDTH = 640
"""Lengths here are pixels of a frame as wide as this; wider ones are shrunk to it."""

REACH = 8
"""Pixels: how far beside its place a find is looked for. Farther off, neighbours of dirty film have specks of their
own."""

MARGIN, RIM = 4, 7
"""Pixels around a find that are cut out, and side of the square it is widened by: what must come back with it."""

LONGEST = 60
"""Pixels: what is longer is left alone. Little of it is wrong, and looking for it takes long."""

AGAIN, ALIKE = 0.3, 0.5
"""A find comes back if in two neighbours something is as near to it as AGAIN, and in a third as ALIKE: squared
difference, in multiples of that from the median of the neighbours at its own place. On the dev clips 0.1 % of what was
found rightly comes back so, and 18 % of what is found in them before they are damaged."""


def familiar(stack: Floats, expected: Floats, found: Mask) -> Mask:
    """The finds `(h, w)` that come back in the neighbours.

    `stack` `(frames, h, w)`, 0..1, is the centre and its neighbours laid onto it, `expected` `(h, w)` their median. A
    neighbour may stand in it twice, for one that there is none of; it counts once.
    """
    if not found.any():
        return found
    if found.shape[1] > WIDTH:
        height, width = found.shape
        size = WIDTH, max(1, round(height * WIDTH / width))
        small = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (*stack, expected)])
        held = cv2.resize(found.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        there = familiar(small[:-1], small[-1], held).view(np.uint8)
        return found & (cv2.resize(there, (width, height), interpolation=cv2.INTER_NEAREST) > 0)
    again = np.zeros(found.shape, np.bool_)
    others = [n for n in range(1, len(stack)) if not any(_same(stack[n], stack[m]) for m in range(1, n))]
    if len(others) < 3:
        return again
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.view(np.uint8), connectivity=8)
    around = MARGIN + REACH
    for n in range(1, count):
        left, top, width, height = stats[n, :4]
        if max(width, height) > LONGEST:
            continue
        part = np.s_[
            max(0, top - around) : top + height + around,
            max(0, left - around) : left + width + around,
        ]
        own = labels[part] == n
        if _comes_back([stack[n][part] for n in (0, *others)], expected[part], own):
            again[part] |= own
    return again


def _same(one: Floats, other: Floats) -> bool:
    return np.array_equal(one[::16, ::16], other[::16, ::16])


def _comes_back(stack: list[Floats], expected: Floats, own: Mask) -> bool:
    """Whether what is `own` in the first of pictures `(h, w)` is elsewhere in the others, three at least."""
    held = own.astype(np.float32)
    rows, columns = (np.flatnonzero(held.any(axis=axis)) for axis in (1, 0))
    cut = np.s_[
        max(0, rows[0] - MARGIN) : rows[-1] + 1 + MARGIN,
        max(0, columns[0] - MARGIN) : columns[-1] + 1 + MARGIN,
    ]
    weight = cv2.dilate(held[cut], np.ones((RIM, RIM), np.uint8))
    thing = np.ascontiguousarray(stack[0][cut])
    apart = float((weight * (thing - expected[cut]) ** 2).sum())
    near, alike = 0, 0
    # Given up as soon as too few pictures are left.
    for left, picture in zip(range(len(stack) - 2, -1, -1), stack[1:], strict=True):
        least = float(cv2.matchTemplate(picture, thing, cv2.TM_SQDIFF, mask=weight).min())
        near, alike = near + (least < AGAIN * apart), alike + (least < ALIKE * apart)
        if near + left < 2 or alike + left < 3:
            return False
    return True


def clear_familiar(labels: Labels, again: Mask) -> None:
    """Takes blobs of which more than half comes back out of a mask."""
    labels.clear(labels.total(again) > 0.5 * labels.area)
