"""Dense optical flow between two pictures, and what can be read from a pair of flows.

A flow is float32 `(h, w, 2)` in pixels of its own grid: the content at `(x, y)` of the first picture is found at
`(x + flow[y, x, 0], y + flow[y, x, 1])` of the second.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Flow = NDArray[np.float32]

# Flow is computed on pictures about this wide: 1080p at half size, 4K at a quarter. Finer grids cost their square
# and moved repair by less than 0.1 dB.
FLOW_WIDTH = 960

_LARGE_WIDTH = 400
_PATCH, _LARGE_PATCH = 8, 12
"""Pixels of the finest scale searched; the first is the preset's."""
_FINEST = 2
"""The preset's finest scale: a quarter of the picture."""

MIN_GRID = 150
"""Flows are composed on a grid whose shorter side is at least this, pixels."""

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


def _dis(height: int, width: int) -> cv2.DISOpticalFlow:
    # A DIS object holds buffers and is not safe to share between threads.
    large = width >= _LARGE_WIDTH and min(height, width) >= _LARGE_PATCH << _FINEST
    patch = _LARGE_PATCH if large else _PATCH
    # Its own choice of scales for pictures too small for the preset's stays for all that come after, or crashes: it is
    # made here, by the same rule.
    coarsest = min(int(math.log2(max(height, width) / (4 * patch)) + 0.5), int(math.log2(min(height, width) / patch)))
    finest = _FINEST if coarsest >= _FINEST else 0
    name = f"dis {patch} {finest}"
    dis = getattr(_local, name, None)
    if dis is None:
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        # Half the preset's steps: faster, and damage captures the flow less (3.7 % of its energy unseen against 3.8 %).
        dis.setGradientDescentIterations(8)
        dis.setFinestScale(finest)
        if large:
            # Patches of 12 instead of 8 pixels follow the picture rather than the specks on it.
            dis.setPatchSize(patch)
            dis.setPatchStride(8)
        setattr(_local, name, dis)
    return dis


def optical_flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Flow:
    """Dense inverse search flow (Kroeger et al. 2016, OpenCV's) from `first` to `second`, both uint8 `(h, w)`."""
    return np.asarray(_dis(*first.shape).calc(first, second, None), np.float32)


@lru_cache(maxsize=8)
def grid(height: int, width: int) -> Flow:
    """Pixel coordinates `(x, y)`, float32 `(h, w, 2)`, shared: not to be written to."""
    ys, xs = np.indices((height, width), np.float32)
    points = np.stack([xs, ys], axis=-1)
    points.flags.writeable = False
    return points


def at(field: NDArray[Any], points: Flow) -> NDArray[Any]:
    """Bilinear samples of `(h, w)` or `(h, w, 2)` at points `(rows, columns, 2)`; the border's value beyond it."""
    return np.asarray(cv2.remap(field, points, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def compose(first: Flow, second: Flow) -> Flow:
    """The flow a -> c from the flows a -> b and b -> c.

    Followed on a coarser grid and enlarged: flow is smooth, and a quarter of the work or less is left.
    """
    height, width = first.shape[:2]
    step = max(1, min(width, height) // MIN_GRID)
    if step == 1:
        return np.asarray(first + at(second, first + grid(height, width)), np.float32)
    start = cv2.resize(first, (width // step, height // step), interpolation=cv2.INTER_LINEAR)
    total = cv2.add(start, at(second, cv2.add(start, _centres(height, width, step))))
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=8)
def _centres(height: int, width: int, step: int) -> Flow:
    """Where the pixels of a grid `step` times coarser lie on a `height` x `width` grid."""
    rows, columns = height // step, width // step
    ratio = np.array([width / columns, height / rows], np.float32)
    return np.asarray((grid(rows, columns) + np.float32(0.5)) * ratio - np.float32(0.5), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FlowPair:
    """Flows between an earlier and a later picture, both ways, on the flow grid."""

    forward: Flow
    backward: Flow

    @staticmethod
    def between(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> FlowPair:
        return FlowPair(optical_flow(earlier, later), optical_flow(later, earlier))


def disagreement(there: Flow, back: Flow, step: int = 1) -> NDArray[np.float32]:
    """Forward-backward error in pixels of the flow grid: how far a point lands from where it started.

    Of every `step`-th pixel both ways, `(ceil(h / step), ceil(w / step))`.
    """
    height, width = there.shape[:2]
    part = np.ascontiguousarray(there[::step, ::step])
    returned = at(back, cv2.add(part, np.ascontiguousarray(grid(height, width)[::step, ::step])))
    return length(cv2.add(part, returned))


def length(flow: Flow) -> NDArray[np.float32]:
    """How far each pixel moves, `(h, w)`, pixels of the flow grid."""
    x, y = cv2.split(flow)
    return np.asarray(cv2.magnitude(x, y), np.float32)


def dense_map(flow: Flow, height: int, width: int, factor: int) -> Flow:
    """Sampling positions of every full-size pixel in the second picture, float32 `(h, w, 2)`."""
    if factor == 1 and flow.shape[:2] == (height, width):
        return np.asarray(cv2.add(flow, grid(height, width)), np.float32)
    # The flow grid rounds up: enlarge to the whole grid, then crop, so that its pixels stay in place.
    gh, gw = flow.shape[:2]
    full = cv2.resize(flow, (gw * factor, gh * factor), interpolation=cv2.INTER_LINEAR)[:height, :width]
    return np.asarray(cv2.scaleAdd(np.ascontiguousarray(full), float(factor), grid(height, width)), np.float32)
