"""Line scratch: the film ran past a grain of dirt, frame after frame, and the groove wanders and breaks off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.polygon import nothing
from reelmend.simulate.outlines import GAUGE_HEIGHT
from reelmend.simulate.statistics import Statistics

WIDTH = (25.9, 259.0)
"""Micrometres: 1 and 10 lines of 720 on the 35 mm full aperture, which is 18.67 mm high (SMPTE ST 59). `on_gauge`
brings them to other gauges."""

STEEPEST = np.deg2rad(5)
"""From vertical, as detectors of line scratches take them (on their look and persistence: Kokaram, Motion Picture
Restoration, 1998, chapter 9)."""

SUBROWS = 3
"""Rows a pixel at which the path is looked up."""

Wave = tuple[float, float, float]
"""Amplitude, length in micrometres of film, phase in radians."""


@dataclass(frozen=True, slots=True)
class LineScratch:
    """One groove along the film. All lengths are micrometres."""

    width: float
    path: tuple[Wave, ...]
    """Its sideways way along the film is the sum of these; amplitudes in micrometres."""
    contact: tuple[Wave, ...]
    """How firmly the dirt touched along the film, as a sum of waves of unit variance."""
    hold: float
    """Contact above `-hold` scratches: 3 is an unbroken line, 0 one that is there half of the time."""
    chatter: float
    """Share of depth lost between the dots of a dirt that jumped, 0..1."""
    period: float
    """Of the jumping."""
    core: float
    """Share of the width that the groove's floor takes."""
    floor: float
    """Coverage of the floor, 0..1."""
    flank: float
    """Coverage of the flanks beside it: less than the floor for a groove, more for one whose floor is clear again."""
    start: float
    """Share of the first frame's height at which it sets in."""


class LineScratchKind:
    name: ClassVar[str] = "line scratch"
    spans: ClassVar[bool] = True

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> LineScratch:
        """Width log-uniform in `WIDTH`; the steepest slope of its path within 5 degrees, mostly far less."""
        length = np.exp(rng.uniform(np.log(6e3), np.log(3e5), 6))
        slope = rng.dirichlet(np.ones(6)) * np.tan(STEEPEST) * rng.uniform(0.02, 1) ** 2
        path = np.column_stack([slope * length / (2 * np.pi), length, rng.uniform(0, 2 * np.pi, 6)])
        grip = np.exp(rng.uniform(np.log(1.5e3), np.log(8e4), 7))
        share = np.sqrt(2 * rng.dirichlet(np.ones(7)))
        contact = np.column_stack([share, grip, rng.uniform(0, 2 * np.pi, 7)])
        profile = rng.choice(3, p=(0.5, 0.35, 0.15))
        floor, flank = ((1.0, 1.0), (1.0, rng.uniform(0.2, 0.6)), (rng.uniform(0.2, 0.5), 1.0))[profile]
        return LineScratch(
            width=float(np.exp(rng.uniform(*np.log(WIDTH)))),
            path=_waves(path),
            contact=_waves(contact),
            hold=float(rng.uniform(0.2, 3.0)),
            chatter=float(rng.uniform(0.2, 0.8)) if rng.uniform() < 0.3 else 0.0,
            period=float(rng.uniform(200, 2500)),
            core=float(rng.uniform(0.3, 0.7)),
            floor=float(floor),
            flank=float(flank),
            start=float(rng.uniform(0, 1)),
        )

    def draw(self, shape: LineScratch, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """The piece of the groove on the frame `age` after the first; `pose.x` is where its path's middle lies.

        The film is one strip: what leaves this frame at the bottom enters the next at the top.
        """
        height, width = canvas
        rows = (np.arange(height * SUBROWS) + 0.5) / SUBROWS
        film = (age * height + rows) / pose.scale
        x = pose.x + centre(shape, film) * pose.scale
        depth = strength(shape, film, shape.start * height / pose.scale)
        wide = shape.width * pose.scale * (0.6 + 0.4 * depth)
        low, high = int(np.floor((x - wide).min())) - 1, int(np.ceil((x + wide).max())) + 2
        if high <= 0 or low >= width or depth.max() <= 0:
            return nothing()
        coverage = _bar(x - low, wide, shape.flank * depth, high - low)
        if shape.floor != shape.flank:
            coverage += _bar(x - low, wide * shape.core, (shape.floor - shape.flank) * depth, high - low)
        mean = coverage.reshape(height, SUBROWS, high - low).mean(axis=1)
        return Cover(np.clip(mean, 0, 1).astype(np.float32), 0, low)


def on_gauge(shape: Any, gauge: str) -> Any:
    """A shape as it is on a gauge (a key of `GAUGE_HEIGHT`): a line scratch is as wide a share of the frame on all of
    them, for what is seen on small gauges is scratched by finer dirt; other shapes are as they were sampled."""
    if not isinstance(shape, LineScratch):
        return shape
    return replace(shape, width=shape.width * GAUGE_HEIGHT[gauge] / GAUGE_HEIGHT["35mm"])


def centre(shape: LineScratch, film: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sideways place of the groove at places along the film (micrometres from the top of its first frame)."""
    return _sum(shape.path, film)


def strength(shape: LineScratch, film: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    """How deep the groove is along the film, 0..1; it sets in at `start`, within a millimetre."""
    depth = _smooth((_sum(shape.contact, film) + shape.hold) / 0.6) * _smooth((film - start) / 1000)
    if shape.chatter > 0:
        beat = 0.5 - 0.5 * np.cos(2 * np.pi * film / shape.period + 2 * _sum(shape.contact, film))
        depth = depth * (1 - shape.chatter * beat)
    return np.asarray(depth)


def _waves(table: NDArray[np.float64]) -> tuple[Wave, ...]:
    return tuple((float(size), float(length), float(phase)) for size, length, phase in table)


def _sum(waves: tuple[Wave, ...], film: NDArray[np.float64]) -> NDArray[np.float64]:
    size, length, phase = np.array(waves).T
    return np.asarray(size @ np.cos(2 * np.pi * film / length[:, None] + phase[:, None]))


def _smooth(value: NDArray[np.float64]) -> NDArray[np.float64]:
    part = np.clip(value, 0, 1)
    return np.asarray(part * part * (3 - 2 * part))


def _bar(
    x: NDArray[np.float64], wide: NDArray[np.float64], level: NDArray[np.float64], columns: int
) -> NDArray[np.float64]:
    """Rows of a bar `wide` pixels about `x`: the share of each pixel that it covers, exactly."""
    left, right = (x - wide / 2)[:, None], (x + wide / 2)[:, None]
    pixel = np.arange(columns)
    return np.asarray(np.clip(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0, 1) * level[:, None])
