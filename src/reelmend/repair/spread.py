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


def spread(sums: Floats, at: NDArray[np.intp], prior: float, rounds: int = 2) -> Floats:
    """A smooth field from weighted sums on a grid (Knutsson and Westin 1993, with a pyramid for large holes).

    `sums` is `(h, w, c + 1)`, sides multiples of 16: of each cell the sum of weighted samples, and last that of their
    weights. Each level averages over `rounds` 3 x 3 boxes; where the weight under them falls to `prior`, half of the
    estimate comes from the next coarser level, and in the end from the mean of all. Where there is no weight at all
    the field is 0. Returns the field at the places `at` `(m,)` of the flattened grid, `(c, m)`.
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
    for level in (2, 1, 0):
        total = pyramid[level]
        rows, columns = total.shape[:2]
        for _ in range(rounds):
            total = cv2.sepFilter2D(total, -1, _THREE, _THREE, borderType=cv2.BORDER_CONSTANT)
        if field.shape[:2] != (rows, columns):
            field = cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR)
        flat, below = field.reshape(-1, channels), total.reshape(-1, channels + 1)
        if level == 0:
            flat, below = np.take(flat, at, axis=0), np.take(below, at, axis=0)
        mixed = _mix(np.ascontiguousarray(below.T), np.ascontiguousarray(flat.T), prior, rounds)
        if level == 0:
            return mixed
        field = np.ascontiguousarray(mixed.T).reshape(rows, columns, channels)
    raise AssertionError("unreachable")


def _mix(below: Floats, coarser: Floats, prior: float, rounds: int) -> Floats:
    """The box sums `(c + 1, m)` turned into means, `prior` weight of the coarser level's `(c, m)` among them."""
    # What the boxes add up to: the weight of about (2 * rounds + 1)**2 cells, middle ones counted more.
    below *= np.float32(4 * np.pi * rounds * (2 / 3) / 9**rounds)
    coarser *= np.float32(prior)
    coarser += below[:-1]
    coarser /= below[-1] + np.float32(prior)
    return coarser
