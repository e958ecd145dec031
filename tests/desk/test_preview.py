"""Previews: what a frame's preview shows is what restoration does to that frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reelmend
from reelmend.config import Job
from reelmend.desk.preview import Preview
from reelmend.desk.stills import Stills
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.media import open_mask_reader, open_reel
from reels import in_layout, long_reel, write_reel


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = in_layout(long_reel(), Layout("yuv", 8, sub_x=1, sub_y=1))
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", frames)


@pytest.mark.parametrize("repairer", ["temporal", "spatial"])
def test_a_preview_is_what_restoration_writes(reel: Path, tmp_path: Path, repairer: str) -> None:
    reelmend.restore(reel, tmp_path / "out.mkv", masks=tmp_path / "masks", detector="spike", repairer=repairer, grow=1)
    job = Job.build(source=reel, repairer=repairer, grow=1)
    stills = Stills(reel)
    preview = Preview(stills)
    with (
        open_reel(tmp_path / "out.mkv") as film,
        open_mask_reader(tmp_path / "masks", stills.facts.height, stills.facts.width) as masks,
    ):
        looked = 0
        known = [masks.mask(number) for number in range(len(list(film.frames())))]
        for frame in film.frames():
            mask = known[frame.index]
            if not mask.any():
                continue
            shown = preview.repaired(frame.index, known.__getitem__, job)
            for one, two in zip(shown.frame.planes, frame.planes, strict=True):
                np.testing.assert_array_equal(one, two)
            assert shown.seconds > 0 and (shown.filled_by[mask] > 0).all()
            looked += 1
    assert looked > 3
    stills.close()


def test_stages_tell_the_whole_way(reel: Path) -> None:
    stills = Stills(reel)
    preview = Preview(stills)
    height, width = stills.facts.height, stills.facts.width
    mask = np.zeros((height, width), bool)
    mask[20:24, 30:35] = True
    stages = dict(
        preview.stages(5, mask.astype(np.float32), lambda number: mask, Job.build(source=reel, repairer="spatial"))
    )
    assert next(iter(stages)) == "source" and list(stages)[-2:] == ["result", "changed"]
    assert {"damage map", "mask", "filled by temporal", "filled by spatial", "grain"} <= stages.keys()
    assert sum(name.startswith("neighbour") for name in stages) >= 2
    assert all(one.shape == (height, width, 3) and one.dtype == np.uint8 for one in stages.values())
    away = np.abs(stages["changed"][..., 0].astype(int) - 128)
    grown = np.zeros_like(mask)
    grown[18:26, 28:37] = True
    assert not away[~grown].any() and away[mask].any()
    # A moved neighbour looks more like the frame than the neighbour does.
    still = stills.rgb(stills.frame(5))[..., 0].astype(int)
    moved = next(one for name, one in stages.items() if name.startswith("neighbour +1"))
    assert np.abs(moved[..., 0] - still).mean() < np.abs(stills.rgb(stills.frame(6))[..., 0].astype(int) - still).mean()
    stills.close()


def test_a_frame_beyond_the_reel_is_said(reel: Path) -> None:
    stills = Stills(reel)
    with pytest.raises(UsageError, match="no frame"):
        Preview(stills).window(10**9)
    stills.close()
