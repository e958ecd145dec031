"""Dirt: flakes of a tenth to half a millimetre, notched and elongated."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.blob import blob_model
from reelmend.simulate.kinds.polygon import draw_polygons
from reelmend.simulate.outlines import Outline
from reelmend.simulate.statistics import Statistics


class DirtKind:
    """A flake as annotators marked it, their margin included."""

    name: ClassVar[str] = "dirt"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Outline:
        """An outline with the fitted sizes and shapes."""
        return blob_model(statistics.kinds["dirt"]).sample(rng, "dirt")

    def draw(self, shape: Outline, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of the outline."""
        return draw_polygons(shape.parts, pose, canvas)
