"""A run that was stopped goes on, and ends in the same bytes as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reelmend
from reelmend.film import Layout
from reelmend.pipeline import Progress, films
from reelmend.pipeline.workspace import Workspace
from reelmend.report import ReportWriter
from reels import digest, in_layout, leavings, long_reel, report_frames, scan, write_reel

YUV420 = Layout("yuv", 8, sub_x=1, sub_y=1)
LONG = 38


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "SEGMENT", 4)


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cuts, pulled-down copies and a title that stands still."""
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", in_layout(long_reel(), YUV420))


def stop_after(frames: int) -> Callable[[Progress], None]:
    def progress(at: Progress) -> None:
        if at.done >= frames:
            raise KeyboardInterrupt

    return progress


def places(folder: Path, output: str, masks: str) -> dict[str, Any]:
    folder.mkdir()
    return {
        "output": folder / output, "masks": folder / masks, "report": folder / "report",
        "origins": folder / f"origins{Path(masks).suffix}", "threads": 2,
    }  # fmt: skip


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name in ("output", "masks", "origins"):
        assert digest(one[name]) == digest(other[name]), name
    assert report_frames(one["report"]) == report_frames(other["report"])
    totals = [json.loads((each["report"] / "report.json").read_text())["totals"] for each in (one, other)]
    assert totals[0] == totals[1]
    assert not leavings(one["output"].parent)
    assert not leavings(other["output"].parent)


@pytest.mark.parametrize(
    ("output", "masks", "options"),
    [
        ("out.mkv", "masks", {}),
        ("out.mp4", "masks.mkv", {}),
        ("out.mov", "masks", {"start": 5, "frames": 27}),
        ("out_%04d.png", "masks.mkv", {}),
        ("out_%04d.tif", "masks", {"start": 11, "frames": 20}),
    ],
    ids=["mkv", "mp4", "part to mov", "png", "part to tiff"],
)
def test_stopped_again_and_again(reel: Path, tmp_path: Path, output: str, masks: str, options: dict[str, int]) -> None:
    whole, parts = places(tmp_path / "whole", output, masks), places(tmp_path / "parts", output, masks)
    summary = reelmend.restore(reel, **whole, **options)
    last = 0
    for stop in (1, 6, 7, 13, 18, 19):
        with pytest.raises(KeyboardInterrupt):
            reelmend.restore(reel, **parts, **options, progress=stop_after(stop))
        assert not parts["output"].exists()
        last = stop
    seen: list[int] = []
    again = reelmend.restore(reel, **parts, **options, progress=lambda at: seen.append(at.done))
    # It went on: at most a segment, or what was under way, is done twice.
    assert last - 8 <= seen[0] <= last + 1
    assert seen == list(range(seen[0], options.get("frames", LONG) + 1))
    same(whole, parts)
    facts = ("frames", "shots", "blobs", "damaged_fraction", "unsure_fraction")
    assert [getattr(summary, name) for name in facts] == [getattr(again, name) for name in facts]
    assert summary.shots == 3
    assert summary.blobs >= 3


@pytest.mark.parametrize("stop", range(2, LONG - 1, 5))
def test_stopped_anywhere(reel: Path, tmp_path: Path, stop: int) -> None:
    """Around the cuts, among the copies and within the title: what is read again decides as the first time."""
    whole, parts = places(tmp_path / "whole", "o_%03d.png", "masks"), places(tmp_path / "parts", "o_%03d.png", "masks")
    reelmend.restore(reel, **whole)
    with pytest.raises(KeyboardInterrupt):
        reelmend.restore(reel, **parts, progress=stop_after(stop))
    reelmend.restore(reel, **parts)
    same(whole, parts)


@pytest.mark.parametrize("stage", ["detect", "repair"])
def test_the_other_commands_go_on_too(reel: Path, tmp_path: Path, stage: str) -> None:
    masks = tmp_path / "masks"
    reelmend.detect(reel, masks)
    results = []
    for name, stops in (("whole", ()), ("parts", (3, 21))):
        (tmp_path / name).mkdir()
        target = tmp_path / name / "out.mkv"
        arguments = (reel, target) if stage == "detect" else (reel, masks, target)
        for stop in stops:
            with pytest.raises(KeyboardInterrupt):
                getattr(reelmend, stage)(*arguments, progress=stop_after(stop))
        getattr(reelmend, stage)(*arguments)
        results.append(digest(target))
        assert not leavings(tmp_path / name)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("place", "name"),
    [(Workspace, "finishing"), (ReportWriter, "finish"), (Workspace, "remove")],
    ids=["before the films", "before the report", "before tidying"],
)
def test_stopped_while_finishing(
    reel: Path, tmp_path: Path, place: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = places(tmp_path / "whole", "out.mkv", "masks"), places(tmp_path / "parts", "out.mkv", "masks")
    reelmend.restore(reel, **whole)
    real, calls = getattr(place, name), []

    def interrupted(self: Any, *args: Any) -> Any:
        calls.append(args)
        if name == "finishing" and len(calls) == 1:
            return real(self, *args)  # masks are put in place, the film is not
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            reelmend.restore(reel, **parts)
    reelmend.restore(reel, **parts)
    same(whole, parts)


KILLED = """
import os, signal, sys
import reelmend
from reelmend.pipeline import films
films.SEGMENT = 4
source, folder, stop = sys.argv[1], sys.argv[2], int(sys.argv[3])
def progress(at):
    if at.done == stop:
        os.kill(os.getpid(), signal.SIGKILL)
places = {name: f"{folder}/{name}" for name in ("masks", "origins", "report")}
reelmend.restore(source, folder + "/out.mkv", **places, progress=progress)
"""


def test_killed_by_the_system(reel: Path, tmp_path: Path) -> None:
    whole, parts = places(tmp_path / "whole", "out.mkv", "masks"), places(tmp_path / "parts", "out.mkv", "masks")
    reelmend.restore(reel, **whole)
    for stop in (9, 22):
        code = subprocess.run([sys.executable, "-c", KILLED, str(reel), str(tmp_path / "parts"), str(stop)]).returncode
        assert code == -signal.SIGKILL
        assert not parts["output"].exists()
        assert len(leavings(tmp_path / "parts")) == 1
    seen: list[int] = []
    parts.pop("threads")
    reelmend.restore(reel, **parts, progress=lambda at: seen.append(at.done))
    assert 12 <= seen[0] <= 22
    same(whole, parts)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_the_command_killed_from_outside(tmp_path: Path) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(60)).parent
    (tmp_path / "whole").mkdir()
    reelmend.restore(folder, tmp_path / "whole" / "out", masks=tmp_path / "whole" / "masks")
    output, masks, report = (tmp_path / name for name in ("out", "masks", "report"))
    command = [sys.executable, "-m", "reelmend", "restore", str(folder), str(output)]
    command += ["--masks", str(masks), "--report", str(report), "--quiet"]
    process = subprocess.Popen(command)
    journal = report / "frames.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") >= 10:
            break
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    subprocess.run(command, check=True)
    assert digest(output) == digest(tmp_path / "whole" / "out")
    assert digest(masks) == digest(tmp_path / "whole" / "masks")
    assert len(report_frames(report)) == 60


OTHER_DISK = Path("/dev/shm")


@pytest.mark.skipif(
    not os.access(OTHER_DISK, os.W_OK) or OTHER_DISK.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev,
    reason="needs two file systems",
)
@pytest.mark.parametrize("masks", ["masks", "masks.mkv"])
def test_masks_on_another_disk(reel: Path, tmp_path: Path, masks: str) -> None:
    whole = places(tmp_path / "whole", "out.mkv", masks)
    reelmend.restore(reel, **whole)
    with tempfile.TemporaryDirectory(dir=OTHER_DISK) as folder:
        parts = places(tmp_path / "parts", "out.mkv", masks) | {"masks": Path(folder) / masks}
        with pytest.raises(KeyboardInterrupt):
            reelmend.restore(reel, **parts, progress=stop_after(14))
        seen: list[int] = []
        reelmend.restore(reel, **parts, progress=lambda at: seen.append(at.done))
        assert seen[0] > 8
        same(whole, parts)
        assert not leavings(Path(folder))
