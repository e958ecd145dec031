"""Pictures of masks over frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask

HIT = (255, 220, 0)
FALSE_ALARM = (0, 210, 60)
MISS = (255, 40, 40)
"""Yellow, green and red, so that a hit is what a found and a true pixel make together as light."""

PLAIN = (HIT, FALSE_ALARM, MISS)
SAFE = ((240, 228, 66), (86, 180, 233), (213, 94, 0))
"""Hit, false alarm and miss for those who do not see red and green: yellow, sky blue and vermilion of Okabe and Ito
(2008)."""

FOUND = (255, 60, 160)
"""Of a mask without truth: a pink that film seldom shows."""


def overlay(
    picture: NDArray[np.uint8],
    found: Mask,
    truth: Mask | None = None,
    strength: float = 0.75,
    colours: Sequence[tuple[int, int, int]] = PLAIN,
) -> NDArray[Any]:
    """A mask laid over a picture, `(h, w, 3)` uint8 RGB.

    `picture` is `(h, w)` or `(h, w, 3)` uint8. Without `truth` the mask is pink; with it, hits are yellow, false
    alarms green and misses red, or as `colours` has them. `strength` is the colour's share, 0..1. Raises ValueError
    when shapes do not fit.
    """
    base = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    if base.shape != (*found.shape, 3) or (truth is not None and truth.shape != found.shape):
        raise ValueError(f"a mask of {found.shape} does not fit a picture of {picture.shape}")
    layers: list[tuple[Mask, tuple[int, int, int]]] = [(found, FOUND)]
    if truth is not None:
        layers = list(zip((found & truth, found & ~truth, truth & ~found), colours, strict=True))
    result = base.copy()
    for mask, colour in layers:
        mixed = base[mask] * (1 - strength) + np.array(colour) * strength
        result[mask] = np.rint(mixed).astype(np.uint8)
    return result
