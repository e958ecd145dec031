"""What travels with the picture: times, tags, sound, timecode, headers."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from reelmend.film import Colour, Frame, Layout
from reelmend.media import open_reel, open_writer
from reelmend.media.sequence_image import read_image
from tiny_films import film_facts, film_frames


def _restore(
    source: Path, output: Path, work: Path, start: int = 0, count: int | None = None, **options: Any
) -> tuple[str, ...]:
    with (
        open_reel(source) as reel,
        open_writer(output, reel.facts, source=reel, work=work, start=start, count=count, **options) as writer,
    ):
        for frame in reel.frames(start, count):
            writer.write(frame)
        writer.finish()
        return writer.notes


def _seconds(path: Path) -> list[Fraction]:
    with open_reel(path) as reel:
        return [frame.pts * reel.facts.time_base for frame in reel.frames()]


def _packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


OUTPUTS = ["out.mkv", "out.mov", "out.mp4"]


@pytest.mark.parametrize("output", OUTPUTS)
def test_tags_of_the_picture(output: str, tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container(
        "in.mov",
        "prores_ks",
        "yuv422p10le",
        aspect=Fraction(16, 15),
        tags=(9, 16, 9, 1),
        timecode="01:00:00:10",
        rotation=90,
    )
    with open_reel(source) as reel:
        wanted = reel.facts
    assert wanted.sample_aspect == Fraction(16, 15)
    assert wanted.colour == Colour("bt2020", "smpte2084", "bt2020nc", "limited")
    assert wanted.rotation == 90
    _restore(source, tmp_path / output, tmp_path / "work", start=2)
    with open_reel(tmp_path / output) as reel:
        facts = reel.facts
    assert facts.sample_aspect == wanted.sample_aspect
    assert facts.colour == wanted.colour
    assert facts.rotation == wanted.rotation
    assert facts.rate == wanted.rate
    assert facts.timecode == "01:00:00:12"
    assert facts.pixel_format == wanted.pixel_format


@pytest.mark.parametrize("aspect", [Fraction(16, 15), Fraction(8, 9), Fraction(118, 81), Fraction(1, 2)])
def test_pixel_aspect_in_matroska(aspect: Fraction, tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container("in.mov", "prores_ks", "yuv422p10le", aspect=aspect, size=(46, 38))
    _restore(source, tmp_path / "out.mkv", tmp_path / "work")
    with av.open(str(tmp_path / "out.mkv")) as container:
        # The container itself says so, not only the FFV1 frames; and nothing is left of the place holder.
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == aspect
        assert "title" not in stream.metadata
        assert len([p for p in container.demux(stream) if p.size]) == 6


def test_drop_frame_timecode_goes_on(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container(
        "in.mov",
        "prores_ks",
        "yuv422p10le",
        rate=Fraction(30000, 1001),
        time_base=Fraction(1, 30000),
        timecode="00:00:59;28",
    )
    for output in OUTPUTS:
        _restore(source, tmp_path / output, tmp_path / "work", start=3)
        with open_reel(tmp_path / output) as reel:
            # 28, 29, then 00:01:00;02: labels 00 and 01 are dropped.
            assert reel.facts.timecode == "00:01:00;03"


@pytest.mark.parametrize("output", OUTPUTS)
def test_variable_frame_rate_keeps_its_times(output: str, tmp_path: Path, make_container: Callable[..., Path]) -> None:
    times = [0, 1000, 3000, 3500, 7001, 9000, 12345]
    source = make_container("in.mp4", "libx264", "yuv420p", count=7, pts=times, time_base=Fraction(1, 15360))
    before = _seconds(source)
    assert before == [Fraction(t, 15360) for t in times]
    _restore(source, tmp_path / output, tmp_path / "work", segment=3)
    after = _seconds(tmp_path / output)
    # Matroska counts in milliseconds.
    limit = Fraction(1, 2000) if output.endswith("mkv") else 0
    assert all(abs(a - b) <= limit for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("audio", "name", "output"),
    [
        ("pcm_s16le", "in.mov", "out.mkv"),
        ("pcm_s24le", "in.mov", "out.mov"),
        ("aac", "in.mp4", "out.mp4"),
        ("aac", "in.mp4", "out.mkv"),
        ("flac", "in.mkv", "out.mkv"),
        ("aac", "in.mov", "out.mov"),
    ],
)
def test_sound_is_copied_packet_by_packet(
    audio: str, name: str, output: str, tmp_path: Path, make_container: Callable[..., Path]
) -> None:
    codec = "ffv1" if name.endswith("mkv") else "libx264"
    source = make_container(name, codec, "yuv420p", count=30, audio=audio)
    assert _restore(source, tmp_path / output, tmp_path / "work") == ()
    before, after = _packets(source, "audio"), _packets(tmp_path / output, "audio")
    if audio.startswith("pcm"):
        # Raw samples have no packets of their own; the muxer may cut them differently.
        assert b"".join(data for _, data in before) == b"".join(data for _, data in after)
    else:
        assert [data for _, data in before] == [data for _, data in after]
        assert all(abs(a - b) <= Fraction(1, 1000) for (a, _), (b, _) in zip(before, after, strict=True))
    assert _seconds(tmp_path / output)[0] == 0
    with open_reel(tmp_path / output) as reel:
        [stream] = [s for s in reel.facts.streams if s.kind == "audio"]
        assert stream.language == "fra"


def test_sound_of_a_stretch_is_cut_and_moved(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container("in.mkv", "ffv1", "yuv420p", count=48, audio="flac")
    _restore(source, tmp_path / "out.mkv", tmp_path / "work", start=12, count=24)
    before, after = dict(_packets(source, "audio")), _packets(tmp_path / "out.mkv", "audio")
    half = Fraction(1, 2)
    wanted = [data for when, data in sorted(before.items()) if half <= when < half + 1]
    assert [data for _, data in after] == wanted
    first = min(when for when in before if when >= half)
    assert after[0][0] == first - half
    assert _seconds(tmp_path / "out.mkv")[0] == 0


def test_streams_that_do_not_fit_are_named(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container("in.mkv", "ffv1", "yuv420p", audio="pcm_s16le")
    [note] = _restore(source, tmp_path / "out.mp4", tmp_path / "work")
    assert note.startswith("audio stream 1 (pcm_s16le) does not fit into mp4")


def test_damaged_sound_does_not_stop_the_film(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container("in.mkv", "ffv1", "yuv420p", count=24, audio="flac")
    data = bytearray(source.read_bytes())
    packets = [bytes_ for _, bytes_ in _packets(source, "audio")]
    at = bytes(data).index(packets[5])
    data[at : at + len(packets[5])] = bytes(len(packets[5]))
    source.write_bytes(data)
    _restore(source, tmp_path / "out.mkv", tmp_path / "work")
    assert len(_packets(tmp_path / "out.mkv", "audio")) == len(packets)
    assert len(_seconds(tmp_path / "out.mkv")) == 24


def test_subtitles_and_attachments(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    plain = make_container("plain.mkv")
    source = tmp_path / "in.mkv"
    with av.open(str(plain)) as old, av.open(str(source), "w") as new:
        film = new.add_stream_from_template(old.streams.video[0])
        titles = new.add_mux_stream("subrip")
        new.add_attachment("note.txt", "text/plain", b"scanned by hand")
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = film
                new.mux(packet)
        line = av.Packet(b"Hello")
        line.stream, line.time_base, line.pts, line.dts, line.duration = titles, Fraction(1, 1000), 40, 40, 100
        new.mux(line)
    _restore(source, tmp_path / "out.mkv", tmp_path / "work")
    [(when, text)] = _packets(tmp_path / "out.mkv", "subtitle")
    assert (when, text) == (Fraction(40, 1000), b"Hello")
    with av.open(str(tmp_path / "out.mkv")) as container:
        [attached] = [s for s in container.streams if s.type == "attachment"]
        assert attached.data == b"scanned by hand"
    notes = _restore(source, tmp_path / "out.mov", tmp_path / "work")
    assert any("subtitle stream 1" in note for note in notes)


def test_metadata_without_the_old_files_statistics(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    source = make_container(
        "in.mkv", metadata={"title": "Street", "BPS-eng": "123", "creation_time": "2001-02-03T04:05:06.000000Z"}
    )
    _restore(source, tmp_path / "out.mkv", tmp_path / "work")
    with open_reel(tmp_path / "out.mkv") as reel:
        assert reel.facts.metadata["title"] == "Street"
        assert "2001-02-03" in reel.facts.metadata["creation_time"]
        assert "BPS-eng" not in reel.facts.metadata


# Sequences


def test_dpx_headers_are_kept_byte_by_byte(tmp_path: Path, make_sequence: Callable[..., Path]) -> None:
    attributes = {
        "oiio:BitsPerSample": 10,
        "oiio:Endian": "big",
        "dpx:FrameRate": 18.0,
        "dpx:FilmMfgId": "1",
        "dpx:Slate": "roll 7",
        "dpx:Transfer": "Logarithmic",
        "Copyright": "archive",
        "dpx:ShutterAngle": 172.8,
        "dpx:HighData": 685,
        "smpte:TimeCode": (oiio.TypeDesc("timecode"), (0x01020304, 0)),
    }
    source = make_sequence(name="reel_{:07d}.dpx", numbers=range(86400, 86404), kind="uint16", attributes=attributes)
    # A field that the image library has no name for.
    for path in source.iterdir():
        data = bytearray(path.read_bytes())
        data[1664 + 100 : 1664 + 104] = b"keep"
        path.write_bytes(data)
    with open_reel(source) as reel:
        assert reel.facts.pixel_format == "uint10 rgb"
        assert reel.facts.rate == 18
        assert reel.facts.timecode == "01:02:03:04"
        assert reel.facts.first_number == 86400
    _restore(source, tmp_path / "out", tmp_path / "work", start=1)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"reel_{n:07d}.dpx" for n in range(86401, 86404)]
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()


def test_dpx_picture_changes_within_the_kept_header(tmp_path: Path, make_sequence: Callable[..., Path]) -> None:
    source = make_sequence(name="r_{:04d}.dpx", numbers=range(2), kind="uint16", attributes={"oiio:BitsPerSample": 12})
    with (
        open_reel(source) as reel,
        open_writer(tmp_path / "out", reel.facts, source=reel, work=tmp_path / "w") as writer,
    ):
        sent = []
        for frame in reel.frames():
            changed = tuple(np.where(plane > 2000, plane - 5, plane).astype(plane.dtype) for plane in frame.planes)
            sent.append(changed)
            writer.write(frame.with_planes(changed))
        writer.finish()
    for number, planes in enumerate(sent):
        path = tmp_path / "out" / f"r_{number:04d}.dpx"
        assert path.read_bytes()[:2048] == (source / path.name).read_bytes()[:2048]
        assert all(np.array_equal(a, b) for a, b in zip(planes, read_image(path)[0], strict=True))


@pytest.mark.parametrize("bits", [10, 12])
def test_dpx_codes_are_raw(bits: int, tmp_path: Path) -> None:
    """Every code value, against a reading of the file's bits by hand (10 bits filled, method A)."""
    codes = np.arange(1 << bits, dtype=np.uint16)
    spread = ((codes << (16 - bits)) | (codes >> (2 * bits - 16))).reshape(-1, 64)
    spec = oiio.ImageSpec(64, spread.shape[0], 3, "uint16")
    spec.attribute("oiio:BitsPerSample", bits)
    path = tmp_path / "a.dpx"
    out = oiio.ImageOutput.create(str(path))
    out.open(str(path), spec)
    out.write_image(np.repeat(spread[:, :, None], 3, 2))
    out.close()
    planes, layout, _ = read_image(path)
    assert layout.bits == bits
    assert np.array_equal(planes[1].ravel(), codes)
    if bits == 10:
        data = path.read_bytes()
        offset = struct.unpack_from("<I" if data[:4] == b"XPDS" else ">I", data, 4)[0]
        words = np.frombuffer(data[offset:], "<u4" if data[:4] == b"XPDS" else ">u4")[: codes.size]
        assert np.array_equal(words >> 22 & 1023, codes)


def test_exr_attributes_and_other_channels(tmp_path: Path, make_sequence: Callable[..., Path]) -> None:
    source = make_sequence(
        name="cg.{:04d}.exr",
        channels=("R", "G", "B", "Z", "id"),
        kind="float",
        numbers=range(1001, 1003),
        attributes={
            "reelNote": "archive",
            "FramesPerSecond": (oiio.TypeDesc("rational2i"), (24000, 1001)),
            "compression": "piz",
            "PixelAspectRatio": 2.0,
        },
        tile=16,
    )
    with open_reel(source) as reel:
        assert reel.facts.rate == Fraction(24000, 1001)
        assert reel.facts.sample_aspect == 2
        assert any("Z, id" in note for note in reel.facts.notes)
        assert reel.facts.layout.planes == ("R", "G", "B")
    _restore(source, tmp_path / "out", tmp_path / "work")
    for path in sorted(source.iterdir()):
        before, after = oiio.ImageInput.open(str(path)), oiio.ImageInput.open(str(tmp_path / "out" / path.name))
        assert np.array_equal(before.read_image("float"), after.read_image("float"))
        old, new = before.spec(), after.spec()
        assert new.channelnames == old.channelnames
        assert (new.tile_width, new.get_string_attribute("reelNote")) == (16, "archive")
        assert {a.name: str(a.value) for a in new.extra_attribs} == {a.name: str(a.value) for a in old.extra_attribs}
        before.close()
        after.close()


@pytest.mark.parametrize(
    ("name", "kind"), [("s_{:03d}.png", "uint8"), ("s_{:03d}.png", "uint16"), ("s_{:03d}.tif", "uint16")]
)
def test_transparency_is_not_multiplied_in(
    name: str, kind: str, tmp_path: Path, make_sequence: Callable[..., Path]
) -> None:
    attributes = {
        "oiio:UnassociatedAlpha": 1,
        "Software": "scanner",
        "DateTime": "2003:04:05 06:07:08",
        "Artist": "a person",
    }
    source = make_sequence(name=name, channels=("R", "G", "B", "A"), kind=kind, attributes=attributes)
    _restore(source, tmp_path / "out", tmp_path / "work")
    for path in sorted(source.iterdir()):
        old, new = read_image(path), read_image(tmp_path / "out" / path.name)
        assert all(np.array_equal(a, b) for a, b in zip(old[0], new[0], strict=True))
        assert new[2].spec.get_string_attribute("DateTime") == "2003:04:05 06:07:08"
        assert new[2].spec.get_string_attribute("Artist") == old[2].spec.get_string_attribute("Artist") != ""


def test_tiff_without_a_date_gets_none(tmp_path: Path, make_sequence: Callable[..., Path]) -> None:
    source = make_sequence(name="s_{:03d}.tif", attributes={"DateTime": "", "tiff:PageName": "x"}, kind="uint16")
    _restore(source, tmp_path / "out", tmp_path / "work")
    for path in (tmp_path / "out").iterdir():
        assert read_image(path)[2].spec.get_string_attribute("DateTime") == ""


@pytest.mark.parametrize("suffix", ["dpx", "tif", "png"])
def test_new_images_from_a_container(suffix: str, tmp_path: Path, make_container: Callable[..., Path]) -> None:
    """10-bit YUV becomes RGB close to what swscale makes of it, with the timecode where DPX keeps it."""
    source = make_container(
        "in.mov", "prores_ks", "yuv444p10le", count=3, timecode="10:00:00:00", tags=(1, 1, 1, 1), size=(64, 96)
    )
    pattern = tmp_path / f"o_%04d.{suffix}"
    _restore(source, pattern, tmp_path / "work", start=1)
    with open_reel(pattern) as images:
        assert images.facts.first_number == 1
        assert images.facts.layout.bits == (12 if suffix == "dpx" else 16)
        if suffix == "dpx":
            assert images.facts.timecode == "10:00:00:01"
            assert images.facts.rate == 24
        frame = next(images.frames())
    with av.open(str(source)) as container:
        theirs = list(container.decode(video=0))[1].reformat(
            format="gbrp16le", src_colorspace="ITU709", src_color_range="MPEG"
        )
    reference = theirs.to_ndarray()
    scale = 65535 / frame.layout.peak
    ours = np.stack(frame.planes, -1).astype(np.float64) * scale
    # swscale computes with 14-bit coefficients: within 1/250 of full scale of it.
    assert np.percentile(np.abs(ours - reference), 99) < 262


def test_held_frames_are_written_in_place(tmp_path: Path, make_sequence: Callable[..., Path]) -> None:
    source = make_sequence(numbers=(4, 5, 8))
    with (
        open_reel(source, gaps="hold") as reel,
        open_writer(tmp_path / "o", reel.facts, source=reel, work=tmp_path / "w") as writer,
    ):
        frames = list(reel.frames())
        assert [bool(frame.fault) for frame in frames] == [False, False, True, True, False]
        assert "frame 6 is missing from" in str(frames[2].fault)
        for frame in frames:
            writer.write(frame)
        writer.finish()
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == [f"scan_{n:06d}.png" for n in range(4, 9)]
    with open_reel(source, gaps="hold") as reel:
        held = next(reel.frames(3, 1))
        assert all(np.array_equal(a, b) for a, b in zip(held.planes, frames[1].planes, strict=True))


def test_no_times_of_its_own(tmp_path: Path, make_container: Callable[..., Path]) -> None:
    """Frames without times run at the nominal rate."""
    source = make_container()
    with (
        open_reel(source) as reel,
        open_writer(tmp_path / "o.mov", reel.facts, source=None, work=tmp_path / "w") as writer,
    ):
        frame: Frame
        for frame in reel.frames():
            writer.write(replace(frame, pts=None, duration=None))
        writer.finish()
    assert _seconds(tmp_path / "o.mov") == [Fraction(i, 24) for i in range(6)]


@pytest.mark.parametrize("suffix", ["exr", "dpx", "tif", "png", "jpg"])
def test_no_image_carries_todays_date(suffix: str, tmp_path: Path, write_film: Callable[..., Path]) -> None:
    """The same film written tomorrow must give the same bytes: new images, and copies of images without a date."""
    layout = Layout("rgb", 16, is_float=True) if suffix == "exr" else Layout("rgb", 8)
    first = write_film(f"a_%d.{suffix}", film_frames(layout, 12, 16, 1), film_facts(layout, 12, 16))
    _restore(first, tmp_path / "copies", tmp_path / "work")
    today = time.strftime("%Y:%m:%d").encode()
    for path in (tmp_path / f"a_0.{suffix}", tmp_path / "copies" / f"a_0.{suffix}"):
        assert today not in path.read_bytes()
