"""One-frame damage of given outlines, picked from a pool until a share of the frame is covered.

For clips whose shapes must be real and whose damaged area must be known beforehand: benchmarks, training of the
`spike` detector, the bundled sample. `reelmend.simulate.reel` makes damage by fitted counts and through time instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from reelmend.film import Mask
from reelmend.simulate.damage import TRUTH_ALPHA, Damage, lay
from reelmend.simulate.defect import Defect, Image, Ink, Pose
from reelmend.simulate.kinds.polygon import place
from reelmend.simulate.optics import Patch, opacity, point_spread
from reelmend.simulate.outlines import GAUGE_WIDTH, Outline
from reelmend.simulate.raster import rasterise


@dataclass(frozen=True, slots=True)
class PoolRecipe:
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
    rng: np.random.Generator, pool: Sequence[Outline], height: int, width: int, recipe: PoolRecipe
) -> list[Defect]:
    """Parameters of one frame's damage: outlines picked evenly from the pool until their area reaches the target.

    Areas are those of the drawn truth mask, overlaps counted once. The shape of each defect is its `Outline`. Raises
    ValueError for an empty pool.
    """
    if not pool:
        raise ValueError("no outlines to sample from")
    low, high = np.log(recipe.area)
    target = float(np.exp(rng.uniform(low, high))) * height * width
    covered: Mask = np.zeros((height, width), dtype=bool)
    defects: list[Defect] = []
    while covered.sum() < target:
        defect = _sample(rng, pool[int(rng.integers(len(pool)))], height, width, recipe)
        patch = expose(defect, height, width)
        own = patch.alpha > TRUTH_ALPHA
        room = target - covered.sum()
        # A long hair must not overshoot a nearly reached target: smaller shapes fill the rest.
        if own.sum() > max(2 * room, 40):
            continue
        defects.append(defect)
        covered[patch.top : patch.top + own.shape[0], patch.left : patch.left + own.shape[1]] |= own
    return defects


def _sample(rng: np.random.Generator, outline: Outline, height: int, width: int, recipe: PoolRecipe) -> Defect:
    scale = width / GAUGE_WIDTH[recipe.gauge]
    scale = max(scale, recipe.smallest / max(outline.extent))
    pose = Pose(
        x=float(rng.uniform(0, width)),
        y=float(rng.uniform(0, height)),
        scale=scale,
        angle=float(rng.uniform(0, 2 * np.pi)),
        mirrored=bool(rng.integers(2)),
    )
    ink = Ink(
        polarity="bright" if rng.uniform() < recipe.bright else "dark",
        opacity=float(rng.uniform(*recipe.opacity)),
        white=float(rng.uniform(*recipe.white)),
        softness=float(rng.uniform(*recipe.softness)),
        mottle=float(rng.uniform(*recipe.mottle)),
        seed=int(rng.integers(2**31)),
    )
    return Defect(outline.kind, outline, pose, ink)


def draw(defects: Sequence[Defect], height: int, width: int) -> Damage:
    """The damage of a frame of defects whose shape is an `Outline`, each laid over those before it."""
    return lay((expose(defect, height, width) for defect in defects), height, width)


def expose(defect: Defect, height: int, width: int) -> Patch:
    """What one defect does to a frame of `height` x `width`; empty when it lies outside."""
    soft, top, left = coverage(defect, height, width)
    alpha = opacity(soft, defect.ink)
    lift = np.float32(defect.ink.white) * alpha if defect.ink.polarity == "bright" else np.zeros_like(alpha)
    return Patch(alpha, lift, top, left)


def coverage(defect: Defect, height: int, width: int) -> tuple[Image, int, int]:
    """The defect's soft coverage 0..1 on the part of the frame that it touches, and that part's top and left.

    Rasterised with the share of each pixel that is covered, then blurred by the point spread.
    """
    parts = [place(part, defect.pose) for part in defect.shape.parts]
    corners = np.concatenate(parts)
    margin = int(np.ceil(4 * defect.ink.softness)) + 1
    low = np.floor(corners.min(axis=0)).astype(int) - margin
    high = np.ceil(corners.max(axis=0)).astype(int) + margin
    columns, rows = (high - low).tolist()
    soft: Image = np.zeros((rows, columns), dtype=np.float32)
    for part in parts:
        soft += rasterise(part - low, rows, columns)
    # Links of a chain share edges, so their parts of a pixel add up; where a hair lies on itself it is no thicker.
    np.minimum(soft, 1, out=soft)
    soft = point_spread(soft, defect.ink.softness)
    if defect.ink.mottle > 0:
        soft = soft * _mottle(defect.ink, rows, columns)
    top, left = max(int(low[1]), 0), max(int(low[0]), 0)
    bottom, right = max(min(int(high[1]), height), top), max(min(int(high[0]), width), left)
    if top >= height or left >= width:
        return np.zeros((0, 0), dtype=np.float32), 0, 0
    cut = soft[top - int(low[1]) : bottom - int(low[1]), left - int(low[0]) : right - int(low[0])]
    return np.ascontiguousarray(cut, dtype=np.float32), top, left


def _mottle(ink: Ink, rows: int, columns: int) -> Image:
    """Unevenness about as fine as the film's own grain, a pattern of its own for every defect."""
    noise = np.random.default_rng(ink.seed).standard_normal((rows, columns)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    smooth /= max(float(smooth.std()), 1e-6)
    return np.asarray(np.clip(1 - np.float32(ink.mottle) * np.abs(smooth), 0, 1), dtype=np.float32)
