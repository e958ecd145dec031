"""Bad input: one sentence with file, frame and remedy, the right class, nothing half-written, the source untouched."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from reelmend.errors import MediaError, UsageError
from reelmend.film import Layout
from reelmend.media import open_reel, open_writer
from reelmend.media.completeness import ffv1_slices_intact, missing_bytes
from tiny_films import film_facts, film_frames, random_planes

YUV420 = Layout("yuv", 8, sub_x=1, sub_y=1)


@pytest.mark.parametrize("name", ["none.mkv", "none", "none_%04d.png", "none_####.dpx", "none.dpx"])
def test_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.* does not exist|no file in .* is called like none"):
        open_reel(tmp_path / name)


@pytest.mark.parametrize("name", ["empty.mkv", "empty.png"])
def test_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"empty\.\w+ is empty"):
        open_reel(tmp_path / name)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no numbered images; name the files like"):
        open_reel(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.mkv", b"no film at all" * 50), ("a.mov", bytes(3000)), ("a.png", b"x" * 99), ("a.txt", b"words\n" * 99)],
)
def test_not_media(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=rf"{name}.*(is not a film|cannot be opened as an image|holds no film)"):
        open_reel(tmp_path / name)


def test_sound_only(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mka"), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 400), np.int16), format="s16", layout="mono")
        block.sample_rate = 8000
        container.mux(stream.encode(block))
    with pytest.raises(UsageError, match="holds no film, only audio"):
        open_reel(tmp_path / "a.mka")


def test_a_rate_for_a_container(make_container: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="carries its own frame rate"):
        open_reel(make_container(), rate=Fraction(18))


@pytest.mark.parametrize(
    ("name", "codec"), [("cut.mkv", "ffv1"), ("cut.mp4", "libx264"), ("cut.mov", "prores_ks"), ("cut.avi", "mjpeg")]
)
def test_truncated(name: str, codec: str, make_container: Callable[..., Path]) -> None:
    pixels = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    # The index in front, so that the film opens at all.
    path = make_container(name, codec, pixels, count=40, size=(96, 128), options={})
    if name.endswith(("mp4", "mov")):
        _index_first(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert missing_bytes(path) == len(whole) - len(whole) * 2 // 3
    with open_reel(path) as reel:
        assert any("cut short" in note for note in reel.facts.notes)
        read = 0
        with pytest.raises(MediaError, match=r"(cut short after|is damaged).*--on-error hold"):
            for _ in reel.frames():
                read += 1
    assert 10 < read < 40
    with open_reel(path, on_error="hold") as reel:
        held = list(reel.frames())
    assert read <= len(held) <= 40
    assert [frame.index for frame in held] == list(range(len(held)))


def _index_first(path: Path) -> None:
    moved = path.with_name(f"moved{path.suffix}")
    with av.open(str(path)) as old, av.open(str(moved), "w", container_options={"movflags": "+faststart"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    moved.replace(path)


def test_truncated_before_the_index(make_container: Callable[..., Path]) -> None:
    path = make_container("cut.mov", "prores_ks", "yuv422p10le")
    path.write_bytes(path.read_bytes()[:-1200])
    with pytest.raises(MediaError, match="cut short and its index is missing; use a whole copy"):
        open_reel(path)


@pytest.mark.parametrize(
    ("codec", "name", "pixels"),
    [("ffv1", "a.mkv", "yuv420p"), ("prores_ks", "a.mov", "yuv422p10le"), ("ffv1", "a.mkv", "gbrp16le")],
)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("damaged", [(0,), (4,), (4, 5), (11,)])
def test_damaged_frame(
    codec: str, name: str, pixels: str, threads: int, damaged: tuple[int, ...], make_container: Callable[..., Path]
) -> None:
    options = {"level": "3", "slicecrc": "1", "slices": "4", "g": "1"} if codec == "ffv1" else {}
    path = make_container(name, codec, pixels, count=12, size=(96, 128), options=options)
    with open_reel(path) as reel:
        whole = list(reel.frames())
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for number in damaged:
        at = bytes(data).index(packets[number])
        # FFV1: a few bytes within a slice, which its decoder hides; ProRes: the frame's header.
        start, length = (len(packets[number]) // 3, 3) if codec == "ffv1" else (0, 12)
        for i in range(at + start, at + start + length):
            data[i] ^= 0xFF
    path.write_bytes(data)
    with open_reel(path, threads=threads) as reel:
        good = []
        with pytest.raises(
            MediaError, match=rf"frame {damaged[0]} is damaged \(.*\); --on-error hold repeats the frame before it"
        ):
            for frame in reel.frames():
                good.append(frame.index)
        assert good == list(range(damaged[0]))
        # What lies behind the damage is still reached.
        after = next(reel.frames(damaged[-1] + 1, 1), None) if damaged[-1] < 11 else None
        assert after is None or np.array_equal(after.planes[0], whole[damaged[-1] + 1].planes[0])
    with open_reel(path, threads=threads, on_error="hold") as reel:
        held = list(reel.frames())
    assert [frame.index for frame in held] == list(range(12))
    for frame in held:
        stands_in = max((i for i in range(frame.index + 1) if i not in damaged), default=damaged[-1] + 1)
        assert bool(frame.fault) == (frame.index in damaged)
        assert all(np.array_equal(a, b) for a, b in zip(frame.planes, whole[stands_in].planes, strict=True))


def test_slice_checksums(make_container: Callable[..., Path]) -> None:
    path = make_container(options={"level": "3", "slicecrc": "1", "slices": "4", "g": "1"}, size=(64, 64))
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            data = bytes(packet)
            if data:
                assert ffv1_slices_intact(data)
                for at in range(0, len(data), max(1, len(data) // 9)):
                    assert not ffv1_slices_intact(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_film_that_changes_its_size(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 32, 48, "yuvj420p", Fraction(1, 24)
        for i in range(4):
            width, codec = (64, stream) if i < 3 else (32, encoder)
            picture = av.VideoFrame(width, 48, "yuvj420p")
            picture.pts, picture.time_base = i, Fraction(1, 24)
            for packet in codec.encode(picture):
                packet.stream = stream
                container.mux(packet)
    with (
        open_reel(path) as reel,
        pytest.raises(MediaError, match=r"frame 3 is damaged .it is 32x48 .* where the film began as 64x48"),
    ):
        list(reel.frames())
    with open_reel(path, on_error="hold") as reel:
        assert [bool(f.fault) for f in reel.frames()] == [False, False, False, True]


# Sequences


def test_gap(make_sequence: Callable[..., Path]) -> None:
    folder = make_sequence(numbers=(1041, 1042, 1044))
    with pytest.raises(UsageError, match=r"frame 1043 is missing from .*scans/; --gaps hold repeats 1042"):
        open_reel(folder)
    (folder / "scan_001044.png").rename(folder / "scan_001046.png")
    with pytest.raises(UsageError, match=r"frame 1043 and 2 more are missing"):
        open_reel(folder)


def test_two_runs_in_a_folder(make_sequence: Callable[..., Path]) -> None:
    make_sequence()
    folder = make_sequence(name="other_{:04d}.png", numbers=range(2))
    with pytest.raises(UsageError, match=r"two numbered runs, scan_%06d\.png and other_%04d\.png; name the one"):
        open_reel(folder)
    with open_reel(folder / "other_%04d.png") as reel:
        assert reel.facts.frames == 2


def test_stray_files_are_passed_over(make_sequence: Callable[..., Path]) -> None:
    folder = make_sequence()
    for name in (".DS_Store", "Thumbs.db", "notes_01.txt", "scan.xml", "._scan_000001.png", "md5sum"):
        (folder / name).write_bytes(b"stray")
    with open_reel(folder) as reel:
        assert len(list(reel.frames())) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (20, 31)}, "is 31x20, the sequence began as 30x20"),
        ({"kind": "uint16"}, "is uint16 rgb, the sequence began as uint8 rgb"),
        ({"channels": ("Y",), "kind": "uint16"}, "is uint16 gray, the sequence began as uint8 rgb"),
    ],
)
def test_mixed(change: dict[str, object], words: str, make_sequence: Callable[..., Path]) -> None:
    folder = make_sequence(numbers=range(4))
    make_sequence(numbers=[2], **change)
    with (
        open_reel(folder) as reel,
        pytest.raises(MediaError, match=rf"frame 2: .*scan_000002.png {words}; --on-error hold"),
    ):
        list(reel.frames())
    with open_reel(folder, on_error="hold") as reel:
        assert [bool(f.fault) for f in reel.frames()] == [False, False, True, False]


@pytest.mark.parametrize("name", ["s_{:03d}.png", "s_{:03d}.dpx", "s_{:03d}.exr", "s_{:03d}.tif"])
def test_damaged_image(name: str, make_sequence: Callable[..., Path]) -> None:
    kind = "half" if "exr" in name else "uint8"
    folder = make_sequence(name=name, numbers=range(5), size=(64, 64), kind=kind)
    path = folder / name.format(3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with (
        open_reel(folder) as reel,
        pytest.raises(MediaError, match=r"frame 3: .*s_003.*; --on-error hold repeats the frame before it"),
    ):
        list(reel.frames())
    with open_reel(folder, on_error="hold") as reel:
        frames = list(reel.frames())
        assert [bool(f.fault) for f in frames] == [False, False, False, True, False]
        assert np.array_equal(frames[3].planes[0], frames[2].planes[0])


def test_pixels_that_are_no_film(make_sequence: Callable[..., Path]) -> None:
    whole = make_sequence("whole", name="s_{:03d}.tif", kind="uint")
    with pytest.raises(UsageError, match=r"s_000.tif has uint\w* samples; convert it"):
        open_reel(whole)
    inks = make_sequence("inks", name="s_{:03d}.exr", channels=("C", "M", "Y", "K", "X"), kind="half")
    with pytest.raises(UsageError, match=r"has the channels .* and no R, G, B or Y"):
        open_reel(inks)


# Outputs


@pytest.fixture
def unprivileged() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission(
    tmp_path: Path,
    make_container: Callable[..., Path],
    make_sequence: Callable[..., Path],
    request: pytest.FixtureRequest,
) -> None:
    path, folder = make_container(), make_sequence()
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    path.chmod(0)
    (folder / "scan_000000.png").chmod(0)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
        if parent.name.startswith("pytest-of"):
            break
    request.getfixturevalue("unprivileged")
    with pytest.raises(UsageError, match=r"no permission to read .*clip.mkv"):
        open_reel(path)
    with pytest.raises(UsageError, match=r"no permission to read .*scan_000000.png"):
        open_reel(folder)
    for output in ("out.mkv", "shots"):
        with pytest.raises(UsageError, match=r"no permission to write into .*locked"):
            open_writer(locked / output, film_facts(YUV420, 16, 16), source=None, work=tmp_path / "work")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("out.avi", "films are not written as .avi"),
        ("one.png", "names one image; write a sequence as"),
        ("nowhere/out.mkv", "nowhere is not a folder"),
        ("nowhere/deep/x_%d.png", "deep is not a folder|nowhere is not a folder"),
        ("a_%d_%d.png", "two places for the frame number"),
        ("x_%04d.bmp", "sequences of .bmp cannot be written"),
    ],
)
def test_impossible_outputs(output: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        open_writer(tmp_path / output, film_facts(YUV420, 16, 16), source=None, work=tmp_path / "work")


def test_output_is_the_source(
    tmp_path: Path, make_container: Callable[..., Path], make_sequence: Callable[..., Path]
) -> None:
    film, folder = make_container(), make_sequence()
    link = tmp_path / "link.mkv"
    link.symlink_to(film)
    before = film.read_bytes()
    for source, outputs in (
        (film, [film, link]),
        (folder, [folder, folder / "scan_%06d.png", folder / "film.mkv", folder / "sub"]),
    ):
        for output in outputs:
            with open_reel(source) as reel, pytest.raises(UsageError, match="the source"):
                open_writer(output, reel.facts, source=reel, work=tmp_path / "work", overwrite=True)
    assert film.read_bytes() == before
    assert len(list(folder.iterdir())) == 5


def test_a_run_may_lie_beside_its_output(tmp_path: Path, make_sequence: Callable[..., Path]) -> None:
    """A folder is the source as a whole; a pattern or a first file is only its own run."""
    folder = make_sequence(numbers=range(3))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for source in (folder / "scan_%06d.png", folder / "scan_000000.png"):
        with open_reel(source) as reel:
            for name in ("scan_%06d.png", "scan_######.png"):
                with pytest.raises(UsageError, match=r"would replace the source"):
                    open_writer(folder / name, reel.facts, source=reel, work=tmp_path / "work", overwrite=True)
            for name in ("film.mkv", "fixed_%06d.png"):
                output = folder / name
                with open_writer(output, reel.facts, source=reel, work=tmp_path / "work", overwrite=True) as writer:
                    for frame in reel.frames():
                        writer.write(frame)
                    writer.finish()
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert len(list(folder.glob("fixed_*"))) == 3


@pytest.mark.parametrize("output", ["film.mkv", "shots", "s_%03d.png"])
def test_existing_output(output: str, tmp_path: Path, write_film: Callable[..., Path]) -> None:
    layout = Layout("rgb", 8)
    facts, frames = film_facts(layout, 16, 16), film_frames(layout, 16, 16, 3)
    path = write_film(output, frames, facts)
    with pytest.raises(UsageError, match="--overwrite replaces it"):
        open_writer(path, facts, source=None, work=tmp_path / "work2")
    write_film(output, frames[1:], facts, overwrite=True)
    with open_reel(path) as reel:
        assert np.array_equal(next(reel.frames()).planes[0], frames[1].planes[0])
        assert len(list(reel.frames())) == 2


def test_overwriting_a_folder_leaves_other_files_alone(tmp_path: Path, write_film: Callable[..., Path]) -> None:
    layout = Layout("rgb", 8)
    path = write_film("shots", film_frames(layout, 16, 16, 3), film_facts(layout, 16, 16))
    (path / "notes.txt").write_text("mine")
    write_film("shots", film_frames(layout, 16, 16, 2), film_facts(layout, 16, 16), overwrite=True)
    assert (path / "notes.txt").read_text() == "mine"
    assert len(list(path.glob("*.png"))) == 2


@pytest.mark.parametrize(
    "output", ["film.mkv", "film.mov", "film.mp4", "s_%03d.png", "s_%03d.dpx", "s_%03d.tif", "s_%03d.jpg", "s_%03d.exr"]
)
def test_disk_that_takes_no_more(output: str, tmp_path: Path) -> None:
    """A file size limit stands in for the full disk; afterwards the same call goes on to the end."""
    layout = Layout("rgb", 8) if "%" in output else Layout("yuv", 8, sub_x=1)
    if output.endswith("exr"):
        layout = Layout("rgb", 16, is_float=True)
    facts = film_facts(layout, 120, 160)
    frames = film_frames(layout, 120, 160, 10, random_planes)

    def run() -> int:
        with open_writer(tmp_path / output, facts, source=None, work=tmp_path / "work", segment=4, threads=1) as writer:
            done = writer.done
            for frame in frames[done:]:
                writer.write(frame)
            writer.finish()
        return done

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with pytest.raises(
            MediaError,
            match=r"(grew beyond the largest file|disk is full|could not be written).*run the same command again",
        ):
            run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.glob("film.*"))
    assert not list(tmp_path.glob("s_*[0-9].*"))
    run()
    with open_reel(tmp_path / output) as reel:
        assert len(list(reel.frames())) == 10


def test_full_disk_while_joining(tmp_path: Path) -> None:
    facts, frames = film_facts(YUV420, 96, 128), film_frames(YUV420, 96, 128, 12)

    def run() -> None:
        with open_writer(tmp_path / "f.mkv", facts, source=None, work=tmp_path / "work", segment=2) as writer:
            for frame in frames[writer.done :]:
                writer.write(frame)
            writer.finish()

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Two frames fit into a file, twelve do not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, hard))
    try:
        with pytest.raises(MediaError, match=r"f\.mkv grew beyond the largest file"):
            run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "f.mkv").exists()
    run()
    with open_reel(tmp_path / "f.mkv") as reel:
        assert len(list(reel.frames())) == 12


def test_floating_point_has_no_film_codec(tmp_path: Path) -> None:
    for output in ("f.mkv", "f.mov", "f.mp4"):
        with pytest.raises(UsageError, match=r"floating point.*image sequence instead"):
            open_writer(
                tmp_path / output,
                film_facts(Layout("rgb", 16, is_float=True), 16, 16),
                source=None,
                work=tmp_path / "w",
            )
