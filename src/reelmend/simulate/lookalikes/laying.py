"""Lays the stamps of look-alikes over a frame, in the frame's own planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout, Plane
from reelmend.simulate.codes import footprint, luma_codes
from reelmend.simulate.grain import BT709
from reelmend.simulate.lookalikes.brush import motion_kernel
from reelmend.simulate.lookalikes.promise import Borrowed, Colour, Image, Stamp

FAINTEST = 1 / 512
"""An alpha that cannot move an 8-bit sample is drawn as none, so that the frame stays identical there."""


def lay_over(
    frame: Frame,
    stamps: Sequence[Stamp],
    full_range: bool = False,
    weights: tuple[float, float] = (BT709[0], BT709[2]),
) -> Frame:
    """A frame with stamps laid over it in order, in its own planes; samples that no stamp reaches keep their values.

    `full_range` says whether an integer Y'CbCr or gray frame uses all code values; RGB and float always do. `weights`
    are luma's shares of red and blue, for the colours of Y'CbCr. Borrowed content is taken from the frame as given,
    never from what was laid over it. Alpha planes are left alone.
    """
    layout = frame.layout
    gain: Image = np.ones((frame.height, frame.width), dtype=np.float32)
    lifts: list[Image] = [np.zeros_like(gain) for _ in range(layout.colour_planes)]
    for stamp in stamps:
        cut = _cut(stamp, frame.height, frame.width)
        if cut is None:
            continue
        alpha, rows, columns = cut
        gain[rows, columns] *= 1 - alpha
        for index, lift in enumerate(lifts):
            colour = (
                _colour(stamp.colour, layout, index, full_range, weights)
                if stamp.borrowed is None
                else _content(frame, index, stamp.borrowed, (rows, columns), full_range)
            )
            lift[rows, columns] += alpha * (colour - lift[rows, columns])
    if float(gain.min()) == 1:
        return frame
    planes: list[Plane] = list(frame.planes)
    for index, lift in enumerate(lifts):
        planes[index] = _lifted(frame.planes[index], gain, lift, index, layout)
    return replace(frame, planes=tuple(planes))


def _cut(stamp: Stamp, height: int, width: int) -> tuple[Image, slice, slice] | None:
    """The part of a stamp inside the frame: alpha, rows, columns."""
    top, left = max(stamp.top, 0), max(stamp.left, 0)
    bottom = min(stamp.top + stamp.alpha.shape[0], height)
    right = min(stamp.left + stamp.alpha.shape[1], width)
    if top >= bottom or left >= right:
        return None
    alpha = stamp.alpha[top - stamp.top : bottom - stamp.top, left - stamp.left : right - stamp.left]
    return np.where(alpha < FAINTEST, np.float32(0), alpha), slice(top, bottom), slice(left, right)


def _lifted(plane: Plane, gain: Image, lift: Image, index: int, layout: Layout) -> Plane:
    gain, lift = footprint(gain, layout, index), footprint(lift, layout, index)
    changed = gain * plane.astype(np.float32) + lift
    if not layout.is_float:
        changed = np.clip(np.rint(changed), 0, layout.peak)
    return np.where(gain < 1, changed, plane).astype(plane.dtype)


def _colour(colour: Colour, layout: Layout, index: int, full_range: bool, weights: tuple[float, float]) -> np.float32:
    """Code value of a colour in a plane."""
    red, green, blue = (colour, colour, colour) if isinstance(colour, (int, float)) else colour
    if layout.family == "rgb":
        return np.float32((red, green, blue)[index] * layout.peak)
    of_red, of_blue = weights
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    if index == 0:
        black, white = luma_codes(layout, full_range)
        return np.float32(black + luma * (white - black))
    # Chroma spans 224 of 255 codes where luma spans 219.
    span = layout.peak if full_range or layout.is_float else float(224 << (layout.bits - 8))
    middle = 0.0 if layout.is_float else float(2 ** (layout.bits - 1))
    difference = (blue - luma) / (2 * (1 - of_blue)) if index == 1 else (red - luma) / (2 * (1 - of_red))
    return np.float32(middle + difference * span)


def _content(
    frame: Frame, index: int, borrowed: Borrowed, place: tuple[slice, slice], full_range: bool
) -> NDArray[np.float32]:
    """The borrowed content of one plane at full size, for a window of the frame."""
    rows, columns = place
    sub_x, sub_y = frame.layout.subsampling(index)
    plane = frame.planes[index]
    y = np.clip(np.arange(rows.start, rows.stop) + borrowed.dy, 0, frame.height - 1) >> sub_y
    x = np.clip(np.arange(columns.start, columns.stop) + borrowed.dx, 0, frame.width - 1) >> sub_x
    window = plane[np.ix_(y, x)].astype(np.float32)
    kernel = motion_kernel(borrowed.smear)
    if kernel.size > 1:
        window = cv2.filter2D(window, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
    if index == 0 or frame.layout.family == "rgb":
        black = np.float32(luma_codes(frame.layout, full_range)[0])
        window = black + borrowed.gain * (window - black)
    return window
