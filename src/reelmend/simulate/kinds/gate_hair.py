"""Hair in the gate: a fibre caught at the rim of the aperture reaches into the frame and trembles there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.strokes import chain, draw_strokes
from reelmend.simulate.outlines import Points
from reelmend.simulate.statistics import Statistics

POINTS = 64
"""Along the hair."""

HELD = 400.0
"""Micrometres of it that stay outside the frame, so that its root stays hidden while it trembles."""

Side = Literal["top", "bottom", "left", "right"]

INWARDS: dict[Side, float] = {"top": np.pi / 2, "bottom": -np.pi / 2, "left": 0.0, "right": np.pi}
"""Direction from each edge into the frame, radians, as y points down."""


@dataclass(frozen=True, slots=True)
class GateHair:
    """A fibre from an edge of the frame. Lengths in micrometres, angles in radians."""

    side: Side
    length: float
    """Of what may be seen."""
    width: float
    """At its thickest."""
    lean: float
    """Direction at the root, from straight inwards."""
    bends: tuple[float, ...]
    """Turning of the hair along its length: strength of each half wave of a cosine series."""
    taper: float
    """Share of the length over which its tip thins."""


class GateHairKind:
    name: ClassVar[str] = "gate hair"
    spans: ClassVar[bool] = True

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> GateHair:
        """Roots lie at the top or bottom twice as often as at a side: the film draws them along its way."""
        side: Side = ("top", "bottom", "left", "right")[rng.choice(4, p=(1 / 3, 1 / 3, 1 / 6, 1 / 6))]
        orders = np.arange(1, 7)
        return GateHair(
            side=side,
            length=float(np.exp(rng.uniform(np.log(800), np.log(9000)))),
            width=float(rng.uniform(25, 60)),
            lean=float(np.clip(rng.normal(0, 0.5), -1.2, 1.2)),
            bends=tuple((rng.normal(0, 1.4, len(orders)) / orders).tolist()),
            taper=float(rng.uniform(0.1, 0.4)),
        )

    def draw(self, shape: GateHair, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Root at the edge of `canvas`, beside `pose.x` (or `pose.y` at a side); `pose.angle` swings it there."""
        height, width = canvas
        x = {"left": 0.0, "right": float(width)}.get(shape.side, pose.x)
        y = {"top": 0.0, "bottom": float(height)}.get(shape.side, pose.y)
        rooted = replace(pose, x=x, y=y, mirrored=False)
        points = spine(shape)
        along = np.linspace(0, 1, POINTS)
        thin = np.clip((1 - along) / shape.taper, 0.25, 1)
        return draw_strokes(chain(points, shape.width * thin), rooted, canvas)


def spine(shape: GateHair) -> Points:
    """The hair's middle line `(POINTS, 2)`, micrometres from where it enters the frame; the first lies outside."""
    root = INWARDS[shape.side] + shape.lean
    turn = root + _turning(shape, np.linspace(0, 1, POINTS - 2))
    step = shape.length / (POINTS - 2)
    path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=1) * step, axis=0)
    held = -HELD * np.array([[np.cos(root), np.sin(root)]])
    return np.concatenate([held, np.zeros((1, 2)), path])


def _turning(shape: GateHair, along: NDArray[np.float64]) -> NDArray[np.float64]:
    orders = np.arange(1, len(shape.bends) + 1)[:, None]
    return np.asarray(np.array(shape.bends) @ (1 - np.cos(np.pi * orders * along)) / 2)
