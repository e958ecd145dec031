"""What a job reads and looks at around the frames it is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reelmend
from reelmend.detect.spike import SpikeDetector, SpikeEvidence
from reelmend.errors import MediaError
from reelmend.motion.windows import REACH, Window
from reels import read, read_masks, scan, write_reel


def test_damage_after_the_last_frame_does_not_stop_a_job(make_sequence: Callable[..., Path], tmp_path: Path) -> None:
    scans = make_sequence(numbers=range(12), size=(32, 40))
    broken = sorted(scans.iterdir())[8]
    broken.write_bytes(broken.read_bytes()[:60])
    summary = reelmend.restore(scans, tmp_path / "part.mkv", frames=8)
    assert summary.frames == 8
    with pytest.raises(MediaError, match=broken.name):
        reelmend.restore(scans, tmp_path / "more.mkv", frames=9)
    shutil.rmtree(scans)


def test_a_part_is_as_in_the_whole_and_only_what_it_depends_on_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reel = write_reel(tmp_path / "reel.mkv", scan(75))
    options: dict[str, Any] = {"detector": "spike", "repairer": "temporal", "threads": 2}
    reelmend.restore(reel, tmp_path / "whole.mkv", masks=tmp_path / "whole", **options)
    looked: list[int] = []
    look = SpikeDetector.look

    def counted(self: SpikeDetector, window: Window) -> SpikeEvidence:
        looked.append(window.centre.index)
        return look(self, window)

    monkeypatch.setattr(SpikeDetector, "look", counted)
    part = {"start": 36, "frames": 3}
    reelmend.restore(reel, tmp_path / "part.mkv", masks=tmp_path / "part", **part, **options)
    # A frame's repair depends on the damage of its neighbours, that on what was seen in theirs.
    assert sorted(looked) == list(range(36 - 2 * REACH, 39 + 2 * REACH))
    for one, other in zip(read(tmp_path / "whole.mkv")[36:39], read(tmp_path / "part.mkv"), strict=True):
        assert all(map(np.array_equal, one.planes, other.planes))
    masks = [read_masks(tmp_path / name, 36, 3) for name in ("whole", "part")]
    assert any(mask.any() for mask in masks[0])
    assert all(map(np.array_equal, *masks))
    looked.clear()
    reelmend.detect(reel, tmp_path / "found", detector="spike", threads=2, **part)
    assert sorted(looked) == list(range(36 - REACH, 39 + REACH))
    assert all(map(np.array_equal, masks[0], read_masks(tmp_path / "found", 36, 3)))
