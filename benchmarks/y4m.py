"""Stands in for the one `ffmpeg` call that the peers make: YUV4MPEG2 from standard input to FFV1.

    python -m benchmarks.y4m -y -v error -f yuv4mpegpipe -i - -c:v ffv1 OUT.mkv

Reads the last argument as the output and passes over the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av

from benchmarks.video import planes_of, write_ffv1


def convert(target: Path) -> int:
    with av.open(sys.stdin.buffer, "r", format="yuv4mpegpipe") as container:
        stream = container.streams.video[0]
        if stream.pix_fmt is None or stream.average_rate is None:
            raise ValueError("the stream has no pixel format or rate")
        frames = (planes_of(frame) for frame in container.decode(stream))
        return write_ffv1(target, frames, stream.pix_fmt, stream.average_rate)


if __name__ == "__main__":
    convert(Path(sys.argv[-1]))
