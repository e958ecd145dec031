"""Hairs: curved, looping fibres with a width that varies along them and tapers at the ends."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.fibre import FibreModel, FibreShape, draw_fibre
from reelmend.simulate.statistics import Statistics


class ShortHairKind:
    """A bit of hair or fibre, a few tenths of a millimetre long."""

    name: ClassVar[str] = "short hair"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> FibreShape:
        """A fibre with the fitted length, width and curvature."""
        return statistics.kinds[self.name].built(FibreModel).sample(rng)

    def draw(self, shape: FibreShape, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of the fibre."""
        return draw_fibre(shape, pose, canvas)


class LongHairKind:
    """A hair or fibre of a millimetre and more, which may loop and cross itself."""

    name: ClassVar[str] = "long hair"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> FibreShape:
        """A fibre with the fitted length, width and curvature."""
        return statistics.kinds[self.name].built(FibreModel).sample(rng)

    def draw(self, shape: FibreShape, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of the fibre."""
        return draw_fibre(shape, pose, canvas)
