"""Damage whose shape is given: real annotated polygons, drawn as every other kind is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.dust import DustKind
from reelmend.simulate.kinds.polygon import draw_polygons
from reelmend.simulate.outlines import Outline
from reelmend.simulate.statistics import Statistics


class OutlineKind:
    """Its shape is an `Outline` that somebody measured."""

    name: ClassVar[str] = "outline"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Outline:
        """A speck of dust: where nobody gave an outline, the commonest one there is."""
        return DustKind().sample(rng, statistics)

    def draw(self, shape: Outline, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of the union of the outline's parts."""
        return draw_polygons(shape.parts, pose, canvas)
