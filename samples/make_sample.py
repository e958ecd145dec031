"""Makes the bundled clip: a stretch of a longer film, at half its size, as compact H.264.

    python samples/make_sample.py 05_default_juggle.mp4 samples/juggle.mp4

Needs PyAV with libx264, as its wheels from PyPI have. Other encoder versions may give other bytes; the committed file
is the one that counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
from av.video.reformatter import Interpolation

FIRST, FRAMES = 100, 84
"""Three and a half seconds at 24 frames a second: a ball is juggled, a leg and a ball move fast before still trees."""

WIDTH, HEIGHT = 640, 360
QUALITY = 16
"""x264's constant rate factor: the clip stays under 900 kB, and the grain that is added later hides what it costs."""


def make(source: Path, target: Path) -> None:
    with av.open(str(source)) as reader, av.open(str(target), "w", options={"movflags": "+faststart"}) as writer:
        film = reader.streams.video[0]
        stream = writer.add_stream("libx264", rate=film.average_rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": str(QUALITY), "preset": "veryslow", "threads": "1"}
        context = stream.codec_context
        # H.273: 1 is BT.709 for primaries, transfer and matrix; 1 is limited range.
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        for index, frame in enumerate(reader.decode(film)):
            if index >= FIRST + FRAMES:
                break
            if index < FIRST:
                continue
            # In the source's own planes: shrinking needs no RGB. "Area" averages the four pixels that become one.
            small = frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation=Interpolation.AREA)
            small.pts, small.time_base = index - FIRST, 1 / film.average_rate
            small.pict_type = 0
            writer.mux(stream.encode(small))
        writer.mux(stream.encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the bundled clip.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    make(options.source, options.target)
