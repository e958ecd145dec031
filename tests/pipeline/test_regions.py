"""A label map in a job: the report counts damage by its regions, and it is part of what the job is."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import reelmend
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.media import open_mask_reader
from reels import in_layout, long_reel, write_reel

FRAMES = 5


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", in_layout(long_reel(), Layout("gray", 8))[:FRAMES])


def label_map(path: Path, reel: Path) -> Path:
    """Region 0 above, 1 below."""
    with reelmend.open_reel(reel) as film:
        labels = np.zeros((film.facts.height, film.facts.width), np.uint16)
    labels[labels.shape[0] // 2 :] = 1
    cv2.imwrite(str(path), labels)
    return path


@pytest.mark.parametrize("option", ["regions", "protect"])
def test_the_report_counts_damage_by_region(option: str, reel: Path, tmp_path: Path) -> None:
    path = label_map(tmp_path / "labels.png", reel)
    given = {option: path if option == "regions" else f"{path}:1"}
    reelmend.restore(
        reel, tmp_path / "out.mkv", masks=tmp_path / "masks", report=tmp_path / "report", detector="spike",
        repairer="temporal", **given,
    )  # fmt: skip
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert labels is not None
    shares = np.zeros((FRAMES, 2))
    with open_mask_reader(tmp_path / "masks", *labels.shape) as masks:
        for n in range(FRAMES):
            shares[n] = [masks.mask(n)[labels == one].mean() for one in (0, 1)]
            found = told["frames"][n]["regions"]
            assert [found.get(one, 0) for one in ("0", "1")] == pytest.approx(shares[n], abs=1e-6)
    assert shares.any()
    for one in (0, 1):
        assert told["totals"]["regions"].get(str(one), 0) == pytest.approx(shares[:, one].mean(), abs=1e-6)
    assert "Damage by region" in (tmp_path / "report" / "report.html").read_text()


def test_without_a_label_map_the_report_says_nothing_of_regions(reel: Path, tmp_path: Path) -> None:
    reelmend.detect(reel, tmp_path / "masks", report=tmp_path / "report", detector="spike")
    assert "regions" not in json.loads((tmp_path / "report" / "report.json").read_text())["frames"][0]
    assert "Damage by region" not in (tmp_path / "report" / "report.html").read_text()


def test_a_label_map_that_does_not_fit_is_refused_before_anything_is_written(reel: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "labels.png"), np.zeros((400, 10), np.uint16))
    with pytest.raises(UsageError, match="another shape"):
        reelmend.restore(reel, tmp_path / "out.mkv", regions=tmp_path / "labels.png", detector="spike")
    with pytest.raises(UsageError, match="LABELMAP:IDS"):
        reelmend.restore(reel, tmp_path / "out.mkv", protect="labels", detector="spike")
    assert not (tmp_path / "out.mkv").exists()
    path = label_map(tmp_path / "map.png", reel)
    with pytest.raises(UsageError, match="different names"):
        reelmend.restore(reel, tmp_path / "out.mkv", regions=path, explain=path, detector="spike")
