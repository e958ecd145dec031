"""Whether a film stays calm in time: warping error and flicker.

Warping error after Lai et al., "Learning blind video temporal consistency" (ECCV 2018): the next frame is brought
onto this one along the optical flow and should then look the same, wherever the content is visible in both (tested
as in Ruder, Dosovitskiy and Brox, "Artistic style transfer for videos", GCPR 2016). The flow is always that of the
clean film, so all results are judged along the same motion, and the clean film's own error, which interpolation and
new grain cause, stands beside.

Flicker is the mean absolute difference of frame-to-frame changes between a result and the clean film: the first-order
form of dtSSD, after Erofeev et al., "Perceptually motivated benchmark for video matting" (BMVC 2015). It follows no
motion, so no flow can blur it, and it is 0 exactly for a result whose error stands still.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.flow import Flow, at, dense_map, flow_factor, grid, optical_flow, shrink

CONSISTENT = (0.01, 0.5)
"""Ruder et al. (2016), equation 5: a point whose way there and back ends farther off is occluded."""

SMOOTH = (0.01, 0.002)
"""The same, equation 6: where the flow changes more steeply lies a motion boundary, and the flow is not trusted."""

Luma = NDArray[np.float64]
"""`(h, w)`, 0..1 of full scale."""


@dataclass(slots=True)
class Steps:
    """Sums over the steps from one frame to the next; those of films add up."""

    squared: float = 0.0
    """Of result against its warped next frame."""
    squared_clean: float = 0.0
    """Of the clean film against its own."""
    visible: int = 0
    """Pixels in both frames, over which the two were summed."""
    change: float = 0.0
    """Absolute differences of frame-to-frame changes, result against clean."""
    pixels: int = 0

    def add(self, other: Steps) -> None:
        """Add another's sums."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def warping_error(self) -> float | None:
        """Mean squared, of full scale; None where nothing is visible in two frames."""
        return self.squared / self.visible if self.visible else None

    @property
    def warping_error_clean(self) -> float | None:
        """The clean film's own: what no restoration can be blamed for."""
        return self.squared_clean / self.visible if self.visible else None

    @property
    def flicker(self) -> float | None:
        """Mean absolute, of full scale; None for fewer than two frames."""
        return self.change / self.pixels if self.pixels else None

    def figures(self) -> dict[str, float | None]:
        """The three by name."""
        return {name: getattr(self, name) for name in ("warping_error", "warping_error_clean", "flicker")}


@dataclass(slots=True)
class Stability:
    """Follows a result and the clean film frame by frame."""

    everywhere: Steps = field(default_factory=Steps)
    inside: Steps = field(default_factory=Steps)
    """Where either of the two frames was damaged."""
    light: float = 0.0
    """Absolute differences of frame-to-frame changes of the frames' mean luma, summed."""
    steps: int = 0
    _last: tuple[Luma, Luma, NDArray[np.uint8], Mask] | None = None

    def add(
        self, result: Luma, clean: Luma, clean8: NDArray[np.uint8], mask: Mask, cut: bool = False
    ) -> tuple[Steps, Steps] | None:
        """The next frame; what the step to it added everywhere and inside, None for the first of a shot.

        `clean8` is the clean film's luma as motion sees it (`reelmend.motion.luma.luma8`), `mask` the true damage;
        `cut` says that a new shot begins. Raises ValueError when shapes differ.
        """
        if not result.shape == clean.shape == clean8.shape == mask.shape:
            raise ValueError(f"frames of {result.shape}, {clean.shape}, {clean8.shape}, {mask.shape} do not fit")
        last, self._last = self._last, (result, clean, clean8, mask)
        if last is None or cut:
            return None
        added = _step(last, self._last)
        self.everywhere.add(added[0])
        self.inside.add(added[1])
        self.light += abs(float((result - clean).mean() - (last[0] - last[1]).mean()))
        self.steps += 1
        return added

    @property
    def light_flicker(self) -> float | None:
        """How much the mean luma of whole frames changes beyond the clean film's, of full scale; None for no step."""
        return self.light / self.steps if self.steps else None


def visible(there: Flow, back: Flow) -> Mask:
    """Points `(h, w)` of the first picture whose content the second shows too, by flows both ways of one grid."""
    height, width = there.shape[:2]
    points = cv2.add(there, grid(height, width))
    returned = at(back, points)
    energy = _square(there) + _square(returned)
    consistent = _square(there + returned) <= CONSISTENT[0] * energy + CONSISTENT[1]
    steep = sum(_square(np.stack([np.gradient(there[..., axis], axis=a) for a in (0, 1)], -1)) for axis in (0, 1))
    smooth = steep <= SMOOTH[0] * _square(there) + SMOOTH[1]
    inside = cv2.inRange(points, (0.0, 0.0, 0.0, 0.0), (width - 1.0, height - 1.0, 0.0, 0.0)) > 0
    return np.asarray(consistent & smooth & inside)


def _step(one: tuple[Any, ...], two: tuple[Any, ...]) -> tuple[Steps, Steps]:
    result, clean, clean8, mask = one
    next_result, next_clean, next_clean8, next_mask = two
    height, width = result.shape
    factor = flow_factor(width)
    small, next_small = shrink(clean8, factor), shrink(next_clean8, factor)
    there, back = optical_flow(small, next_small), optical_flow(next_small, small)
    points = dense_map(there, height, width, factor)
    seen = cv2.resize(visible(there, back).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    squared = (result - at(next_result, points)) ** 2
    squared_clean = (clean - at(next_clean, points)) ** 2
    change = np.abs((next_result - result) - (next_clean - clean))
    moved_mask = at(next_mask.astype(np.float32), points) > 0
    made = []
    for along, fixed in ((seen, np.ones_like(mask)), (seen & (mask | moved_mask), mask | next_mask)):
        made.append(
            Steps(
                float(squared[along].sum()),
                float(squared_clean[along].sum()),
                int(np.count_nonzero(along)),
                float(change[fixed].sum()),
                int(np.count_nonzero(fixed)),
            )
        )
    return made[0], made[1]


def _square(field: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray((field.astype(np.float64) ** 2).sum(axis=-1))
