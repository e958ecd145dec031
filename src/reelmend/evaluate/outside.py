"""Whether a restoration touched nothing else: every sample outside the grown mask, bit by bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reelmend.evaluate.grain import grown
from reelmend.film import Frame, Mask, Plane


@dataclass(frozen=True, slots=True)
class Difference:
    """Samples of a plane outside the mask, and those whose bits differ; frames add up."""

    samples: int = 0
    differing: int = 0

    def __add__(self, other: Difference) -> Difference:
        return Difference(self.samples + other.samples, self.differing + other.differing)

    @property
    def identical(self) -> bool | None:
        """None when no sample lies outside."""
        return self.differing == 0 if self.samples else None


def outside_differences(result: Frame, source: Frame, mask: Mask, grow: float) -> dict[str, Difference]:
    """Samples outside a mask `(h, w)` grown by a disc of `grow` pixels that differ in any bit, by plane name.

    A sample of a subsampled plane lies outside when no pixel of its footprint is in the grown mask. Alpha counts as
    any plane. Floating point is compared by bits: equal NaNs are equal, 0 and -0 are not. The disc holds every offset
    within `grow` + 0.5, as that which repair grows masks by.

    Raises ValueError for frames of different planes or sizes, or a mask that does not fit.
    """
    if [plane.shape for plane in result.planes] != [plane.shape for plane in source.planes]:
        raise ValueError("frames of different planes cannot be compared")
    if [plane.dtype for plane in result.planes] != [plane.dtype for plane in source.planes]:
        raise ValueError("frames of different types of samples cannot be compared")
    if mask.shape != (result.height, result.width):
        raise ValueError(f"a mask of {mask.shape} does not fit a frame of {(result.height, result.width)}")
    around = grown(mask, grow + 0.5) if grow > 0 else mask
    found = {}
    for number, (one, other, name) in enumerate(zip(result.planes, source.planes, result.layout.planes, strict=True)):
        beyond = ~touched(around, *result.layout.subsampling(number))
        differs = _bits(one) != _bits(other)
        found[name] = Difference(int(np.count_nonzero(beyond)), int(np.count_nonzero(differs & beyond)))
    return found


def touched(mask: Mask, sub_x: int, sub_y: int) -> Mask:
    """Samples of a plane subsampled by `2**sub_x`, `2**sub_y` whose footprint holds a masked pixel, odd sizes up."""
    if not (sub_x or sub_y):
        return mask
    down, across = 1 << sub_y, 1 << sub_x
    height, width = mask.shape
    padded = np.zeros((-(-height // down) * down, -(-width // across) * across), np.bool_)
    padded[:height, :width] = mask
    blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across)
    return np.asarray(blocks.any(axis=(1, 3)))


def _bits(plane: Plane) -> Plane:
    return np.ascontiguousarray(plane).view(f"u{plane.dtype.itemsize}")
