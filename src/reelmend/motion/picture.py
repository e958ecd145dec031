"""A frame made ready for looking at: its 8-bit luma, the flow-size picture and the thumbnail."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame
from reelmend.motion.flow import flow_factor, shrink
from reelmend.motion.luma import luma8

# Wide enough to tell two pictures apart, small enough that dirt and grain average out.
THUMB_WIDTH, THUMB_HEIGHT = 128, 96


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame and what motion and detection see of it."""

    frame: Frame
    luma: NDArray[np.uint8]
    """`(h, w)`, 0..255 over the code range."""
    small: NDArray[np.uint8]
    """Luma on the flow grid, `factor` times smaller."""
    thumb: NDArray[np.uint8]
    """96 x 128, for cuts."""
    factor: int

    @property
    def index(self) -> int:
        return self.frame.index


def picture(frame: Frame) -> Picture:
    """Prepare a frame: about 1 ms at 640x360."""
    luma = luma8(frame)
    factor = flow_factor(frame.width)
    small = shrink(luma, factor)
    thumb = cv2.resize(small, (THUMB_WIDTH, THUMB_HEIGHT), interpolation=cv2.INTER_AREA)
    return Picture(frame, luma, small, np.asarray(thumb, np.uint8), factor)
