"""One-frame damage: its parameters are sampled here, drawn here, and laid over frames here, as three separate steps.

Dark damage takes light away in the density domain, `I = I0 * 10**-D`; bright damage (dirt on the negative, holes in
the emulsion) moves the picture towards white, `I = I0 + a (W - I0)`. Both are `I = gain * I0 + lift`, which is how a
drawn frame of damage is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout, Mask, Plane
from reelmend.simulate.codes import footprint, luma_codes
from reelmend.simulate.outlines import GAUGE_WIDTH, Outline
from reelmend.simulate.raster import rasterise

TRUTH_ALPHA = 0.12
"""A pixel is damaged where more than this share of the picture under it is lost. Below it an 8-bit mid-tone moves by
about its own grain."""

FAINTEST = 1 / 512
"""An alpha that cannot move an 8-bit sample is drawn as none, so that the frame stays identical there."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Defect:
    """Everything that drawing one piece of damage needs."""

    outline: Outline
    x: float
    """Centre in the frame, pixels from the left edge."""
    y: float
    scale: float
    """Pixels a micrometre."""
    angle: float = 0.0
    """Radians, counted as OpenCV's y axis points down."""
    mirrored: bool = False
    polarity: Literal["dark", "bright"] = "dark"
    opacity: float = 1.0
    """Share of the picture lost at the core, 0..1."""
    white: float = 1.0
    """What bright damage moves towards, 0..1 of picture range."""
    softness: float = 0.7
    """Standard deviation of the scanner's point spread, pixels."""
    mottle: float = 0.0
    """How much the density varies inside, 0 = even."""
    seed: int = 0
    """Of the mottle's pattern."""


@dataclass(frozen=True, slots=True)
class Damage:
    """The drawn damage of one frame: `picture = gain * picture + lift`, each `(h, w)` float32 in 0..1."""

    gain: Image
    lift: Image

    @property
    def alpha(self) -> Image:
        """Share of the picture lost, `(h, w)`, 0..1."""
        return np.asarray(1 - self.gain, dtype=np.float32)

    @property
    def truth(self) -> Mask:
        """`alpha > TRUTH_ALPHA`."""
        return np.asarray(self.alpha > TRUTH_ALPHA)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the damage of a clip is like; `sample_defects` draws from it."""

    gauge: str = "35mm"
    """A key of `GAUGE_WIDTH`: how many micrometres the frame's width spans."""
    area: tuple[float, float] = (0.003, 0.012)
    """Damaged share of a frame, lowest and highest; log-uniform between."""
    bright: float = 0.5
    """Probability that a defect is bright."""
    opacity: tuple[float, float] = (0.5, 1.0)
    softness: tuple[float, float] = (0.5, 1.1)
    white: tuple[float, float] = (0.85, 1.0)
    mottle: tuple[float, float] = (0.0, 0.3)
    smallest: float = 2.5
    """Pixels: outlines whose larger side would be smaller are enlarged to it, for nobody sees or labels less."""


def sample_defects(
    rng: np.random.Generator, pool: Sequence[Outline], height: int, width: int, recipe: Recipe
) -> list[Defect]:
    """Parameters of one frame's damage: outlines picked evenly from the pool until their area reaches the target.

    Areas are those of the drawn truth mask, overlaps counted once. Raises ValueError for an empty pool.
    """
    if not pool:
        raise ValueError("no outlines to sample from")
    low, high = np.log(recipe.area)
    target = float(np.exp(rng.uniform(low, high))) * height * width
    covered: Mask = np.zeros((height, width), dtype=bool)
    defects: list[Defect] = []
    while covered.sum() < target:
        defect = _sample(rng, pool[int(rng.integers(len(pool)))], height, width, recipe)
        patch, top, left = coverage(defect, height, width)
        own = _alpha(defect, patch) > TRUTH_ALPHA
        room = target - covered.sum()
        # A long hair must not overshoot a nearly reached target: smaller shapes fill the rest.
        if own.sum() > max(2 * room, 40):
            continue
        defects.append(defect)
        covered[top : top + own.shape[0], left : left + own.shape[1]] |= own
    return defects


def _sample(rng: np.random.Generator, outline: Outline, height: int, width: int, recipe: Recipe) -> Defect:
    scale = width / GAUGE_WIDTH[recipe.gauge]
    scale = max(scale, recipe.smallest / max(outline.extent))
    return Defect(
        outline=outline,
        x=float(rng.uniform(0, width)),
        y=float(rng.uniform(0, height)),
        scale=scale,
        angle=float(rng.uniform(0, 2 * np.pi)),
        mirrored=bool(rng.integers(2)),
        polarity="bright" if rng.uniform() < recipe.bright else "dark",
        opacity=float(rng.uniform(*recipe.opacity)),
        white=float(rng.uniform(*recipe.white)),
        softness=float(rng.uniform(*recipe.softness)),
        mottle=float(rng.uniform(*recipe.mottle)),
        seed=int(rng.integers(2**31)),
    )


def coverage(defect: Defect, height: int, width: int) -> tuple[Image, int, int]:
    """The defect's soft coverage 0..1 on the part of the frame that it touches, and that part's top and left.

    Rasterised with the share of each pixel that is covered, then blurred by the point spread. The patch is empty
    when the defect lies outside the frame.
    """
    parts = [_placed(defect, part) for part in defect.outline.parts]
    corners = np.concatenate(parts)
    margin = int(np.ceil(4 * defect.softness)) + 1
    low = np.floor(corners.min(axis=0)).astype(int) - margin
    high = np.ceil(corners.max(axis=0)).astype(int) + margin
    columns, rows = (high - low).tolist()
    soft: Image = np.zeros((rows, columns), dtype=np.float32)
    for part in parts:
        soft += rasterise(part - low, rows, columns)
    # Links of a chain share edges, so their parts of a pixel add up; where a hair lies on itself it is no thicker.
    np.minimum(soft, 1, out=soft)
    if defect.softness > 0:
        soft = cv2.GaussianBlur(soft, (0, 0), defect.softness, borderType=cv2.BORDER_CONSTANT)
    if defect.mottle > 0:
        soft = soft * _mottle(defect, rows, columns)
    top, left = max(int(low[1]), 0), max(int(low[0]), 0)
    bottom, right = max(min(int(high[1]), height), top), max(min(int(high[0]), width), left)
    if top >= height or left >= width:
        return np.zeros((0, 0), dtype=np.float32), 0, 0
    cut = soft[top - int(low[1]) : bottom - int(low[1]), left - int(low[0]) : right - int(low[0])]
    return np.ascontiguousarray(cut, dtype=np.float32), top, left


def draw(defects: Sequence[Defect], height: int, width: int) -> Damage:
    """The damage of a frame, each defect laid over those before it."""
    gain: Image = np.ones((height, width), dtype=np.float32)
    lift: Image = np.zeros((height, width), dtype=np.float32)
    for defect in defects:
        patch, top, left = coverage(defect, height, width)
        alpha = _alpha(defect, patch)
        place = np.s_[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        gain[place] *= 1 - alpha
        lift[place] *= 1 - alpha
        if defect.polarity == "bright":
            lift[place] += alpha * np.float32(defect.white)
    return Damage(gain, lift)


def damage_frame(frame: Frame, damage: Damage, *, full_range: bool = False) -> Frame:
    """A frame with damage laid over it, in its own planes; samples that no damage reaches keep their values.

    `full_range` says whether an integer Y'CbCr or gray frame uses all code values; RGB and float always do.
    Damage is neutral: it takes colour away as it takes light.
    """
    if damage.gain.shape != (frame.height, frame.width):
        raise ValueError(f"damage of {damage.gain.shape} does not fit a frame of {frame.height} x {frame.width}")
    layout = frame.layout
    planes = list(frame.planes)
    for index in range(layout.colour_planes):
        planes[index] = _damage_plane(frame.planes[index], index, layout, damage, full_range)
    return replace(frame, planes=tuple(planes))


def _damage_plane(plane: Plane, index: int, layout: Layout, damage: Damage, full_range: bool) -> Plane:
    gain, lift = (footprint(image, layout, index) for image in (damage.gain, damage.lift))
    code = plane.astype(np.float32)
    if layout.family == "yuv" and index > 0:
        middle = np.float32(0 if layout.is_float else 2 ** (layout.bits - 1))
        changed = middle + gain * (code - middle)
    else:
        black, white = luma_codes(layout, full_range)
        changed = black + gain * (code - black) + lift * np.float32(white - black)
    if not layout.is_float:
        changed = np.clip(np.rint(changed), 0, layout.peak)
    return np.where(gain < 1, changed, code).astype(plane.dtype)


def _placed(defect: Defect, part: NDArray[np.float64]) -> NDArray[np.float64]:
    cos, sin = np.cos(defect.angle), np.sin(defect.angle)
    flip = -1.0 if defect.mirrored else 1.0
    turn = np.array([[flip * cos, flip * sin], [-sin, cos]])
    return np.asarray(part @ turn * defect.scale + (defect.x, defect.y))


def _alpha(defect: Defect, soft: Image) -> Image:
    if defect.polarity == "bright":
        alpha = defect.opacity * soft
    else:
        # Density adds up along the light's path: opacity is reached where coverage is 1. The cap is about the
        # density of black leader (2.5), for an opacity of exactly 1 would need infinite density.
        density = min(-np.log10(max(1 - defect.opacity, 1e-9)), 2.5)
        alpha = 1 - 10 ** (-density * soft)
    alpha = np.asarray(alpha, dtype=np.float32)
    alpha[alpha < FAINTEST] = 0
    return alpha


def _mottle(defect: Defect, rows: int, columns: int) -> Image:
    noise = np.random.default_rng(defect.seed).standard_normal((rows, columns)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    smooth /= max(float(smooth.std()), 1e-6)
    return np.asarray(np.clip(1 - np.float32(defect.mottle) * np.abs(smooth), 0, 1), dtype=np.float32)
