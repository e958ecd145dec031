"""Masks as COCO segmentations and back: polygons along pixel edges, run lengths, boxes and areas.

The format is that of https://cocodataset.org/#format-data; run lengths and their text form follow the public
`maskApi.c` of the COCO API. Polygons run along the edges of pixels, so that a segmentation encloses exactly the pixels
of its mask: area, box and mask agree to the pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.simulate.raster import rasterise

Counts = list[int]
"""Lengths of runs down the columns of a mask, clean and damaged in turn, clean first."""


def segmentation(mask: Mask) -> list[list[float]] | dict[str, Any]:
    """What COCO calls a segmentation: polygons `[x1, y1, x2, y2, ...]`, one for each connected part.

    A mask with a hole (a ring) has no such polygons; it becomes compressed run lengths `{"size": [h, w], "counts"}`.
    """
    outlines = pixel_outlines(mask)
    if sum(abs(signed_area(outline)) for outline in outlines) == int(mask.sum()):
        return [[float(value) for value in outline.reshape(-1)] for outline in outlines]
    return {"size": [int(side) for side in mask.shape], "counts": counts_to_text(run_lengths(mask))}


def pixel_outlines(mask: Mask) -> list[NDArray[np.int64]]:
    """Corners of the closed outlines along pixel edges, each `(n, 2)`, columns x and y; holes have outlines too.

    Parts that touch at a corner only are apart. Rectilinear outlines follow from their corners alone: sorted along a
    column (or row), corners pair up into its vertical (or horizontal) edges.
    """
    padded = np.pad(np.asarray(mask, dtype=np.int8), 1)
    upper_left, upper_right = padded[:-1, :-1], padded[:-1, 1:]
    lower_left, lower_right = padded[1:, :-1], padded[1:, 1:]
    around = upper_left + upper_right + lower_left + lower_right
    touching = (around == 2) & (upper_left == lower_right)
    # Where two pixels touch at a corner it is a corner of both, so it is taken twice.
    rows, columns = np.nonzero((around == 1) | (around == 3) | touching)
    double = touching[rows, columns]
    # Which of the two a vertical edge belongs to: the pixel above the corner, or the one below.
    y = np.concatenate([rows, rows[double]])
    x = np.concatenate([columns, columns[double]])
    below = np.concatenate([np.zeros(len(rows), bool), np.ones(int(double.sum()), bool)])
    falling = touching[y, x] & (upper_left[y, x] == 1)
    # The pixel above a touching corner lies left of it on a falling diagonal and right of it on a rising one.
    right = np.where(touching[y, x], below == falling, False)
    vertical = _partners(np.lexsort((below, y, x)))
    horizontal = _partners(np.lexsort((right, x, y)))
    return [np.stack([x[ring], y[ring]], axis=1) for ring in _rings(vertical, horizontal)]


def signed_area(outline: NDArray[Any]) -> float:
    """Shoelace formula; the sign tells the direction."""
    x, y = outline[:, 0].astype(np.float64), outline[:, 1].astype(np.float64)
    return float((np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def box(mask: Mask) -> list[float]:
    """`[x, y, width, height]` in pixels around all of a mask; zeros for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return [0.0, 0.0, 0.0, 0.0]
    top, left = int(rows[0]), int(columns[0])
    return [float(left), float(top), float(int(columns[-1]) + 1 - left), float(int(rows[-1]) + 1 - top)]


def run_lengths(mask: Mask) -> Counts:
    flat = np.asarray(mask, dtype=np.int8).reshape(-1, order="F")
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat])))
    return [int(length) for length in np.diff(np.concatenate([[0], changes, [flat.size]]))]


def mask_of_runs(counts: Sequence[int], height: int, width: int) -> Mask:
    """Raises ValueError for runs that do not fill `height` x `width` pixels."""
    lengths = np.asarray(counts, dtype=np.int64)
    if lengths.ndim != 1 or (lengths < 0).any() or int(lengths.sum()) != height * width:
        raise ValueError(f"run lengths do not fill {width} x {height} pixels")
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return np.asarray(flat.reshape((height, width), order="F"))


def counts_to_text(counts: Sequence[int]) -> str:
    """Five bits a character, from the lowest, 32 = more follow, 48 added; from the fourth run on the difference to
    the run two before (`rleToString`)."""
    text = bytearray()
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != -1 if bits & 16 else value != 0
            text.append(48 + bits + (32 if more else 0))
    return text.decode("ascii")


def text_to_counts(text: str) -> Counts:
    """The reverse (`rleFrString`). Raises ValueError for a text that ends in the middle of a number."""
    counts: Counts = []
    value = shift = 0
    for character in text.encode("ascii"):
        bits = character - 48
        if not 0 <= bits < 64:
            raise ValueError("run lengths hold a character that is none of theirs")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("run lengths end in the middle of a number")
    return counts


def mask_of(segments: Any, height: int, width: int) -> Mask:
    """The mask of any COCO segmentation: polygons, run lengths as numbers or as text.

    A pixel belongs to a polygon that covers half of it or more. Raises ValueError for what is no segmentation or lies
    outside the picture.
    """
    if isinstance(segments, dict):
        counts, size = segments.get("counts"), segments.get("size")
        if size != [height, width] or not isinstance(counts, str | list):
            raise ValueError(f"its run lengths are not for a picture of {width} x {height}")
        return mask_of_runs(text_to_counts(counts) if isinstance(counts, str) else counts, height, width)
    if not isinstance(segments, list) or not segments:
        raise ValueError("its segmentation is neither polygons nor run lengths")
    return np.logical_or.reduce([polygon_mask(polygon_of(flat), height, width) for flat in segments])


def polygon_of(flat: Any) -> NDArray[np.float64]:
    """`[x1, y1, x2, y2, ...]` as `(n, 2)`. Raises ValueError for fewer than three corners or no numbers."""
    try:
        points = np.asarray(flat, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("a polygon holds something that is no number") from None
    if points.ndim != 1 or len(points) < 6 or len(points) % 2 or not np.isfinite(points).all():
        raise ValueError("a polygon is three or more pairs of numbers")
    return points.reshape(-1, 2)


def polygon_mask(points: NDArray[np.float64], height: int, width: int, slack: float = 1.0) -> Mask:
    """Pixels of which a polygon covers half or more, `(height, width)`.

    Corners may lie up to `slack` pixels outside, as an annotator's hand does; ValueError beyond.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    if (low < -slack).any() or high[0] > width + slack or high[1] > height + slack:
        raise ValueError(f"a polygon lies outside the picture of {width} x {height}")
    inside = np.clip(points, 0, (width, height))
    left, top = np.floor(inside.min(axis=0)).astype(int)
    right, bottom = np.ceil(inside.max(axis=0)).astype(int)
    mask: Mask = np.zeros((height, width), dtype=bool)
    if right > left and bottom > top:
        share = rasterise(inside - (left, top), int(bottom - top), int(right - left))
        mask[top:bottom, left:right] = share >= 0.5
    return mask


def parts(mask: Mask) -> int:
    """Number of connected parts, pixels that touch at a corner counted apart."""
    return int(cv2.connectedComponents(np.asarray(mask, np.uint8), connectivity=4)[0]) - 1


def _partners(order: NDArray[np.intp]) -> NDArray[np.intp]:
    partner = np.empty_like(order)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    return partner


def _rings(vertical: NDArray[np.intp], horizontal: NDArray[np.intp]) -> list[list[int]]:
    up, along = vertical.tolist(), horizontal.tolist()
    seen = [False] * len(up)
    rings = []
    for start in range(len(up)):
        if seen[start]:
            continue
        ring, corner = [], start
        while not seen[corner]:
            other = up[corner]
            seen[corner] = seen[other] = True
            ring += [corner, other]
            corner = along[other]
        rings.append(ring)
    return rings
