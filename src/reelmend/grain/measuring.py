"""Measuring the grain of one frame from its flat, undamaged blocks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Frame, Layout, Mask
from reelmend.grain.blocks import Blocks, choose_blocks, cut
from reelmend.grain.cells import coarse_mask
from reelmend.grain.density import density_of
from reelmend.grain.envelope import LOW, LOW_DEVIATE, Envelope, envelope, gamma_quantile, quantile
from reelmend.grain.profile import GrainProfile, PlaneGrain, no_grain
from reelmend.grain.residual import HIGH_PASS_POWER, HIGH_PASS_WHITE, code_step, high_pass, levelled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

FLOOR = 2.0
"""Grain below this many times the variance of rounding (step**2 / 12) cannot be told from rounding: it counts as
none, so that clean digital pictures and drawings get nothing added."""

STILL = 0.25
"""Part of the blocks between black and white that have no grain, above which none counts as having any: edges and
texture of a clean picture would be left to measure."""

BLACK, WHITE = 0.07, 0.91
"""Shares of the code range between which grain is not clipped; of floating point that is not known."""

PIECE = 6
"""Least side of the pieces of a block whose variance is taken: small, as between textures the flat spots are."""

FEWEST = 4
"""Whole blocks of pure grain that a spectrum needs; a quarter of a block finds room between textures."""


SIZES = np.linspace(0, 2.5, 11)
"""Standard deviations of Gaussian grain, samples: the family that says how much coarse grain scatters."""


SCATTER_MARGIN = 1.5
"""The high frequencies that a block is brought to like strength by scatter too, not only the low ones."""


def _gaussian_spectrum(size: float) -> Floats:
    """Spectrum of noise shaped by a Gaussian of `size` samples on a 32 x 32 grid, mean 1."""
    line = np.exp(-((size * 2 * np.pi * np.fft.fftfreq(32)) ** 2))
    density = np.outer(line, line)
    normal: Floats = (density / density.mean()).astype(np.float32)
    return normal


_FAMILY = [_gaussian_spectrum(float(size)) for size in SIZES]
_COARSENESS = np.array([1 / float((density * HIGH_PASS_POWER).mean()) for density in _FAMILY])
_SCATTER = np.array([float(np.sqrt(2 * (density**2).mean())) for density in _FAMILY])


USUAL = 2
"""Which of the family stands in until a frame's own spectrum is known: half a sample."""


def _steps(blocks: Floats, layout: Layout) -> tuple[float, float]:
    """Step of a plane's code values (0 for floating point), and the step whose rounding grain must stand out of."""
    if layout.is_float:
        middle = float(np.nan_to_num(np.median(np.abs(blocks[:, ::4, ::4])), posinf=1.0))
        # Half precision has 10 bits after the leading one; what it cannot hold nobody sees in single precision.
        return 0.0, 2.0 ** (np.floor(np.log2(max(middle, 2.0**-14))) - 10)
    step = code_step(blocks) if layout.bits > 8 else 1.0
    return step, step


def _variance_spread(spectrum: Floats, samples: int) -> float:
    """Relative standard deviation of the high-pass variance of so many samples of Gaussian grain."""
    passed = spectrum * HIGH_PASS_POWER
    squares = float((passed**2).mean()) / max(float(passed.mean()) ** 2, 1e-20)
    return min(float(np.sqrt(2 * squares / samples)), 0.9)


def _piece_means(blocks: Floats, count: int) -> Floats:
    """Means over `count` x `count` equal pieces of each block `(n, b, b)`, `(n, count * count)`."""
    size = blocks.shape[1]
    share = np.repeat(np.eye(count, dtype=np.float32), size // count, axis=0) * np.float32(count / size)
    means: Floats = np.matmul(share.T, blocks @ share).reshape(len(blocks), -1)
    return means


def _quartered(blocks: Floats) -> Floats:
    half = blocks.shape[1] // 2
    split = blocks.reshape(-1, 2, half, 2, half).swapaxes(2, 3)
    return np.ascontiguousarray(split).reshape(-1, half, half)


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


def _pure(variance: Floats, level: Floats, curve: Envelope, spread: float) -> Flags:
    """Which pieces hold grain and nothing else."""
    expected = np.interp(level, curve.points, curve.variance)
    with np.errstate(invalid="ignore"):
        pure: Flags = (variance > 0.5 * expected) & (variance < (1 + 2.5 * spread) * expected + 1e-30)
    return pure


def _spectrum_of(level: Floats, variance: Floats, rounding: float, least: float) -> Floats:
    """Power spectral density of levelled blocks `(n, b, b)` of pure grain, by their high-pass variances `(n,)`."""
    weight = (1 / np.maximum(variance, least)).astype(np.float32)
    # Picture left in a block shows as low frequencies out of proportion to the high ones that the choice was made by.
    flat = level.reshape(len(level), -1)
    coarseness = np.einsum("ij,ij->i", flat, flat) * weight / flat.shape[1]
    least_coarse = quantile(coarseness, LOW)
    scatter = min(float(np.interp(least_coarse, _COARSENESS, _SCATTER)) / level.shape[1] * SCATTER_MARGIN, 0.6)
    plain = coarseness <= least_coarse * gamma_quantile(-LOW_DEVIATE, scatter) / gamma_quantile(LOW_DEVIATE, scatter)
    weight, level = weight[plain], level[plain]
    return density_of(level, weight, rounding * float(weight.mean()))


def _measure_plane(blocks: Floats, luma: Floats, layout: Layout) -> tuple[PlaneGrain, Floats, Flags]:
    """Grain of one plane by the brightness of `luma`; its blocks' residual; which blocks are grain and nothing else."""
    step, floor_step = _steps(blocks, layout)
    ends = (-np.inf, np.inf) if layout.is_float else (BLACK * layout.peak, WHITE * layout.peak)
    # Shading bends within a block: at 16 bits even a gentle bend is many codes, and would pass for grain.
    rest = high_pass(levelled(blocks, 3))
    inner = rest.shape[1]
    count = max(1, min(inner // PIECE, luma.shape[1] // PIECE))
    count = 1 << (count.bit_length() - 1)
    pieces = _piece_means(rest**2, count)
    variance, level = pieces.mean(axis=1), luma.reshape(len(luma), -1).mean(axis=1)
    sound = np.isfinite(variance) & np.isfinite(level)
    none = no_grain(step), rest, np.zeros(len(blocks), np.bool_)
    if sound.sum() < 2:
        return none
    small, small_level = pieces[sound].reshape(-1), _piece_means(luma[sound], count).reshape(-1)
    samples = inner**2
    rounding = step**2 / 12
    tiny = FLOOR * floor_step**2 / 12 * HIGH_PASS_WHITE
    midtone = sound & (level > ends[0]) & (level < ends[1])
    still = (variance[midtone] < tiny).mean() if midtone.any() else 0.0
    scale = None if layout.is_float else ends
    even = levelled(blocks, 1)
    flat = even[sound].reshape(int(sound.sum()), -1)
    coarseness = np.einsum("ij,ij->i", flat, flat) / flat.shape[1] / np.maximum(variance[sound], 0.1 * tiny + 1e-30)
    usual = _FAMILY[int(np.searchsorted(_COARSENESS, quantile(coarseness, LOW)).clip(USUAL, len(_FAMILY) - 1))]
    curve = envelope(small_level, small, _variance_spread(usual, samples // count**2), scale, tiny)
    if np.median(curve.variance) < tiny or still > STILL:
        return none
    pure = sound & _pure(variance, level, curve, _variance_spread(usual, samples))
    if pure.sum() >= min(FEWEST, len(blocks)):
        density = _spectrum_of(even[pure], variance[pure], rounding, 0.1 * tiny)
    else:
        density = _quarters_spectrum(blocks[sound], rest[sound], luma[sound], curve, rounding, 0.1 * tiny)
    spectrum = PlaneGrain(curve.points, curve.variance, density, step).spectrum(32, 32)
    curve = envelope(small_level, small, _variance_spread(spectrum, samples // count**2), scale, tiny)
    gain = max(float((spectrum * HIGH_PASS_POWER).mean()), 1e-6)
    found = curve.variance
    strength = np.where(found < tiny, 0, np.maximum(found - rounding * HIGH_PASS_WHITE, 0) / gain)
    return PlaneGrain(curve.points, np.sqrt(strength).astype(np.float32), density, step), rest, pure


def _quarters_spectrum(
    blocks: Floats, rest: Floats, luma: Floats, curve: Envelope, rounding: float, least: float
) -> Floats:
    """Spectrum from those quarters of blocks that hold grain alone; of grain of the usual size where none does."""
    if blocks.shape[1] < 16 or luma.shape[1] < 2:
        return _FAMILY[USUAL]
    variance, level = _piece_means(rest**2, 2).reshape(-1), _piece_means(luma, 2).reshape(-1)
    pure = _pure(variance, level, curve, _variance_spread(_FAMILY[USUAL], rest.shape[1] ** 2 // 4))
    if pure.sum() < FEWEST:
        return _FAMILY[USUAL]
    return _spectrum_of(levelled(_quartered(blocks)[pure], 1), variance[pure], rounding, least)


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
        grain, rest, flat = _measure_plane(cuts, own, layout)
        planes.append(grain)
        rests.append(rest)
        pure.append(flat)
    return GrainProfile(layout, tuple(planes), _correlate(layout, samples, rests, pure), len(blocks.rows))


def measure(frame: Frame, mask: Mask | None = None) -> GrainProfile:
    """The grain of a frame, from its flat blocks, at native depth.

    `mask` `(h, w)` marks damage to keep out of the measurement. Strength by brightness comes from the high-pass
    variance of the flattest pieces of picture at each brightness (texture only adds: see `envelope`), its spectrum
    from those blocks that hold grain only: Gaussian noise with a measured spectrum and a strength by brightness, as
    film grain synthesis in AV1 has it (A. Norkin, N. Birkbeck, "Film grain synthesis for AV1 video
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
