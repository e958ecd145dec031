"""Tiny films for tests, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelmend.film import Frame, ReelFacts


@pytest.fixture
def write_film(tmp_path: Path) -> Callable[..., Path]:
    """Writes frames to `tmp_path / name` through `open_writer` and returns the path."""
    from reelmend.media import open_writer

    def write(name: str, frames: Sequence[Frame], facts: ReelFacts, **options: Any) -> Path:
        output = tmp_path / name
        options = {"source": None, "work": tmp_path / "work", "threads": 1} | options
        with open_writer(output, facts, **options) as writer:
            for frame in frames[writer.done :]:
                writer.write(frame)
            writer.finish()
        return output

    return write


@pytest.fixture
def make_container(tmp_path: Path) -> Callable[..., Path]:
    """Makes a container with PyAV itself: film of gradients, optional tone, subtitles, tags; returns the path."""
    import av

    def make(
        name: str = "clip.mkv",
        codec: str = "ffv1",
        pixels: str = "yuv420p",
        count: int = 6,
        size: tuple[int, int] = (48, 64),
        pts: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 24000),
        rate: Fraction = Fraction(24),
        audio: str | None = None,
        timecode: str | None = None,
        aspect: Fraction = Fraction(1),
        tags: tuple[int, int, int, int] | None = None,
        rotation: int = 0,
        options: dict[str, str] | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        height, width = size
        with av.open(str(path), "w") as container:
            container.metadata.update(metadata or {})
            stream = container.add_stream(codec, rate=rate, options=options or {})
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            stream.codec_context.time_base = stream.time_base = time_base
            stream.codec_context.sample_aspect_ratio = aspect
            if tags:
                context = stream.codec_context
                context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
            if rotation:
                stream.set_display_rotation(rotation)
            if timecode:
                stream.metadata["timecode"] = timecode
            sound = container.add_stream(audio, rate=48000, layout="mono") if audio else None
            if sound is not None:
                sound.metadata["language"] = "fra"
            step = round(1 / rate / time_base)
            for i in range(count):
                picture = av.VideoFrame(width, height, pixels)
                for number, plane in enumerate(picture.planes):
                    rows = np.frombuffer(memoryview(plane), np.uint8)
                    rows[:] = (np.arange(rows.size) // plane.line_size * 3 + i * 5 + number * 40) % 256
                    if ("10" in pixels or "12" in pixels) and plane.line_size:
                        rows.view(np.uint16)[:] &= 0x3FF if "10" in pixels else 0xFFF
                if tags:
                    # ProRes takes its tags from the frame.
                    picture.color_primaries, picture.color_trc, picture.colorspace, picture.color_range = tags
                picture.pts, picture.time_base = (pts[i] if pts else i * step), time_base
                for packet in stream.encode(picture):
                    container.mux(packet)
            for packet in stream.encode(None):
                container.mux(packet)
            if sound is not None:
                total = int(48000 * count / rate)
                for at in range(0, total, 1024):
                    length = min(1024, total - at)
                    wave = (np.sin(np.arange(at, at + length) / 20) * 9000).astype(np.int16)[None, :]
                    block = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
                    block.sample_rate, block.pts, block.time_base = 48000, at, Fraction(1, 48000)
                    for packet in sound.encode(block):
                        container.mux(packet)
                for packet in sound.encode(None):
                    container.mux(packet)
        return path

    return make


@pytest.fixture
def make_sequence(tmp_path: Path) -> Callable[..., Path]:
    """Makes a numbered sequence with OpenImageIO itself; returns its folder."""
    import OpenImageIO as oiio

    def make(
        folder: str = "scans",
        name: str = "scan_{:06d}.png",
        numbers: Sequence[int] = range(5),
        size: tuple[int, int] = (20, 30),
        channels: Sequence[str] = ("R", "G", "B"),
        kind: str = "uint8",
        attributes: dict[str, Any] | None = None,
        tile: int = 0,
    ) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        height, width = size
        for number in numbers:
            rng = np.random.default_rng(number)
            spec = oiio.ImageSpec(width, height, len(channels), kind)
            spec.channelnames = list(channels)
            if "A" in channels:
                spec.alpha_channel = list(channels).index("A")
            if tile:
                spec.tile_width = spec.tile_height = tile
            for key, value in (attributes or {}).items():
                if isinstance(value, tuple):
                    spec.attribute(key, *value)
                else:
                    spec.attribute(key, value)
            bits = int((attributes or {}).get("oiio:BitsPerSample", 0))
            shape = (height, width, len(channels))
            if kind in ("half", "float"):
                pixels = rng.random(shape).astype(np.float16 if kind == "half" else np.float32)
            elif bits and bits < 16 and kind == "uint16":
                codes = rng.integers(0, 1 << bits, shape).astype(np.uint16)
                pixels = (codes << (16 - bits)) | (codes >> (2 * bits - 16))
            else:
                kinds = {"uint8": np.uint8, "uint16": np.uint16, "uint": np.uint32}
                pixels = rng.integers(0, 256 if kind == "uint8" else 65536, shape).astype(kinds[kind])
            path = target / name.format(number)
            out = oiio.ImageOutput.create(str(path))
            assert out.open(str(path), spec), out.geterror()
            assert out.write_image(pixels), out.geterror()
            out.close()
        return target

    return make
