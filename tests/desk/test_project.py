"""Projects: what is done is kept, what is outside the roots is not opened, broken folders are said."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.edits import Reject
from reelmend.errors import MediaError, UsageError
from reelmend.film import Layout
from reels import in_layout, long_reel, write_reel


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    write_reel(folder / "scan.mkv", in_layout(long_reel(), Layout("gray", 8))[:4])
    (folder / "sub").mkdir()
    write_reel(folder / "sub" / "scan.mkv", in_layout(long_reel(), Layout("gray", 8))[:3])
    return folder


def test_everything_is_there_again_after_reopening(media: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "desk", Roots([media]))
    first, second = project.add(media / "scan.mkv"), project.add(media / "sub" / "scan.mkv")
    assert project.add(media / "sub" / ".." / "scan.mkv") == first
    first.set_options(strength="gentle", grow=3)
    first.set_review(12, "approved")
    first.set_review(0, "rejected")
    first.set_review(12, "to do")
    with first.journal() as journal:
        journal.do(Reject(frame=1, at=(3, 4)))
    again = Project(tmp_path / "desk", Roots([media]))
    assert [entry.id for entry in again.reels()] == ["scan", "scan-2"]
    assert again.reel("scan-2") == second
    entry = again.reel("scan")
    assert (entry.job().detect.strength, entry.job().repair.grow, entry.job().source) == ("gentle", 3, entry.source)
    assert entry.reviews() == {0: "rejected"}
    with entry.journal() as journal:
        assert journal.edits.operations == (Reject(frame=1, at=(3, 4)),)


def test_what_is_outside_or_no_film_is_refused(media: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "desk", Roots([media / "sub"]))
    (media / "sub" / "link.mkv").unlink(missing_ok=True)
    (media / "sub" / "link.mkv").symlink_to(media / "scan.mkv")
    for outside in (media / "scan.mkv", media / "sub" / ".." / "scan.mkv", media / "sub" / "link.mkv", "/etc/passwd"):
        with pytest.raises(UsageError, match="outside the folders"):
            project.add(outside)
    with pytest.raises(UsageError, match="no path"):
        project.add("a\0b")
    (media / "sub" / "note.mkv").write_text("not a film")
    with pytest.raises((UsageError, MediaError)):
        project.add(media / "sub" / "note.mkv")
    assert project.reels() == []


def test_folders_are_listed_inside_the_roots_only(media: Path) -> None:
    roots = Roots([media])
    (media / ".hidden").touch()
    names = [(name, folder) for name, folder, _ in roots.list(media)]
    assert names[0] == ("sub", True) and ("scan.mkv", False) in names
    assert all(not name.startswith(".") for name, _ in names)
    with pytest.raises(UsageError, match="outside"):
        roots.list(media.parent)
    with pytest.raises(UsageError, match="cannot look into"):
        roots.list(media / "none")


def test_what_is_wrong_with_a_project_is_said(media: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="not empty and no project"):
        Project(tmp_path / "full", Roots([media]))
    project = Project(tmp_path / "desk", Roots([media]))
    entry = project.add(media / "scan.mkv")
    with pytest.raises(UsageError, match="no reel"):
        project.reel("../../etc")
    with pytest.raises(UsageError, match="to do, approved, rejected"):
        entry.set_review(0, "lovely")
    with pytest.raises(UsageError, match="strength"):
        entry.set_options(strength="brutal")
    with pytest.raises(UsageError, match="source stays"):
        entry.set_options(source=str(media / "sub" / "scan.mkv"))
    (tmp_path / "desk" / "project.json").write_text("{}")
    with pytest.raises(UsageError, match="no project of this version"):
        Project(tmp_path / "desk", Roots([media]))
    (tmp_path / "desk" / "project.json").write_text("{")
    with pytest.raises(UsageError, match="cannot read"):
        Project(tmp_path / "desk", Roots([media]))
