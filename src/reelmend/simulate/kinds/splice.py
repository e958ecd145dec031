"""Splice: two ends of film overlap and are glued, or meet under tape, at the line between two frames.

Its edges cross the whole frame at the foot of one frame or at the head of the next; glue smears beyond them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Image, Pose
from reelmend.simulate.kinds.fields import fractal
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.statistics import Statistics

SUBROWS = 4
"""Rows a pixel at which lines are looked up."""

Line = tuple[float, float, float]
"""Distance from the frame's edge, width (micrometres), coverage."""


@dataclass(frozen=True, slots=True)
class Splice:
    """What of a splice hangs into a frame. Lengths in micrometres."""

    side: Literal["top", "bottom"]
    """Where it lies on the first frame; the next frame has it at the other side, for the film runs on."""
    lines: tuple[Line, ...]
    tilt: float
    """Radians."""
    wave: float
    """Amplitude of the lines' waviness."""
    smear: float
    """How far from the frame's edge the glue reaches."""
    glue: float
    """Coverage of the glue at its thickest, 0..1."""
    seed: int


class SpliceKind:
    name: ClassVar[str] = "splice"
    spans: ClassVar[bool] = True

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Splice:
        """Cement splices overlap by 0.07 to 0.1 inch (American Standard Z22.24 of 1949, for 16 mm), half of it on each
        side of the line between frames; less where the scan is cut closer."""
        overlap = float(rng.uniform(250, 1100))
        lines = [(overlap, float(rng.uniform(25, 110)), float(rng.uniform(0.6, 1.0)))]
        if rng.uniform() < 0.5:
            lines.append(
                (overlap * float(rng.uniform(0.1, 0.7)), float(rng.uniform(15, 60)), float(rng.uniform(0.3, 0.9)))
            )
        return Splice(
            side="bottom" if rng.uniform() < 0.5 else "top",
            lines=tuple(lines),
            tilt=float(rng.normal(0, 0.004)),
            wave=float(rng.uniform(0, 15)),
            smear=overlap + float(rng.uniform(0, 900)),
            glue=float(rng.uniform(0.0, 0.45)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: Splice, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Over the whole width of `canvas`, from its top or bottom edge; of the pose only the scale counts."""
        height, width = canvas
        scale = pose.scale
        slack = width / scale * abs(np.tan(shape.tilt)) / 2 + 3 * shape.wave
        reach = max(shape.smear * 1.3, *(away + wide for away, wide, _ in shape.lines)) + slack
        rows = min(height, int(np.ceil(reach * scale)) + 1)
        if rows <= 0:
            return nothing()
        x = ((np.arange(width) + 0.5) / scale).astype(np.float32)
        bend = np.tan(shape.tilt) * (x - width / scale / 2) + shape.wave * _waver(shape.seed, x)
        depth = (np.arange(rows * SUBROWS, dtype=np.float32) + np.float32(0.5)) / np.float32(SUBROWS * scale)
        away = depth[:, None] - bend[None, :].astype(np.float32)
        mean = np.zeros((rows, width), dtype=np.float32)
        for place, wide, coverage in shape.lines:
            line = _bar(away, place, wide, np.float32(1 / (SUBROWS * scale)))
            mean = np.maximum(
                mean, np.float32(coverage) * cv2.resize(line, (width, rows), interpolation=cv2.INTER_AREA)
            )
        if shape.glue > 0:
            down = ((np.arange(rows) + 0.5) / scale).astype(np.float32)
            mean = np.maximum(mean, np.float32(shape.glue) * _glue(shape, x, down))
        mean = np.clip(mean, 0, 1)
        at_top = (shape.side == "top") == (age % 2 == 0)
        return Cover(mean, 0, 0) if at_top else Cover(np.ascontiguousarray(mean[::-1]), height - rows, 0)


def _waver(seed: int, x: Image) -> NDArray[np.float32]:
    return fractal(seed, x[None, :], np.zeros_like(x)[None, :], 2000, 3)[0]


def _bar(away: Image, place: float, wide: float, unit: np.float32) -> Image:
    """Share of each sample, `unit` micrometres high, that the line from `place` on covers."""
    low = np.maximum(away - unit / 2, np.float32(place))
    high = np.minimum(away + unit / 2, np.float32(place + wide))
    return np.asarray(np.clip((high - low) / unit, 0, 1), dtype=np.float32)


def _glue(shape: Splice, x: Image, depth: Image) -> Image:
    """Blotchy, with a ragged end and empty bubbles, thickest at the overlap."""
    across, down = np.meshgrid(x, depth)
    blotch = fractal(shape.seed + 1, across, down * np.float32(2), 1200, 4, 0.6)
    end = np.float32(shape.smear) * (np.float32(0.85) + np.float32(0.15) * blotch)
    ramp = np.clip((end - down) / np.float32(0.25 * shape.smear), 0, 1)
    return np.asarray(ramp * np.clip(np.float32(0.6) + np.float32(0.4) * blotch, 0, 1), dtype=np.float32)
