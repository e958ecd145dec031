"""Handling scratches: short, thin and nearly straight, along the film or across it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.fibre import FibreModel, FibreShape, sides
from reelmend.simulate.kinds.polygon import draw_polygons, nothing
from reelmend.simulate.outlines import Points
from reelmend.simulate.statistics import Statistics

BROKEN = 0.35
"""Share of scratches that touch the film only here and there. Annotators outline such a scratch as one, so that the
share is not in the annotations: a guess."""

PIECE = 250.0
"""Mean length of a touch and of a gap along a broken scratch, micrometres; a guess as well."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A scratch and where along it the emulsion was touched."""

    course: FibreShape
    touches: tuple[tuple[float, float], ...]
    """Beginning and end of each, shares of the whole, in order."""

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height of its bounding box, micrometres."""
        return self.course.extent


class ScratchKind:
    """A scratch as annotators marked it, whole or broken."""

    name: ClassVar[str] = "scratch"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Scratch:
        """A scratch with the fitted length, width and curvature."""
        course = upright(statistics.kinds[self.name].built(FibreModel).sample(rng))
        return Scratch(course, _touches(rng, course) if rng.uniform() < BROKEN else ((0.0, 1.0),))

    def draw(self, shape: Scratch, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of the parts that were touched."""
        parts = touched_parts(shape)
        return draw_polygons(parts, pose, canvas) if parts else nothing()


def upright(course: FibreShape) -> FibreShape:
    """Turned by a right angle: the scans that were fitted are of still film, which runs sideways, and the reels that
    are simulated run down."""
    return replace(course, spine=tuple((-y, x) for x, y in course.spine))


def touched_parts(shape: Scratch) -> tuple[Points, ...]:
    """Closed polygons `(n, 2)` of the touches, micrometres."""
    left, right = sides(shape.course)
    along = np.linspace(0, 1, len(left))
    parts = []
    for begin, end in shape.touches:
        at = np.unique(np.concatenate([[begin], along[(along > begin) & (along < end)], [end]]))
        there, back = (
            np.stack([np.interp(at, along, side[:, axis]) for axis in (0, 1)], axis=1) for side in (left, right)
        )
        parts.append(np.concatenate([there, back[::-1]]))
    return tuple(parts)


def _touches(rng: np.random.Generator, course: FibreShape) -> tuple[tuple[float, float], ...]:
    length = float(np.linalg.norm(np.diff(np.asarray(course.spine), axis=0), axis=1).sum())
    touches = []
    at = 0.0
    while at < length:
        end = min(at + rng.exponential(2 * PIECE) + 0.05 * length, length)
        touches.append((at / length, end / length))
        at = end + rng.exponential(0.4 * PIECE)
    # Its ends are where the annotated length ends.
    touches[-1] = (touches[-1][0], 1.0)
    return tuple(touches)
