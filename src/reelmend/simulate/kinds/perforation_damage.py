"""Perforation damage: teeth of a sprocket tore the film, and the tears reach from its edge into the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.statistics import Statistics

PITCH = 4740.0
"""Micrometres from perforation to perforation of 35 mm film (SMPTE ST 93, 4.740 mm; ST 139 has 4.750)."""

SUBROWS = 4
"""Rows a pixel at which the edge of a tear is looked up."""

TABLE = 128
"""Places along a tear's outline that have their own raggedness."""

Tear = tuple[float, float, float, float]
"""Down from the first, half height, depth (micrometres), and roundness: 0 = triangle, 1 = arc."""


@dataclass(frozen=True, slots=True)
class PerforationDamage:
    """Tears from one edge of the frame. Lengths in micrometres."""

    side: Literal["left", "right"]
    tears: tuple[Tear, ...]
    lean: float
    """How far the tip lies above (-1) or below (1) the middle, as a share of the half height."""
    ragged: float
    """Standard deviation of the torn edge, as a share of the depth."""
    seed: int
    """Of the raggedness."""


class PerforationDamageKind:
    name: ClassVar[str] = "perforation damage"
    spans: ClassVar[bool] = True

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> PerforationDamage:
        """One to three tears, a perforation apart: each tooth of the sprocket did the same."""
        half, depth = float(rng.uniform(250, 1400)), float(np.exp(rng.uniform(np.log(200), np.log(2500))))
        roundness = float(rng.uniform(0, 1))
        tears = [
            (nth * PITCH, half * float(rng.uniform(0.7, 1.3)), depth * float(rng.uniform(0.5, 1.2)), roundness)
            for nth in range(int(rng.choice(3, p=(0.6, 0.25, 0.15))) + 1)
        ]
        return PerforationDamage(
            side="left" if rng.uniform() < 0.5 else "right",
            tears=tuple(tears),
            lean=float(rng.uniform(-0.8, 0.8)),
            ragged=float(rng.uniform(0.02, 0.12)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: PerforationDamage, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """From the left or right edge of `canvas` inwards; `pose.y` is where the first tear's middle lies."""
        height, width = canvas
        scale = pose.scale
        ends = [pose.y + (down + sign * half) * scale for down, half, _, _ in shape.tears for sign in (-1, 1)]
        top, bottom = int(np.floor(min(ends))) - 1, int(np.ceil(max(ends))) + 1
        if bottom <= 0 or top >= height:
            return nothing()
        film = ((np.arange((bottom - top) * SUBROWS) + 0.5) / SUBROWS + top - pose.y) / scale
        depth = tear_depth(shape, film) * scale
        columns = int(np.ceil(depth.max())) + 1
        pixel = np.arange(columns)
        covered = np.clip(depth[:, None] - pixel, 0, 1).reshape(bottom - top, SUBROWS, columns).mean(axis=1)
        coverage = covered.astype(np.float32)
        if shape.side == "right":
            return Cover(np.ascontiguousarray(coverage[:, ::-1]), top, width - columns)
        return Cover(coverage, top, 0)


def tear_depth(shape: PerforationDamage, film: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the tears reach into the frame, micrometres, at places down from the first tear's middle."""
    rng = np.random.default_rng(shape.seed)
    depth = np.zeros_like(film)
    # A torn edge is rough at every size, less so at the smaller ones.
    orders, turn = np.arange(2, 40), np.linspace(0, np.pi, TABLE)
    for down, half, deep, roundness in shape.tears:
        size = rng.normal(size=(2, len(orders))) / orders
        rough = size[0] @ np.cos(orders[:, None] * turn) + size[1] @ np.sin(orders[:, None] * turn)
        along = (film - down) / half
        tip = np.clip(shape.lean, -0.9, 0.9)
        # Straight from each end to the tip, or as a circle bends.
        share = np.clip(np.minimum((along + 1) / (1 + tip), (1 - along) / (1 - tip)), 0, 1)
        profile = share * (1 - roundness) + np.sqrt(share * (2 - share)) * roundness
        torn = profile * deep * (1 + shape.ragged * np.interp(along, np.linspace(-1, 1, TABLE), rough / rough.std()))
        depth = np.maximum(depth, torn * (share > 0))
    return depth
