"""Frames as a person sees them: displayable 8-bit RGB from any layout.

For pictures in reports and previews only. Restoration never takes this way: it works on the source's own planes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Colour, Frame, Mask

Rgb8 = NDArray[np.uint8]
"""A picture for the screen `(h, w, 3)`, sRGB."""

MATRICES = {  # (Kr, Kb) by FFmpeg name, ITU-T H.273 table 4
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
    "bt2020c": (0.2627, 0.0593),
}

UNTAGGED = Colour()

Box = tuple[int, int, int, int]
"""Rows and columns `(top, left, bottom, right)`, the ends exclusive."""


def to_rgb8(
    frame: Frame, colour: Colour = UNTAGGED, size: tuple[int, int] | None = None, white: float | None = None
) -> Rgb8:
    """A frame as 8-bit sRGB.

    Args:
        frame: planes of any layout; alpha is ignored.
        colour: the reel's tags. Untagged YUV is limited range, BT.709 from 720 rows on and BT.601 below, as players do.
        size: `(width, height)` of the result, pixels; the frame's own where None.
        white: scene-linear value shown as white, for floating point; `display_white` of this frame where None.
            Give one value to both pictures of a pair.
    """
    planes = _normalised(frame, colour, size)
    if frame.layout.family == "gray":
        rgb = np.repeat(planes[0][:, :, None], 3, axis=2)
    elif frame.layout.family == "rgb" or colour.matrix in ("gbr", "rgb"):
        order = (0, 1, 2) if frame.layout.family == "rgb" else (2, 0, 1)
        rgb = np.stack([planes[i] for i in order], axis=2)
    else:
        rgb = _from_yuv(planes, _matrix(colour, frame.height))
    if frame.layout.is_float:
        rgb = _srgb(_shoulder(rgb, display_white(frame) if white is None else white))
    elif colour.transfer == "smpte2084":
        linear = _pq(np.clip(rgb, 0.0, 1.0)) / 203.0  # BT.2408: diffuse white at 203 cd/m2
        rgb = _srgb(_shoulder(linear, 1000.0 / 203.0))
    return np.asarray(np.clip(rgb, 0.0, 1.0) * 255.0 + 0.5, dtype=np.uint8)


def display_white(frame: Frame) -> float:
    """The scene-linear value to show as white: 1.0, or the brightest thousandth where a float frame goes beyond."""
    if not frame.layout.is_float:
        return 1.0
    sample = np.stack([np.asarray(plane[::4, ::4], np.float32) for plane in frame.planes[: frame.layout.colour_planes]])
    finite = sample[np.isfinite(sample)]
    return max(1.0, float(np.quantile(finite, 0.999))) if finite.size else 1.0


def crop(frame: Frame, box: Box) -> Frame:
    """The part of a frame inside a box, widened to whole chroma samples."""
    step_y, step_x = 1 << frame.layout.sub_y, 1 << frame.layout.sub_x
    top, left = box[0] // step_y * step_y, box[1] // step_x * step_x
    bottom, right = -(-box[2] // step_y) * step_y, -(-box[3] // step_x) * step_x
    planes = []
    for number, plane in enumerate(frame.planes):
        sub_x, sub_y = frame.layout.subsampling(number)
        planes.append(plane[top >> sub_y : -(-bottom >> sub_y), left >> sub_x : -(-right >> sub_x)])
    return replace(frame, planes=tuple(planes))


def overlay_rgba(mask: Mask, unsure: Mask | None, size: tuple[int, int], tint: tuple[int, int, int]) -> NDArray[Any]:
    """A mask as a transparent picture `(h, w, 4)` RGBA: damage outlined in `tint`, solid where unsure.

    A speck smaller than one pixel of `size` still shows.
    """
    import cv2

    out = np.zeros((size[1], size[0], 4), np.uint8)
    damaged, doubtful = _shrunk(mask, size), _shrunk(unsure, size)
    rim = cv2.dilate(damaged.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~damaged
    for area, opacity in ((damaged, 90), (doubtful, 235), (rim, 255)):
        out[area] = (*tint, opacity)
    return out


def _shrunk(area: Mask | None, size: tuple[int, int]) -> Mask:
    """A mask at another size, true wherever it covers any part of a pixel."""
    import cv2

    if area is None:
        return np.zeros((size[1], size[0]), np.bool_)
    return np.asarray(cv2.resize(area.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0, np.bool_)


def _normalised(frame: Frame, colour: Colour, size: tuple[int, int] | None) -> list[NDArray[np.float32]]:
    """Colour planes as float32 of the same shape: luma, gray and RGB 0..1, chroma -0.5..0.5."""
    import cv2

    layout = frame.layout
    width, height = size or (frame.width, frame.height)
    limited = colour.range == "limited" or (colour.range is None and layout.family == "yuv")
    result = []
    for number, plane in enumerate(frame.planes[: layout.colour_planes]):
        chroma = layout.family == "yuv" and number > 0 and colour.matrix not in ("gbr", "rgb")
        values = plane.astype(np.float32)
        if layout.is_float:
            values = np.nan_to_num(values, nan=0.0, posinf=65504.0, neginf=0.0)
        else:
            unit = 2.0 ** (layout.bits - 8)
            if limited:
                low, span = (128 * unit, 224 * unit) if chroma else (16 * unit, 219 * unit)
            else:
                low, span = (128 * unit, layout.peak) if chroma else (0.0, layout.peak)
            values = (values - low) / span
        if values.shape != (height, width):
            shrink = values.shape[0] > height or values.shape[1] > width
            way = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
            values = cv2.resize(values, (width, height), interpolation=way).astype(np.float32, copy=False)
        result.append(values)
    return result


def _matrix(colour: Colour, height: int) -> tuple[float, float]:
    return MATRICES.get(colour.matrix or "", MATRICES["bt709" if height >= 720 else "smpte170m"])


def _from_yuv(planes: list[NDArray[np.float32]], matrix: tuple[float, float]) -> NDArray[np.float32]:
    kr, kb = matrix
    luma, blue, red = planes
    r = luma + 2 * (1 - kr) * red
    b = luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return np.stack([r, g, b], axis=2)


def _shoulder(linear: NDArray[np.float32], white: float) -> NDArray[np.float32]:
    """Extended Reinhard curve (Reinhard et al. 2002, eq. 4): `white` maps to 1; the identity for white = 1."""
    linear = np.clip(linear, 0.0, None)
    return np.asarray(linear * (1 + linear / (white * white)) / (1 + linear), np.float32)


def _srgb(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """IEC 61966-2-1 encoding."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def _pq(code: NDArray[np.float32]) -> NDArray[np.float32]:
    """SMPTE ST 2084: code value 0..1 to luminance in cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = code ** (1 / m2)
    light = 10000.0 * (np.clip(power - c1, 0.0, None) / (c2 - c3 * power)) ** (1 / m1)
    return np.asarray(light, np.float32)
