"""Emulsion loss: the picture layer broke into cells and flaked off the base, which leaves angular patches and chips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.cells import facets, middles
from reelmend.simulate.kinds.fields import LARGE, OUTSIDE, fractal
from reelmend.simulate.kinds.polygon import nothing, place
from reelmend.simulate.outlines import Points
from reelmend.simulate.statistics import Statistics

FINE = 4
"""Samples a pixel along x and y, for flakes of a pixel or two."""

ENOUGH = 1200
"""Pixels along the longer side of a patch above which one sample a pixel is taken."""

BITS = 4
"""Of a corner's fraction in OpenCV's fixed-point polygons."""

REACH = 1.6
"""Radii from its middle to which a patch may reach."""


@dataclass(frozen=True, slots=True)
class EmulsionLoss:
    """A patch of lost picture layer. Lengths in micrometres."""

    radius: float
    squash: float
    """Height over width."""
    rough: float
    """Strength of the noise that frays its outline, against a fall of 1 over the radius."""
    cell: float
    """Size of the flakes into which the layer broke."""
    crumble: float
    """How much chance there is in which flakes went, 0..1: 0 leaves one patch, 1 scattered chips."""
    lifted: float
    """Width of the rim at which the layer came loose and is half transparent."""
    seed: int


class EmulsionLossKind:
    name: ClassVar[str] = "emulsion loss"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> EmulsionLoss:
        radius = float(np.exp(rng.uniform(np.log(150), np.log(2500))))
        return EmulsionLoss(
            radius=radius,
            squash=float(rng.uniform(0.4, 1.0)),
            rough=float(rng.uniform(0.25, 0.6)),
            cell=float(radius * np.exp(rng.uniform(np.log(0.09), np.log(0.25)))),
            crumble=float(rng.uniform(0.0, 0.9)),
            lifted=float(rng.uniform(10, 60)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: EmulsionLoss, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        flakes = lost_flakes(shape)
        corners = place(np.concatenate(flakes), pose)
        low, high = corners.min(axis=0), corners.max(axis=0)
        if high[0] <= 0 or high[1] <= 0 or low[0] >= canvas[1] or low[1] >= canvas[0]:
            return nothing()
        if np.prod(high - low) > LARGE:
            low, high = np.maximum(low, -OUTSIDE), np.minimum(high, np.array(canvas[::-1]) + OUTSIDE)
        left, top = (np.floor(low).astype(int) - 1).tolist()
        columns, rows = (np.ceil(high).astype(int) + 1 - (left, top)).tolist()
        fine = FINE if max(rows, columns) * FINE <= ENOUGH else max(1, ENOUGH // max(rows, columns))
        mask = np.zeros((rows * fine, columns * fine), dtype=np.uint8)
        # OpenCV's corners lie on the middles of samples, and it paints the samples that an edge touches too.
        points = np.rint(((corners - (left, top)) * fine - 0.5) * 2**BITS).astype(np.int32)
        cv2.fillPoly(mask, np.split(points, np.cumsum([len(flake) for flake in flakes])[:-1]), 1, shift=BITS)
        # What the painted edge adds on each side is half a sample.
        inwards = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1] - np.float32(0.5)
        film = inwards / np.float32(pose.scale * fine)
        loose = np.float32(0.6) + np.float32(0.4) * np.clip(film / np.float32(shape.lifted), 0, 1)
        values = np.clip(inwards, 0, 1) * loose
        return Cover(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA), top, left)


def lost_flakes(shape: EmulsionLoss) -> list[Points]:
    """The flakes that went, polygons `(n, 2)` in micrometres about the patch's middle."""
    rng = np.random.default_rng(shape.seed)
    half = (REACH * shape.radius, REACH * shape.radius * shape.squash)
    cells, centres = facets(middles(half, shape.cell, 0.2, rng))
    x, y = (np.ascontiguousarray(part, dtype=np.float32)[None] for part in centres.T)
    away = np.hypot(x, y / np.float32(shape.squash))[0] / shape.radius
    frayed = fractal(shape.seed, x, y, 0.9 * shape.radius, 4, 0.6)[0]
    chance = rng.normal(0, 0.25 * shape.crumble, len(centres))
    field = 1 - away + shape.rough * frayed * np.clip(2 * (REACH - away), 0, 1) + chance * (away < 1.3)
    # The middle always goes: a patch of nothing is no patch.
    gone = (field > 0.35 * shape.crumble) & (away < REACH - 0.1) | (away == away.min())
    return [cells[index] for index in np.flatnonzero(gone)]
