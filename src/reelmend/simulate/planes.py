"""Planes of any layout as red, green and blue, and changes of red, green and blue back in the planes.

Only the change is carried over, so a sample that nothing changes keeps its value bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reelmend.film import Frame, Layout, Plane
from reelmend.simulate.codes import footprint, luma_codes
from reelmend.simulate.defect import Image

BT709 = (0.2126, 0.0722)
"""Kr and Kb of ITU-R BT.709."""


def rgb_of(frame: Frame, full_range: bool, weights: tuple[float, float] = BT709) -> Image:
    """Red, green and blue `(3, h, w)`, or gray `(1, h, w)`, float32; 0 is black, 1 white, and codes may go beyond.

    Subsampled chroma is repeated over its footprint. `full_range` as for `damage_frame`; `weights` are Kr and Kb.
    """
    layout = frame.layout
    black, white = luma_codes(layout, full_range)
    planes = [plane.astype(np.float32) for plane in frame.planes[: layout.colour_planes]]
    if layout.family != "yuv":
        return np.stack([(plane - np.float32(black)) / np.float32(white - black) for plane in planes])
    luma = (planes[0] - np.float32(black)) / np.float32(white - black)
    middle, span = chroma_codes(layout, full_range)
    blue, red = (
        _repeat((planes[index] - np.float32(middle)) / np.float32(span), layout, index, luma.shape) for index in (1, 2)
    )
    kr, kb = (np.float32(weight) for weight in weights)
    r = luma + 2 * (1 - kr) * red
    b = luma + 2 * (1 - kb) * blue
    return np.stack([r, (luma - kr * r - kb * b) / (1 - kr - kb), b])


def change_rgb(
    frame: Frame, before: Image, after: Image, full_range: bool, weights: tuple[float, float] = BT709
) -> Frame:
    """A frame whose picture was `before` (from `rgb_of`) and becomes `after`; chroma changes by the mean over its
    footprint. Alpha stays."""
    layout = frame.layout
    black, white = luma_codes(layout, full_range)
    step = np.asarray(after - before, dtype=np.float32)
    if layout.family == "yuv":
        kr, kb = (np.float32(weight) for weight in weights)
        luma = kr * step[0] + (1 - kr - kb) * step[1] + kb * step[2]
        _, span = chroma_codes(layout, full_range)
        blue = (step[2] - luma) / (2 * (1 - kb)) * np.float32(span)
        red = (step[0] - luma) / (2 * (1 - kr)) * np.float32(span)
        steps = [luma * np.float32(white - black), footprint(blue, layout, 1), footprint(red, layout, 2)]
    else:
        steps = [change * np.float32(white - black) for change in step]
    planes = [_moved(plane, change, layout) for plane, change in zip(frame.planes, steps, strict=False)]
    return replace(frame, planes=(*planes, *frame.planes[layout.colour_planes :]))


def chroma_codes(layout: Layout, full_range: bool) -> tuple[float, float]:
    """Code value of no colour, and codes from one end of Cb or Cr to the other (ITU-R BT.709: 224 of 255)."""
    if layout.is_float:
        return 0.0, 1.0
    return float(1 << (layout.bits - 1)), layout.peak if full_range else float(224 << (layout.bits - 8))


def _moved(plane: Plane, change: Image, layout: Layout) -> Plane:
    moved = plane.astype(np.float32) + change
    if not layout.is_float:
        moved = np.clip(np.rint(moved), 0, layout.peak)
    return np.where(change != 0, moved, plane).astype(plane.dtype)


def _repeat(plane: Image, layout: Layout, index: int, shape: tuple[int, ...]) -> Image:
    sub_x, sub_y = layout.subsampling(index)
    if not (sub_x or sub_y):
        return plane
    whole = np.repeat(np.repeat(plane, 1 << sub_y, axis=0), 1 << sub_x, axis=1)
    return np.asarray(whole[: shape[0], : shape[1]])
