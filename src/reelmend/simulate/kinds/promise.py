"""What every kind of damage keeps: its parameters are sampled in one place and drawn in another."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.statistics import Statistics


class Kind(Protocol):
    """One class of damage; one small file each. Stateless: everything random is in `sample`'s generator."""

    name: ClassVar[str]
    """In recipes, annotations and reports: `dust`, `line scratch`."""
    spans: ClassVar[bool]
    """Whether it runs over the frame or hangs from its edge, so that its size or place follows the canvas. Such kinds
    are never turned, mirrored or enlarged, and take from the pose's x and y only what runs along that edge."""

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Any:
        """A shape: a frozen dataclass of plain numbers in micrometres, centred on its own origin."""
        ...

    def draw(self, shape: Any, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        """The shape's coverage, without the scanner's point spread.

        `canvas` is the frame's `(height, width)` in pixels, `age` the frames since it appeared (a line scratch
        drifts and breaks with it). The same arguments give the same pixels. Mass is kept whatever the scale: a
        speck smaller than a pixel covers part of one.
        """
        ...
