"""Making grain: Gaussian noise with a measured spectrum, strength by brightness and correlation between channels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.grain.bands import averaging_loss
from reelmend.grain.profile import GrainProfile

Floats = NDArray[np.float32]

SMALL_TILE = 128
LARGE_TILE = 256
"""Side of the periodic tile of grain, luma samples; frames of more than `LARGE_FRAME` pixels use the large one."""
LARGE_FRAME = 1024 * 640


@dataclass(frozen=True, slots=True)
class Field:
    """Periodic grain of unit variance for one plane, in two independent parts."""

    full: Floats
    """With the spectrum of the grain."""
    lost: Floats
    """With the part of that spectrum that interpolation between samples takes away."""
    lost_share: float
    """Variance of `lost`."""

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Both parts at samples of the plane. They come from one white tile, read half a tile apart, which is
        further than any grain reaches: independent."""
        high, wide = self.full.shape
        flat = (rows % high) * wide + columns % wide
        away = ((rows + high // 2) % high) * wide + (columns + wide // 2) % wide
        return self.full.reshape(-1).take(flat), self.lost.reshape(-1).take(away)


def mixing(correlation: Floats) -> Floats:
    """Lower triangular `m` with `m @ m.T == correlation`; channels that go together wholly stay exactly equal.

    A Cholesky factorisation that takes a rank-deficient matrix: black-and-white film scanned as RGB has one.
    """
    size = len(correlation)
    target = np.where(np.abs(correlation) > 0.9995, np.sign(correlation), correlation).astype(np.float64)
    lower = np.zeros((size, size))
    for row in range(size):
        for column in range(row + 1):
            rest = target[row, column] - lower[row, :column] @ lower[column, :column]
            if row == column:
                lower[row, row] = np.sqrt(max(rest, 0.0))
            elif lower[column, column] > 1e-6:
                lower[row, column] = rest / lower[column, column]
        length = np.sqrt((lower[row] ** 2).sum())
        lower[row] /= max(length, 1e-12)
    return lower.astype(np.float32)


def _halved(white: Floats, sub: tuple[int, int]) -> Floats:
    """White noise of a finer tile summed over the footprints of a coarser one: still white, still unit variance."""
    sub_x, sub_y = sub
    if sub_x == sub_y == 0:
        return white
    rows, columns = white.shape[0] >> sub_y, white.shape[1] >> sub_x
    # OpenCV's area resize takes means: of 2**s samples, whose variance is 1 / 2**s.
    means = cv2.resize(white, (columns, rows), interpolation=cv2.INTER_AREA)
    summed: Floats = means * np.float32(2 ** ((sub_x + sub_y) / 2))
    return summed


def make_fields(
    profile: GrainProfile, rng: np.random.Generator, tile: int, averaging: float
) -> tuple[Field | None, ...]:
    """One field a colour plane; None where the plane has no grain. `averaging`: strength of the interpolation loss."""
    layout = profile.layout
    mix = mixing(profile.correlation)
    whites: list[Floats] = []
    fields: list[Field | None] = []
    for plane, grain in enumerate(profile.planes):
        sub = layout.subsampling(plane)
        rows, columns = tile >> sub[1], tile >> sub[0]
        # Drawn for grainless planes too, so that one plane's noise does not hang on another's strength.
        whites.append(rng.standard_normal((rows, columns), dtype=np.float32))
        if not grain.grainy:
            fields.append(None)
            continue
        white = np.zeros((rows, columns), np.float32)
        for source, share in enumerate(mix[plane, : plane + 1]):
            if share:
                own = whites[source]
                white += share * (own if own.shape == white.shape else _halved(own, sub))
        waves = cv2.dft(white)
        density = _packed(grain.spectrum(rows, columns))
        # Strengths in steps of 0.02 let the loss be looked up; a step changes power by 2 % at most.
        loss = _packed_loss(rows, columns, round(averaging * 50) / 50)
        missing = density * (1 - loss)
        share = 1 - float((grain.density * averaging_loss(*grain.density.shape, averaging)).mean())
        fields.append(Field(_shaped(waves, density), _shaped(waves, missing), share))
    return tuple(fields)


@lru_cache(maxsize=8)
def _packing(rows: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Frequency of each number in OpenCV's packed DFT of a real array of even sides (its "CCS" format).

    Columns hold frequencies 0, 1 real, 1 imaginary, 2 real, ... n/2; in the first and the last column, whose rows
    mirror each other, rows are packed in the same way.
    """
    down, across = (np.arange(1, side + 1) // 2 for side in (rows, columns))
    row = np.repeat(np.arange(rows)[:, None], columns, axis=1)
    row[:, 0] = row[:, -1] = down
    return row, np.broadcast_to(across, (rows, columns)).copy()


def _packed(power: Floats) -> Floats:
    row, column = _packing(*power.shape)
    return power.reshape(-1).take(row * power.shape[1] + column)


@lru_cache(maxsize=64)
def _packed_loss(rows: int, columns: int, strength: float) -> Floats:
    return _packed(averaging_loss(rows, columns, strength))


def _shaped(waves: Floats, power: Floats) -> Floats:
    """White noise given as its packed DFT, with another power spectrum (packed alike)."""
    return np.asarray(cv2.idft(waves * np.sqrt(power), flags=cv2.DFT_SCALE), dtype=np.float32)


def tile_side(height: int, width: int) -> int:
    """Side of the grain tile for a frame, luma samples."""
    return LARGE_TILE if height * width > LARGE_FRAME else SMALL_TILE


def synthesise(
    profile: GrainProfile, brightness: NDArray[np.floating] | tuple[NDArray[np.floating], ...], rng: np.random.Generator
) -> tuple[Floats, ...]:
    """Grain for a picture of the given brightness: one float32 plane a colour plane, code values, mean 0.

    `brightness` is `(h, w)` code values of luma, or for RGB one such array a plane (one array serves all three).
    Chroma planes come subsampled as the profile's layout says. The grain is not rounded, and does not repeat within
    the picture. Raises `UsageError` where the count of brightness planes fits neither.
    """
    layout = profile.layout
    levels = brightness if isinstance(brightness, tuple) else (brightness,)
    if len(levels) not in (1, len(profile.planes)):
        raise UsageError(f"grain for {len(profile.planes)} planes needs 1 or {len(profile.planes)} brightness planes")
    height, width = levels[0].shape
    tile = 1 << max(max(height, width) - 1, SMALL_TILE - 1).bit_length()
    fields = make_fields(profile, rng, tile, 0.0)
    planes = []
    for plane, (grain, field) in enumerate(zip(profile.planes, fields, strict=True)):
        sub_x, sub_y = layout.subsampling(plane)
        rows, columns = layout.plane_shape(plane, height, width)
        if field is None:
            planes.append(np.zeros((rows, columns), np.float32))
            continue
        level = levels[plane if len(levels) > 1 and layout.family == "rgb" else 0][:: 1 << sub_y, :: 1 << sub_x]
        noise, _ = field.at(np.arange(rows)[:, None], np.arange(columns)[None, :])
        planes.append(noise * grain.sigma_at(level))
    return tuple(planes)
