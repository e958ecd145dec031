"""What befalls the picture itself and is not damage: flicker, weave, splice jumps, fading, blur, compression.

Any frame can be asked for first: what happens to it follows from the reel's seed and the frame's number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from reelmend.film import Frame, Layout, Plane
from reelmend.simulate import recipe as recipes
from reelmend.simulate.codes import luma_codes
from reelmend.simulate.defect import Image
from reelmend.simulate.outlines import GAUGE_WIDTH
from reelmend.simulate.planes import BT709, change_rgb, chroma_codes, rgb_of

PITCH = {"35mm": 4750.0, "16mm": 7620.0, "super8": 4234.0, "8mm": 3810.0}
"""Nominal distance from one perforation to the next, micrometres."""

JUMP = 0.1
"""Of a splice, share of the pitch: it shifts the picture this far."""

SLOW = 16
"""Frames between the nodes of the slow half of flicker and weave."""

COLOUR_FADING = (0.85, 0.25, 0.7)
"""Share of the density of red, green and blue that is gone at fading 1. In the dark cyan dyes fade first, then yellow,
and old prints turn magenta (Reilly, Storage Guide for Color Photographic Materials, 1998); how far is chosen here."""

GRAY_FADING = 0.5
"""Share of contrast that is gone at fading 1."""

WORST_QUALITY = 20
"""JPEG quality at compression 1."""

_FLICKER, _WEAVE_X, _WEAVE_Y, _JUMP, _MANNER = range(5)


@dataclass(frozen=True, slots=True)
class Picture:
    """The changes of one reel."""

    seed: int
    flicker: float
    """Standard deviation of a frame's gain."""
    weave: float
    """Standard deviation of the shift, pixels each way."""
    jumps: float
    """Chance of a frame to begin a splice jump."""
    jump: float
    """How far it shifts the picture, pixels."""
    fading: float
    blur: float
    compression: float

    @classmethod
    def of(cls, recipe: recipes.Picture, seed: int, gauge: str, width: int) -> Picture:
        """What a recipe's ranges come to for one reel of a gauge, scanned to `width` pixels."""
        rng = np.random.default_rng([seed, _MANNER])
        scale = width / GAUGE_WIDTH[gauge]
        flicker, weave, jumps, fading, blur, compression = (
            float(rng.uniform(*span))
            for span in (recipe.flicker, recipe.weave, recipe.jumps, recipe.fading, recipe.blur, recipe.compression)
        )
        return cls(seed, flicker, weave * scale, jumps / 1000, JUMP * PITCH[gauge] * scale, fading, blur, compression)

    def gain(self, frame: int) -> float:
        """Brightness of a frame, 1 on average."""
        return max(0.0, 1 + self.flicker * self._drift(_FLICKER, frame)) if self.flicker else 1.0

    def shift(self, frame: int) -> tuple[float, float]:
        """Where the picture, and all that lies on the film, is against the gate: pixels right and down."""
        x = self.weave * self._drift(_WEAVE_X, frame) if self.weave else 0.0
        y = self.weave * self._drift(_WEAVE_Y, frame) if self.weave else 0.0
        return x, y + self._splice(frame)

    def _splice(self, frame: int) -> float:
        """A splice lifts the film off its registration pin for a frame or two."""
        if not self.jumps:
            return 0.0
        for ago in (0, 1):
            chance, length, way = np.random.default_rng([self.seed, _JUMP, max(frame - ago, 0)]).uniform(size=3)
            if chance < self.jumps and frame >= ago and (ago == 0 or length < 0.5):
                return self.jump * (1 if way < 0.5 else -1)
        return 0.0

    def _drift(self, what: int, frame: int) -> float:
        """A random value for a frame, mean 0 and standard deviation 1: half of its power slow, half fresh."""
        node, step = divmod(frame, SLOW)
        part = step / SLOW
        part = part * part * (3 - 2 * part)
        before, after = (self._normal(what, 1, place) for place in (node, node + 1))
        slow = (before * (1 - part) + after * part) / np.hypot(part, 1 - part)
        return float((slow + self._normal(what, 0, frame)) / np.sqrt(2))

    def _normal(self, what: int, pace: int, place: int) -> float:
        return float(np.random.default_rng([self.seed, what, pace, place]).standard_normal())


def move(frame: Frame, shift: tuple[float, float], gain: float, *, full_range: bool = False) -> Frame:
    """A frame shifted by pixels (edges repeat, Lanczos) and its light multiplied by `gain`; alpha moves along."""
    layout = frame.layout
    if gain == 1 and shift == (0, 0):
        return frame
    black, _ = luma_codes(layout, full_range)
    planes = []
    for index, plane in enumerate(frame.planes):
        picture = index < layout.colour_planes
        zero = chroma_codes(layout, full_range)[0] if layout.family == "yuv" and index in (1, 2) else black
        values = _shifted(plane, shift, layout.subsampling(index))
        if picture and gain != 1:
            values = np.asarray(np.float32(zero) + np.float32(gain) * (values - np.float32(zero)))
        planes.append(_as_codes(values, layout))
    return frame.with_planes(tuple(planes))


def fade(frame: Frame, fading: float, *, full_range: bool = False, weights: tuple[float, float] = BT709) -> Frame:
    """A frame whose dyes have faded, 0..1. Density that shrinks to a share `g` is the power `v**g` of light."""
    if fading <= 0:
        return frame
    before = rgb_of(frame, full_range, weights)
    if frame.layout.family == "gray":
        after = 0.5 + (before - 0.5) * np.float32(1 - GRAY_FADING * fading)
    else:
        powers = np.array([1 - lost * fading for lost in COLOUR_FADING], dtype=np.float32)[:, None, None]
        # Beyond white (floating point) there is no density that could fade.
        after = np.where((before > 0) & (before < 1), np.clip(before, 1e-6, 1) ** powers, before)
    return change_rgb(frame, before, np.asarray(after, dtype=np.float32), full_range, weights)


def blur(frame: Frame, sigma: float) -> Frame:
    """A frame out of focus: a Gaussian of `sigma` pixels on the picture's planes."""
    if sigma <= 0:
        return frame
    layout = frame.layout
    planes: list[Plane] = list(frame.planes)
    for index in range(layout.colour_planes):
        sub_x, sub_y = layout.subsampling(index)
        values = planes[index].astype(np.float32)
        values = cv2.GaussianBlur(
            values, (0, 0), sigmaX=sigma / (1 << sub_x), sigmaY=sigma / (1 << sub_y), borderType=cv2.BORDER_REPLICATE
        )
        planes[index] = _as_codes(values, layout)
    return frame.with_planes(tuple(planes))


def compress(frame: Frame, compression: float) -> Frame:
    """A frame with the errors of a JPEG whose quality falls from 100 at 0 to `WORST_QUALITY` at 1.

    Deeper samples keep what is below 8 bits: only the error of the 8-bit picture is added to them. RGB goes through
    JPEG's own Y'CbCr 4:2:0; the planes of Y'CbCr one by one.
    """
    if compression <= 0:
        return frame
    layout = frame.layout
    quality = round(100 - (100 - WORST_QUALITY) * compression)
    unit = layout.peak / 255
    pictures = [plane.astype(np.float32) for plane in frame.planes[: layout.colour_planes]]
    eights = [np.clip(np.nan_to_num(np.rint(picture / unit)), 0, 255).astype(np.uint8) for picture in pictures]
    if layout.family == "rgb":
        decoded: Sequence[Any] = list(np.moveaxis(_jpeg(np.stack(eights[::-1], axis=-1), quality), -1, 0))[::-1]
    else:
        decoded = [_jpeg(eight, quality) for eight in eights]
    planes = [
        _as_codes(picture + (after.astype(np.float32) - eight) * np.float32(unit), layout)
        for picture, eight, after in zip(pictures, eights, decoded, strict=True)
    ]
    return frame.with_planes((*planes, *frame.planes[layout.colour_planes :]))


def _jpeg(picture: Any, quality: int) -> Any:
    packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE if picture.ndim == 2 else cv2.IMREAD_COLOR)


def _shifted(plane: Plane, shift: tuple[float, float], subsampling: tuple[int, int]) -> Image:
    values = plane.astype(np.float32)
    if shift == (0, 0):
        return values
    x, y = shift[0] / (1 << subsampling[0]), shift[1] / (1 << subsampling[1])
    matrix = np.array([[1, 0, x], [0, 1, y]], dtype=np.float64)
    moved = cv2.warpAffine(
        values, matrix, values.shape[::-1], flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved)


def _as_codes(values: Image, layout: Layout) -> Plane:
    if not layout.is_float:
        values = np.clip(np.rint(values), 0, layout.peak)
    return np.asarray(values.astype(layout.dtype))
