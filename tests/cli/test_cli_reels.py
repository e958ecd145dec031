"""Commands on small real reels: probe, compare, models, and a job from end to end."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from reelmend import cli

HEIGHT, WIDTH, FRAMES = 72, 96, 6


def texture(seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)), (0, 0), 3)
    return np.asarray(np.clip(128 + 300 * smooth, 20, 235), np.uint8)


def write(folder: Path, pictures: list[NDArray[np.uint8]], name: str = "frame_{:04d}.png") -> Path:
    folder.mkdir()
    for number, picture in enumerate(pictures):
        assert cv2.imwrite(str(folder / name.format(number)), picture)
    return folder


@pytest.fixture
def still(tmp_path: Path) -> Path:
    return write(tmp_path / "a", [texture()] * FRAMES)


def run(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert cli.main(arguments) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def compared(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(["compare", *arguments, "--json"], capsys))
    return found


def test_probe_as_text_and_as_json(still: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = run(["probe", str(still)], capsys)
    assert f"size           {WIDTH} x {HEIGHT}\n" in text
    assert "8-bit gray" in text
    facts = json.loads(run(["probe", str(still), "--json"], capsys))
    assert (facts["width"], facts["height"], facts["frames"], facts["kind"]) == (WIDTH, HEIGHT, FRAMES, "sequence")
    assert facts["layout"] == {"family": "gray", "bits": 8, "float": False, "alpha": False, "sub_x": 0, "sub_y": 0}


def test_probe_holds_a_gap_when_asked(still: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (still / "frame_0003.png").unlink()
    assert "frame 3 is missing" in run(["probe", str(still)], capsys, code=2)
    assert json.loads(run(["probe", str(still), "--gaps", "hold", "--json"], capsys))["frames"] == FRAMES


def test_a_reel_is_identical_to_itself(still: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = compared(capsys, str(still), str(still))
    assert found["identical"] is True
    assert found["frames"] == FRAMES
    assert found["everywhere"]["psnr"] == "inf"
    assert found["everywhere"]["ssim"] == pytest.approx(1)
    assert "PSNR identical" in run(["compare", str(still), str(still)], capsys)


def masked(tmp_path: Path, changes: NDArray[np.bool_]) -> tuple[Path, Path]:
    """A copy of the still reel, 10 codes brighter where `changes`, and masks of its middle 20 x 20 pixels."""
    changed = write(tmp_path / "b", [texture() + np.uint8(10) * changes] * FRAMES)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[30:50, 40:60] = 255
    return changed, write(tmp_path / "masks", [mask] * FRAMES, "mask_{:06d}.png")


def test_inside_and_outside_the_grown_mask(still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = np.zeros((HEIGHT, WIDTH), bool)
    changes[29:51, 40:60] = True  # one pixel beyond the mask above and below
    changed, masks = masked(tmp_path, changes)
    grown = compared(capsys, str(still), str(changed), "--masks", str(masks), "--grow", "2")
    assert grown["identical_outside"] is True
    assert grown["outside"]["differing"] == 0
    assert grown["inside"]["differing"] == FRAMES * changes.sum()
    share = grown["inside"]["differing"] / grown["inside"]["samples"]
    assert grown["inside"]["psnr"] == pytest.approx(10 * math.log10(255**2 / (100 * share)), abs=1e-3)
    assert grown["inside"]["samples"] + grown["outside"]["samples"] == FRAMES * HEIGHT * WIDTH
    assert grown["inside"]["ssim"] < grown["outside"]["ssim"]
    plain = compared(capsys, str(still), str(changed), "--masks", str(masks), "--grow", "0")
    assert plain["identical_outside"] is False
    assert plain["outside"]["differing"] == FRAMES * 2 * 20
    text = run(["compare", str(still), str(changed), "--masks", str(masks), "--grow", "0"], capsys)
    assert "identical outside the mask grown by 0 px: no" in text


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ([texture()] * (FRAMES - 1), [f"{FRAMES} frames", f"has {FRAMES - 1}"]),
        ([texture()[:-2]] * FRAMES, [f"{WIDTH}x{HEIGHT}", f"{WIDTH}x{HEIGHT - 2}"]),
        ([np.dstack([texture()] * 3)] * FRAMES, ["compare reels of one family"]),
    ],
    ids=["count", "size", "layout"],
)
def test_reels_that_cannot_be_compared(
    other: list[NDArray[np.uint8]], words: list[str], still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if other[0].ndim == 3:
        other = [picture + np.arange(3, dtype=np.uint8) for picture in other]
    said = run(["compare", str(still), str(write(tmp_path / "b", other))], capsys, code=2)
    assert said.count("\n") == 1
    assert all(word in said for word in words), said


def test_models(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from reelmend import models

    listed = json.loads(run(["models", "--json"], capsys))
    assert {"spike"} <= {row["name"] for row in listed["detectors"]}
    assert {"temporal", "spatial"} <= {row["name"] for row in listed["repairers"]}
    assert all(row["about"].endswith(".") for kind in ("detectors", "repairers") for row in listed[kind])
    scores = {"measured_on": "made-up clips", "detectors": {"spike": {"dice": 0.625}}}
    read = models.read
    monkeypatch.setattr(models, "read", lambda name: scores if name == models.SCORES else read(name))
    text = run(["models"], capsys)
    assert "scores: dice 0.625" in text
    assert "scores: not measured" in text  # the repairers, of which these scores say nothing
    assert "measured on: made-up clips" in text


def test_a_speck_is_restored_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(5)
    grain = [rng.normal(0, 2, (HEIGHT, WIDTH)) for _ in range(9)]
    clean = [np.asarray(np.clip(texture() + one, 0, 255), np.uint8) for one in grain]
    clean[4] = cv2.ellipse(clean[4].copy(), (50, 40), (5, 4), 20, 0, 360, 250, -1)
    source, output = write(tmp_path / "scan", clean), tmp_path / "mended.mkv"
    masks, report = tmp_path / "masks", tmp_path / "report"
    arguments = [str(source), str(output), "--masks", str(masks), "--report", str(report), "--threads", "1"]
    assert "9 frames in 1 shot" in run(["restore", *arguments], capsys)
    frames = json.loads((report / "report.json").read_text())["frames"]
    assert [record["blobs"] > 0 for record in frames] == [index == 4 for index in range(9)]
    found = compared(capsys, str(source), str(output), "--masks", str(masks))
    assert found["identical_outside"] is True
    assert found["inside"]["differing"] > 50
    from reelmend.config import Job

    saved = Job.from_toml(report / "job.toml")
    again = run(["restore", "--job", str(report / "job.toml"), "--overwrite", "--quiet"], capsys)
    assert again == ""
    assert saved.output == output
