"""Dust, dirt and hair drawn from random numbers alone, for samples that may ship nobody's annotations.

Sizes follow the medians and 95th percentiles measured on ten annotated 35 mm scans (7.03 micrometres a pixel; extents
in micrometres: dust 70/120, dirt 105/240, short hair 275/625, long hair 795/1765), as log-normal distributions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from reelmend.simulate.outlines import Kind, Outline, Points

EXTENT: Mapping[Kind, tuple[float, float]] = MappingProxyType(
    {"dust": (70, 120), "dirt": (105, 240), "short hair": (275, 625), "long hair": (795, 1765)}
)
"""Median and 95th percentile of the larger side of the bounding box, micrometres."""

SHARE: Mapping[Kind, float] = MappingProxyType({"dust": 7631, "dirt": 2700, "short hair": 1341, "long hair": 398})
"""How often each kind was counted on those scans."""

HAIR_WIDTH = (25.0, 55.0)
"""Width of a hair or textile fibre at its thickest, micrometres: the annotated hairs' area divided by their extent
is 40 to 60 including the annotator's margin."""

Z95 = 1.645
"""The 95th percentile of the standard normal distribution."""


def sample_outlines(rng: np.random.Generator, count: int) -> list[Outline]:
    """`count` outlines with the kinds and sizes of real scans, in micrometres."""
    kinds = list(SHARE)
    weights = np.array([SHARE[kind] for kind in kinds])
    chosen = rng.choice(len(kinds), size=count, p=weights / weights.sum())
    return [sample_outline(rng, kinds[index]) for index in chosen]


def sample_outline(rng: np.random.Generator, kind: Kind) -> Outline:
    """One outline of a kind: `dust` and `dirt` are flakes of different roughness, hairs are curved and taper.

    Raises KeyError for a kind that has no recipe (`scratch`).
    """
    median, high = EXTENT[kind]
    extent = float(np.exp(rng.normal(np.log(median), np.log(high / median) / Z95)))
    if kind in ("dust", "dirt"):
        rough = rng.uniform(0.1, 0.25) if kind == "dust" else rng.uniform(0.2, 0.45)
        return Outline(kind, (flake(rng, extent, rough),)).centred()
    bend = rng.uniform(0.5, 2.0) if kind == "short hair" else rng.uniform(1.0, 4.0)
    return Outline(kind, hair(rng, extent, rng.uniform(*HAIR_WIDTH), bend)).centred()


def flake(rng: np.random.Generator, extent: float, roughness: float, corners: int = 48) -> Points:
    """A blob whose larger side is `extent`: radius = exp(a random Fourier series whose amplitudes fall as 1/f).

    `roughness` is the standard deviation of the logarithm of the radius: 0.1 is nearly an ellipse, 0.4 a torn flake.
    """
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    orders = np.arange(2, 13)
    amplitude = 1 / orders
    amplitude *= roughness * np.sqrt(2) / np.linalg.norm(amplitude)
    phase = rng.uniform(0, 2 * np.pi, len(orders))
    log_radius = (amplitude[:, None] * np.cos(orders[:, None] * angle + phase[:, None])).sum(axis=0)
    squash = rng.uniform(0.45, 1.0)
    radius = np.exp(log_radius)
    points = np.stack([radius * np.cos(angle), squash * radius * np.sin(angle)], axis=1)
    return np.asarray(points * (extent / np.ptp(points, axis=0).max()))


def hair(rng: np.random.Generator, extent: float, width: float, bend: float, segments: int = 40) -> tuple[Points, ...]:
    """A fibre as a chain of quadrilaterals: its direction is a smooth random walk, its ends taper.

    `bend` is the standard deviation of the turning over the whole length, radians. The chain, not one polygon, so
    that a fibre that crosses itself stays filled where it crosses.
    """
    steps = np.convolve(rng.normal(size=segments + 8), np.hanning(9)[1:-1], mode="valid")[:segments]
    turning = np.cumsum(steps - steps.mean() * rng.uniform(0, 1))
    turning *= bend / max(float(turning.std()), 1e-9)
    spine = np.cumsum(np.stack([np.cos(turning), np.sin(turning)], axis=1), axis=0)
    spine *= extent / max(float(np.ptp(spine, axis=0).max()), 1e-9)
    along = np.linspace(0, 1, segments)
    taper = np.minimum(1, np.minimum(along / 0.12, (1 - along) / rng.uniform(0.15, 0.5)))
    half = width / 2 * np.maximum(taper, 0.15) * (1 + 0.15 * np.sin(2 * np.pi * (3 * along + rng.uniform())))
    tangent = np.gradient(spine, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    left, right = spine + normal * half[:, None], spine - normal * half[:, None]
    return tuple(np.stack([left[i], left[i + 1], right[i + 1], right[i]]) for i in range(segments - 1))
