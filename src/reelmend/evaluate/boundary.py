"""How well the outlines of a mask follow the true ones: the boundary F-score.

Csurka, Larlus and Perronnin, "What is a good evaluation measure for semantic segmentation?" (BMVC 2013): precision
is the share of the found boundary that lies within a tolerance of the true boundary, recall the share of the true
boundary within that tolerance of the found one, F their harmonic mean. Perazzi et al., "A benchmark dataset and
evaluation methodology for video object segmentation" (CVPR 2016), use the same measure frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from reelmend.evaluate.masks import check, ratio
from reelmend.film import Mask

TOLERANCE = 2.0
"""Pixels. The papers take 0.75 % of the picture's diagonal, 17 pixels at 1080 lines: wider than most dust. Two pixels
are what repair grows a mask by, so an outline within them is as good as exact."""


@dataclass(frozen=True, slots=True)
class BoundaryCounts:
    """Boundary pixels and those near the other boundary; counts of frames add up to the counts of a clip."""

    found_near: int = 0
    found: int = 0
    truth_near: int = 0
    truth: int = 0

    def __add__(self, other: BoundaryCounts) -> BoundaryCounts:
        return BoundaryCounts(
            self.found_near + other.found_near,
            self.found + other.found,
            self.truth_near + other.truth_near,
            self.truth + other.truth,
        )

    @property
    def precision(self) -> float | None:
        """Share of the found boundary near the true one; None when nothing was found."""
        return ratio(self.found_near, self.found)

    @property
    def recall(self) -> float | None:
        """Share of the true boundary near the found one; None when nothing is damaged."""
        return ratio(self.truth_near, self.truth)

    @property
    def f_score(self) -> float | None:
        """Harmonic mean of the two; 0 when one mask is empty and the other is not, None when both are (as Dice)."""
        precision, recall = self.precision, self.recall
        if precision is None and recall is None:
            return None
        if not precision or not recall:
            return 0.0
        return 2 * precision * recall / (precision + recall)

    def figures(self) -> dict[str, float | None]:
        """The three ratios by name."""
        return {name: getattr(self, name) for name in ("precision", "recall", "f_score")}


def boundary(mask: Mask) -> Mask:
    """Pixels of a mask `(h, w)` with a neighbour above, below, left or right that is not in it.

    The frame's edge is no boundary: damage that runs out of the picture ends nowhere.
    """
    if mask.dtype != np.bool_ or mask.ndim != 2:
        raise ValueError(f"a mask is boolean with two axes, not {mask.dtype} of {mask.shape}")
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(mask & (inner == 0))


def boundary_counts(found: Mask, truth: Mask, tolerance: float = TOLERANCE) -> BoundaryCounts:
    """Boundary pixels of two masks `(h, w)` that lie within `tolerance` pixels (Euclidean) of the other's.

    Raises ValueError for a negative tolerance, masks that are not boolean, or shapes that differ.
    """
    check(found, truth)
    if tolerance < 0:
        raise ValueError(f"a tolerance of {tolerance} pixels is negative")
    ours, theirs = boundary(found), boundary(truth)
    return BoundaryCounts(
        _near(ours, theirs, tolerance),
        int(np.count_nonzero(ours)),
        _near(theirs, ours, tolerance),
        int(np.count_nonzero(theirs)),
    )


def _near(one: Mask, other: Mask, tolerance: float) -> int:
    if not one.any() or not other.any():
        return 0
    distance = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Distances come in float32: the slack is far below the step to the next distance on a grid.
    return int(np.count_nonzero(distance[one] <= tolerance + 5e-4))
