"""Filling from the surroundings in the same frame: what is left where no neighbour helps."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout, Mask
from reelmend.motion.windows import Window
from reelmend.repair.grow import footprint_touches
from reelmend.repair.promise import FilledBy, Repair, check_mask, untouched

Floats = NDArray[np.float32]

_RADIUS = 3


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
            np.asarray(~mask, np.float32),
        )


def fill_plane(plane: NDArray[Any], where: Mask) -> Floats:
    """A plane `(h, w)` with the samples of `where` filled from those around them, float32, code values.

    Samples that are not finite count as missing. Where nothing at all is known the values stay, made finite.
    """
    values = plane.astype(np.float32)
    missing = where
    if plane.dtype.kind == "f":
        strange = ~np.isfinite(values)
        if strange.any():
            missing = where | strange
            values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if missing.all() or not missing.any():
        return values
    top, bottom, left, right = _box(missing)
    part = np.ascontiguousarray(values[top:bottom, left:right])
    hole = np.ascontiguousarray(missing[top:bottom, left:right]).view(np.uint8)
    if hole.all():
        part[:] = part.mean()
    else:
        part = np.asarray(cv2.inpaint(part, hole, _RADIUS, cv2.INPAINT_NS), np.float32)
    values[top:bottom, left:right] = np.nan_to_num(part)
    return values


def _box(mask: Mask) -> tuple[int, int, int, int]:
    """The rows and columns that hold the mask and what a fill looks at around it."""
    margin = 2 * _RADIUS + 2
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        max(0, int(rows[0]) - margin),
        min(mask.shape[0], int(rows[-1]) + margin + 1),
        max(0, int(columns[0]) - margin),
        min(mask.shape[1], int(columns[-1]) + margin + 1),
    )


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


def fill_frame(frame: Frame, mask: Mask) -> list[Floats]:
    """Every colour plane filled, float32."""
    return [
        fill_plane(frame.planes[index], footprint_touches(mask, *frame.layout.subsampling(index)))
        for index in range(frame.layout.colour_planes)
    ]
