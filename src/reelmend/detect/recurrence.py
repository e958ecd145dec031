"""Whether what was found in a frame comes back in its neighbours: dust does not, limbs, glints and birds do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelmend.detect.features import FEATURES, Blobs, Table
from reelmend.motion.warp import follow
from reelmend.motion.windows import Neighbour, Window

# How far a thing may fly in one frame, pixels at 640 wide: a ball across the picture in nine frames.
_TRAIL_REACH = 72.0

Others = tuple[Blobs | None, Blobs | None]
"""The blobs of the two pictures a frame was compared with; None where those had no pair of their own."""


def add_recurrence(blobs: Blobs, window: Window, pair: tuple[Neighbour, Neighbour], others: Others) -> Table:
    """The table with how much damage-like area lies nearby in the neighbours: dust does not come back, limbs do."""
    table = blobs.table.copy()
    if not blobs.count:
        return table
    near = np.zeros(blobs.count, np.float32)
    wide = np.zeros(blobs.count, np.float32)
    reach = 12.0 * blobs.scale + 0.5 * np.maximum(blobs.box[:, 2], blobs.box[:, 3])
    for neighbour, other in zip(pair, others, strict=True):
        if other is None or not other.count:
            continue
        mx, my = follow(neighbour.flow, blobs.x, blobs.y, window.centre.factor)
        far = np.hypot(other.x[None] - mx[:, None], other.y[None] - my[:, None])
        # To the other blob's edge, not to its middle.
        far -= 0.5 * np.maximum(other.box[:, 2], other.box[:, 3])[None]
        mass = np.minimum(other.area[None], 4 * blobs.area[:, None])
        near += np.where(far < reach[:, None], mass, 0).sum(1)
        wide += np.where(far < 3 * reach[:, None], mass, 0).sum(1)
    table[:, FEATURES.index("recurrence")] = near / blobs.area
    table[:, FEATURES.index("recurrence_wide")] = wide / blobs.area
    return table


def add_trail(
    table: Table,
    rows: NDArray[np.intp],
    blobs: Blobs,
    pair: tuple[Neighbour, Neighbour],
    others: Others,
    least: float = 0.0,
) -> None:
    """Fill in, for some blobs, how well each lies half-way between a like blob before and a like blob after.

    A bird, a ball or rain does. In place; the trees hold it against a blob, never for it, so it need only be known of
    blobs that would otherwise pass. `least`: how far away both must be, pixels of a frame 640 wide: dirt that sticks to
    the film lies half-way too, where it was and where it will be.
    """
    before, after = others
    if before is None or after is None or pair[0].step * pair[1].step > 0 or not rows.size:
        return
    near, limit = least * blobs.scale, _TRAIL_REACH * blobs.scale
    sides = []
    for other in (before, after):
        dx, dy = (getattr(other, axis)[None] - getattr(blobs, axis)[rows, None] for axis in ("x", "y"))
        far = np.hypot(dx, dy)
        sides.append((dx, dy, _likeness(blobs, rows, other) * ((far < limit) & (far >= near))))
    (bx, by, like_before), (ax, ay, like_after) = sides
    for n in np.flatnonzero(like_before.any(axis=1) & like_after.any(axis=1)):
        p, q = np.flatnonzero(like_before[n]), np.flatnonzero(like_after[n])
        miss = np.hypot(bx[n, p][:, None] + ax[n, q][None], by[n, p][:, None] + ay[n, q][None])
        close = np.exp(-((miss / (3.0 * blobs.scale)) ** 2))
        match = close * np.minimum(like_before[n, p][:, None], like_after[n, q][None])
        table[rows[n], FEATURES.index("trail")] = float(match.max())


def _likeness(one: Blobs, rows: NDArray[np.intp], other: Blobs) -> NDArray[np.float32]:
    """1 for blobs of equal sign, area and contrast, towards 0 as they differ, `(rows, other)`."""
    contrast = FEATURES.index("contrast_codes")
    size = np.abs(np.log2(one.area[rows])[:, None] - np.log2(other.area)[None])
    light = np.abs(np.log2(one.table[rows, contrast])[:, None] - np.log2(other.table[:, contrast])[None])
    same = one.sign[rows, None] == other.sign[None]
    return np.asarray(np.where(same & (size < 1.5) & (light < 1.0), np.exp(-size / 2 - light / 2), 0), np.float32)
