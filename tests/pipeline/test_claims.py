"""Whose an output is: no mixing of runs, no two runs at once, nothing that would touch the source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import reelmend
from reelmend.errors import UsageError
from reelmend.pipeline import Progress, films
from reels import digest, leavings, numbered, read, scan, write_reel

COUNT = 12


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "SEGMENT", 4)


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    return write_reel(tmp_path / "scan.mkv", scan(COUNT))


def stopped(at: Progress) -> None:
    if at.done == 9:
        raise KeyboardInterrupt


def begun(*args: Any, **options: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        reelmend.restore(*args, **options, progress=stopped)


@pytest.mark.parametrize(
    "other", [{"strength": "strong"}, {"grow": 4}, {"seed": 5}, {"regrain": False}, {"start": 1}, {"frames": 11}]
)
def test_leavings_of_other_options_are_not_mixed_in(reel: Path, tmp_path: Path, other: dict[str, Any]) -> None:
    fresh, output, masks = tmp_path / "fresh.mkv", tmp_path / "out.mkv", tmp_path / "masks.mkv"
    reelmend.restore(reel, fresh, masks=tmp_path / "fresh_masks.mkv", **other)
    begun(reel, output, masks=masks)
    seen: list[int] = []
    reelmend.restore(reel, output, masks=masks, **other, progress=lambda at: seen.append(at.done))
    assert seen[0] == 1
    assert list(digest(output).values()) == list(digest(fresh).values())
    assert list(digest(masks).values()) == list(digest(tmp_path / "fresh_masks.mkv").values())
    assert not leavings(tmp_path)


def test_leavings_of_another_source_are_not_mixed_in(reel: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    begun(reel, output)
    other = write_reel(tmp_path / "other.mkv", scan(COUNT, seed=8))
    os.replace(other, reel)
    seen: list[int] = []
    reelmend.restore(reel, output, progress=lambda at: seen.append(at.done))
    assert seen[0] == 1
    reelmend.restore(reel, tmp_path / "fresh.mkv")
    assert list(digest(output).values()) == list(digest(tmp_path / "fresh.mkv").values())


def test_leavings_of_a_changed_image_are_not_mixed_in(tmp_path: Path) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(COUNT)).parent
    begun(folder, tmp_path / "out")
    write_reel(tmp_path / "new" / "s_%04d.png", numbered(scan(1, seed=3)))
    os.replace(tmp_path / "new" / "s_0000.png", folder / "s_0002.png")
    reelmend.restore(folder, tmp_path / "out")
    reelmend.restore(folder, tmp_path / "fresh")
    assert digest(tmp_path / "out") == digest(tmp_path / "fresh")


def test_what_changes_no_sample_may_differ_when_going_on(reel: Path, tmp_path: Path) -> None:
    begun(reel, tmp_path / "out.mkv", threads=1)
    seen: list[int] = []
    reelmend.restore(reel, tmp_path / "out.mkv", threads=3, device="cpu", progress=lambda at: seen.append(at.done))
    assert seen[0] == 9


def test_two_runs_on_one_output(reel: Path, tmp_path: Path) -> None:
    said: list[str] = []

    def second(at: Progress) -> None:
        if at.done == 5:
            with pytest.raises(UsageError) as caught:
                reelmend.restore(reel, tmp_path / "out.mkv")
            said.append(str(caught.value))

    reelmend.restore(reel, tmp_path / "out.mkv", progress=second)
    assert said == [f"another run is writing {tmp_path / 'out.mkv'}; wait for it or stop it"]
    assert len(read(tmp_path / "out.mkv")) == COUNT


def test_two_sequences_in_one_folder(reel: Path, tmp_path: Path) -> None:
    begun(reel, tmp_path / "a_%04d.png")
    reelmend.restore(reel, tmp_path / "b_%04d.png", strength="strong")
    reelmend.restore(reel, tmp_path / "c_####.png")
    seen: list[int] = []
    reelmend.restore(reel, tmp_path / "a_%04d.png", progress=lambda at: seen.append(at.done))
    assert seen[0] >= 7, "the run that was stopped was not gone on from"
    for n in range(COUNT):
        assert (tmp_path / f"a_{n:04d}.png").read_bytes() == (tmp_path / f"c_{n:04d}.png").read_bytes()
    assert not leavings(tmp_path)


def test_masks_and_output_in_one_place(reel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="masks and output are both"):
        reelmend.restore(reel, tmp_path / "out.mkv", masks=tmp_path / "sub" / ".." / "out.mkv")
    assert not leavings(tmp_path)


@pytest.mark.parametrize("output", ["scan/out", "scan/out.mkv", "scan", "scan/o_%04d.png"])
def test_nothing_is_written_into_the_source(tmp_path: Path, output: str) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(4)).parent
    before = digest(folder), sorted(folder.iterdir())
    with pytest.raises(UsageError, match="source"):
        reelmend.restore(folder, tmp_path / output)
    assert (digest(folder), sorted(folder.iterdir())) == before
    assert not leavings(tmp_path)


@pytest.mark.parametrize("masks", ["scan/masks", "scan/masks.mkv", "scan"])
def test_no_masks_are_written_into_the_source(tmp_path: Path, masks: str) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(4)).parent
    before = digest(folder), sorted(folder.iterdir())
    for call in (
        lambda: reelmend.restore(folder, tmp_path / "out", masks=tmp_path / masks),
        lambda: reelmend.detect(folder, tmp_path / masks),
    ):
        with pytest.raises(UsageError, match="source"):
            call()
        assert (digest(folder), sorted(folder.iterdir())) == before
    assert not (tmp_path / "out").exists()
    assert not leavings(tmp_path)


def test_the_source_itself_is_no_output(reel: Path, tmp_path: Path) -> None:
    before = digest(reel)
    (tmp_path / "link.mkv").symlink_to(reel)
    for output in (reel, tmp_path / "link.mkv"):
        for overwrite in (False, True):
            with pytest.raises(UsageError, match="is the source itself"):
                reelmend.restore(reel, output, overwrite=overwrite)
    with pytest.raises(UsageError, match="is the source itself"):
        reelmend.detect(reel, reel, overwrite=True)
    with pytest.raises(UsageError, match="is the source itself"):
        reelmend.restore(reel, tmp_path / "out.mkv", masks=tmp_path / "link.mkv", overwrite=True)
    assert digest(reel) == before
    assert not leavings(tmp_path)


def test_an_output_that_exists_stays(reel: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    output.write_bytes(b"precious")
    with pytest.raises(UsageError, match="--overwrite"):
        reelmend.restore(reel, output)
    assert output.read_bytes() == b"precious"
    assert not leavings(tmp_path)
    reelmend.restore(reel, output, overwrite=True)
    assert len(read(output)) == COUNT


def test_masks_that_exist_stay(reel: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    reelmend.detect(reel, masks)
    edited = digest(masks)
    with pytest.raises(UsageError, match="--overwrite"):
        reelmend.restore(reel, tmp_path / "out.mkv", masks=masks)
    assert digest(masks) == edited
    assert not (tmp_path / "out.mkv").exists()
    assert not leavings(tmp_path)


def test_masks_given_are_not_written_to(reel: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    reelmend.detect(reel, masks)
    before = digest(masks)
    for output in ("masks", "masks/out.mkv", "masks/out"):
        with pytest.raises(UsageError, match="masks"):
            reelmend.repair(reel, masks, tmp_path / output, overwrite=True)
    with pytest.raises(UsageError, match="lies inside the masks"):
        reelmend.repair(reel, masks, tmp_path / "out.mkv", report=masks / "report")
    assert digest(masks) == before
    assert not leavings(tmp_path)


@pytest.mark.parametrize("options", [{"masks": "out/masks"}, {"report": "out/report"}, {"report": "out"}])
def test_what_is_written_keeps_apart(reel: Path, tmp_path: Path, options: dict[str, str]) -> None:
    given = {name: tmp_path / place for name, place in options.items()}
    with pytest.raises(UsageError, match=r"lies inside the output|are both"):
        reelmend.restore(reel, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_report_inside_the_source_is_refused(tmp_path: Path) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(4)).parent
    with pytest.raises(UsageError, match="source"):
        reelmend.restore(folder, tmp_path / "out", report=folder / "report")
    assert not (folder / "report").exists()


def test_unknown_detector_and_repairer(reel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no detector magic; known are auto, fast"):
        reelmend.restore(reel, tmp_path / "out.mkv", detector="magic")
    with pytest.raises(UsageError, match="there is no repairer magic; known are auto, temporal"):
        reelmend.restore(reel, tmp_path / "out.mkv", repairer="magic")
    assert not leavings(tmp_path)
