"""What the blobs of a mask are, as a picture that a page can colour."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.classes import DamageClass, guess_class
from reelmend.film import Mask

KINDS = (*get_args(DamageClass), "by hand")
"""In the order of their codes, which begin with 1; 0 is no damage."""

BY_HAND = len(KINDS)


def kinds(mask: Mask, found: Mask) -> NDArray[np.uint8]:
    """Codes of `KINDS` for the pixels of a frame's mask; a blob that holds nothing of what was found is by hand.

    Both masks are `(h, w)`: `mask` after edits, `found` before them.
    """
    codes = np.zeros(mask.shape, np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    for n in range(1, count):
        left, top, width, height = (int(stats[n, place]) for place in range(4))
        box = np.s_[top : top + height, left : left + width]
        own = labels[box] == n
        own_code = BY_HAND
        if np.any(found[box] & own):
            own_code = KINDS.index(guess_class(own, mask.shape[1])) + 1
        codes[box][own] = own_code
    return codes
