"""The report as a run goes along: journal, resume, JSON and page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from reelmend.config import Job
from reelmend.errors import MediaError
from reelmend.film import Frame, Layout, Mask, ReelFacts
from reelmend.report import FrameRecord, ReportWriter, journal_length
from reelmend.report.worst import LIMIT

GRAY = Layout("gray", 8)
HEIGHT, WIDTH = 48, 64
FACTS = ReelFacts(
    Path("film & <reel>.mkv"), "container", "matroska", "ffv1", "gray", GRAY, WIDTH, HEIGHT,
    Fraction(24000, 1001), Fraction(1, 1000), 30, notes=("interlaced material",),
)  # fmt: skip
JOB = Job.build(source="film.mkv", output="mended.mkv", strength="gentle")


@dataclass(frozen=True)
class Outcome:
    seconds: dict[str, float] = field(default_factory=lambda: {"decode": 1.5, "detect": 3.0})
    wall: float = 4.0
    computed: tuple[str, ...] = ("fast on onnxruntime in int8",)


def step(index: int) -> tuple[FrameRecord, Frame, Frame, Mask, Mask]:
    """Frame `index` of a made-up run: damage grows and shrinks, every fifth frame is unsure, frame 7 is a fault."""
    rng = np.random.default_rng(index)
    before = rng.integers(60, 200, (HEIGHT, WIDTH)).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    side = 1 + (index * 7) % 19
    mask[10 : 10 + side, 20 : 20 + side] = index % 4 != 3
    after = np.where(mask, 128, before).astype(np.uint8)
    unsure = mask & (index % 5 == 0)
    record = FrameRecord(
        index, index // 12, float(mask.mean()), int(mask.any()), float(unsure.mean()), float(mask.mean()),
        {"temporal": 0.75, "spatial": 0.25} if mask.any() else {}, fault="no such packet" if index == 7 else None,
        note="held back: a storm" if index == 8 else None,
    )  # fmt: skip
    return record, Frame(index, (before,), GRAY), Frame(index, (after,), GRAY), mask, unsure


def run(folder: Path, stop: int, done: int = 0, start: int = 0) -> ReportWriter:
    writer = ReportWriter(folder, JOB, FACTS, done)
    for index in range(start + done, stop):
        writer.frame(*step(index))
    return writer


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_json_adds_up(tmp_path: Path) -> None:
    run(tmp_path, 30).finish(Outcome())
    report = json.loads((tmp_path / "report.json").read_text())
    records = [step(index)[0] for index in range(30)]
    totals = report["totals"]
    assert [frame["index"] for frame in report["frames"]] == list(range(30))
    assert totals["frames"] == 30
    assert totals["damaged"] == pytest.approx(np.mean([record.damaged for record in records]), abs=1e-6)
    assert totals["unsure"] == pytest.approx(np.mean([record.unsure for record in records]), abs=1e-6)
    assert totals["blobs"] == sum(record.blobs for record in records)
    assert totals["peak_frame"] == max(records, key=lambda record: record.damaged).index
    assert totals["repaired_by"] == pytest.approx({"temporal": 0.75, "spatial": 0.25})
    assert (totals["faults"], totals["notes"]) == (1, 1)
    assert [(shot["first"], shot["last"]) for shot in report["shots"]] == [(0, 11), (12, 23), (24, 29)]
    assert report["seconds"] == {"decode": 1.5, "detect": 3.0, "wall": 4.0}
    assert report["job"] == JOB.to_dict()
    assert report["versions"]["reelmend"]
    assert report["computed"] == ["fast on onnxruntime in int8"]
    assert "Networks: fast on onnxruntime in int8." in (tmp_path / "report.html").read_text()
    assert report["source"]["rate"] == "24000/1001"
    assert Job.from_toml(tmp_path / "job.toml") == JOB.anchored()


@pytest.mark.parametrize("killed_at", [1, 11, 20, 29])
@pytest.mark.parametrize("behind", [0, 1, 6])
def test_a_resumed_run_makes_the_same_report(tmp_path: Path, killed_at: int, behind: int) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, 30).finish(Outcome())
    run(parts, killed_at).close()
    with open(parts / "frames.jsonl", "a") as file:
        file.write('{"index":99,"sh')  # killed in the middle of a line
    assert journal_length(parts) == killed_at
    done = max(0, killed_at - behind)
    with ReportWriter(parts, JOB, FACTS, done) as writer:
        assert writer.last_shot == (step(done - 1)[0].shot if done else None)
        assert writer.totals().frames == done
    run(parts, 30, done=done).finish(Outcome())
    assert tree(parts) == tree(whole)


def test_starting_afresh_forgets_the_run_before(tmp_path: Path) -> None:
    run(tmp_path, 30).close()
    run(tmp_path, 3).finish(Outcome())
    assert journal_length(tmp_path) == 3
    assert {file.name[:6] for file in (tmp_path / "worst").iterdir()} <= {"000000", "000001", "000002"}


def test_a_journal_shorter_than_the_film_is_refused(tmp_path: Path) -> None:
    run(tmp_path, 3).close()
    with pytest.raises(MediaError, match=r"holds 3 of the 5 frames.*--overwrite"):
        ReportWriter(tmp_path, JOB, FACTS, done=5)


def test_pictures_of_the_worst_frames_only(tmp_path: Path) -> None:
    run(tmp_path, 30).close()
    records = [step(index)[0] for index in range(30)]
    worst = sorted((r for r in records if r.damaged > 0), key=lambda r: (-r.damaged, r.index))[:LIMIT]
    assert {int(file.name[:6]) for file in (tmp_path / "worst").iterdir()} == {record.index for record in worst}


def test_a_journal_alone_has_totals_and_no_pictures(tmp_path: Path) -> None:
    with ReportWriter(tmp_path, JOB, FACTS, pictures=False) as writer:
        for index in range(5):
            writer.frame(*step(index))
        assert writer.totals().blobs == sum(step(index)[0].blobs for index in range(5))
    assert [entry.name for entry in tmp_path.iterdir()] == ["frames.jsonl"]


def test_copies_are_not_shown_again(tmp_path: Path) -> None:
    record, before, after, mask, unsure = step(1)
    with ReportWriter(tmp_path, JOB, FACTS) as writer:
        writer.frame(record, before, after, mask, unsure)
        copy = FrameRecord(2, 0, record.damaged, 1, copy_of=1)
        writer.frame(copy, before, after, mask, unsure)
    assert {file.name[:6] for file in (tmp_path / "worst").iterdir()} == {"000001"}


class Page(HTMLParser):
    """Collects what the tests look at, and checks that tags close in order."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)


def page(folder: Path) -> tuple[str, Page]:
    text = (folder / "report.html").read_text()
    return text, Page(text)


def test_the_page_is_whole_and_self_contained(tmp_path: Path) -> None:
    path = run(tmp_path, 30).finish(Outcome())
    assert path == tmp_path / "report.html"
    text, parsed = page(tmp_path)
    words = " ".join(parsed.words)
    assert len(parsed.addresses) >= 3 * LIMIT
    assert all(address.startswith("data:image/") for address in parsed.addresses)
    assert not re.search(r"https?:|@import|url\(", text)
    assert "film & <reel>.mkv" in words
    assert "<reel>" not in text
    for expected in (
        "interlaced material",
        "no such packet",
        "gentle",
        "temporal",
        "75.0",
        "Unsure frames",
        "held back: a storm",
    ):
        assert expected in words
    assert text.count('class="shot0"') + text.count('class="shot1"') == 3
    assert not list(tmp_path.glob(".*.part"))


def test_a_clean_reel_has_a_page_too(tmp_path: Path) -> None:
    still = np.full((HEIGHT, WIDTH), 90, np.uint8)
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    with ReportWriter(tmp_path, JOB, FACTS) as writer:
        for index in range(3):
            frame = Frame(index, (still,), GRAY)
            writer.frame(FrameRecord(index, 0, 0.0), frame, frame, nothing, nothing)
        writer.finish(Outcome(wall=0.0))
    words = " ".join(page(tmp_path)[1].words)
    assert "No damage was found" in words
    assert "The repairer was sure everywhere" in words


def test_a_run_that_starts_late_counts_frames_of_the_reel(tmp_path: Path) -> None:
    run(tmp_path, 16, start=5).finish(Outcome())
    report = json.loads((tmp_path / "report.json").read_text())
    assert [frame["index"] for frame in report["frames"]] == list(range(5, 16))
    run(tmp_path, 16, done=4, start=5).finish(Outcome())
    assert json.loads((tmp_path / "report.json").read_text())["frames"] == report["frames"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="cannot write the report"):
        ReportWriter(tmp_path / "file" / "report", JOB, FACTS)
