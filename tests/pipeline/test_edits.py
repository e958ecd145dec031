"""Edits by hand: they change the masks that are detected or given, the film that follows, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import reelmend
from reelmend.edits import Journal, Line, Operation, Protect, Stroke
from reelmend.errors import UsageError
from reelmend.film import Layout, Mask
from reelmend.media import open_mask_reader, open_reel
from reels import in_layout, long_reel, write_reel

FRAMES = 7


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", in_layout(long_reel(), Layout("gray", 8))[:FRAMES])


def planes(path: Path) -> list[np.ndarray]:
    with open_reel(path) as film:
        return [frame.planes[0] for frame in film.frames()]


def masks_of(path: Path, shape: tuple[int, int]) -> list[Mask]:
    with open_mask_reader(path, *shape) as reader:
        return [reader.mask(n) for n in range(FRAMES)]


def edits(path: Path, *operations: Operation) -> Path:
    with Journal(path) as journal:
        for one in operations:
            journal.do(one)
    return path


@pytest.fixture(scope="module")
def detected(reel: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Mask]:
    folder = tmp_path_factory.mktemp("detected")
    reelmend.detect(reel, folder / "masks", detector="spike")
    return masks_of(folder / "masks", planes(reel)[0].shape)


def test_what_is_painted_is_repaired_and_what_is_protected_stays(
    reel: Path, detected: list[Mask], tmp_path: Path
) -> None:
    height, width = detected[0].shape
    journal = edits(
        tmp_path / "edits.jsonl",
        Protect(first=0, last=3, left=0, top=0, width=width, height=height),
        Stroke(frame=2, points=((30.0, 20.0),), radius=4),
    )
    reelmend.restore(
        reel, tmp_path / "out.mkv", masks=tmp_path / "masks", edits=journal, detector="spike", regrain=False,
        report=tmp_path / "report", explain=tmp_path / "found.jsonl",
    )  # fmt: skip
    found = masks_of(tmp_path / "masks", (height, width))
    for n in (0, 1, 3):
        assert not found[n].any()
    assert found[2][20, 30] and found[2].sum() == 49
    for n in range(4, FRAMES):
        np.testing.assert_array_equal(found[n], detected[n])
    before, after = planes(reel), planes(tmp_path / "out.mkv")
    np.testing.assert_array_equal(before[1], after[1])
    assert (before[2] != after[2]).any()
    records = json.loads((tmp_path / "report" / "report.json").read_text())["frames"]
    assert [one.get("edits", 0) for one in records] == [1, 1, 2, 1, 0, 0, 0]
    told = [json.loads(line)["blobs"] for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert [blob["area"] for blob in told[2]] == [49]


def test_given_masks_are_edited_too_and_stay_as_they_are(reel: Path, detected: list[Mask], tmp_path: Path) -> None:
    reelmend.detect(reel, tmp_path / "masks", detector="spike")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "masks").iterdir()}
    journal = edits(
        tmp_path / "edits.jsonl",
        Protect(first=0, last=FRAMES, left=0, top=0, width=10_000, height=10_000),
        Line(first=1, last=2, start=(12, 0), end=(12, 500), width=2),
    )
    reelmend.repair(reel, tmp_path / "masks", tmp_path / "out.mkv", edits=journal, origins=tmp_path / "origins.mkv")
    assert {path.name: path.read_bytes() for path in (tmp_path / "masks").iterdir()} == kept
    origins = planes(tmp_path / "origins.mkv")
    assert [bool(one.any()) for one in origins] == [False, True, True, False, False, False, False]
    assert not origins[1][:, 20:].any() and (origins[1][:, 11:13] > 0).mean() > 0.9


def test_other_edits_are_another_job(reel: Path, tmp_path: Path) -> None:
    journal = tmp_path / "edits.jsonl"
    with pytest.raises(UsageError, match="cannot read the edits"):
        reelmend.restore(reel, tmp_path / "out.mkv", edits=journal, detector="spike")
    edits(journal, Stroke(frame=0, points=((5, 5),), radius=2))
    with pytest.raises(UsageError, match="edits"):
        reelmend.restore(reel, tmp_path / "out.mkv", edits=journal, explain=journal, detector="spike")
