"""How much wider than the detected damage the repaired area is."""

from __future__ import annotations

import cv2
import numpy as np

from reelmend.film import Mask


def grow(mask: Mask, px: int) -> Mask:
    """The mask widened by `px` pixels in every direction (a disc), as repair needs it to cover the soft edge.

    `px` = 0 gives the mask itself. Raises ValueError for a negative `px`.
    """
    if px < 0:
        raise ValueError(f"cannot grow a mask by {px} pixels")
    if px == 0 or not mask.any():
        return mask
    # OpenCV's own ellipse is flat at the poles for small sizes; this disc holds every offset within px + 0.5.
    reach = np.arange(-px, px + 1)
    disc = (reach[:, None] ** 2 + reach**2 <= (px + 0.5) ** 2).astype(np.uint8)
    return cv2.dilate(mask.view(np.uint8), disc, borderType=cv2.BORDER_CONSTANT, borderValue=0).view(np.bool_)


def footprint_touches(mask: Mask, sub_x: int, sub_y: int) -> Mask:
    """Samples of a plane subsampled by `2**sub_x`, `2**sub_y` whose footprint holds a masked pixel.

    Odd sizes round up; the last footprint is then cut off by the frame's edge.
    """
    if not (sub_x or sub_y):
        return mask
    height, width = mask.shape
    rows, columns = -(-height >> sub_y), -(-width >> sub_x)
    if (height, width) != (rows << sub_y, columns << sub_x):
        padded = np.zeros((rows << sub_y, columns << sub_x), bool)
        padded[:height, :width] = mask
        mask = padded
    # Whole rows at once, then whole footprints as words: reducing booleans along short axes is slow.
    lines = np.ascontiguousarray(mask).view(np.uint8).reshape(rows, 1 << sub_y, -1)
    down = lines[:, 0] if sub_y == 0 else np.bitwise_or.reduce(lines, axis=1)
    return np.asarray(down.view(_WORDS[sub_x]).reshape(rows, columns) != 0)


_WORDS = {0: np.uint8, 1: np.uint16, 2: np.uint32}
