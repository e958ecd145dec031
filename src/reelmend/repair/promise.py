"""What every repairer takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Mask
from reelmend.motion.windows import Window


class FilledBy(IntEnum):
    """Where the new value of a pixel came from; the codes of `Repair.filled_by`."""

    UNTOUCHED = 0
    TEMPORAL = 1
    """From neighbouring frames."""
    SPATIAL = 2
    """From the surroundings in the same frame, wholly or for the most part."""
    NETWORK = 3
    """Added by a network: neither a neighbour nor the surroundings' fill shows this."""
    DIFFUSION = 4
    """Sampled by a diffusion model: invented, however much neighbours had a say in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """A repaired frame, before grain is put back."""

    frame: Frame
    """The centre frame with new samples inside the mask. Every sample outside is bit-identical to the centre's: for
    subsampled chroma every sample whose footprint misses the mask, and alpha everywhere. Untouched planes are the
    centre's own arrays."""
    unsure: NDArray[np.float32]
    """`(h, w)`, 0 sure .. 1 a guess inside the mask, 0 outside: where neighbours disagree or do not exist."""
    filled_by: NDArray[np.uint8]
    """`(h, w)`, codes of `FilledBy`. A repairer may leave pixels of the mask as they are where it finds no damage."""

    @property
    def touched(self) -> Mask:
        """`(h, w)`: the pixels with new values."""
        return np.asarray(self.filled_by > FilledBy.UNTOUCHED)

    @property
    def drawn(self) -> Mask:
        """`(h, w)`: the pixels whose brightness was sampled, grain and all."""
        return np.asarray(self.filled_by == FilledBy.DIFFUSION)


class Repairer(Protocol):
    """Fills masks. Implementations keep no state: any number of threads may share one."""

    name: str

    def repair(self, window: Window, mask: Mask) -> Repair:
        """Fill `mask` (already grown, `(h, w)` of the window's centre) from the window.

        Raises ValueError where mask and frame differ in size.
        """
        ...


def check_mask(window: Window, mask: Mask) -> None:
    """Raises ValueError unless the mask is boolean and of the centre's size."""
    frame = window.centre.frame
    if mask.dtype != np.bool_ or mask.shape != (frame.height, frame.width):
        raise ValueError(
            f"a mask of {mask.shape} {mask.dtype} does not fit frame {frame.index} of {frame.height} x {frame.width}"
        )


def untouched(window: Window) -> Repair:
    """The repair of an empty mask."""
    frame = window.centre.frame
    shape = (frame.height, frame.width)
    return Repair(frame, np.zeros(shape, np.float32), np.zeros(shape, np.uint8))
