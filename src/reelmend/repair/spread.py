"""Carrying what is known outside the damage into it: normalised convolution on a coarse grid, coarse to fine."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def spread(total: Floats, weight: Floats, prior: float, sigma: float = 1.5, levels: int = 4) -> Floats:
    """A smooth field from weighted sums on a grid (Knutsson and Westin 1993, with a pyramid for large holes).

    `total` is `(h, w, c)`, the sum of weighted samples of each cell, `weight` `(h, w, c)` or `(h, w, 1)` the sum of
    their weights. Where the weight within about `2 * sigma` cells falls to `prior`, half of the estimate comes from the next
    coarser level, and in the end from the mean of all. Where there is no weight at all the field is 0.
    Returns `(h, w, c)`.
    """
    height, width, channels = total.shape
    if weight.shape != total.shape:
        weight = np.broadcast_to(weight, total.shape)
    everywhere = weight.sum(axis=(0, 1))
    mean = total.sum(axis=(0, 1)) / np.maximum(everywhere, 1e-6)
    both = np.concatenate([total, weight], axis=2)
    pyramid = [both]
    for _ in range(levels - 1):
        above = pyramid[-1]
        rows, columns = -(-above.shape[0] // 2), -(-above.shape[1] // 2)
        if min(rows, columns) < 4:
            break
        # Sums, not means: a cell of the next level holds all the weight below it.
        padded = np.zeros((rows * 2, columns * 2, above.shape[2]), np.float32)
        padded[: above.shape[0], : above.shape[1]] = above
        pyramid.append(padded[0::2, 0::2] + padded[1::2, 0::2] + padded[0::2, 1::2] + padded[1::2, 1::2])
    field = np.broadcast_to(mean, pyramid[-1].shape[:2] + (channels,)).astype(np.float32)
    kernel = 4.0 * np.pi * sigma * sigma
    for level in reversed(pyramid):
        rows, columns = level.shape[:2]
        blurred = np.asarray(cv2.GaussianBlur(level, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), np.float32)
        blurred = blurred.reshape(rows, columns, -1) * np.float32(kernel)
        if field.shape[:2] != (rows, columns):
            coarse = cv2.resize(field, (field.shape[1] * 2, field.shape[0] * 2), interpolation=cv2.INTER_LINEAR)
            field = coarse.reshape(coarse.shape[0], coarse.shape[1], channels)[:rows, :columns]
        field = (blurred[..., :channels] + np.float32(prior) * field) / (blurred[..., channels:] + np.float32(prior))
    return np.ascontiguousarray(field, np.float32)
