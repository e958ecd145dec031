"""Structural similarity over five scales: MS-SSIM.

Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment" (Asilomar 2003). Fine
scales see grain and edges, coarse ones the shapes of things: one figure for what is looked at from near and from far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.evaluate.fidelity import SSIM_RADIUS, ssim_parts
from reelmend.film import Mask

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, finest first: the paper's, found by experiment with people."""

SMALLEST = 2 * SSIM_RADIUS * 2 ** (len(WEIGHTS) - 1) + 1
"""Pixels that the shorter side needs, so that the window fits into the coarsest scale."""


def ms_ssim(result: NDArray[Any], truth: NDArray[Any], peak: float, where: Mask | None = None) -> float | None:
    """MS-SSIM of one plane `(h, w)`, 0..1; None when the plane is smaller than `SMALLEST` or `where` is empty.

    Over all of the plane, a border of five pixels is left out at every scale, as the authors do. With `where`, every
    scale is averaged with the share of each of its pixels that lies in `where`: for a speck, the coarse scales tell
    of its neighbourhood too. Negative averages of structure, which have no power, count as 0.

    `peak` is full scale in the planes' unit. Raises ValueError when shapes do not fit.
    """
    return ms_ssim_of_regions(result, truth, peak, [where])[0]


def ms_ssim_of_regions(
    result: NDArray[Any],
    truth: NDArray[Any],
    peak: float,
    regions: Sequence[Mask | None],
    finest: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> list[float | None]:
    """`ms_ssim` of several regions (None = everywhere) for the work of one.

    `finest` is what `ssim_parts` gives for the planes, where it is known already.
    """
    if result.shape != truth.shape or result.ndim != 2:
        raise ValueError(f"two planes of one shape are needed, not {result.shape} and {truth.shape}")
    for where in regions:
        if where is not None and where.shape != result.shape:
            raise ValueError(f"a mask of {where.shape} does not fit a plane of {result.shape}")
    if min(result.shape) < SMALLEST:
        return [None] * len(regions)
    x, y = result.astype(np.float64), truth.astype(np.float64)
    shares = [None if where is None else where.astype(np.float64) for where in regions]
    products: list[float | None] = [None if where is not None and not where.any() else 1.0 for where in regions]
    for scale, exponent in enumerate(WEIGHTS):
        luminance, structure = finest if scale == 0 and finest is not None else ssim_parts(x, y, peak)
        coarsest = scale == len(WEIGHTS) - 1
        similar = luminance * structure if coarsest else structure
        products = [
            None if product is None else product * max(0.0, _mean(similar, share)) ** exponent
            for product, share in zip(products, shares, strict=True)
        ]
        if not coarsest:
            x, y = _halved(x), _halved(y)
            shares = [None if share is None else _halved(share) for share in shares]
    return products


def _mean(values: NDArray[np.float64], share: NDArray[np.float64] | None) -> float:
    if share is None:
        return float(values[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS].mean())
    return float(np.average(values, weights=share))


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of 2 x 2 pixels; an odd last row or column is repeated, as the authors' symmetric filter does."""
    height, width = plane.shape
    even = cv2.copyMakeBorder(plane, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4)
