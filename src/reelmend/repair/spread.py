"""Carrying what is known outside the damage into it: normalised convolution on a coarse grid, coarse to fine."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SHRINK = 4
"""How much coarser each level is than the one below."""
_LEVELS = 3
_THREE = np.ones(3, np.float32)


def spread(sums: Floats, at: NDArray[np.intp], prior: float, fine: bool = True) -> Floats:
    """A smooth field from weighted sums on a grid (Knutsson and Westin 1993, with a pyramid for large holes).

    `sums` is `(h, w, c + 1)`, sides multiples of 16: of each cell the sum of weighted samples, and last that of their
    weights. Each level averages over 3 x 3 boxes; where the weight under them falls to `prior`, half of the estimate
    comes from the next coarser level, and in the end from the mean of all. Without `fine` the grid's own level is left
    out. Where there is no weight at all the field is 0. Returns the field at the places `at` `(m,)` of the flattened
    grid, `(c, m)`.
    """
    pyramid = [sums]
    for _ in range(_LEVELS - 1):
        above = pyramid[-1]
        size = (above.shape[1] // _SHRINK, above.shape[0] // _SHRINK)
        # Sums, not means: a cell of the next level holds all the weight below it.
        coarse = cv2.resize(above, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
        pyramid.append(coarse * np.float32(_SHRINK**2))
    channels = sums.shape[2] - 1
    last = pyramid[-1].sum(axis=(0, 1))
    field = np.zeros((*pyramid[-1].shape[:2], channels), np.float32)
    field += last[:channels] / max(float(last[channels]), 1e-6)
    for total in pyramid[:0:-1]:
        rows, columns = total.shape[:2]
        mixed = _mix(_boxes(total).T, _larger(field, rows, columns).T, prior)
        field = np.ascontiguousarray(mixed.T).reshape(rows, columns, channels)
    coarser = np.ascontiguousarray(np.take(_larger(field, *sums.shape[:2]), at, axis=0).T)
    return _mix(np.take(_boxes(sums), at, axis=0).T, coarser, prior) if fine else coarser


def _boxes(total: Floats) -> Floats:
    """Sums over 3 x 3 boxes, `(h w, c)`. (`boxFilter` does the same in double precision, half as fast again.)"""
    return cv2.sepFilter2D(total, -1, _THREE, _THREE, borderType=cv2.BORDER_CONSTANT).reshape(-1, total.shape[2])


def _larger(field: Floats, rows: int, columns: int) -> Floats:
    """The field interpolated to a size, `(rows columns, c)`."""
    channels = field.shape[2]
    if field.shape[:2] != (rows, columns):
        field = np.asarray(cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32)
    return field.reshape(-1, channels)


def _mix(below: Floats, coarser: Floats, prior: float) -> Floats:
    """The box sums `(c + 1, m)` turned into means, `prior` weight of the coarser level's `(c, m)` among them."""
    below = np.ascontiguousarray(below)
    mixed = np.ascontiguousarray(coarser) * np.float32(prior)
    mixed += below[:-1]
    mixed /= below[-1] + np.float32(prior)
    return mixed
