"""Frames that were printed or scanned twice.

Pull-down (24 to 30), hand-cranked film stretched to 24 and frozen pictures repeat a frame; its copy says nothing
about what lies under its dirt, because the dirt was copied too.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# A copy differs from its original by compression only. Every block has to agree: one block with a speck of dust
# makes a different frame.
_BLOCK = 8
_MEAN_LIMIT = 0.9
_BLOCK_LIMIT = 2.5
# Where the film moves, a picture that suddenly stands still is a copy even if heavy compression shook its edges: in two
# real films copies changed by up to 0.1 of the step before and by 1.2 on average, and a block by 10.7; in 25 clean
# videos nothing that moves is so still. What is taken for a copy wrongly loses its nearest neighbour and no more.
_STILL_MEAN_LIMIT = 1.3
_STILL_BLOCK_LIMIT = 11.0
_STILL_RATIO = 0.12


def change(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean difference of two 8-bit pictures `(h, w)`, and the largest mean difference of an 8x8 block (of 255)."""
    height, width = a.shape
    difference = cv2.absdiff(a, b)
    blocks = cv2.resize(
        difference.astype(np.float32),
        (max(1, width // _BLOCK), max(1, height // _BLOCK)),
        interpolation=cv2.INTER_AREA,
    )
    return float(cv2.mean(difference)[0]), float(blocks.max())


def is_copy(mean: float, block: float, usual: float) -> bool:
    """Whether pictures that differ by `(mean, block)`, as `change` says, are one exposure.

    `usual` is the mean change the step before.
    """
    if mean <= _MEAN_LIMIT and block <= _BLOCK_LIMIT:
        return True
    return mean <= min(_STILL_MEAN_LIMIT, _STILL_RATIO * usual) and block <= _STILL_BLOCK_LIMIT
