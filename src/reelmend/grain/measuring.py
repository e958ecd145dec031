"""Measuring the grain of one frame from its flat, undamaged blocks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Frame, Layout, Mask
from reelmend.grain.blocks import Blocks, choose_blocks, cut
from reelmend.grain.cells import coarse_mask
from reelmend.grain.profile import WHITE, GrainProfile, PlaneGrain, no_grain

Floats = NDArray[np.float32]

_BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16
_HIGH_PASS = -np.outer(_BINOMIAL, _BINOMIAL)
_HIGH_PASS[2, 2] += 1
_HIGH_PASS_WHITE = float((_HIGH_PASS**2).sum())
_HIGH_PASS_POWER = np.abs(np.fft.fft2(_HIGH_PASS, (32, 32))) ** 2

FLOOR = 2.0
"""Grain below this many times the variance of rounding (step**2 / 12) cannot be told from rounding: it counts as
none, so that clean digital pictures and drawings get nothing added."""

QUARTILE_DEVIATE = 0.6745
"""The lower quartile of a normal distribution lies this many standard deviations below its middle."""

GROUP_BLOCKS = 12
"""Blocks that make one point of the curve of strength by brightness."""

STILL = 0.25
"""Part of the blocks between black and white that have no grain, above which none counts as having any: edges and
texture of a clean picture would be left to measure. Black and white are left out, where grain is clipped."""

COARSEST = 1.6
"""Blocks with this many times the lower quartile's ratio of low to high frequencies hold picture."""

FAINT = 0.3
"""Where the density is below this part of its mean, it is taken to be the same in all directions."""

LAGS = {32: 12, 16: 6, 8: 3}
"""Autocovariance lags that a block of a side can tell."""


def high_pass(blocks: Floats) -> Floats:
    """Blocks `(n, b, b)` minus their 5 x 5 binomial blur, without the border of 2: `(n, b-4, b-4)`."""
    count, size, _ = blocks.shape
    stacked = blocks.reshape(count * size, size)
    blurred = cv2.sepFilter2D(stacked, cv2.CV_32F, _BINOMIAL, _BINOMIAL)
    return np.ascontiguousarray((stacked - blurred).reshape(blocks.shape)[:, 2:-2, 2:-2])


def code_step(samples: Floats) -> float:
    """Distance of the integer code values in use: 8-bit pictures in 16-bit planes step by 256 or 257."""
    flat = samples.reshape(-1)[:: max(1, samples.size // 4096)].astype(np.int64)
    step = int(np.gcd.reduce(flat - flat[0]))
    # All alike says nothing about steps, and no source has fewer than 4 bits.
    return float(step) if 1 <= step <= 4096 else 1.0


def _steps(blocks: Floats, layout: Layout) -> tuple[float, float]:
    """Step of a plane's code values (0 for floating point), and the step whose rounding grain must stand out of."""
    if layout.is_float:
        middle = float(np.nan_to_num(np.median(np.abs(blocks[:, ::4, ::4])), posinf=1.0))
        # Half precision has 10 bits after the leading one; what it cannot hold nobody sees in single precision.
        return 0.0, 2.0 ** (np.floor(np.log2(max(middle, 2.0**-14))) - 10)
    step = code_step(blocks) if layout.bits > 8 else 1.0
    return step, step


def _variance_spread(spectrum: Floats, samples: int) -> float:
    """Relative standard deviation of the high-pass variance of a block of so many samples, for Gaussian grain."""
    passed = spectrum * _HIGH_PASS_POWER
    squares = float((passed**2).mean()) / max(float(passed.mean()) ** 2, 1e-20)
    return min(float(np.sqrt(2 * squares / samples)), 0.9)


def _quartile(values: NDArray[np.floating]) -> float:
    """The lower quartile; numpy's own takes ten times as long on a dozen values."""
    ordered = np.sort(values)
    place = 0.25 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def _curve(level: Floats, variance: Floats, spread: float) -> tuple[Floats, Floats]:
    """High-pass variance by brightness, robust against blocks that hold texture: points, variances.

    Texture only ever adds, so a group's grain is read from its lower quartile, put back to the middle by what the
    quartile of pure grain would be. A second pass works on ratios to the first, or the quartile of a group would
    mistake the slope of the curve inside the group for scatter.
    """
    order = np.argsort(level, kind="stable")
    groups = np.array_split(order, max(1, min(8, len(order) // GROUP_BLOCKS)))
    points = np.array([np.median(level[group]) for group in groups], np.float32)
    points, unique = np.unique(points, return_index=True)
    groups = [groups[index] for index in unique]
    middle = 1 - QUARTILE_DEVIATE * spread
    found = np.array([_quartile(variance[group]) for group in groups]) / middle
    if len(groups) > 1 and found.min() > 0:
        ratio = variance / np.interp(level, points, found)
        found = found * np.array([_quartile(ratio[group]) for group in groups]) / middle
        padded = np.pad(found, 1, mode="edge")
        found = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return points, found.astype(np.float32)


@lru_cache(maxsize=16)
def _polynomials(size: int, degree: int) -> Floats:
    """Orthonormal basis of the polynomials of a degree over a square block, `(count, size * size)`."""
    y, x = (axis.reshape(-1) for axis in np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j])
    powers = [y**i * x**j for i in range(degree + 1) for j in range(degree + 1 - i)]
    basis: Floats = np.linalg.qr(np.stack(powers, axis=1))[0].T.astype(np.float32)
    return basis


def _levelled(blocks: Floats, degree: int) -> Floats:
    """Blocks `(n, b, b)` without the polynomial of a degree that fits them best."""
    basis = _polynomials(blocks.shape[1], degree)
    values = blocks.reshape(len(blocks), -1)
    # The first sample goes first: differences keep float32 exact for 16-bit codes.
    values = values - values[:, :1]
    values -= (values @ basis.T) @ basis
    return values.reshape(blocks.shape)


@lru_cache(maxsize=8)
def _rings(size: int) -> NDArray[np.intp]:
    """Distance of each DFT frequency from zero, in whole steps."""
    frequency = np.fft.fftfreq(size) * size
    return np.rint(np.hypot(frequency[:, None], frequency)).astype(np.intp)


@lru_cache(maxsize=8)
def _windows(size: int, lags: int) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """The window of a block; what it makes of each lag; how lags fade; which lags are far."""
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    taper = np.correlate(window, window, "full")[size - 1 - lags : size + lags] / (window**2).sum()
    steps = np.arange(-lags, lags + 1)
    distance = np.hypot(steps[:, None], steps)
    fade = 0.5 + 0.5 * np.cos(np.pi * np.clip(2 * distance / (lags + 1) - 1, 0, 1))
    arrays = [np.outer(each, each).astype(np.float32) for each in (window, taper)]
    return arrays[0], arrays[1], fade.astype(np.float32), (distance > 0.75 * lags) & (distance <= lags)


def _density(blocks: Floats, weight: Floats, rounding: float) -> Floats:
    """Power spectral density of levelled blocks `(n, b, b)`, each brought to like variance by `weight` `(n,)`; mean 1.

    A windowed block's spectrum is smeared by the window, which flattens the peak of coarse grain; dividing the window
    out of the autocovariance sharpens it, but spreads estimation noise evenly, which drowns the faint high
    frequencies of coarse grain. There the noise is averaged away along circles of equal frequency.
    """
    size = blocks.shape[1]
    lags = LAGS[32 if size >= 32 else 16 if size >= 16 else 8]
    window, taper, fade, far = _windows(size, lags)
    half = np.fft.rfft2(blocks * np.sqrt(weight)[:, None, None] * window)
    one_side = (half.real**2 + half.imag**2).mean(axis=0) / (window**2).sum()
    rest = one_side[-np.arange(size) % size][:, size // 2 - 1 : 0 : -1]
    power = np.concatenate([one_side, rest], axis=1)
    smeared = power - rounding
    circular = np.fft.fftshift(np.fft.ifft2(power).real)
    middle = size // 2
    near = slice(middle - lags, middle + lags + 1)
    covariance = circular[near, near] / taper
    # Taking out each block's mean and slope lowered all lags alike; far lags of grain are zero.
    covariance -= covariance[far].mean()
    covariance[lags, lags] -= rounding
    if covariance[lags, lags] <= 0:
        return WHITE
    full = np.zeros((size, size))
    full[near, near] = covariance * fade
    sharpened = np.fft.fft2(np.fft.ifftshift(full)).real
    ring = _rings(size)
    faint = smeared < FAINT * smeared.mean()
    sums = np.bincount(ring[faint], sharpened[faint], ring.max() + 1)
    along = sums / np.maximum(np.bincount(ring[faint], minlength=ring.max() + 1), 1)
    density = np.maximum(np.where(faint, np.minimum(along[ring], smeared), sharpened), 0)
    mean = float(density.mean())
    normal: Floats = (density / mean).astype(np.float32) if mean > 0 else WHITE
    return normal


def _shrunk(blocks: Floats, factor: tuple[int, int]) -> Floats:
    down, across = factor
    count, size = blocks.shape[:2]
    shrunk = cv2.resize(
        blocks.reshape(count * size, size), (size // across, count * size // down), interpolation=cv2.INTER_AREA
    )
    return np.asarray(shrunk, dtype=np.float32).reshape(count, size // down, size // across)


def _plane_blocks(frame: Frame, plane: int, blocks: Blocks) -> Floats | None:
    """The blocks of one plane, at least 8 x 8; None where the plane is smaller than that."""
    sub_x, sub_y = frame.layout.subsampling(plane)
    samples = frame.planes[plane]
    size = max(blocks.size >> max(sub_x, sub_y), 8)
    if min(samples.shape) < size:
        return None
    rows = np.minimum(blocks.rows >> sub_y, samples.shape[0] - size)
    columns = np.minimum(blocks.columns >> sub_x, samples.shape[1] - size)
    return cut(samples, rows, columns, size)


def _measure_plane(blocks: Floats, level: Floats, layout: Layout) -> tuple[PlaneGrain, Floats, NDArray[np.bool_]]:
    """Grain of one plane; the high-pass residual of its blocks; which blocks are grain and nothing else."""
    step, floor_step = _steps(blocks, layout)
    ends = (0.07 * layout.peak, 0.91 * layout.peak) if not layout.is_float else (-np.inf, np.inf)
    # Shading bends within a block: at 16 bits even a gentle bend is many codes, and would pass for grain.
    rest = high_pass(_levelled(blocks, 3))
    flat = rest.reshape(len(rest), -1)
    variance = np.einsum("ij,ij->i", flat, flat) / flat.shape[1]
    sound = np.isfinite(variance) & np.isfinite(level)
    rounding = step**2 / 12
    none = no_grain(step), rest, np.zeros(len(blocks), np.bool_)
    if sound.sum() < 2:
        return none
    samples = flat.shape[1]
    white = np.ones((32, 32), np.float32)
    spread = _variance_spread(white, samples)
    points, found = _curve(level[sound], variance[sound], spread)
    tiny = FLOOR * floor_step**2 / 12 * _HIGH_PASS_WHITE
    midtone = sound & (level > ends[0]) & (level < ends[1])
    still = (variance[midtone] < tiny).mean() if midtone.any() else 0.0
    if np.median(found) < tiny or still > STILL:
        return none
    expected = np.interp(level, points, found)
    with np.errstate(invalid="ignore"):
        pure = sound & (variance > 0.5 * expected) & (variance < (1 + 2.5 * spread) * expected + 1e-30)
    if not pure.any():
        return none
    weight = (1 / np.maximum(variance[pure], 0.1 * tiny)).astype(np.float32)
    levelled = _levelled(blocks[pure], 1)
    # Picture left in a block shows as low frequencies out of proportion to the high ones that the choice was made by.
    flat_blocks = levelled.reshape(len(levelled), -1)
    coarseness = np.einsum("ij,ij->i", flat_blocks, flat_blocks) * weight
    plain = coarseness <= COARSEST * _quartile(coarseness)
    weight, levelled = weight[plain], levelled[plain]
    density = _density(levelled, weight, rounding * float(weight.mean()))
    grain = PlaneGrain(points, found, density, step)
    spectrum = grain.spectrum(32, 32)
    corrected = found * (1 - QUARTILE_DEVIATE * spread) / (1 - QUARTILE_DEVIATE * _variance_spread(spectrum, samples))
    gain = max(float((spectrum * _HIGH_PASS_POWER).mean()), 1e-6)
    strength = np.where(corrected < tiny, 0, np.maximum(corrected - rounding * _HIGH_PASS_WHITE, 0) / gain)
    return PlaneGrain(points, np.sqrt(strength).astype(np.float32), density, step), rest, pure


def _correlate(layout: Layout, blocks: list[Floats | None], rests: list[Floats], pure: list[Any]) -> Floats:
    count = len(rests)
    matrix = np.eye(count, dtype=np.float32)
    for first in range(count):
        for second in range(first + 1, count):
            fine, coarse = blocks[first], blocks[second]
            both = pure[first] & pure[second]
            if fine is None or coarse is None or not both.any():
                continue
            one, two = rests[first][both], rests[second][both]
            if fine.shape != coarse.shape:
                sub_x, sub_y = layout.subsampling(second)
                if fine.shape[1] >> sub_y != coarse.shape[1] or fine.shape[2] >> sub_x != coarse.shape[2]:
                    continue
                one = high_pass(_shrunk(fine[both], (1 << sub_y, 1 << sub_x)))
            power = float((one**2).mean() * (two**2).mean())
            if power > 0:
                matrix[first, second] = matrix[second, first] = float((one * two).mean()) / power**0.5
    return np.clip(matrix, -1, 1)


def measure_outside(frame: Frame, coarse: NDArray[np.uint8]) -> GrainProfile:
    """The grain of a frame outside the damaged 4 x 4 cells; see `measure`."""
    layout = frame.layout
    colours = layout.colour_planes
    guide = frame.planes[1 if layout.family == "rgb" else 0]
    blocks = choose_blocks(guide, coarse)
    if blocks is None:
        nothing = tuple(no_grain(0.0 if layout.is_float else 1.0) for _ in range(colours))
        return GrainProfile(layout, nothing, np.eye(colours, dtype=np.float32), 0)
    samples = [_plane_blocks(frame, plane, blocks) for plane in range(colours)]
    luma = samples[0]
    planes, rests, pure = [], [], []
    for cuts in samples:
        if cuts is None:
            planes.append(no_grain(0.0 if layout.is_float else 1.0))
            rests.append(np.zeros((len(blocks.rows), 1, 1), np.float32))
            pure.append(np.zeros(len(blocks.rows), np.bool_))
            continue
        own = cuts if layout.family != "yuv" or luma is None else luma
        level = own.reshape(len(own), -1).mean(axis=1)
        grain, rest, flat = _measure_plane(cuts, level, layout)
        planes.append(grain)
        rests.append(rest)
        pure.append(flat)
    return GrainProfile(layout, tuple(planes), _correlate(layout, samples, rests, pure), len(blocks.rows))


def measure(frame: Frame, mask: Mask | None = None) -> GrainProfile:
    """The grain of a frame, from its flat blocks, at native depth.

    `mask` `(h, w)` marks damage to keep out of the measurement. Strength by brightness comes from the high-pass
    variance of the flattest blocks at each brightness (texture is held off by reading the lower quartile), its
    spectrum from those blocks that hold grain only: Gaussian noise with a measured spectrum and a strength by
    brightness, as film grain synthesis in AV1 has it (A. Norkin, N. Birkbeck, "Film grain synthesis for AV1 video
    codec", DCC 2018), with a sampled density in place of autoregressive coefficients. A frame smaller than 8 x 8, or
    damaged all over, has no blocks: its profile is empty. Grain hardly changes within a shot, so one profile can
    serve many frames.

    Raises `UsageError` where the mask is of another size than the frame.
    """
    if mask is None:
        coarse = np.zeros((-(-frame.height // 4), -(-frame.width // 4)), np.uint8)
    else:
        check_size(frame, mask)
        coarse = coarse_mask(mask)
    return measure_outside(frame, coarse)


def check_size(frame: Frame, mask: NDArray[Any]) -> None:
    """Raise `UsageError` unless `mask` is as large as the frame."""
    if mask.shape != (frame.height, frame.width):
        size = "x".join(str(side) for side in mask.shape[::-1])
        raise UsageError(
            f"frame {frame.index} is {frame.width}x{frame.height} and its mask {size}; give a mask of the frame's size"
        )
