"""Proxies: made once, kept over a restart, and never those of another scan."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import reelmend.desk.stills as stills_module
from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.desk.proxies import WIDTH, Proxies
from reelmend.desk.stills import Stills
from reelmend.errors import UsageError
from reelmend.film import Frame, Layout
from reels import in_layout, long_reel, write_reel

WIDE, TALL, FRAMES = 1400, 60, 5


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = Layout("gray", 8)
    shades = [np.full((TALL, WIDE), 40 * n, np.uint8) for n in range(FRAMES)]
    frames = [Frame(index=n, planes=(shade,), layout=layout, pts=n) for n, shade in enumerate(shades)]
    return write_reel(tmp_path_factory.mktemp("wide") / "wide.mkv", frames)


def test_a_wide_reel_is_decoded_once_for_its_proxies(
    wide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = Proxies(tmp_path / "proxies", wide)
    stills = Stills(wide, proxies)
    assert stills.proxy_width == WIDTH
    made = stills.picture(3, WIDTH)
    picture = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture.shape[1] == WIDTH and picture.mean() == pytest.approx(120, abs=2)
    assert proxies.get(3) == made and proxies.get(2) is None
    stills.close()

    again = Stills(wide, Proxies(tmp_path / "proxies", wide))
    monkeypatch.setattr(again, "frame", lambda number: pytest.fail("decoded"))
    assert again.picture(3, WIDTH) == made
    again.close()


def test_narrow_reels_have_none_and_whole_pictures_are_no_proxies(
    wide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = Proxies(tmp_path / "proxies", wide)
    stills = Stills(wide, proxies)
    stills.picture(1)
    stills.picture(1, 640)
    assert proxies.get(1) is None
    stills.close()
    monkeypatch.setattr(stills_module, "WIDTH", WIDE)
    narrow = Stills(wide, proxies)
    assert narrow.proxy_width is None
    narrow.close()


def test_another_scan_at_the_same_place_has_its_own(tmp_path: Path) -> None:
    source = tmp_path / "scan.mkv"
    source.write_bytes(b"one")
    Proxies(tmp_path / "proxies", source).put(0, b"picture")
    assert Proxies(tmp_path / "proxies", source).get(0) == b"picture"
    os.utime(source, ns=(1, 1))
    assert Proxies(tmp_path / "proxies", source).get(0) is None


def test_the_desk_makes_them_all_and_can_be_stopped(wide: Path, tmp_path: Path) -> None:
    desk = Desk(Project(tmp_path / "desk", Roots([wide.parent])))
    try:
        name = desk.project.add(wide).id
        task = desk.make_proxies(name)
        desk.queue.wait()
        assert (task.state, task.done, task.total) == ("done", FRAMES, FRAMES)
        assert len(list((tmp_path / "desk" / "reels" / name / "proxies").glob("*.jpg"))) == FRAMES
    finally:
        desk.close()


def test_a_reel_that_needs_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    source = write_reel(tmp_path / "films" / "small.mkv", in_layout(long_reel(), Layout("gray", 8)))
    desk = Desk(Project(tmp_path / "desk", Roots([source.parent])))
    try:
        with pytest.raises(UsageError, match="pixels wide; proxies are for wider reels"):
            desk.make_proxies(desk.project.add(source).id)
    finally:
        desk.close()
