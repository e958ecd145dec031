"""The promises of every writer and reader pair, and of every pixel format that is kept bit by bit."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelmend.errors import MediaError, UsageError
from reelmend.film import Frame, Layout
from reelmend.media import open_reel, open_writer
from reelmend.media.container_plan import _FFV1, ffv1_name
from reelmend.media.pixels import pixel_format
from tiny_films import film_facts, film_frames, random_planes, smooth_planes

HEIGHT, WIDTH = 66, 70
YUV420, YUV422_10, RGB8, RGB16, HALF = (
    Layout("yuv", 8, sub_x=1, sub_y=1),
    Layout("yuv", 10, sub_x=1),
    Layout("rgb", 8),
    Layout("rgb", 16),
    Layout("rgb", 16, is_float=True),
)
EXACT = [
    ("film.mkv", YUV420),
    ("film.mkv", YUV422_10),
    ("film.mkv", RGB16),
    ("shots", RGB8),
    ("shots", RGB16),
    ("shots", Layout("gray", 8)),
    ("t_%05d.tif", RGB16),
    ("t_####.tif", Layout("gray", 16)),
    ("d_%06d.dpx", Layout("rgb", 10)),
    ("d_%06d.dpx", Layout("rgb", 12)),
    ("d_%06d.dpx", RGB16),
    ("d_%06d.dpx", RGB8),
    ("e_%04d.exr", HALF),
    ("e_%04d.exr", Layout("gray", 32, is_float=True)),
    ("p_%d.png", Layout("rgb", 16, alpha=True)),
    ("p_%d.png", Layout("gray", 8, alpha=True)),
]
NEAR = [
    ("film.mov", YUV422_10),
    ("film.mov", RGB8),
    ("film.mov", Layout("yuv", 12, alpha=True)),
    ("film.mov", YUV420),
    ("film.mp4", YUV420),
    ("film.mp4", YUV422_10),
    ("film.mp4", Layout("yuv", 12, sub_y=1)),
    ("film.mp4", RGB8),
    ("j_%d.jpg", RGB8),
]


def _name(case: object) -> str:
    return f"{case.family}{case.bits}{'f' * case.is_float}{'a' * case.alpha}" if isinstance(case, Layout) else str(case)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("output", "layout"), EXACT, ids=_name)
def test_lossless_outputs_return_every_sample(
    output: str, layout: Layout, tmp_path: Path, write_film: Callable[..., Path]
) -> None:
    frames = film_frames(layout, HEIGHT, WIDTH, 5)
    path = write_film(output, frames, film_facts(layout, HEIGHT, WIDTH), segment=2)
    with open_reel(path) as reel:
        assert reel.facts.layout == layout
        back = list(reel.frames())
    assert [frame.index for frame in back] == [0, 1, 2, 3, 4]
    for before, after in zip(frames, back, strict=True):
        for sent, got in zip(before.planes, after.planes, strict=True):
            assert got.dtype == sent.dtype
            assert np.array_equal(sent, got)


@pytest.mark.parametrize(("output", "layout"), NEAR, ids=_name)
def test_lossy_outputs_stay_visually_the_same(output: str, layout: Layout, write_film: Callable[..., Path]) -> None:
    frames = film_frames(layout, HEIGHT, WIDTH, 5, smooth_planes)
    path = write_film(output, frames, film_facts(layout, HEIGHT, WIDTH), segment=2)
    with open_reel(path) as reel:
        back = list(reel.frames())
        assert len(back) == 5
        assert reel.facts.layout.bits >= layout.bits
        for before, after in zip(frames, back, strict=True):
            if layout.family == reel.facts.layout.family == "yuv":
                scale = reel.facts.layout.peak / layout.peak
                error = after.planes[0] / scale - before.planes[0]
                # 40 dB is about where a careful eye stops seeing a difference.
                assert 10 * np.log10(layout.peak**2 / max(float(np.mean(error**2)), 1e-9)) > 40
                assert reel.facts.layout.alpha == layout.alpha or output.endswith("mp4")


@pytest.mark.parametrize("name", sorted(_FFV1))
def test_ffv1_holds_its_formats_bit_by_bit(name: str, write_film: Callable[..., Path]) -> None:
    layout = pixel_format(name).layout
    assert ffv1_name(layout) == name
    frames = film_frames(layout, 19, 33, 2)
    path = write_film("film.mkv", frames, film_facts(layout, 19, 33, pixel_format=name))
    with open_reel(path) as reel:
        assert reel.facts.pixel_format == name
        for before, after in zip(frames, reel.frames(), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(before.planes, after.planes, strict=True))


CASES = [
    ("film.mkv", YUV420),
    ("film.mov", YUV422_10),
    ("film.mp4", YUV420),
    ("film.mp4", Layout("yuv", 12, sub_x=1)),
    ("shots", RGB8),
    ("t_%04d.tif", RGB16),
    ("d_%06d.dpx", Layout("rgb", 10)),
    ("e_%04d.exr", HALF),
]


@pytest.mark.parametrize(("output", "layout"), CASES, ids=_name)
def test_a_resumed_film_is_the_same_file(output: str, layout: Layout, tmp_path: Path) -> None:
    facts, frames = film_facts(layout, HEIGHT, WIDTH), film_frames(layout, HEIGHT, WIDTH, 8, smooth_planes)
    whole, again, work = tmp_path / "whole", tmp_path / "again", tmp_path / "work"
    whole.mkdir()
    again.mkdir()

    def run(folder: Path, stop: int | None, threads: int) -> int:
        """Closed without `finish` where `stop` is given: as good as killed."""
        with open_writer(folder / output, facts, source=None, work=work, segment=3, threads=threads) as writer:
            done = writer.done
            for frame in frames[done:stop]:
                writer.write(frame)
            if stop is None:
                writer.finish()
        return done

    assert run(whole, None, 1) == 0
    done = []
    for stop in (2, 4, 7, 8):
        done.append(run(again, stop, 2))
        assert not list(again.iterdir())
    assert run(again, None, 1) >= 6
    assert done == sorted(done)
    assert done[-1] >= 3
    assert not list(work.iterdir())
    assert _contents(again) == _contents(whole)


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from tiny_films import film_facts, film_frames, smooth_planes
from reelmend.film import Layout
from reelmend.media import open_writer
layout = Layout("yuv", 8, sub_x=1, sub_y=1)
output = Path(sys.argv[1])
with open_writer(output, film_facts(layout, 34, 46), source=None, work=Path(sys.argv[2]), segment=4) as writer:
    print(writer.done, flush=True)
    for frame in film_frames(layout, 34, 46, 40, smooth_planes)[writer.done:]:
        writer.write(frame)
        print(frame.index, flush=True)
        if len(sys.argv) > 4:
            time.sleep(0.01)
    writer.finish()
"""


def test_sigkill_and_again_gives_the_same_bytes(tmp_path: Path) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    whole, killed = tmp_path / "whole.mkv", tmp_path / "killed.mkv"
    subprocess.run(
        [sys.executable, "-c", KILLED, str(whole), str(tmp_path / "w1"), tests], check=True, stdout=subprocess.PIPE
    )
    command = [sys.executable, "-c", KILLED, str(killed), str(tmp_path / "w2"), tests]
    with subprocess.Popen([*command, "slow"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "17":
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not killed.exists()
    again = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    assert int(again.stdout.split()[0]) == 16
    assert killed.read_bytes() == whole.read_bytes()


def test_a_crash_while_finishing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts, frames = film_facts(YUV420, HEIGHT, WIDTH), film_frames(YUV420, HEIGHT, WIDTH, 5)
    output, work = tmp_path / "film.mkv", tmp_path / "work"

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    def run(count: int) -> int:
        with open_writer(output, facts, source=None, work=work, segment=2) as writer:
            done = writer.done
            for frame in frames[done:]:
                writer.write(frame)
            writer.finish()
        return done

    with monkeypatch.context() as patch:
        patch.setattr("reelmend.media.container_mux._film_packets", crash)
        with pytest.raises(KeyboardInterrupt):
            run(0)
    assert not output.exists()
    with monkeypatch.context() as patch:
        # Dies after the film is in its place and before the work is swept up.
        patch.setattr("reelmend.media.container_writer.ContainerWriter._sweep", crash)
        with pytest.raises(KeyboardInterrupt):
            run(5)
    assert output.exists()
    assert run(5) == 5
    assert not list(work.iterdir())
    with open_reel(output) as reel:
        assert len(list(reel.frames())) == 5


def test_threads_do_not_change_the_bytes(tmp_path: Path, write_film: Callable[..., Path]) -> None:
    for output, layout in (("{}.mkv", YUV420), ("{}.mov", YUV422_10), ("{}.mp4", YUV420)):
        frames = film_frames(layout, 160, 192, 4, smooth_planes)
        one, four = (write_film(output.format(n), frames, film_facts(layout, 160, 192), threads=n) for n in (1, 4))
        assert one.read_bytes() == four.read_bytes()


def test_another_film_does_not_go_on_with_old_parts(tmp_path: Path) -> None:
    frames = film_frames(YUV420, HEIGHT, WIDTH, 4)
    with open_writer(
        tmp_path / "f.mkv", film_facts(YUV420, HEIGHT, WIDTH), source=None, work=tmp_path / "w", segment=2
    ) as writer:
        for frame in frames:
            writer.write(frame)
    other = film_facts(YUV420, HEIGHT, WIDTH, path=Path("another"))
    with open_writer(tmp_path / "f.mkv", other, source=None, work=tmp_path / "w", segment=2) as writer:
        assert writer.done == 0


@pytest.mark.parametrize("output", ["film.mkv", "shots", "film.mp4"])
def test_frames_of_another_shape_are_refused(output: str, tmp_path: Path) -> None:
    facts = film_facts(YUV420, HEIGHT, WIDTH)
    with open_writer(tmp_path / output, facts, source=None, work=tmp_path / "w") as writer:
        for layout, height in ((YUV420, HEIGHT + 2), (Layout("yuv", 8), HEIGHT)):
            with pytest.raises(MediaError, match="does not have the size and pixels"):
                writer.write(Frame(0, random_planes(layout, height, WIDTH, 0), layout))
    assert not (tmp_path / output).exists()


@pytest.mark.parametrize("output", ["film.mkv", "film.mov", "film.mp4", "shots", "d_%04d.dpx", "e_%04d.exr"])
def test_readers_start_anywhere_and_read_again(output: str, tmp_path: Path, write_film: Callable[..., Path]) -> None:
    layout = (
        HALF
        if output.endswith("exr")
        else Layout("rgb", 10)
        if output.endswith("dpx")
        else RGB8
        if output == "shots"
        else YUV420
    )
    path = write_film(output, film_frames(layout, HEIGHT, WIDTH, 9, smooth_planes), film_facts(layout, HEIGHT, WIDTH))
    for threads in (1, 3):
        with open_reel(path, threads=threads) as reel:
            whole = list(reel.frames())
            assert [frame.index for frame in whole] == list(range(9))
            for start, count in ((0, 2), (3, None), (5, 2), (8, 5), (4, 0)):
                some = list(reel.frames(start, count))
                wanted = whole[start:] if count is None else whole[start : start + count]
                assert [f.index for f in some] == [f.index for f in wanted]
                for one, other in zip(some, wanted, strict=True):
                    assert one.pts == other.pts
                    assert all(np.array_equal(a, b) for a, b in zip(one.planes, other.planes, strict=True))
            with pytest.raises(UsageError, match="no frame 9"):
                list(reel.frames(9))


def test_planes_are_read_only(write_film: Callable[..., Path]) -> None:
    for output in ("film.mkv", "shots"):
        path = write_film(output, film_frames(RGB8, 8, 8, 1), film_facts(RGB8, 8, 8))
        with open_reel(path) as reel:
            [frame] = reel.frames()
            with pytest.raises(ValueError, match="read-only"):
                frame.planes[0][0, 0] = 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, 7), max_size=4), segment=st.integers(1, 9), count=st.integers(1, 7))
def test_any_stops_any_segments(
    stops: list[int], segment: int, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("film")
    facts, frames = film_facts(YUV420, 16, 16), film_frames(YUV420, 16, 16, count)
    for stop in [*stops, None]:
        with open_writer(folder / "f.mkv", facts, source=None, work=folder / "w", segment=segment) as writer:
            assert writer.done % segment == 0 or writer.done == count
            for frame in frames[writer.done : stop]:
                writer.write(frame)
            if stop is None:
                writer.finish()
    with open_reel(folder / "f.mkv") as reel:
        for before, after in zip(frames, reel.frames(), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(before.planes, after.planes, strict=True))
