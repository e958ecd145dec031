"""Samples from one layout to another, for outputs that cannot hold the source's own: ProRes, H.26x, RGB images.

Lossless outputs never come here. Arithmetic is float32 in code values; the equations are those of ITU-R BT.601 and
BT.709 with Kr and Kb given, the ranges those of BT.709 (16 to 235 and 16 to 240 at 8 bits, scaled by powers of two).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Layout, Plane

_Real = NDArray[np.float32]


def convert(
    planes: Sequence[Plane],
    source: Layout,
    target: Layout,
    *,
    source_full: bool,
    target_full: bool,
    weights: tuple[float, float],
    target_weights: tuple[float, float] | None = None,
) -> tuple[Plane, ...]:
    """Planes of `target` with the picture of `planes`.

    `source_full` and `target_full`: whether samples use the full range of codes (RGB is always taken as full range).
    `weights`: `(Kr, Kb)` of the source's matrix, `target_weights` of the target's where the family changes. Integer
    layouts only; alpha is rescaled as full range, dropped, or made opaque.
    """
    source_full = source_full or source.family == "rgb"
    target_full = target_full or target.family == "rgb"
    if source == target and source_full == target_full:
        return tuple(planes)
    height, width = planes[0].shape
    alpha = planes[-1] if source.alpha else None
    if source.family == target.family or {source.family, target.family} == {"gray", "yuv"}:
        colour = _same_family(planes, source, target, source_full, target_full)
    else:
        real = [_normal(p, i, source, source_full) for i, p in enumerate(planes[: source.colour_planes])]
        if source.family == "rgb":
            yuv = _to_yuv(real, target_weights or weights)
            if target.family == "gray":
                yuv = yuv[:1]
            real = [_resample(p, Layout("yuv", 8), target, i, height, width) for i, p in enumerate(yuv)]
        else:
            if source.family == "gray":
                real = [real[0]] * 3
            else:
                real = [_resample(p, source, Layout("yuv", 8), i, height, width) for i, p in enumerate(real)]
                real = _to_rgb(real, weights)
        colour = [_codes(p, i, target, target_full) for i, p in enumerate(real)]
    if target.alpha:
        if alpha is None:
            alpha = np.full((height, width), target.peak, target.dtype)
        else:
            alpha = _quantise(alpha.astype(np.float32) * np.float32(target.peak / source.peak), target)
        colour.append(alpha)
    return tuple(colour)


def _same_family(
    planes: Sequence[Plane], source: Layout, target: Layout, source_full: bool, target_full: bool
) -> list[Plane]:
    height, width = planes[0].shape
    result: list[Plane] = []
    for i in range(target.colour_planes):
        if i >= source.colour_planes:
            # A gray picture has neutral chroma.
            result.append(np.full(target.plane_shape(i, height, width), 1 << (target.bits - 1), target.dtype))
            continue
        plane = planes[i]
        same_grid = source.subsampling(i) == target.subsampling(i)
        if source_full == target_full and not source_full and same_grid:
            result.append(_shift(plane, source.bits, target))
        else:
            real = _resample(_normal(plane, i, source, source_full), source, target, i, height, width)
            result.append(_codes(real, i, target, target_full))
    return result


def _shift(plane: Plane, bits: int, target: Layout) -> Plane:
    """Limited-range codes scale by powers of two: up without loss, down rounded."""
    if target.bits >= bits:
        up: Plane = plane.astype(target.dtype) << (target.bits - bits)
        return up
    down = bits - target.bits
    rounded = (plane.astype(np.uint32) + (1 << (down - 1))) >> down
    lower: Plane = np.minimum(rounded, int(target.peak)).astype(target.dtype)
    return lower


def _normal(plane: Plane, index: int, layout: Layout, full: bool) -> _Real:
    """Luma and RGB 0..1, chroma -0.5..0.5."""
    offset, scale = _range(index, layout, full)
    return (plane.astype(np.float32) - np.float32(offset)) / np.float32(scale)


def _codes(real: _Real, index: int, layout: Layout, full: bool) -> Plane:
    offset, scale = _range(index, layout, full)
    return _quantise(real * np.float32(scale) + np.float32(offset), layout)


def _quantise(codes: _Real, layout: Layout) -> Plane:
    return np.clip(np.rint(codes), 0, layout.peak).astype(layout.dtype)


def _range(index: int, layout: Layout, full: bool) -> tuple[float, float]:
    chroma = layout.family == "yuv" and index > 0
    if full or layout.family == "rgb":
        return (float(1 << (layout.bits - 1)), layout.peak) if chroma else (0.0, layout.peak)
    unit = float(1 << (layout.bits - 8))
    return (128 * unit, 224 * unit) if chroma else (16 * unit, 219 * unit)


def _to_yuv(rgb: Sequence[_Real], weights: tuple[float, float]) -> list[_Real]:
    kr, kb = (np.float32(w) for w in weights)
    r, g, b = rgb
    y = kr * r + (1 - kr - kb) * g + kb * b
    return [y, (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))]


def _to_rgb(yuv: Sequence[_Real], weights: tuple[float, float]) -> list[_Real]:
    kr, kb = (np.float32(w) for w in weights)
    y, u, v = yuv
    r = y + 2 * (1 - kr) * v
    b = y + 2 * (1 - kb) * u
    return [r, (y - kr * r - kb * b) / (1 - kr - kb), b]


def _resample(plane: Any, source: Layout, target: Layout, index: int, height: int, width: int) -> Any:
    """A plane on the chroma grid of `target`: linear, horizontally co-sited, vertically between lines (as MPEG-2)."""
    rows, columns = target.plane_shape(index, height, width)
    (from_x, from_y), (to_x, to_y) = source.subsampling(index), target.subsampling(index)
    if from_x != to_x:
        step = 2.0 ** (to_x - from_x)
        if step > 1:
            plane = _soften(plane, int(step))
        plane = _sample(plane, np.arange(columns) * step, 1)
    if from_y != to_y:
        step = 2.0 ** (to_y - from_y)
        if step > 1:
            whole = int(step)
            padded = np.pad(plane, ((0, rows * whole - plane.shape[0]), (0, 0)), mode="edge")
            plane = padded.reshape(rows, whole, -1).mean(1, dtype=np.float32)
        else:
            plane = _sample(plane, (np.arange(rows) + 0.5) * step - 0.5, 0)
    return plane


def _soften(plane: Any, step: int) -> Any:
    """A triangle of twice the step, so that every other column can go."""
    kernel = np.bartlett(2 * step + 1)[1:-1].astype(np.float32)
    kernel /= kernel.sum()
    padded = np.pad(plane, ((0, 0), (step - 1, step - 1)), mode="edge")
    width = plane.shape[1]
    return sum(weight * padded[:, i : i + width] for i, weight in enumerate(kernel))


def _sample(plane: Any, at: Any, axis: int) -> Any:
    last = plane.shape[axis] - 1
    at = np.clip(at, 0, last)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, last)
    part = (at - low).astype(np.float32)
    part = part[None, :] if axis else part[:, None]
    return np.take(plane, low, axis) * (1 - part) + np.take(plane, high, axis) * part
