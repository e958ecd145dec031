"""What a network is shown of a window: the centre's luma and its neighbours', warped onto it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelmend.motion.warp import Warps
from reelmend.motion.windows import Neighbour, Window

STEPS = (-1, 1, -2, 2)
"""Of the neighbours in a stack, after the centre, in different pictures; negative = before."""


def stack_of(window: Window, frames: int, warps: Warps | None = None) -> NDArray[np.float32] | None:
    """`(frames, h, w)` float32 0..1: the centre, then its neighbours, nearest first; None where there is none.

    A missing neighbour is stood in for by one of the other side, as far away where there is one: training does the
    same, so a network knows ends of shots. `warps` are the window's, where others ask for them too.
    """
    there = {one.step: one for one in window.neighbours}
    if frames > 1 and not there:
        return None
    warps = warps or Warps(window)
    chosen = [stand_in(there, step) for step in STEPS[: frames - 1]]
    planes = [window.centre.luma, *(warps.of(one).luma for one in chosen)]
    stack = np.empty((len(planes), *window.centre.luma.shape), np.float32)
    for plane, out in zip(planes, stack, strict=True):
        np.multiply(plane, np.float32(1 / 255), out=out)
    return stack


def middle_of(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of a stack's neighbours, `(h, w)`; of one neighbour, itself. ValueError for a stack without."""
    others = stack[1:]
    if len(others) == 0:
        raise ValueError("a stack without neighbours has no middle")
    if len(others) != 4:
        return np.asarray(np.median(others, axis=0), np.float32)
    # The two middle ones of four, in six passes instead of a sort of every pixel.
    (a, b, c, d), half = others, np.float32(0.5)
    lower = np.maximum(np.minimum(a, b), np.minimum(c, d))
    lower += np.minimum(np.maximum(a, b), np.maximum(c, d))
    lower *= half
    return lower


def stand_in(there: dict[int, Neighbour], step: int) -> Neighbour:
    """The neighbour at a step, or the one that stands in for it: the other side's, then the nearest on its own side."""
    side = 1 if step > 0 else -1
    for other in (step, -step, side, -side):
        if other in there:
            return there[other]
    raise ValueError("a window without neighbours has no stack")
