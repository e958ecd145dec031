"""Detect then repair gives what restore gives; masks drawn by hand are followed; a part of a reel; held frames."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import reelmend
from reelmend.errors import UsageError
from reelmend.film import Layout
from reels import (
    HEIGHT,
    WIDTH,
    check_outside,
    digest,
    in_layout,
    leavings,
    long_reel,
    read,
    read_masks,
    report_frames,
    scan,
    write_reel,
)  # fmt: skip

YUV422 = Layout("yuv", 10, sub_x=1)
COUNT = 9


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    return write_reel(tmp_path / "scan.mkv", in_layout(scan(COUNT), YUV422))


@pytest.mark.parametrize("masks", ["masks", "masks.mkv"])
@pytest.mark.parametrize("output", ["out.mkv", "out_%05d.dpx", "out.mov"])
def test_detect_then_repair_is_restore(reel: Path, tmp_path: Path, masks: str, output: str) -> None:
    at_once, in_two = tmp_path / "at_once", tmp_path / "in_two"
    at_once.mkdir()
    in_two.mkdir()
    whole = reelmend.restore(reel, at_once / output, masks=at_once / masks, threads=2)
    found = reelmend.detect(reel, in_two / masks, threads=2)
    mended = reelmend.repair(reel, in_two / masks, in_two / output, threads=2)
    assert digest(in_two) == digest(at_once)
    assert whole.blobs == found.blobs == mended.blobs > 2
    assert whole.damaged_fraction == found.damaged_fraction == mended.damaged_fraction
    assert found.output is None


def test_masks_drawn_by_hand_are_followed(reel: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    reelmend.detect(reel, masks)
    found = read_masks(masks, 0, COUNT)
    damaged = [n for n, mask in enumerate(found) if mask.any()]
    assert len(damaged) >= 2
    (masks / f"mask_{damaged[0]:06d}.png").unlink()  # no file, no damage
    drawn = np.zeros((HEIGHT, WIDTH, 3), np.uint8)  # editors like to save gray as RGB
    cv2.circle(drawn, (70, 50), 6, (255, 255, 255), -1)
    assert cv2.imwrite(str(masks / "mask_000004.png"), drawn)
    summary = reelmend.repair(reel, masks, tmp_path / "out.mkv", report=tmp_path / "report")
    before, after, edited = read(reel), read(tmp_path / "out.mkv"), read_masks(masks, 0, COUNT)
    assert check_outside(before, after, edited, 2) > 100
    assert all(np.array_equal(a, b) for a, b in zip(before[damaged[0]].planes, after[damaged[0]].planes, strict=True))
    assert (before[4].planes[0] != after[4].planes[0])[drawn[..., 0] > 0].mean() > 0.7
    frames = report_frames(tmp_path / "report")
    assert [frame["blobs"] > 0 for frame in frames] == [bool(mask.any()) for mask in edited]
    assert frames[4]["blobs"] == 1
    assert summary.blobs == sum(frame["blobs"] for frame in frames)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda masks: cv2.imwrite(str(masks / "mask_000003.png"), np.zeros((50, 50), np.uint8)), "50x50"),
        (lambda masks: cv2.imwrite(str(masks / "mask_000003.png"), np.full((HEIGHT, WIDTH), 7, np.uint8)), "value 7"),
        (lambda masks: (masks / "mask_000003.png").write_bytes(b"no picture"), "mask_000003.png"),
    ],
    ids=["size", "value", "no image"],
)
def test_a_mask_that_is_none(reel: Path, tmp_path: Path, spoil: object, words: str) -> None:
    masks = tmp_path / "masks"
    reelmend.detect(reel, masks)
    spoil(masks)  # type: ignore[operator]
    with pytest.raises(UsageError, match=words):
        reelmend.repair(reel, masks, tmp_path / "out.mkv")
    assert not (tmp_path / "out.mkv").exists()


def test_a_part_of_a_reel_is_that_part_of_the_whole(tmp_path: Path) -> None:
    """Neighbours before and after the part are read, so its frames come out as in the whole reel."""
    reel = write_reel(tmp_path / "scan" / "s_%04d.png", long_reel()).parent
    reelmend.restore(reel, tmp_path / "whole", masks=tmp_path / "whole_masks")
    for start, frames in ((0, 5), (4, 9), (11, 8), (23, 3), (30, None)):
        output, masks = tmp_path / f"part{start}", tmp_path / f"masks{start}"
        summary = reelmend.restore(reel, output, masks=masks, start=start, frames=frames)
        last = start + frames if frames else 38
        whole, part = digest(tmp_path / "whole"), digest(output)
        assert part == {name: whole[name] for name in sorted(whole)[start:last]}, start
        marks = digest(tmp_path / "whole_masks")
        assert digest(masks) == {name: marks[name] for name in sorted(marks)[start:last]}
        assert summary.frames == last - start


def test_a_start_beyond_the_end(reel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"start"):
        reelmend.restore(reel, tmp_path / "out.mkv", start=9)
    assert not (tmp_path / "out.mkv").exists()
    assert not leavings(tmp_path)


def test_a_frame_that_cannot_be_read_is_passed_through_and_reported(tmp_path: Path) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(COUNT)).parent
    broken = folder / "s_0004.png"
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(reelmend.errors.MediaError, match=r"s_0004\.png"):
        reelmend.restore(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    shutil.rmtree(leavings(tmp_path)[0])
    summary = reelmend.restore(
        folder, tmp_path / "out", on_error="hold", masks=tmp_path / "masks", report=tmp_path / "report"
    )
    before, after = read(folder, on_error="hold"), read(tmp_path / "out")
    assert np.array_equal(before[4].planes[0], before[3].planes[0])
    assert np.array_equal(after[4].planes[0], before[4].planes[0]), "the frame that stands in is passed through"
    assert check_outside(before, after, read_masks(tmp_path / "masks", 0, COUNT), 2) > 100
    frames = report_frames(tmp_path / "report")
    assert [n for n, frame in enumerate(frames) if "fault" in frame] == [4]
    assert "stands in" in frames[4]["fault"]
    assert any("could not be read" in note for note in summary.notes)


def test_a_gap_is_held_when_asked(tmp_path: Path) -> None:
    folder = write_reel(tmp_path / "scan" / "s_%04d.png", scan(COUNT)).parent
    (folder / "s_0005.png").unlink()
    with pytest.raises(UsageError, match="--gaps hold"):
        reelmend.restore(folder, tmp_path / "out")
    summary = reelmend.restore(folder, tmp_path / "out", gaps="hold")
    assert summary.frames == COUNT
    assert len(list((tmp_path / "out").iterdir())) == COUNT


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_the_number_of_threads_changes_nothing(reel: Path, tmp_path: Path, threads: int) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    one.mkdir()
    many.mkdir()
    reelmend.restore(reel, one / "out.mkv", masks=one / "masks.mkv", threads=1)
    reelmend.restore(reel, many / "out.mkv", masks=many / "masks.mkv", threads=threads)
    assert digest(many) == digest(one)


def test_another_seed_is_another_grain(tmp_path: Path) -> None:
    reel = write_reel(tmp_path / "scan.mkv", scan(COUNT, grain=6.0))
    for seed in (0, 1):
        reelmend.restore(reel, tmp_path / f"{seed}.mkv", masks=tmp_path / f"m{seed}.mkv", seed=seed)
    first, second = (read(tmp_path / f"{seed}.mkv") for seed in (0, 1))
    assert any(not np.array_equal(a.planes[0], b.planes[0]) for a, b in zip(first, second, strict=True))
    assert list(digest(tmp_path / "m0.mkv").values()) == list(digest(tmp_path / "m1.mkv").values())


def test_a_saved_job_repeats_the_run(reel: Path, tmp_path: Path) -> None:
    output, masks, report = tmp_path / "out.mkv", tmp_path / "masks.mkv", tmp_path / "report"
    reelmend.restore(reel, output, masks=masks, report=report, strength="strong", grow=3, seed=7)
    first = digest(output), digest(masks)
    job = reelmend.Job.from_toml(report / "job.toml")
    assert (job.detect.strength, job.repair.grow, job.seed) == ("strong", 3, 7)
    from reelmend import pipeline

    pipeline.restore(job.model_copy(update={"overwrite": True}))
    assert (digest(output), digest(masks)) == first
