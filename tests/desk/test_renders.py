"""Renders from the desk: what changed is repaired again and nothing else, and what lies where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend import pipeline
from reelmend.desk import desk as desk_module
from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.desk.renders import edit_numbers, finished, listed, places_of
from reelmend.edits import Edits, Operation, Protect, Reject, Stroke
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.motion.windows import RADIUS, REACH
from reelmend.pipeline.kept import edits_of
from reelmend.repair.temporal import TemporalRepairer
from reels import digest, in_layout, long_reel, read, read_masks, write_reel

FRAMES = 16


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    frames = in_layout(long_reel(), Layout("yuv", 8, sub_x=1, sub_y=1))[:FRAMES]
    for n in range(3):
        write_reel(folder / f"scan{n}.mkv", frames)
    return folder


@pytest.fixture
def desk(media: Path, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(Project(tmp_path / "desk", Roots([media])))
    for n in range(3):
        made.project.add(media / f"scan{n}.mkv").set_options(detector="spike", repairer="temporal", threads=2)
    made.search("scan0")
    made.queue.wait()
    yield made
    made.close()


@pytest.fixture
def repaired(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    frames: list[int] = []
    real = TemporalRepairer.repair

    def noted(self: TemporalRepairer, window: Any, mask: Any) -> Any:
        frames.append(window.centre.index)
        return real(self, window, mask)

    monkeypatch.setattr(TemporalRepairer, "repair", noted)
    return frames


def render(desk: Desk, film: str, **options: Any) -> None:
    task = desk.render("scan0", film, **options)
    desk.queue.wait()
    assert task.state == "done", task.said


def damaged(desk: Desk) -> list[int]:
    return [n for n, one in enumerate(desk.reel("scan0").findings.records) if one.damaged]


def up_to_date(desk: Desk) -> list[int]:
    return [int(n) for n in np.flatnonzero(desk.reel("scan0").render_state().rendered)]


def test_an_edit_costs_its_own_frame_and_those_beside_it(desk: Desk, repaired: list[int], tmp_path: Path) -> None:
    reel = desk.reel("scan0")
    frames = damaged(desk)
    assert len(frames) >= 4 and up_to_date(desk) == [] and set(reel.render_state().unsure) == {None}
    render(desk, "one.mkv")
    assert sorted(repaired) == frames and up_to_date(desk) == list(range(FRAMES))
    assert desk.queue.tasks()[-1].repaired == len(frames)
    assert None not in reel.render_state().unsure
    repaired.clear()
    render(desk, "two.mov")
    assert repaired == [] and desk.queue.tasks()[-1].repaired == 0
    reel.do(Stroke(frame=frames[1], points=((40, 40),), radius=3))
    reel.do(Protect(first=frames[2], last=frames[3], left=0, top=0, width=500, height=500))
    edited = {frames[1], *range(frames[2], frames[3] + 1)}
    beside = [n for n in range(FRAMES) if any(abs(n - m) <= RADIUS for m in edited)]
    assert up_to_date(desk) == [n for n in range(FRAMES) if n not in beside]
    render(desk, "one.mkv", overwrite=True)
    assert frames[1] in repaired and frames[2] not in repaired and up_to_date(desk) == list(range(FRAMES))
    assert all(any(abs(n - m) <= REACH for m in edited) for n in repaired)
    # As the command line does it, which keeps nothing.
    pipeline.repair(desk.render_job("scan0", "one.mkv").model_copy(update={"output": tmp_path / "fresh.mkv"}))
    assert list(digest(reel.entry.renders / "one.mkv").values()) == list(digest(tmp_path / "fresh.mkv").values())
    reel.undo()
    reel.undo()
    assert frames[1] not in up_to_date(desk)
    reel.entry.set_options(grow=4)
    assert up_to_date(desk) == []
    reel.entry.set_options(grow=2)
    assert up_to_date(desk) == [n for n in range(FRAMES) if n not in beside]


def test_the_state_is_read_from_the_index_alone(desk: Desk, repaired: list[int]) -> None:
    render(desk, "one.mkv")
    repairs = desk.project.reel("scan0").repairs
    for file in repairs.glob("*.repair"):
        file.unlink()
    assert up_to_date(desk) == list(range(FRAMES))
    repaired.clear()
    # A render looks for itself.
    render(desk, "two.mkv")
    assert sorted(repaired) == damaged(desk)
    index = repairs / "index"
    raw = index.read_bytes()
    for broken, left in ((raw[:-5], FRAMES - 1), (b"", 0), (b"x" * len(raw), 0), (raw + b"more", FRAMES)):
        index.write_bytes(broken)
        assert len(up_to_date(desk)) == left
        assert all(one is None or 0 <= one <= 1 for one in desk.reel("scan0").render_state().unsure)


def test_other_masks_are_not_up_to_date(desk: Desk) -> None:
    render(desk, "one.mkv")
    desk.project.reel("scan0").set_options(strength="strong")
    # Masks are still those that were rendered: only a new search changes them.
    assert up_to_date(desk) == list(range(FRAMES))
    desk.search("scan0")
    desk.queue.wait()
    assert up_to_date(desk) == []


def test_a_preview_and_a_render_share_what_they_repair(desk: Desk, repaired: list[int], tmp_path: Path) -> None:
    reel = desk.reel("scan0")
    job, frames = reel.entry.job(), damaged(desk)
    shown = reel.repaired(frames[0], job)
    assert reel.repaired(frames[0], job) is shown and shown.kept
    other = reel.repaired(frames[1], job.build(job, regrain=False))
    assert reel.repaired(frames[1], job.build(job, regrain=False)) is other and not other.kept
    # An edit taken back: what was kept meanwhile is another repair, and the one remembered is kept again.
    reel.do(Stroke(frame=frames[0], points=((40, 40),), radius=3))
    edited = reel.repaired(frames[0], job)
    reel.undo()
    assert up_to_date(desk) == [] and reel.repaired(frames[0], job) is not edited
    assert repaired == [frames[0], frames[1], frames[0]] and up_to_date(desk) == [frames[0]]
    repaired.pop()
    clean = next(n for n in range(FRAMES) if n not in frames)
    assert reel.repaired(clean, job).frame is reel.stills.frame(clean)
    assert repaired == frames[:2] and up_to_date(desk) == sorted([frames[0], clean])
    render(desk, "one.mkv")
    assert sorted(repaired) == sorted([*frames, frames[1]])
    pipeline.repair(desk.render_job("scan0", "one.mkv").model_copy(update={"output": tmp_path / "fresh.mkv"}))
    assert list(digest(reel.entry.renders / "one.mkv").values()) == list(digest(tmp_path / "fresh.mkv").values())
    repaired.clear()
    film = read(reel.entry.renders / "one.mkv")
    for n in frames[2:]:
        kept = reel.repaired(n, job)
        for one, two in zip(kept.frame.planes, film[n].planes, strict=True):
            np.testing.assert_array_equal(one, two)
        assert kept.kept and (kept.filled_by > 0).any()
    assert repaired == []


def test_stages_are_made_once_until_something_changes(desk: Desk, repaired: list[int]) -> None:
    reel = desk.reel("scan0")
    frame = damaged(desk)[0]
    first = reel.stages(frame)
    made = len(repaired)
    assert made and reel.stages(frame) is first and len(repaired) == made
    assert all(picture[:2] == b"\xff\xd8" for _, picture in first)
    reel.do(Stroke(frame=frame, points=((40, 40),), radius=3))
    assert dict(reel.stages(frame))["mask"] != dict(first)["mask"]
    reel.undo()
    reel.entry.set_options(grow=6)
    assert dict(reel.stages(frame))["mask, grown"] != dict(first)["mask, grown"]


def test_what_goes_with_a_film_lies_beside_it(desk: Desk, tmp_path: Path) -> None:
    reel = desk.reel("scan0")
    frame = damaged(desk)[0]
    reel.do(Protect(first=frame, last=frame, left=0, top=0, width=500, height=500))
    render(desk, "restored.mkv", masks=True, origins=True, report=True)
    names = [one.name for one in listed(reel.entry)]
    assert set(names) == {
        "restored.mkv", "restored.masks.mkv", "restored.origins.mkv", "restored.report", "restored.report.html",
    }  # fmt: skip
    masks = read_masks(finished(reel.entry, "restored.masks.mkv"), 0, FRAMES)
    for n, mask in enumerate(masks):
        np.testing.assert_array_equal(mask, reel.mask(n))
    assert not masks[frame].any() and sum(bool(mask.any()) for mask in masks) == len(damaged(desk)) - 1
    for mask, origin in zip(masks, read(finished(reel.entry, "restored.origins.mkv")), strict=True):
        assert (origin.planes[0][mask] > 0).all()
    page = finished(reel.entry, "restored.report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    with pytest.raises(UsageError, match="is there already"):
        desk.render("scan0", "restored.mkv")
    with pytest.raises(UsageError, match=r"restored.masks.mkv is there"):
        desk.render("scan0", "restored.mov", masks=True)
    render(desk, "frames_%04d.png")
    assert len(list((reel.entry.renders / "frames").iterdir())) == FRAMES


def test_only_what_is_finished_and_in_the_folder_is_handed_out(desk: Desk, tmp_path: Path) -> None:
    entry = desk.project.reel("scan0")
    (tmp_path / "secret.mkv").touch()
    (entry.renders / "link.mkv").symlink_to(tmp_path / "secret.mkv")
    (entry.renders / ".one.mkv.reelmend").mkdir()
    (entry.renders / "folder").mkdir()
    assert [(one.name, one.bytes) for one in listed(entry)] == [("folder", None)]
    for name in ("link.mkv", ".one.mkv.reelmend", "..", ".", "", "../job.toml", "/etc/passwd", "folder/../x", "a\0b"):
        with pytest.raises(UsageError, match="no render"):
            finished(entry, name)
    with pytest.raises(UsageError, match="is a folder"):
        finished(entry, "folder")
    for name in ("../x.mkv", ".x.mkv", "a/b.mkv", "a\\b.mkv", "", "a\0.mkv"):
        with pytest.raises(UsageError, match="no file name"):
            places_of(entry, name, masks=True, origins=True, report=True)
    with pytest.raises(UsageError, match="what goes with a film"):
        places_of(entry, "x.masks.mkv", masks=False, origins=False, report=False)


def test_findings_of_a_reel_are_one_while_anything_uses_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "OPEN_REELS", 1)
    seen: list[int] = []
    findings = desk.reel("scan1").findings
    real = type(findings)._keep

    def keep(self: Any, outcome: Any, record: Any, explain: Any) -> None:
        real(self, outcome, record, explain)
        # The reel is closed for another, and opened again while it is searched.
        desk.reel("scan2")
        seen.append(len(desk.reel("scan1").findings.records))
        assert desk.reel("scan1").findings is self

    monkeypatch.setattr(type(findings), "_keep", keep)
    del findings
    desk.search("scan1")
    desk.queue.wait()
    assert seen == list(range(FRAMES))
    assert len(desk.reel("scan1").findings.records) == FRAMES


operations = st.one_of(
    st.builds(lambda frame: Reject(frame=frame, at=(3, 4)), st.integers(0, 30)),
    st.builds(
        lambda first, more, left: Protect(first=first, last=first + more, left=left, top=0, width=9, height=9),
        st.integers(0, 30), st.integers(0, 20), st.integers(0, 3),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(some=st.lists(operations, max_size=12), count=st.integers(0, 25))
def test_numbers_of_edits_are_those_of_each_frame(some: list[Operation], count: int) -> None:
    edits = Edits(some)
    assert edit_numbers(edits, count).tolist() == [edits_of(edits.of(frame)) for frame in range(count)]
