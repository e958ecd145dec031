"""The open desk: which reels it holds."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest

from reelmend.desk import desk as desk_module
from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.desk.stills import Stills
from reelmend.film import Layout
from reels import in_layout, long_reel, write_reel


def test_a_reel_that_left_the_desk_stays_open_for_who_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "OPEN_REELS", 1)
    film = write_reel(tmp_path / "one.mkv", in_layout(long_reel(), Layout("gray", 8))[:4])
    shutil.copy(film, tmp_path / "two.mkv")
    desk = Desk(Project(tmp_path / "desk", Roots([tmp_path])))
    try:
        one, two = (desk.project.add(tmp_path / f"{name}.mkv").id for name in ("one", "two"))
        used = desk.reel(one)
        desk.reel(two)
        assert used.stills.picture(3) and not desk._open.keys() & {one}
        assert desk.reel(one) is used, "there is one of it, or edits would be lost"
        desk.reel(two)
        closed: list[Stills] = []
        monkeypatch.setattr(Stills, "close", lambda self: closed.append(self))
        stills = used.stills
        del used
        gc.collect()
        assert closed == [stills], "nobody uses it any more"
        monkeypatch.undo()
        assert desk.reel(one).stills.picture(3)
    finally:
        desk.close()
