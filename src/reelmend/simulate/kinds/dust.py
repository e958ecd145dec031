"""Dust: specks of some fifty micrometres, compact, by far the commonest damage."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.blob import blob_model
from reelmend.simulate.kinds.polygon import draw_polygons
from reelmend.simulate.outlines import Outline
from reelmend.simulate.statistics import Statistics


class DustKind:
    """A speck as annotators marked it, their margin included."""

    name: ClassVar[str] = "dust"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Outline:
        """An outline with the fitted sizes and shapes."""
        return blob_model(statistics.kinds["dust"]).sample(rng, "dust")

    def draw(self, shape: Outline, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of the outline."""
        return draw_polygons(shape.parts, pose, canvas)
