"""Lint: a bit of yarn or fluff, one bent strand with finer fibres that stand out from it, some of them tangled.

Nobody annotated lint by that name, so its numbers are stated here. Thicknesses are those of textile fibres (cotton
12 to 20, wool 16 to 40 micrometres: W. E. Morton and J. W. S. Hearle, Physical Properties of Textile Fibres, 4th
edition, 2008, tables 3.1 and 3.2); the make-up follows pictures of lint on real scans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.strokes import Pieces, chain, draw_strokes
from reelmend.simulate.outlines import Points
from reelmend.simulate.statistics import Statistics

LENGTH = (400.0, 2600.0)
"""Of the strand, micrometres; log-uniform between."""

STRAND = (20.0, 45.0)
"""Its width, micrometres."""

FIBRE = (10.0, 20.0)
"""Width of a fibre that stands out, micrometres."""

FIBRES = (2, 9)
"""Fewest and most of them."""

STEP = 20.0
"""Micrometres between points."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One fibre of the bunch."""

    points: tuple[tuple[float, float], ...]
    """Micrometres, about the middle of the whole."""
    width: float
    """Micrometres; its tip thins to half."""


@dataclass(frozen=True, slots=True)
class Lint:
    """The strand first, then what stands out from it."""

    threads: tuple[Thread, ...]

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height of the bounding box, micrometres."""
        points = np.concatenate([np.asarray(thread.points) for thread in self.threads])
        width, height = np.ptp(points, axis=0).tolist()
        return width, height


class LintKind:
    """Sampled from the ranges above; the statistics are not asked."""

    name: ClassVar[str] = "lint"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Lint:
        """A strand with two to nine fibres, most of them near one place of it."""
        length = float(np.exp(rng.uniform(*np.log(LENGTH))))
        strand = _course(rng, length, turn=rng.uniform(0.5, 2.5), heading=0.0)
        lines, widths = [strand], [float(rng.uniform(*STRAND))]
        knot = rng.uniform(0.1, 0.9)
        for _ in range(int(rng.integers(FIBRES[0], FIBRES[1] + 1))):
            at = float(np.clip(rng.normal(knot, 0.12), 0, 1))
            root = strand[min(int(at * (len(strand) - 1)), len(strand) - 1)]
            own = length * float(np.exp(rng.uniform(np.log(0.08), np.log(0.7))))
            tangled = rng.uniform() < 0.4
            turn = rng.uniform(4, 9) if tangled else rng.uniform(0.5, 3)
            lines.append(root + _course(rng, own, turn, rng.uniform(0, 2 * np.pi)))
            widths.append(float(rng.uniform(*FIBRE)))
        every = np.concatenate(lines)
        middle = (every.min(axis=0) + every.max(axis=0)) / 2
        return Lint(
            tuple(
                Thread(tuple((float(x), float(y)) for x, y in line - middle), width)
                for line, width in zip(lines, widths, strict=True)
            )
        )

    def draw(self, shape: Lint, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of all its fibres."""
        return draw_strokes([_pieces(thread) for thread in shape.threads], pose, canvas)


def _pieces(thread: Thread) -> Pieces:
    points = np.asarray(thread.points)
    along = np.linspace(0, 1, len(points))
    return chain(points, thread.width * np.clip((1 - along) / 0.3, 0.5, 1))


def _course(rng: np.random.Generator, length: float, turn: float, heading: float) -> Points:
    """A smooth line of `length` from the origin that turns by about `turn` radians along its way."""
    along = np.linspace(0, 1, max(round(length / STEP), 3) + 1)
    orders = np.arange(1, 8)
    strength = rng.normal(0, 1, len(orders)) / orders
    way = heading + turn * (rng.normal(0, 0.5) * along + strength @ np.sin(np.pi * np.outer(orders, along)) / 2)
    step = np.stack([np.cos(way), np.sin(way)], axis=1)[:-1] * length / (len(along) - 1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(step, axis=0)])
