"""Follows a scratch that was drawn in one frame through others, in which it wanders to either side.

A scratch is a line all along which brightness steps aside, whatever the scene shows there: the median over its length
of what lies across it. Its place in every frame is the path of the least cost (Viterbi 1967) of how unlike that profile
is to the one in the frame it was drawn in, and how far it jumps; so it stays on course where it cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.edits.operations import Line

FURTHEST = 16.0
"""Pixels to either side of where it was drawn."""

STEP = 0.5
"""Pixels between places."""

AROUND = 3.0
"""Pixels beside a line that its profile holds besides the line."""

STRAY = 0.2
"""Cost of a jump of one pixel, in units of unlikeness (1 minus the correlation)."""

MOST_SAMPLES = 512
"""Along a line."""

Floats = NDArray[np.float64]


def follow_line(line: Line, drawn: int, pictures: Iterable[NDArray[np.uint8]]) -> Line:
    """The line with its shifts; the same where it has no length.

    `pictures` are the frames of the line's stretch in their order, luma `(h, w)`; where they end early the last shift
    stays. `drawn` is the frame in which it was drawn: there its shift is 0. Raises ValueError for a frame that is not
    in the stretch.
    """
    if drawn not in line.frames:
        raise ValueError(f"frame {drawn} is not in {line.frames}")
    reach = round((line.width / 2 + AROUND) / STEP)
    places = round(FURTHEST / STEP)
    profiles = [_profile(line, picture, places + reach) for picture in pictures]
    at = drawn - line.first
    if not line.across().any() or at >= len(profiles):
        return line
    wanted = profiles[at][places : places + 2 * reach + 1]
    costs = np.stack([_unlike(profile, wanted) for profile in profiles])
    costs[at] = np.inf
    costs[at, places] = 0
    path = _cheapest(costs)
    shifts = (path - places) * STEP
    late = np.full(len(line.frames) - len(shifts), shifts[-1])
    return line.model_copy(update={"shifts": tuple(np.concatenate([shifts, late]).tolist())})


def _profile(line: Line, picture: NDArray[np.uint8], reach: int) -> Floats:
    """What lies across the line, `(2 reach + 1,)`: medians along it, less what is around."""
    start, end = np.array(line.start), np.array(line.end)
    count = int(np.clip(np.hypot(*(end - start)), 2, MOST_SAMPLES))
    along = start + np.linspace(0, 1, count)[:, None] * (end - start)
    height, width = picture.shape
    inside = ((along >= 0) & (along <= [width - 1, height - 1])).all(axis=1)
    if not inside.any():
        return np.zeros(2 * reach + 1)
    offsets = np.arange(-reach, reach + 1) * STEP
    where = (along[inside][:, None] + offsets[:, None] * line.across()).astype(np.float32)
    seen = cv2.remap(
        picture, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)  # fmt: skip
    middle = np.median(seen - np.median(seen, axis=1, keepdims=True), axis=0)
    # A slope of the scene's is none of the line's.
    wide = 2 * round(2 * (line.width / 2 + AROUND) / STEP) + 1
    return np.asarray(middle - cv2.blur(middle[None], (wide, 1), borderType=cv2.BORDER_REPLICATE)[0])


def _unlike(profile: Floats, wanted: Floats) -> Floats:
    """One minus the normalised correlation at every place, 0..2; 1 where there is nothing to be like."""
    windows = np.lib.stride_tricks.sliding_window_view(profile, len(wanted))
    windows = windows - windows.mean(axis=1, keepdims=True)
    wanted = wanted - wanted.mean()
    size = np.sqrt((windows**2).sum(axis=1) * (wanted**2).sum())
    # A profile fainter than the line's own counts for less: noise is like anything.
    floor = max(float((wanted**2).sum()), 1e-6)
    return np.asarray(1 - windows @ wanted / np.maximum(size, floor))


def _cheapest(costs: Floats) -> NDArray[np.intp]:
    """The path of the least sum of costs `(frames, places)` and jumps, a place for each frame."""
    places = np.arange(costs.shape[1])
    jumps = STRAY * STEP * np.abs(places[:, None] - places)
    total, came = costs[0], []
    for cost in costs[1:]:
        ways = total[:, None] + jumps
        came.append(ways.argmin(axis=0))
        total = ways.min(axis=0) + cost
    path = [int(total.argmin())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])
