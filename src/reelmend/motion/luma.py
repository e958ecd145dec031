"""The 8-bit picture that motion and detection look at, made from any layout.

Repair never works on it: it reads and writes the native planes.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout

# Rec. 709 luma, the weights of red, green and blue (ITU-R BT.709-6, 3.2).
_WEIGHTS = (0.2126, 0.7152, 0.0722)
# Linear light (half and float) is compared on a gamma close to what the eye and film density follow; the exact
# curve is unimportant as long as it is monotonic and the same for every frame.
_GAMMA = 1 / 2.4


def luma8(frame: Frame) -> NDArray[np.uint8]:
    """Luma of a frame as uint8 `(h, w)`, 0..255 over the code range (limited range stays limited)."""
    layout = frame.layout
    if layout.family == "rgb":
        parts = [to8(plane, layout) for plane in frame.planes[:3]]
        out = cv2.transform(cv2.merge(parts), np.array([_WEIGHTS], np.float32))
        return np.asarray(out, np.uint8).reshape(frame.height, frame.width)
    return to8(frame.planes[0], layout)


def to8(plane: NDArray[Any], layout: Layout) -> NDArray[np.uint8]:
    """A plane's code values as uint8: integers scaled by depth, floating point through a display-like gamma."""
    if layout.is_float:
        shown = np.clip(np.nan_to_num(plane.astype(np.float32)), 0.0, 1.0) ** _GAMMA
        return np.asarray(cv2.convertScaleAbs(shown, alpha=255.0), np.uint8)
    if layout.bits == 8:
        return np.ascontiguousarray(plane)
    return np.asarray(cv2.convertScaleAbs(np.ascontiguousarray(plane), alpha=255.0 / layout.peak), np.uint8)


def lighten(values: NDArray[np.float32], by: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """A plane's code values, float32, made lighter by so much of what `to8` calls full scale (0..1), darker below 0.

    Values of floating point beyond 0..1, which `to8` cannot tell apart, move by what 0 and 1 would.
    """
    if not layout.is_float:
        return values + by * np.float32(layout.peak)
    seen = np.clip(np.nan_to_num(values), 0.0, 1.0)
    return np.asarray(values + np.clip(seen**_GAMMA + by, 0.0, 1.0) ** (1 / _GAMMA) - seen, np.float32)
