"""What a blob of damage may be, by its shape: dust, dirt, hair or scratch, as a film lab sorts them.

A guess: what lies on the film is told apart by its outline alone. The limits are those that sort the annotated outlines
of four scanned frames best; `python -m benchmarks.classes` measures them on four others.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from reelmend.film import Mask

DamageClass = Literal["dust", "dirt", "hair", "scratch"]

FIBRE = 5.0
"""From how many times as long as wide on a blob is a hair or a scratch."""

SCRATCH = 12.0
"""Of a scratch."""

STRAIGHT = 0.89
"""From which share of its length on a scratch's ends lie apart."""

SIDE = 0.00257
"""Of the frame's width: the side of a square as large as a blob, from which on it is dirt and not dust: 64 micrometres
on 35 mm."""

RIM = 1.13
"""Pixels by which masks, which hold every pixel that is touched at all, are larger than what they show."""


def guess_class(blob: Mask, frame_width: int) -> DamageClass:
    """The class of one blob, given as a boolean array that holds it alone; `frame_width` in the same pixels."""
    outlines, _ = cv2.findContours(blob.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        raise ValueError("there is no blob in the array")
    outline = max(outlines, key=len)
    area = int(np.count_nonzero(blob))
    length = cv2.arcLength(outline, True) / 2 + 1
    slenderness = length * length / area
    extent = max(cv2.minAreaRect(outline)[1]) + 1
    if slenderness >= SCRATCH and extent >= STRAIGHT * length:
        return "scratch"
    if slenderness >= FIBRE:
        return "hair"
    return "dirt" if np.sqrt(area) - RIM > SIDE * frame_width else "dust"
