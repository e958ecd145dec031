"""How near a picture is to the truth: PSNR and SSIM, over all of it or over a region."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

SSIM_SIGMA = 1.5
SSIM_RADIUS = 5
"""Wang, Bovik, Sheikh and Simoncelli (2004): an 11 x 11 Gaussian window of standard deviation 1.5."""

SSIM_K1, SSIM_K2 = 0.01, 0.03
"""Same paper: constants that steady the ratios, as shares of the peak."""

LOW_PASS_SIGMA = 1.5
"""Pixels. Grain is finer than this, structure is not: after it, an error is one of structure."""


def mean_squared_error(result: NDArray[Any], truth: NDArray[Any], where: Mask | None = None) -> float | None:
    """Mean squared difference over the pixels of `where` (all when None), every channel of them; None when empty.

    `result` and `truth` are `(..., h, w)`, any real type, and `where` has their shape or broadcasts to it: so a
    mask of a frame serves for a whole clip. Raises ValueError when shapes do not fit.
    """
    error = _difference(result, truth) ** 2
    return _mean(error, where)


def psnr(result: NDArray[Any], truth: NDArray[Any], peak: float, where: Mask | None = None) -> float | None:
    """Peak signal-to-noise ratio in decibels over `where`; infinite for identical pixels, None when empty.

    `peak` is full scale in the arrays' unit: 255 for 8-bit code values, 1.0 for 0..1.
    """
    return decibels(mean_squared_error(result, truth, where), peak)


def low_passed_psnr(
    result: NDArray[Any], truth: NDArray[Any], peak: float, where: Mask, sigma: float = LOW_PASS_SIGMA
) -> float | None:
    """PSNR over `where` of the error after a Gaussian blur, for one plane `(h, w)`.

    Grain that was drawn afresh differs from the true grain in every pixel and costs PSNR although nobody sees it;
    the blurred error is what remains of the structure. The error is blurred over the whole plane (edges reflected)
    and then measured inside, so what lies just outside counts a little too.
    """
    return decibels(_mean(low_passed_error(result, truth, sigma) ** 2, where), peak)


def low_passed_error(result: NDArray[Any], truth: NDArray[Any], sigma: float = LOW_PASS_SIGMA) -> NDArray[np.float64]:
    """`result - truth` of one plane `(h, w)` after a Gaussian blur of `sigma` pixels, in the planes' unit."""
    error = _difference(result, truth)
    if error.ndim != 2:
        raise ValueError(f"one plane at a time, not an array of shape {error.shape}")
    radius = int(4 * sigma + 0.5)
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.GaussianBlur(error, size, sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float64)


def decibels(squared_error: float | None, peak: float) -> float | None:
    """A mean squared error as PSNR: None stays None, 0 becomes infinite."""
    if squared_error is None:
        return None
    return float("inf") if squared_error == 0 else float(10 * np.log10(peak**2 / squared_error))


def ssim_parts(
    result: NDArray[Any], truth: NDArray[Any], peak: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Luminance, and contrast times structure, around every pixel of one plane `(h, w)`; their product is SSIM.

    The window of Wang et al. (2004), edges reflected, population moments (no sample correction).
    """
    if result.shape != truth.shape or result.ndim != 2:
        raise ValueError(f"two planes of one shape are needed, not {result.shape} and {truth.shape}")
    x, y = result.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    both = _window(x * y) - mean_x * mean_y
    c1, c2 = (SSIM_K1 * peak) ** 2, (SSIM_K2 * peak) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * both + c2) / (var_x + var_y + c2)


def ssim_map(result: NDArray[Any], truth: NDArray[Any], peak: float) -> NDArray[np.float64]:
    """Structural similarity around every pixel of one plane `(h, w)`, -1..1."""
    luminance, structure = ssim_parts(result, truth, peak)
    return luminance * structure


def ssim(result: NDArray[Any], truth: NDArray[Any], peak: float, where: Mask | None = None) -> float | None:
    """Mean of `ssim_map` over `where`; None when empty.

    Over all of the plane a border of five pixels is left out, as the authors do: there the window is not whole.
    """
    similarity = ssim_map(result, truth, peak)
    if where is not None:
        return _mean(similarity, where)
    inner = similarity[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS]
    return _mean(inner, None)


def _difference(result: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
    if result.shape != truth.shape:
        raise ValueError(f"pictures of {result.shape} and {truth.shape} cannot be compared")
    return result.astype(np.float64) - truth.astype(np.float64)


def _mean(values: NDArray[np.float64], where: Mask | None) -> float | None:
    chosen = values if where is None else values[np.broadcast_to(where, values.shape)]
    return float(chosen.mean()) if chosen.size else None


def _window(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    size = (2 * SSIM_RADIUS + 1, 2 * SSIM_RADIUS + 1)
    return np.asarray(cv2.GaussianBlur(plane, size, SSIM_SIGMA, borderType=cv2.BORDER_REFLECT))
