"""A reel that breaks after the frames a job asks for still gives those frames."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import reelmend
from reelmend.errors import MediaError


def test_damage_after_the_last_frame_does_not_stop_a_job(make_sequence: Callable[..., Path], tmp_path: Path) -> None:
    scans = make_sequence(numbers=range(12), size=(32, 40))
    broken = sorted(scans.iterdir())[8]
    broken.write_bytes(broken.read_bytes()[:60])
    summary = reelmend.restore(scans, tmp_path / "part.mkv", frames=8)
    assert summary.frames == 8
    with pytest.raises(MediaError, match=broken.name):
        reelmend.restore(scans, tmp_path / "more.mkv", frames=9)
    shutil.rmtree(scans)
