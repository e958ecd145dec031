"""Synthetic film grain: filtered Gaussian noise whose strength follows the gauge and the brightness.

Selwyn's law (1935): the standard deviation of density times the square root of the measuring area is constant, so a
pixel that spans less film carries more grain. That is all that tells 35 mm from Super 8 here.

How grain follows brightness is one of two laws. `parabola` is symmetrical about mid-gray. `film` is what 26 scans of
negatives show (standard deviation in flat blocks as a factor a scan times a factor a brightness class): strongest at
0.35, a quarter of that in deep shadows, a seventh in highlights. Its root-mean-square distance from the scans is 0.03
of the strongest, the parabola's 0.27. Under it grain is also skewed as in the scans, towards bright specks in shadows
and dark ones in highlights: grain is Gaussian in exposure, and a tone curve whose slope is the law bends it,
`v = f(x + s n) = f(x) + s f' n + s**2 f'' n**2 / 2 + ...`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout
from reelmend.simulate.codes import footprint, luma_codes
from reelmend.simulate.outlines import GAUGE_WIDTH

APERTURE = 48.0
"""Diameter in micrometres of the aperture at which makers publish RMS granularity (ISO 10505)."""

CLUMP = 5.0
"""Standard deviation of a grain clump and the printer's blur, micrometres on film."""

SCANNER = 0.4
"""Standard deviation of the scanner's own point spread, pixels."""

SCANS_SPREAD = 0.64
"""The same for grain that follows the law `film`: with it 35 mm grain is correlated between neighbours at 40
micrometres a pixel as on the scans (0.50 in the mid-tones)."""

PEAK, SHARPNESS, FLOOR = 0.35, 4.1, 0.13
"""Of the law `film`: brightness at which grain is strongest, how fast it falls from there, and what is left in black
and white. Least squares over the 20 brightness classes of the scans."""

BEND = 0.26
"""Share of the tone curve's skew that the scans have left (least squares over scans and brightness classes; the
correlation with the curve's is 0.67): blur after the curve takes the rest."""

CODE_PER_DENSITY = 1.4
"""Code range moved by a unit of the negative's density at a mid-tone: printing multiplies density by about 2.7
(the gamma of print stock), and `v = 10**(-D / 2.2)` has the slope `v ln(10) / 2.2 = 0.52` at v = 0.5."""

STRONGEST = 0.08
"""Bound on `Grain.strength` of a gauge: 3 of the 26 scans lie above it, with the texture of their scenes counted."""

Law = Literal["parabola", "film"]

BT709 = (0.2126, 0.7152, 0.0722)
"""Luma's share of red, green and blue, ITU-R BT.709."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Grain:
    """What a clip's grain is like."""

    strength: float
    """Standard deviation at the brightness where grain is strongest, in units of full code range (0..1)."""
    size: float = 0.6
    """Standard deviation of the Gaussian that shapes the noise, pixels; 0 = white noise."""
    correlation: float = 0.4
    """Between any two of the colour channels, 0..1: 0 for three separate dye layers, 1 for silver."""
    law: Law = "parabola"
    """How its strength follows brightness."""
    bend: float = 0.0
    """Skew, as a share of what a tone curve with the law's slope gives to Gaussian grain; 0 = Gaussian."""


def grain_of(
    gauge: str, width: int, granularity: float = 10.0, correlation: float = 0.4, law: Law = "parabola"
) -> Grain:
    """The grain of a gauge scanned to `width` pixels.

    `granularity` is the film maker's RMS figure: 1000 times the standard deviation of the negative's density through
    a 48 micrometre aperture (4 for slow stocks, 15 and more for fast or old ones). At 640 pixels the default comes
    to 3.6 of 255 code values on 35 mm, 6.4 on 16 mm, 7.6 on Super 8 and 7.9 on 8 mm. Raises KeyError for an unknown
    gauge. `law` is how it follows brightness; `film` is the more real one (see the module).
    """
    pixel = GAUGE_WIDTH[gauge] / width
    density = granularity / 1000 * (APERTURE * np.sqrt(np.pi) / 2) / pixel
    # Averaging by a Gaussian clump of s pixels on top of the pixel itself: variance falls by 1 + 4 pi s^2.
    density /= np.sqrt(1 + 4 * np.pi * (CLUMP / pixel) ** 2)
    return Grain(
        strength=float(min(CODE_PER_DENSITY * density, STRONGEST)),
        size=float(np.hypot(CLUMP / pixel, SCANNER if law == "parabola" else SCANS_SPREAD)),
        correlation=correlation,
        law=law,
        bend=0.0 if law == "parabola" else BEND,
    )


def response(brightness: Image, law: Law = "parabola") -> Image:
    """Strength of grain by brightness 0..1, at most 1 (`parabola`: a quarter in black and white, full at mid-gray).

    In black the print is too dense to show it, in white the highlights hold few developed grains.
    """
    level = np.clip(brightness, 0, 1)
    if law == "parabola":
        return np.asarray(0.25 + 0.75 * 4 * level * (1 - level), dtype=np.float32)
    return np.asarray(FLOOR + (1 - FLOOR) * _hump(level), dtype=np.float32)


def slope(brightness: Image, law: Law = "parabola") -> Image:
    """How fast `response` rises with brightness."""
    level = np.clip(brightness, 0, 1)
    if law == "parabola":
        return np.asarray(0.75 * 4 * (1 - 2 * level), dtype=np.float32)
    # The hump's exponents are above 1, so its derivative stays finite where this division does not.
    room = np.maximum(level * (1 - level), np.float32(1e-6))
    return np.asarray((1 - FLOOR) * _hump(level) * SHARPNESS * (PEAK - level) / room, dtype=np.float32)


def _hump(level: Image) -> Image:
    """A beta-shaped curve, 1 at `PEAK`, 0 at 0 and 1."""
    low, high = level / np.float32(PEAK), (1 - level) / np.float32(1 - PEAK)
    return np.asarray(low ** (PEAK * SHARPNESS) * high ** ((1 - PEAK) * SHARPNESS), dtype=np.float32)


def add_grain(picture: Image, grain: Grain, rng: np.random.Generator) -> Image:
    """A picture with fresh grain, `(h, w)` or `(h, w, c)` float32 in 0..1, clipped to that range."""
    pattern = noise(rng, picture.shape, grain)
    return np.asarray(np.clip(picture + grain_step(picture, grain, pattern), 0, 1), dtype=np.float32)


def grain_step(level: Image, grain: Grain, pattern: Image) -> Image:
    """What grain of a standard `pattern` does to a picture, in units of the code range.

    The pattern bent by a quadratic with mean 0: `strength r (n + strength r' bend / 2 (n**2 - 1))`, rising in n as
    far as the pattern reaches (four standard deviations, beyond which it is straight).
    """
    spread = grain.strength * response(level, grain.law)
    if grain.bend == 0:
        return spread * pattern
    # At 1/8 the parabola's vertex is four standard deviations away.
    bow = np.clip(grain.strength * grain.bend / 2 * slope(level, grain.law), -0.125, 0.125).astype(np.float32)
    held = np.clip(pattern, -4, 4)
    return np.asarray(spread * (pattern + bow * (held**2 - 1)), dtype=np.float32)


def grain_frame(frame: Frame, grain: Grain, rng: np.random.Generator, *, full_range: bool = False) -> Frame:
    """A frame with fresh grain in its own integer planes.

    Grain belongs to the red, green and blue layers. For Y'CbCr it is carried over with the matrix of ITU-R BT.709
    and averaged over the footprint of each chroma sample; its strength follows the luma. `full_range` as for
    `damage_frame`. Raises ValueError for floating-point frames.
    """
    layout = frame.layout
    if layout.is_float:
        raise ValueError("grain is added to integer code values")
    black, white = luma_codes(layout, full_range)
    picture = [plane.astype(np.float32) for plane in frame.planes[: layout.colour_planes]]
    if layout.family == "rgb":
        stack = np.stack(picture, axis=-1) / layout.peak
        moved = np.moveaxis(grain_step(stack, grain, noise(rng, stack.shape, grain)), -1, 0) * layout.peak
        steps = list(moved)
    else:
        level = np.asarray((picture[0] - black) / (white - black), dtype=np.float32)
        channels = 1 if layout.family == "gray" else 3
        pattern = grain_step(level[..., None], grain, noise(rng, (*level.shape, channels), grain))
        steps = [pattern[..., 0] * (white - black)] if channels == 1 else _difference_steps(pattern, layout, full_range)
    planes = [
        np.clip(np.rint(plane + step), 0, layout.peak).astype(layout.dtype)
        for plane, step in zip(picture, steps, strict=True)
    ]
    return replace(frame, planes=(*planes, *frame.planes[layout.colour_planes :]))


def _difference_steps(pattern: Image, layout: Layout, full_range: bool) -> list[Image]:
    """What a change of R, G and B `(h, w, 3)` does to the codes of Y, Cb and Cr."""
    black, white = luma_codes(layout, full_range)
    # Chroma spans 224 of 255 codes where luma spans 219.
    span = layout.peak if full_range else float(224 << (layout.bits - 8))
    luma = pattern @ np.array(BT709, dtype=np.float32)
    blue = (pattern[..., 2] - luma) / (2 * (1 - BT709[2])) * span
    red = (pattern[..., 0] - luma) / (2 * (1 - BT709[0])) * span
    return [luma * (white - black), footprint(blue, layout, 1), footprint(red, layout, 2)]


def noise(rng: np.random.Generator, shape: tuple[int, ...], grain: Grain) -> Image:
    """The grain's pattern alone: mean 0, standard deviation 1, correlated in space and between channels.

    Each channel is a mix of one shared and one own field, `sqrt(r) shared + sqrt(1 - r) own`.
    """
    height, width = shape[:2]
    if len(shape) == 2:
        return _field(rng, height, width, grain.size)
    shared = _field(rng, height, width, grain.size)
    both, own = np.float32(np.sqrt(grain.correlation)), np.float32(np.sqrt(1 - grain.correlation))
    layers = [both * shared + own * _field(rng, height, width, grain.size) for _ in range(shape[2])]
    return np.stack(layers, axis=-1)


def _field(rng: np.random.Generator, height: int, width: int, size: float) -> Image:
    white = rng.standard_normal((height, width), dtype=np.float32)
    if size < 0.2:
        return white
    radius = max(1, int(np.ceil(3 * size)))
    tap = np.exp(-0.5 * (np.arange(-radius, radius + 1) / size) ** 2)
    # Unit energy instead of unit sum: the filtered noise keeps a standard deviation of 1.
    tap /= np.sqrt((tap**2).sum())
    return np.asarray(cv2.sepFilter2D(white, cv2.CV_32F, tap, tap, borderType=cv2.BORDER_REFLECT_101))
