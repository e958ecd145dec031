"""Clumps: several flakes of dirt stuck together, as crumbling glue and dried emulsion leave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.blob import blob_model
from reelmend.simulate.kinds.polygon import draw_polygons, place
from reelmend.simulate.outlines import Points
from reelmend.simulate.statistics import Statistics

FLAKES = (3, 14)
"""Fewest and most in a clump. Nobody annotated clumps: these two numbers are a guess."""

SPREAD = 0.55
"""Standard deviation of the flakes about their middle, times the side of a square of their joint area: most of them
touch, some lie beside."""


@dataclass(frozen=True, slots=True)
class Clump:
    """Flakes where they lie, micrometres about the clump's middle."""

    parts: tuple[Points, ...]
    """Closed polygons `(n, 2)`."""


class ClumpKind:
    """Flakes with the fitted shapes of dirt, each turned and mirrored as it fell."""

    name: ClassVar[str] = "clump"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Clump:
        """Three to fourteen flakes about one place."""
        model = blob_model(statistics.kinds["dirt"])
        count = int(rng.integers(FLAKES[0], FLAKES[1] + 1))
        flakes = [model.sample(rng, "dirt") for _ in range(count)]
        side = np.sqrt(sum(float(np.prod(flake.extent)) for flake in flakes))
        middles = rng.normal(0, SPREAD * side / 2, (count, 2))
        poses = [
            Pose(x, y, 1.0, angle=float(rng.uniform(0, 2 * np.pi)), mirrored=bool(rng.integers(2)))
            for x, y in middles.tolist()
        ]
        return Clump(tuple(place(flake.parts[0], pose) for flake, pose in zip(flakes, poses, strict=True)))

    def draw(self, shape: Clump, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """Coverage of all flakes, 1 where they lie on each other."""
        return draw_polygons(shape.parts, pose, canvas)
