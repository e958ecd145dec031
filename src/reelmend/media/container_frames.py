"""PyAV frames to planes and back; no scaler ever touches a sample."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np

from reelmend.film import Plane
from reelmend.media.pixels import Buffer, PixelFormat, pack, unpack


def _buffers(picture: av.VideoFrame) -> list[Buffer]:
    buffers = []
    for plane in picture.planes:
        line = plane.line_size
        if line == 0:
            # The palette: 256 entries without a line size.
            buffers.append(np.frombuffer(memoryview(plane), np.uint8)[None, :])
            continue
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, abs(line))
        # A negative line size means that the picture is stored bottom up.
        buffers.append(rows[::-1] if line < 0 else rows)
    return buffers


def planes_of(picture: av.VideoFrame, fmt: PixelFormat) -> tuple[Plane, ...]:
    """Contiguous read-only planes of native-endian code values."""
    planes = unpack(fmt, _buffers(picture), picture.height, picture.width)
    for plane in planes:
        plane.flags.writeable = False
    return planes


def picture_of(planes: Sequence[Plane], fmt: PixelFormat, height: int, width: int) -> av.VideoFrame:
    """A PyAV frame that holds the planes in the memory order of `fmt`."""
    picture = av.VideoFrame(width, height, fmt.name)
    pack(fmt, planes, _buffers(picture))
    return picture
