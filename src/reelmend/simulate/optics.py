"""What a covered piece of film does to light on its way to the scanner's sensor.

Coverage is blurred by the scanner's point spread, thinned by mottle, and turned into the share of the picture that is
lost. Dark damage absorbs, which is added up as density: `I = I0 * 10**-D` (Beer and Lambert). Bright damage lets light
past the picture: `I = I0 + a (W - I0)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from reelmend.simulate.defect import Cover, Image, Ink

FAINTEST = 1 / 512
"""An alpha that cannot move an 8-bit sample is drawn as none, so that the frame stays identical there."""

DENSEST = 2.5
"""About the density of black leader: an opacity of exactly 1 would need infinite density."""

REACH = 4.0
"""Standard deviations of the point spread that are drawn."""

FOCUS = 5.0
"""Standard deviation, micrometres, of the blur of what lies on the film. Its outlines come from scans of 7 micrometres
a pixel, traced on the pixel grid, so finer detail of them is not real; a lens that passes half the contrast of 50 line
pairs a millimetre blurs by 3.7, and dirt lies above the emulsion on which it is focused."""

TILE = 256
"""Side of the repeating pattern of mottle, pixels: one for every value of a byte."""

RIM = 1.6
"""Standard deviation of the refracted rim outside a fibre, pixels beyond the point spread. A fibre bends light like a
cylindrical lens out of its own shadow into the strip beside it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What one defect does to a part of a frame: `picture = (1 - alpha) * picture + lift`."""

    alpha: Image
    """Share of the picture lost, 0..1: `(rows, columns)`, or `(3, rows, columns)` for red, green and blue where the
    defect is coloured."""
    lift: Image
    """Light that comes in past the picture, the same shape, 0..1."""
    top: int
    """Row of the frame at which the patch begins; the patch lies inside the frame."""
    left: int

    @property
    def strongest(self) -> Image:
        """The largest alpha of any channel, `(rows, columns)`."""
        return self.alpha if self.alpha.ndim == 2 else np.asarray(self.alpha.max(axis=0))


def expose(cover: Cover, ink: Ink, height: int, width: int) -> Patch:
    """What a defect of this coverage and ink does to a frame of `height` x `width`; empty where it lies outside."""
    # The softest thing about it decides how far it reaches beyond its coverage.
    widest = float(np.hypot(ink.softness, RIM)) if ink.halo > 0 else ink.softness
    whole, cover = cover, _pad(cover, int(np.ceil(REACH * widest)) + 1, height, width)
    if cover.coverage.size == 0:
        return Patch(cover.coverage, cover.coverage, 0, 0)
    soft = point_spread(cover.coverage, ink.softness)
    body = soft
    if ink.mottle > 0:
        body = soft * _mottle(ink, (soft.shape[0], soft.shape[1]), cover.top - whole.top, cover.left - whole.left)
    alpha = opacity(body, ink)
    lift = np.float32(ink.white) * alpha if ink.polarity == "bright" else np.zeros_like(alpha)
    if ink.halo > 0:
        alpha, lift = _with_rim(cover.coverage, soft, alpha, lift, ink, widest)
    top, left = max(cover.top, 0), max(cover.left, 0)
    rows = slice(top - cover.top, min(cover.top + soft.shape[0], height) - cover.top)
    columns = slice(left - cover.left, min(cover.left + soft.shape[1], width) - cover.left)
    return Patch(alpha[..., rows, columns], lift[..., rows, columns], top, left)


def focused(ink: Ink, scale: float) -> Ink:
    """The ink of something traced on scans, seen at `scale` pixels a micrometre: large scans show it softer."""
    return replace(ink, softness=float(np.hypot(ink.softness, FOCUS * scale)))


def point_spread(coverage: Image, softness: float) -> Image:
    """Coverage as the scanner sees it: blurred by a Gaussian of `softness` pixels; outside nothing is covered."""
    if softness <= 0:
        return coverage
    return np.asarray(cv2.GaussianBlur(coverage, (0, 0), softness, borderType=cv2.BORDER_CONSTANT))


def opacity(soft: Image, ink: Ink) -> Image:
    """Share of the picture lost where `soft` of a pixel is covered, 0..1; `(3, h, w)` for a coloured ink.

    Dark: density adds up along the light's path, so half covered is half the density and not half the light.
    """
    if len(set(ink.tint)) == 1:
        return _opacity(soft, ink.opacity * ink.tint[0], ink.polarity == "dark")
    return np.stack([_opacity(soft, ink.opacity * share, ink.polarity == "dark") for share in ink.tint])


def _opacity(soft: Image, share: float, dark: bool) -> Image:
    if dark:
        density = min(-np.log10(max(1 - share, 1e-9)), DENSEST)
        alpha = np.asarray(1 - 10 ** (-density * soft), dtype=np.float32)
    else:
        alpha = np.asarray(share * soft, dtype=np.float32)
    alpha[alpha < FAINTEST] = 0
    return alpha


def _with_rim(coverage: Image, soft: Image, alpha: Image, lift: Image, ink: Ink, widest: float) -> tuple[Image, Image]:
    """A rim of the other polarity laid under the defect."""
    wide = point_spread(coverage, widest)
    # Scaled to its fibre: the rim beside a hair of half a pixel is as visible, against the hair, as beside a thick one.
    peak = max(float(soft.max()), 1e-6)
    rim = np.clip((wide - soft) / (0.25 * peak), 0, 1)
    faint = Ink(polarity="dark" if ink.polarity == "bright" else "bright", opacity=ink.halo * ink.opacity)
    under = opacity(np.asarray(rim, dtype=np.float32), faint)
    light = np.float32(ink.white) * under if faint.polarity == "bright" else np.zeros_like(under)
    return np.asarray(1 - (1 - under) * (1 - alpha)), np.asarray(light * (1 - alpha) + lift)


def _pad(cover: Cover, margin: int, height: int, width: int) -> Cover:
    """The cover with room for its soft edge, cut to what can be seen of it."""
    rows, columns = cover.coverage.shape
    top, left = max(cover.top, -margin), max(cover.left, -margin)
    bottom, right = min(cover.top + rows, height + margin), min(cover.left + columns, width + margin)
    if bottom <= top or right <= left:
        return Cover(np.zeros((0, 0), dtype=np.float32), 0, 0)
    seen = cover.coverage[top - cover.top : bottom - cover.top, left - cover.left : right - cover.left]
    padded = cv2.copyMakeBorder(seen, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    top, left = top - margin, left - margin
    return Cover(np.asarray(padded, dtype=np.float32), top, left)


def _mottle(ink: Ink, size: tuple[int, int], top: int, left: int) -> Image:
    """Share of the density that is there, `(rows, columns)` = `size`: another piece of one pattern for every seed.

    `top` and `left` say where on the defect the piece begins, so that what it loses at the frame's edge moves nothing.
    """
    # Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): neighbouring seeds get pieces far apart.
    mixed = ink.seed * 2654435761 % 2**32
    down, right = mixed >> 24, mixed >> 16 & 255
    pattern = _pattern()
    rows, columns = (np.arange(size[0]) + down + top) % TILE, (np.arange(size[1]) + right + left) % TILE
    piece = pattern[np.ix_(rows, columns)]
    return np.asarray(np.clip(1 - np.float32(ink.mottle) * piece, 0, 1), dtype=np.float32)


@cache
def _pattern() -> Image:
    """How much thinner than its thickest place a clump is, from 0, standard deviation 1; repeats at its edges.

    Noise whose amplitude falls as 1 / frequency: clumpy at any scale, so that a flake of three pixels is uneven as a
    whole and one of three hundred has clouds and specks in it.
    """
    rng = np.random.default_rng(TILE)
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((TILE, TILE))) / frequency, (TILE, TILE))
    noise = np.abs(noise / noise.std())
    return np.asarray(noise, dtype=np.float32)
