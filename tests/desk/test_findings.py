"""Findings: those of `reelmend detect`, there as soon as they are made, gone on with after a stop."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest

import reelmend
from reelmend.desk import findings as findings_module
from reelmend.desk.files import Roots
from reelmend.desk.findings import Findings
from reelmend.desk.project import Project, ReelEntry
from reelmend.film import Layout
from reelmend.media import open_mask_reader, open_reel
from reels import in_layout, long_reel, write_reel

FRAMES = 14


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = in_layout(long_reel(), Layout("gray", 8))
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", frames[:FRAMES])


@pytest.fixture
def entry(reel: Path, tmp_path: Path) -> ReelEntry:
    made = Project(tmp_path / "desk", Roots([reel.parent])).add(reel)
    made.set_options(detector="spike")
    return made


def search(entry: ReelEntry, stop_after: int | None = None) -> Findings:
    findings, stop = Findings(entry), threading.Event()
    told: list[int] = []

    def tell(done: int) -> None:
        told.append(done)
        if done == stop_after:
            stop.set()

    assert findings.search(entry.job(), stop, tell) is (stop_after is None)
    assert told == list(range(told[0], told[-1] + 1)) if told else stop_after is None
    return findings


def test_they_are_those_of_detect_wherever_the_search_was_stopped(entry: ReelEntry, reel: Path, tmp_path: Path) -> None:
    reelmend.detect(reel, tmp_path / "masks", detector="spike", report=tmp_path / "report")
    for stop_after in (1, 5, 6):
        assert len(search(entry, stop_after).records) == stop_after
    # What a crash cut short is looked for again.
    journal = entry.folder / "found" / "records.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    findings = search(entry)
    wanted = json.loads((tmp_path / "report" / "report.json").read_text())["frames"]
    assert [one.to_dict() for one in findings.records] == wanted
    pixels = 0
    with open_reel(reel) as film:
        height, width = film.facts.height, film.facts.width
    with open_mask_reader(tmp_path / "masks", height, width) as masks:
        for number in range(len(wanted)):
            mask = findings.mask(number, height, width)
            np.testing.assert_array_equal(mask, masks.mask(number))
            damage = findings.damage(number, height, width)
            assert damage.max() <= 1 and (damage[mask] > 0).all()
            assert len(findings.blobs(number)) == wanted[number]["blobs"]
            pixels += int(mask.sum())
    assert pixels > 0
    assert search(entry).records == findings.records


def test_other_options_begin_anew_and_edits_do_not_count(entry: ReelEntry) -> None:
    findings = search(entry)
    assert not findings.stale(entry.job())
    entry.set_options(grow=7, seed=3)
    assert not Findings(entry).stale(entry.job())
    entry.set_options(strength="gentle")
    assert Findings(entry).stale(entry.job())
    again = search(entry, 2)
    assert len(again.records) == 2 and not again.mask(FRAMES - 1, 20, 20).any()


def test_lives_are_those_of_explain(entry: ReelEntry, reel: Path, tmp_path: Path) -> None:
    reelmend.detect(reel, tmp_path / "masks", detector="spike", explain=tmp_path / "blobs.jsonl")
    findings = search(entry)
    lines = [json.loads(line)["blobs"] for line in (tmp_path / "blobs.jsonl").read_text().splitlines()]
    wanted = [[(blob["since"], blob["frames"]) for blob in blobs] for blobs in lines]
    assert [findings.lives(number) for number in range(FRAMES)] == wanted
    # A scratch, which the reel need not have.
    journal = findings.folder / "blobs.jsonl"
    scratch = ({"frame": n, "blobs": [{"before": 0 if n else None}]} for n in range(9))
    journal.write_text("".join(json.dumps(line) + "\n" for line in scratch))
    assert Findings(entry).lives(4) == [(0, 9)]
    with mock.patch.object(findings_module, "LIVES_READ", 2):
        assert Findings(entry).lives(4) == [(2, 5)]


def test_what_is_not_there_is_empty(entry: ReelEntry) -> None:
    findings = Findings(entry)
    assert findings.records == [] and findings.blobs(3) == [] == findings.lives(3)
    assert not findings.mask(0, 8, 9).any() and findings.mask(0, 8, 9).shape == (8, 9)
    assert findings.stale(entry.job())


def test_blobs_are_found_by_line_and_the_file_is_read_once(entry: ReelEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = search(entry)
    told = [json.loads(line)["blobs"] for line in (findings.folder / "blobs.jsonl").read_text().splitlines()]
    assert sum(map(len, told)) > 2
    for number in (5, 2, FRAMES - 1, 0, FRAMES - 1):
        assert findings.blobs(number) == told[number]
    assert findings.blobs(FRAMES) == [] == findings.blobs(10**6)
    real = Findings._line

    def no_more_lines(self: Findings, file: Any, number: int) -> Any:
        return real(self, SimpleNamespace(seek=file.seek, read=file.read), number)  # type: ignore[arg-type]

    monkeypatch.setattr(Findings, "_line", no_more_lines)
    assert findings.blobs(3) == told[3]


def test_blobs_of_a_search_that_goes_on_or_anew(entry: ReelEntry) -> None:
    findings, stop = Findings(entry), threading.Event()
    seen: list[int] = []

    def tell(done: int) -> None:
        seen.append(len(findings.blobs(done - 1)))
        assert findings.blobs(done) == []

    assert findings.search(entry.job(), stop, tell)
    assert seen == [one.blobs for one in findings.records]
    entry.set_options(strength="gentle")
    other = Findings(entry)
    # Another one has the file written anew, which this one has not heard of.
    assert other.search(entry.job(), stop, lambda done: None)
    for number in range(FRAMES):
        assert findings.blobs(number) == other.blobs(number)
    (findings.folder / "blobs.jsonl").write_text("{}\nno json\n")
    assert findings.blobs(0) == [] == findings.blobs(1)
