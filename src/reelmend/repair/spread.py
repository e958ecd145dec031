"""Carrying what is known outside the damage into it: normalised convolution on a coarse grid, coarse to fine."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def spread(total: Floats, weight: Floats, prior: float, rounds: int = 2, levels: int = 4) -> Floats:
    """A smooth field from weighted sums on a grid (Knutsson and Westin 1993, with a pyramid for large holes).

    `total` is `(h, w, c)`, the sum of weighted samples of each cell, `weight` `(h, w, 1)` that of their weights. Each
    level averages over `rounds` 3 x 3 boxes; where the weight under them falls to `prior`, half of the estimate comes
    from the next coarser level, and in the end from the mean of all. Where there is no weight at all the field is 0.
    Returns `(h, w, c)`.
    """
    channels = total.shape[2]
    pyramid = [np.concatenate([total, weight], axis=2)]
    for _ in range(levels - 1):
        above = pyramid[-1]
        rows, columns = -(-above.shape[0] // 2), -(-above.shape[1] // 2)
        if min(rows, columns) < 4:
            break
        if above.shape[:2] != (rows * 2, columns * 2):
            above = np.pad(above, ((0, rows * 2 - above.shape[0]), (0, columns * 2 - above.shape[1]), (0, 0)))
        # Sums, not means: a cell of the next level holds all the weight below it.
        pyramid.append(4 * cv2.resize(above, (columns, rows), interpolation=cv2.INTER_AREA))
    last = pyramid[-1].sum(axis=(0, 1))
    field = np.empty((*pyramid[-1].shape[:2], channels), np.float32)
    field[:] = last[:channels] / np.maximum(last[channels:], 1e-6)
    for level in reversed(pyramid):
        rows, columns = level.shape[:2]
        for _ in range(rounds):
            level = cv2.boxFilter(level, -1, (3, 3), normalize=False, borderType=cv2.BORDER_REFLECT_101)
        # What the boxes add up to: the weight of about (2 * rounds + 1)**2 cells, middle ones counted more.
        level *= np.float32(4 * np.pi * rounds * (2 / 3) / 9**rounds)
        if field.shape[:2] != (rows, columns):
            finer = cv2.resize(field, (field.shape[1] * 2, field.shape[0] * 2), interpolation=cv2.INTER_LINEAR)
            field = finer.reshape(*finer.shape[:2], channels)[:rows, :columns]
        level = level.reshape(rows, columns, channels + 1)
        field = (level[..., :channels] + np.float32(prior) * field) / (level[..., channels:] + np.float32(prior))
    return field
