"""Dense optical flow between two pictures, and what can be read from a pair of flows.

A flow is float32 `(h, w, 2)` in pixels of its own grid: the content at `(x, y)` of the first picture is found at
`(x + flow[y, x, 0], y + flow[y, x, 1])` of the second.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Flow = NDArray[np.float32]

# Flow is computed on pictures about this wide: 1080p at half size, 4K at a quarter. Finer grids cost their square
# and moved repair by less than 0.1 dB.
FLOW_WIDTH = 960

_local = threading.local()


def flow_factor(width: int) -> int:
    """By how much a picture of `width` pixels is shrunk for flow: 1 up to 1439, 2 for 1920, 4 for 4096."""
    return max(1, round(width / FLOW_WIDTH))


def shrink(luma: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The picture on the flow grid: area average over `factor` x `factor` pixels, at least 16 x 16."""
    height, width = luma.shape
    size = (max(16, -(-width // factor)), max(16, -(-height // factor)))
    if size == (width, height):
        return luma
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def _dis() -> cv2.DISOpticalFlow:
    # A DIS object holds buffers and is not safe to share between threads.
    dis = getattr(_local, "dis", None)
    if dis is None:
        dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        _local.dis = dis
    return dis


def optical_flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Flow:
    """Dense inverse search flow (Kroeger et al. 2016, OpenCV's) from `first` to `second`, both uint8 `(h, w)`."""
    return np.asarray(_dis().calc(first, second, None), np.float32)


def grid(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixel coordinates `(x, y)`, each float32 `(h, w)`."""
    xs = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width))
    ys = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width))
    return xs, ys


def compose(first: Flow, second: Flow) -> Flow:
    """The flow a -> c from the flows a -> b and b -> c."""
    height, width = first.shape[:2]
    xs, ys = grid(height, width)
    carried = cv2.remap(
        second, xs + first[..., 0], ys + first[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(first + carried, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FlowPair:
    """Flows between an earlier and a later picture, both ways, on the flow grid."""

    forward: Flow
    backward: Flow

    @staticmethod
    def between(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> FlowPair:
        return FlowPair(optical_flow(earlier, later), optical_flow(later, earlier))


def disagreement(there: Flow, back: Flow) -> NDArray[np.float32]:
    """Forward-backward error in pixels of the flow grid, `(h, w)`: how far a point lands from where it started."""
    height, width = there.shape[:2]
    xs, ys = grid(height, width)
    mx, my = xs + there[..., 0], ys + there[..., 1]
    returned = cv2.remap(back, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.magnitude(there[..., 0] + returned[..., 0], there[..., 1] + returned[..., 1]), np.float32)


def dense_map(flow: Flow, height: int, width: int, factor: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sampling positions `(x, y)` of every full-size pixel in the second picture, each float32 `(h, w)`."""
    if factor == 1 and flow.shape[:2] == (height, width):
        full = flow
    else:
        # The flow grid rounds up: enlarge to the whole grid, then crop, so that its pixels stay in place.
        gh, gw = flow.shape[:2]
        full = cv2.resize(flow, (gw * factor, gh * factor), interpolation=cv2.INTER_LINEAR)[:height, :width]
    xs, ys = grid(height, width)
    return cv2.scaleAdd(full[..., 0], float(factor), xs), cv2.scaleAdd(full[..., 1], float(factor), ys)
