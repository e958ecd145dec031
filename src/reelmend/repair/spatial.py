"""Filling from the surroundings in the same frame: what is left where no neighbour helps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Layout, Mask
from reelmend.motion.windows import Window
from reelmend.repair.cells import touched_cells
from reelmend.repair.grow import footprint_touches
from reelmend.repair.promise import FilledBy, Repair, check_mask, untouched

Floats = NDArray[np.float32]

_RADIUS = 2
"""Samples that the fill looks at around each. Inside simulated damage radii 1, 2, 3 and 6 gave 26.3, 26.4, 26.5 and
26.5 dB, and 32.0, 31.8, 31.5 and 31.2 dB with the error low-passed; Telea's method (2004) 0.2 to 0.9 dB less."""
_MARGIN = 2 * _RADIUS + 2
_BLOB_CELL = 8
"""Blobs nearer to each other than this, in samples, are filled together."""


class SpatialRepairer:
    """Navier-Stokes inpainting (Bertalmio et al. 2001, OpenCV's) of every plane by itself."""

    name = "spatial"

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        frame = window.centre.frame
        planes = list(frame.planes)
        for index in range(frame.layout.colour_planes):
            where = footprint_touches(mask, *frame.layout.subsampling(index))
            filled = fill_plane(planes[index], where)
            planes[index] = put(planes[index], filled, where, frame.layout)
        return Repair(
            frame.with_planes(tuple(planes)),
            mask.astype(np.float32),
            np.where(mask, np.uint8(FilledBy.SPATIAL), np.uint8(FilledBy.UNTOUCHED)),
        )


def fill_plane(plane: NDArray[Any], where: Mask) -> Floats:
    """The samples of `where` filled from those around them, float32 code values `(h, w)`; the rest is 0.

    Samples that are not finite count as missing. Where nothing at all is known the values stay, made finite.
    """
    height, width = plane.shape
    out = np.zeros(plane.shape, np.float32)
    held = touched_cells(where, _BLOB_CELL)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(held.view(np.uint8), connectivity=8)
    for blob in range(1, count):
        x, y, across, down = (boxes[blob, :4] * _BLOB_CELL).tolist()
        box = (slice(y, min(height, y + down)), slice(x, min(width, x + across)))
        top, left = min(y, _MARGIN), min(x, _MARGIN)
        part = (slice(y - top, y + down + _MARGIN), slice(x - left, x + across + _MARGIN))
        filled = _inpaint(plane[part], where[part])[top:, left:]
        rows, columns = out[box].shape
        within = labels[y // _BLOB_CELL :, x // _BLOB_CELL :][: boxes[blob, 3], : boxes[blob, 2]] == blob
        own = np.repeat(np.repeat(within, _BLOB_CELL, axis=0), _BLOB_CELL, axis=1)[:rows, :columns] & where[box]
        out[box][own] = filled[:rows, :columns][own]
    return out


def _inpaint(part: NDArray[Any], missing: Mask) -> Floats:
    values = part.astype(np.float32)
    if part.dtype.kind == "f":
        strange = ~np.isfinite(values)
        values[strange] = 0
        missing = missing | strange
    if missing.all():
        return values
    hole = np.ascontiguousarray(missing).view(np.uint8)
    filled = np.asarray(cv2.inpaint(values, hole, _RADIUS, cv2.INPAINT_NS), np.float32)
    return np.nan_to_num(filled) if part.dtype.kind == "f" else filled


def to_codes(values: Floats, layout: Layout) -> NDArray[Any]:
    """Values as code values of the layout: integers rounded and clipped, floating point in its own width."""
    if layout.is_float:
        limit = np.finfo(layout.dtype).max
        return np.clip(np.nan_to_num(values), -limit, limit).astype(layout.dtype)
    return np.clip(np.rint(values), 0, layout.peak).astype(layout.dtype)


def put(plane: NDArray[Any], values: Floats, where: Mask, layout: Layout) -> NDArray[Any]:
    """A copy of the plane with `values` in `where`; every other sample keeps its bits."""
    out = plane.copy()
    out[where] = to_codes(values[where], layout)
    return out
