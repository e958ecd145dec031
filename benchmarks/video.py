"""The little of PyAV that the benchmarks need, apart from the project's own reader and writer: a judge of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Planes = tuple[NDArray[np.uint8], ...]


def read_rgb(path: Path, first: int = 0, count: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Frames `first` and following as `(h, w, 3)` uint8 RGB, in the order they are shown."""
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if count is not None and index >= first + count:
                return
            if index >= first:
                yield np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)


def read_planes(path: Path) -> Iterator[Planes]:
    """Every frame's own 8-bit planes."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield planes_of(frame)


def planes_of(frame: Any) -> Planes:
    """The planes of an 8-bit planar PyAV frame, copied, without the padding of their rows."""
    if frame.format.name not in ("gray", "yuv420p", "yuvj420p", "yuv422p", "yuv444p"):
        raise ValueError(f"the benchmarks measure 8-bit planar video, not {frame.format.name}")
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        planes.append(rows[:, : plane.width].copy())
    return tuple(planes)


def from_rgb(picture: NDArray[np.uint8], pixel_format: str) -> Planes:
    """An RGB picture as limited-range BT.709 planes of `gray`, `yuv420p` or `yuv444p`."""
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    wanted = "yuv444p" if pixel_format == "gray" else pixel_format
    planes = planes_of(frame.reformat(format=wanted, dst_colorspace="ITU709", dst_color_range="MPEG"))
    return planes[:1] if pixel_format == "gray" else planes


def write_ffv1(path: Path, frames: Iterable[Planes], pixel_format: str, rate: Fraction) -> int:
    """Writes 8-bit planes as FFV1 in Matroska with BT.709 limited-range tags; the number of frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream: Any = None
        for index, planes in enumerate(frames):
            height, width = planes[0].shape
            if stream is None:
                stream = container.add_stream("ffv1", rate=rate, options={"level": "3", "slicecrc": "1"})
                stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
                context = stream.codec_context
                context.colorspace, context.color_range = 1, 1
                context.color_primaries, context.color_trc = 1, 1
            frame = av.VideoFrame(width, height, pixel_format)
            for target, plane in zip(frame.planes, planes, strict=True):
                padded = np.zeros((plane.shape[0], target.line_size), np.uint8)
                padded[:, : plane.shape[1]] = plane
                target.update(padded.tobytes())
            frame.pts, frame.time_base = index, 1 / rate
            frame.colorspace, frame.color_range = 1, 1
            container.mux(stream.encode(frame))
            count += 1
        if stream is None:
            raise ValueError(f"{path}: no frames to write")
        container.mux(stream.encode())
    return count
