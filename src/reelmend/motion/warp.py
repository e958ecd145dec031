"""A neighbour's picture brought onto the centre frame, with its light matched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.motion.flow import Flow, at, dense_map
from reelmend.motion.windows import Neighbour, Window

# Flicker is smoother than anything in the picture: it is measured on cells of about 1/20 of the frame's width.
_CELLS = 40
# How far beyond its border, as a share of its width, a neighbour still counts as showing the content: flow is a little
# off there, and the border repeats what lies just inside.
_BEYOND = 1 / 80
# Differences beyond this are motion or damage, not flicker (8-bit codes).
_FLICKER_LIMIT = 24.0


@dataclass(frozen=True, slots=True, eq=False)
class Warped:
    """A neighbour on the centre's pixels."""

    luma: NDArray[np.uint8]
    """`(h, w)`, light matched to the centre."""
    inside: NDArray[np.uint8]
    """255 where the neighbour really has this content, 0 beyond its border."""
    light: NDArray[np.float32]
    """What was added to match the centre's light: a small grid over the frame, 8-bit codes."""


def warp_luma(window: Window, neighbour: Neighbour) -> Warped:
    """Warp a whole neighbour's luma onto the centre (bilinear)."""
    centre = window.centre
    height, width = centre.luma.shape
    points = dense_map(neighbour.flow, height, width, centre.factor)
    moved = at(neighbour.picture.luma, points)
    margin = _BEYOND * width
    inside = cv2.inRange(points, (-margin, -margin, 0.0, 0.0), (width - 1 + margin, height - 1 + margin, 0.0, 0.0))
    light = light_difference(centre.luma, moved)
    return Warped(add_light(moved, light), np.asarray(inside, np.uint8), light)


class Warps:
    """The neighbours of a window on the centre's pixels, each warped when it is first asked for."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._made: dict[Neighbour, Warped] = {}

    def of(self, neighbour: Neighbour) -> Warped:
        """`warp_luma` of one of the window's neighbours."""
        if neighbour not in self._made:
            self._made[neighbour] = warp_luma(self._window, neighbour)
        return self._made[neighbour]


def light_difference(centre: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much brighter `centre` is than `other`, slowly varying: a small grid, 8-bit codes.

    Medians over cells and their neighbours, so that damage and moving edges do not pass for flicker.
    """
    height, width = centre.shape
    cells = (max(2, min(width, _CELLS)), max(2, min(height, round(_CELLS * height / width))))
    a = cv2.resize(centre, cells, interpolation=cv2.INTER_AREA).astype(np.float32)
    b = cv2.resize(other, cells, interpolation=cv2.INTER_AREA).astype(np.float32)
    difference = np.clip(a - b, -_FLICKER_LIMIT, _FLICKER_LIMIT)
    return np.asarray(cv2.GaussianBlur(cv2.medianBlur(difference, 5), (0, 0), 1.5), np.float32)


def add_light(picture: NDArray[np.uint8], light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`picture` plus the small grid `light` spread over it; unchanged where the grid is within rounding."""
    if float(np.abs(light).max()) < 0.75:
        return picture
    height, width = picture.shape
    spread = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(picture, spread, dtype=cv2.CV_8U), np.uint8)


def follow(
    flow: Flow, xs: NDArray[np.float32], ys: NDArray[np.float32], factor: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where full-size points go: `(x, y)` float32, shaped like `xs`, for a flow on a grid `factor` times smaller."""
    # Pixel centres: full-size x lies at (x + 0.5) / factor - 0.5 on the flow grid.
    ratio, half = np.float32(1 / factor), np.float32(0.5)
    gx, gy = (xs + half) * ratio - half, (ys + half) * ratio - half
    return xs + factor * sample(flow[..., 0], gx, gy), ys + factor * sample(flow[..., 1], gx, gy)


def sample(
    plane: NDArray[np.uint8] | NDArray[np.float32], xs: NDArray[np.float32], ys: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Bilinear samples of a plane at points, in the points' own shape; any number of points."""
    # remap takes fewer than 32768 rows.
    flat_x, flat_y = np.ascontiguousarray(xs, np.float32).ravel(), np.ascontiguousarray(ys, np.float32).ravel()
    count = flat_x.size
    if count == 0:
        return np.zeros(xs.shape, np.float32)
    columns = 1024
    rows = -(-count // columns)
    padded = np.zeros((2, rows * columns), np.float32)
    padded[0, :count], padded[1, :count] = flat_x, flat_y
    out = cv2.remap(
        plane,
        padded[0].reshape(rows, columns),
        padded[1].reshape(rows, columns),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(out, np.float32).ravel()[:count].reshape(xs.shape)
