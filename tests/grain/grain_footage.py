"""Footage with grain that is known exactly: a smooth procedural picture plus filtered noise."""

from __future__ import annotations

import cv2
import numpy as np

from reelmend.film import Frame, Layout

GRAY8 = Layout("gray", 8)
LAYOUTS = {
    "gray8": GRAY8,
    "gray16": Layout("gray", 16),
    "yuv420p8": Layout("yuv", 8, sub_x=1, sub_y=1),
    "yuv422p10": Layout("yuv", 10, sub_x=1),
    "yuv444p16": Layout("yuv", 16),
    "rgb8": Layout("rgb", 8),
    "rgb10": Layout("rgb", 10),
    "rgb-half": Layout("rgb", 16, is_float=True),
    "rgba-float": Layout("rgb", 32, is_float=True, alpha=True),
}


def picture(height: int, width: int, low: float = 0.15, high: float = 0.85) -> np.ndarray:
    """Smooth shading between `low` and `high`, `(height, width)`."""
    y, x = np.mgrid[:height, :width] / max(height, width, 64)
    wave = 0.5 + 0.25 * np.sin(3.1 * x + 1) + 0.25 * np.cos(4.3 * y + 2 * x)
    return low + (high - low) * wave


def unit_grain(height: int, width: int, size: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of unit variance, blurred by a Gaussian of `size` samples (0: white)."""
    noise = rng.standard_normal((height + 32, width + 32))
    if size:
        noise = cv2.GaussianBlur(noise, (0, 0), size)
    noise = noise[16:-16, 16:-16]
    x = np.arange(-40, 41)
    weights = np.exp(-(x**2) / (2 * size**2)) if size else (x == 0).astype(float)
    weights /= weights.sum()
    return noise / (weights**2).sum()


def strength(level: np.ndarray, sigma: float) -> np.ndarray:
    """Standard deviation by brightness: strongest in the middle, `sigma` there."""
    return sigma * (0.5 + 2 * level * (1 - level))


def clean_planes(layout: Layout, height: int, width: int) -> list[np.ndarray]:
    """Picture planes in 0..1, one a plane of the layout."""
    base = picture(height, width)
    planes = []
    for plane in range(len(layout.planes)):
        rows, columns = layout.plane_shape(plane, height, width)
        sub_x, sub_y = layout.subsampling(plane)
        level = base[:: 1 << sub_y, :: 1 << sub_x][:rows, :columns]
        planes.append(level if layout.family != "yuv" or plane == 0 else 0.4 + 0.2 * level)
    return planes


def grain_planes(
    layout: Layout, height: int, width: int, sigma: float, size: float, rng: np.random.Generator, together: float = 0.0
) -> list[np.ndarray]:
    """Grain planes in 0..1 units; `together` is the correlation between planes of the same size."""
    shared = unit_grain(height, width, size, rng)
    level = picture(height, width)
    planes = []
    for plane in range(layout.colour_planes):
        rows, columns = layout.plane_shape(plane, height, width)
        sub_x, sub_y = layout.subsampling(plane)
        own = unit_grain(rows, columns, size, rng)
        if own.shape == shared.shape:
            own = together**0.5 * shared + (1 - together) ** 0.5 * own
        planes.append(own * strength(level[:: 1 << sub_y, :: 1 << sub_x][:rows, :columns], sigma))
    if layout.alpha:
        planes.append(np.zeros((height, width)))
    return planes


def coded(layout: Layout, planes: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Planes in 0..1 as the layout's own samples."""
    if layout.is_float:
        return tuple(plane.astype(layout.dtype) for plane in planes)
    return tuple(np.clip(np.rint(plane * layout.peak), 0, layout.peak).astype(layout.dtype) for plane in planes)


def frame(layout: Layout, planes: list[np.ndarray], index: int = 7) -> Frame:
    return Frame(index, coded(layout, planes), layout)


def specks(
    height: int, width: int, count: int, rng: np.random.Generator, radius: tuple[int, int] = (4, 8)
) -> np.ndarray:
    """A mask of discs and hairs, some over the border."""
    mask = np.zeros((height, width), np.uint8)
    for number in range(count):
        at = int(rng.integers(width)), int(rng.integers(height))
        if number % 6 == 5:
            to = at[0] + int(rng.integers(-60, 60)), at[1] + int(rng.integers(-60, 60))
            cv2.line(mask, at, to, 1, 7)
        else:
            cv2.circle(mask, at, int(rng.integers(*radius)), 1, -1)
    return mask.astype(bool)


def sample_mask(mask: np.ndarray, layout: Layout, plane: int) -> np.ndarray:
    """Samples of a plane whose footprint touches the mask, worked out the slow way."""
    sub_x, sub_y = layout.subsampling(plane)
    rows, columns = layout.plane_shape(plane, *mask.shape)
    touched = np.zeros((rows, columns), bool)
    for y, x in zip(*np.nonzero(mask), strict=True):
        touched[y >> sub_y, x >> sub_x] = True
    return touched


def repaired_frame(scan: Frame, values: list[np.ndarray], mask: np.ndarray) -> Frame:
    """The scan with other values (0..1) where the mask touches a sample."""
    planes = []
    for plane, (own, new) in enumerate(zip(scan.planes, coded(scan.layout, values), strict=True)):
        inside = sample_mask(mask, scan.layout, plane)
        if scan.layout.alpha and plane == len(scan.planes) - 1:
            inside[:] = False
        planes.append(np.where(inside, new, own))
    return scan.with_planes(tuple(planes))


def shifted(grain: np.ndarray, dy: float, dx: float) -> np.ndarray:
    """Grain moved by a fraction of a sample with linear interpolation, as warping a neighbour does."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    return cv2.warpAffine(grain.astype(np.float32), matrix, grain.shape[::-1], borderMode=cv2.BORDER_REFLECT)


def residual(values: np.ndarray, clean: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return values.astype(np.float64)[inside] - clean[inside]


def radial_spectrum(patches: np.ndarray, bins: int = 5) -> np.ndarray:
    """Radially averaged power of patches `(n, b, b)`, Hann-windowed, in rings of equal width up to Nyquist."""
    size = patches.shape[1]
    window = np.hanning(size + 2)[1:-1]
    windowed = (patches - patches.mean(axis=(1, 2), keepdims=True)) * window[:, None] * window
    power = (np.abs(np.fft.fft2(windowed)) ** 2).mean(axis=0)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    ring = np.minimum((frequency / 0.5 * bins).astype(int), bins)
    kept = (ring < bins) & (frequency > 0)
    return np.bincount(ring[kept], power[kept], bins)[:bins] / np.bincount(ring[kept], minlength=bins)[:bins]
