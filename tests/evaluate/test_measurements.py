"""Whole measurements against figures worked out by hand and against scikit-learn and scikit-image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import average_precision_score, roc_auc_score
from tests.evaluate.small import FRAMES, HEIGHT, WIDTH, found, frame, truth, write_film, write_masks

from reelmend.errors import UsageError
from reelmend.evaluate.bootstrap import Resampling
from reelmend.evaluate.measure import Settings, measure_masks, measure_restoration, measure_sweep
from reelmend.evaluate.overlay import FALSE_ALARM, HIT, MISS
from reelmend.evaluate.provenance import read_result, to_json
from reelmend.evaluate.restoration import Restoration, plain_luma
from reelmend.film import Frame, Layout

HOW = Resampling(draws=200)
PIXELS = HEIGHT * WIDTH


def quick(out: Path | None = None, **changes: Any) -> Settings:
    return Settings(out=out, how=HOW, **changes)


@pytest.fixture(scope="module")
def masks(room: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out") / "masks"
    made = measure_masks(
        room / "found", room / "truth", quick(out), source=room / "damaged", classes=room / "annotations.json"
    )
    return out, made


def test_pixels_of_masks(masks: tuple[Path, dict[str, Any]]) -> None:
    """In each of three frames 30 of 100 true pixels are found; in all four, 9 false alarms."""
    pooled = masks[1]["pooled"]
    hits, false_alarms, misses = 90, 36, 210
    assert (pooled["hits"], pooled["false_alarms"], pooled["misses"]) == (hits, false_alarms, misses)
    assert pooled["clean"] == FRAMES * PIXELS - 336
    assert pooled["precision"] == pytest.approx(90 / 126)
    assert pooled["recall"] == pytest.approx(0.3)
    assert pooled["accuracy"] == pytest.approx(1 - 246 / (FRAMES * PIXELS))
    assert pooled["dice"] == pytest.approx(180 / 426)
    assert pooled["iou"] == pytest.approx(90 / 336)
    assert pooled["false_alarm_area"] == pytest.approx(36e6 / (FRAMES * PIXELS - 300))
    assert masks[1]["clean_frames"] == {"frames": 1, "false_alarm_area": pytest.approx(9e6 / PIXELS)}


def test_means_of_frames_leave_out_what_is_undefined(masks: tuple[Path, dict[str, Any]]) -> None:
    made = masks[1]
    assert [each["recall"] for each in made["per_frame"]] == [0.3, 0.3, 0.3, None]
    assert made["mean"]["recall"] == pytest.approx(0.3)
    assert [each["dice"] for each in made["per_frame"]][3] == 0
    assert made["per_frame"][3]["precision"] == 0
    assert made["mean"]["precision"] == pytest.approx(3 * 30 / 39 / 4)


def test_blobs_and_classes_of_masks(masks: tuple[Path, dict[str, Any]]) -> None:
    made = masks[1]
    assert made["pooled"]["blob_recall"] == pytest.approx(3 / 6)
    assert made["pooled"]["blob_precision"] == pytest.approx(3 / 7)
    sizes = {each["from"]: (each["found"], each["blobs"]) for each in made["blobs"]["recall"]["by_size"]}
    assert sizes[13] == (0, 3) and sizes[41] == (3, 3)
    dust, hair = made["classes"]["dust"], made["classes"]["long_hair"]
    assert (dust["recall"], dust["defects"], dust["defects_found"]) == (0.5, 3, 3)
    assert (hair["recall"], hair["defects"], hair["defects_found"]) == (0, 3, 0)
    assert dust["precision"] == pytest.approx(90 / (90 + 27))
    assert hair["precision"] == 0
    assert made["pixels_without_class"] == 0


def test_intervals_hold_the_figures(masks: tuple[Path, dict[str, Any]]) -> None:
    made = masks[1]
    assert set(made["intervals"]) == {
        "precision", "recall", "accuracy", "dice", "iou", "boundary_f", "blob_recall", "blob_precision",
        "false_alarm_area",
    }  # fmt: skip
    for name, interval in made["intervals"].items():
        assert interval["low"] - 1e-9 <= made["pooled"][name] <= interval["high"] + 1e-9, name


def test_overlays_are_yellow_green_and_red(masks: tuple[Path, dict[str, Any]]) -> None:
    out, made = masks
    assert [each["frame"] for each in made["pictures"]] == [0, 1, 2, 3]  # alike but for the clean one, which has least
    picture = cv2.imread(str(out / "overlay_000001.png"))[..., ::-1].astype(int)
    base = np.where(truth(1), 20, frame(1)).astype(float)
    for (row, column), colour in (((31, 55), HIT), ((34, 55), MISS), ((6, 6), FALSE_ALARM)):
        wanted = 0.25 * base[row, column] + 0.75 * np.array(colour)
        # The film is shown as players show gray, over full range.
        np.testing.assert_allclose(picture[row, column], wanted, atol=2)
    assert len(set(picture[150, 150])) == 1


def test_the_result_repeats_and_carries_what_made_it(room: Path, tmp_path: Path) -> None:
    texts = []
    for folder in ("a", "b"):
        settings = quick(tmp_path / folder, command="reelmend evaluate masks found truth", made_by="mytool --fast")
        made = measure_masks(room / "found", room / "truth", settings)
        texts.append((tmp_path / folder / "result.json").read_bytes())
        assert texts[-1].decode() == to_json(made)
    assert texts[0] == texts[1]
    origin = read_result(tmp_path / "a" / "result.json")["provenance"]
    assert origin["command"] == "reelmend evaluate masks found truth"
    assert origin["made_by"] == "mytool --fast"
    assert origin["seed"] == 0
    assert sorted(origin["data"]) == ["found", "truth"]
    assert all(len(digest) == 64 for digest in origin["data"].values())
    assert {"reelmend", "numpy", "av", "opencv-python-headless"} <= set(origin["versions"])
    assert str(tmp_path) not in texts[0].decode()


def test_empty_and_perfect_masks(room: Path, tmp_path: Path) -> None:
    perfect = measure_masks(room / "truth", room / "truth", quick(frames=FRAMES - 1))["pooled"]
    names = ("precision", "recall", "accuracy", "dice", "iou", "boundary_f", "blob_recall", "blob_precision")
    assert {perfect[name] for name in names} == {1}
    nothing = write_masks(tmp_path / "nothing", [np.zeros((HEIGHT, WIDTH), bool)] * FRAMES)
    empty = measure_masks(nothing, room / "truth", quick())
    assert {empty["pooled"][name] for name in ("recall", "dice", "iou", "boundary_f", "blob_recall")} == {0}
    assert empty["pooled"]["precision"] is empty["pooled"]["blob_precision"] is None
    assert empty["intervals"]["precision"] is None
    assert '"precision": null' in to_json(empty)
    neither = measure_masks(nothing, nothing, quick())
    assert [neither["pooled"][name] for name in ("precision", "recall", "dice", "iou", "boundary_f")] == [None] * 5
    assert neither["pooled"]["accuracy"] == 1


@pytest.fixture(scope="module")
def restored(room: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out") / "restoration"
    made = measure_restoration(
        room / "restored", room / "clean", room / "truth", quick(out), damaged=room / "damaged", grow=0
    )
    return out, made


def test_fidelity_of_a_restoration(restored: tuple[Path, dict[str, Any]]) -> None:
    pooled, before = restored[1]["pooled"], restored[1]["before"]
    clean = np.stack([frame(n) for n in range(FRAMES)]).astype(float)
    inside = np.stack([truth(n) for n in range(FRAMES)])
    halves = np.stack([found(n) & truth(n) for n in range(FRAMES)])
    result = np.where(inside & ~halves, 20, clean + 5 * halves)
    assert pooled["inside"]["psnr"] == pytest.approx(
        peak_signal_noise_ratio(clean[inside], result[inside], data_range=255)
    )
    assert pooled["everywhere"]["psnr"] == pytest.approx(peak_signal_noise_ratio(clean, result, data_range=255))
    assert pooled["outside"]["psnr"] == float("inf")
    damaged = np.where(inside, 20, clean)
    assert before["inside"]["psnr"] == pytest.approx(
        peak_signal_noise_ratio(clean[inside], damaged[inside], data_range=255)
    )
    options = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    maps = np.stack([structural_similarity(a, b, **options)[1] for a, b in zip(clean, result, strict=True)])
    assert pooled["inside"]["ssim"] == pytest.approx(maps[inside].mean(), abs=1e-6)
    assert pooled["outside"]["ssim"] == pytest.approx(maps[~inside].mean(), abs=1e-6)
    assert before["inside"]["ms_ssim"] < pooled["inside"]["ms_ssim"] < pooled["everywhere"]["ms_ssim"] < 1


def test_calm_grain_and_outside_of_a_restoration(restored: tuple[Path, dict[str, Any]]) -> None:
    pooled = restored[1]["pooled"]
    calm = pooled["stability"]
    assert calm["steps"] == FRAMES - 1
    assert calm["inside"]["warping_error"] > calm["inside"]["warping_error_clean"] > 0
    assert calm["inside"]["flicker"] > calm["everywhere"]["flicker"] > 0
    assert pooled["outside_check"]["identical"] is True
    assert pooled["outside_check"]["samples"] == FRAMES * PIXELS - 300
    # Regions of a hundred pixels a frame are too small to say anything of grain.
    assert pooled["grain"] == {"variance_ratio": None, "spectrum_distance_db": None}


def test_intervals_of_a_restoration_hold_the_figures(restored: tuple[Path, dict[str, Any]]) -> None:
    made = restored[1]
    for name in ("psnr", "ssim", "ms_ssim", "psnr_low_passed"):
        for region in ("inside", "everywhere"):
            interval = made["intervals"][f"{name}_{region}"]
            value = made["pooled"][region][name]
            assert interval["low"] - 1e-9 <= value <= interval["high"] + 1e-9, (name, region)
    flicker = made["intervals"]["flicker_inside"]
    assert flicker["low"] <= made["pooled"]["stability"]["inside"]["flicker"] <= flicker["high"]


def test_close_ups_show_before_restored_and_clean(restored: tuple[Path, dict[str, Any]]) -> None:
    out, made = restored
    assert [each["frame"] for each in made["pictures"]] == sorted(
        range(3), key=lambda n: -sum((frame(n)[truth(n) & ~found(n)].astype(float) - 20) ** 2)
    )
    picture = cv2.imread(str(out / made["pictures"][0]["file"]))
    assert picture.shape == (240, 3 * 320 + 2 * 6, 3)
    before, restored_part, clean = (picture[:, at : at + 320].astype(int) for at in (0, 326, 652))
    assert np.abs(before - clean).max() > np.abs(restored_part - clean).mean() > 0


def test_a_sample_changed_outside_is_found(room: Path, tmp_path: Path) -> None:
    pictures = [cv2.imread(str(room / "restored" / f"frame_{n:04d}.png"), cv2.IMREAD_GRAYSCALE) for n in range(FRAMES)]
    pictures[2][170, 3] ^= 1
    film = write_film(tmp_path / "touched", pictures)
    check = measure_restoration(film, room / "clean", room / "truth", quick(), damaged=room / "damaged")
    check = check["pooled"]["outside_check"]
    assert (check["identical"], check["differing"], check["planes"]["Y"]["differing"]) == (False, 1, 1)
    assert check["grow"] == 2


def test_outside_is_judged_by_the_masks_that_the_restorer_kept_to(room: Path) -> None:
    options = {"damaged": room / "damaged", "grow": 0}
    files = room / "restored", room / "clean", room / "truth", quick()
    kept = measure_restoration(*files, changed=room / "found", **options)
    assert kept["pooled"]["outside_check"]["identical"] is True
    assert "changed" in kept["provenance"]["data"]
    with pytest.raises(UsageError, match="--damaged"):
        measure_restoration(*files, changed=room / "found")
    alone = measure_restoration(*files)
    assert alone["before"] is alone["pooled"]["outside_check"] is None


def test_cuts_are_no_motion(tmp_path: Path) -> None:
    """Two shots of five frames: the step between them is left out."""
    other = [255 - cv2.flip(frame(n % FRAMES), -1) // 2 for n in range(5)]
    pictures = [frame(n % FRAMES) for n in range(5)] + other
    film = write_film(tmp_path / "film", pictures)
    empty = write_masks(tmp_path / "masks", [np.zeros((HEIGHT, WIDTH), bool)] * 10)
    made = measure_restoration(film, film, empty, quick())
    assert made["pooled"]["stability"]["steps"] == 8
    assert made["pooled"]["inside"]["psnr"] is None
    assert made["pooled"]["everywhere"]["psnr"] == float("inf")
    assert '"psnr": "inf"' in to_json(made)


def test_masks_of_another_film_are_told(room: Path, tmp_path: Path) -> None:
    films = room / "restored", room / "clean"
    long = write_masks(tmp_path / "long", [truth(0)] * (FRAMES + 2))
    with pytest.raises(UsageError, match=r"long goes up to frame 5 and .*restored ends before frame 4"):
        measure_restoration(*films, long, quick())
    assert measure_restoration(*films, long, quick(frames=2))["frames"] == 2
    short = write_masks(tmp_path / "short", [truth(0)] * 2)
    with pytest.raises(UsageError, match="frame 2 is missing"):
        measure_restoration(*films, short, quick())
    narrow = write_masks(tmp_path / "narrow", [truth(n)[:, 1:] for n in range(FRAMES)])
    with pytest.raises(UsageError, match="masks have the film's size"):
        measure_restoration(*films, narrow, quick())
    with pytest.raises(UsageError, match="the film that the masks belong to"):
        measure_masks(narrow, narrow, quick(tmp_path / "o"), source=room / "clean")
    with pytest.raises(UsageError, match="ends before frame 5"):
        measure_masks(long, long, quick(tmp_path / "o"), source=room / "clean")
    with pytest.raises(UsageError, match="--out"):
        measure_masks(room / "truth", room / "truth", quick(), source=room / "clean")


def test_a_sweep_agrees_with_scikit_learn(room: Path, tmp_path: Path) -> None:
    made = measure_sweep(room / "maps", room / "truth", quick(tmp_path / "out"))
    scores = np.stack([cv2.imread(str(room / "maps" / f"map_{n:06d}.png"), -1) for n in range(FRAMES)]) / 65535
    true = np.stack([truth(n) for n in range(FRAMES)])
    pooled = made["pooled"]
    assert pooled["average_precision"] == pytest.approx(average_precision_score(true.ravel(), scores.ravel()), abs=2e-3)
    assert pooled["roc_area"] == pytest.approx(roc_auc_score(true.ravel(), scores.ravel()), abs=1e-4)
    assert pooled["damaged_share"] == pytest.approx(true.mean())
    assert made["per_frame"][3]["average_precision"] is None
    assert made["per_frame"][1]["average_precision"] == pytest.approx(
        average_precision_score(true[1].ravel(), scores[1].ravel()), abs=2e-3
    )
    interval = made["intervals"]["average_precision"]
    assert interval["low"] <= pooled["average_precision"] <= interval["high"]
    best = scores >= made["best"]["threshold"] - 0.5 / 1023
    assert made["best"]["dice"] == pytest.approx(2 * (best & true).sum() / (best.sum() + true.sum()))
    assert [each["file"] for each in made["pictures"]] == ["precision-recall.svg", "roc.svg", "reliability.svg"]
    assert (tmp_path / "out" / "roc.svg").read_text().startswith("<svg ")
    assert json.loads((tmp_path / "out" / "result.json").read_text())["kind"] == "sweep"


def test_results_do_not_land_in_what_is_measured(room: Path) -> None:
    with pytest.raises(UsageError, match="choose another folder"):
        measure_masks(room / "found", room / "truth", quick(room / "found"))
    with pytest.raises(UsageError, match="cannot be made"):
        measure_masks(room / "found", room / "truth", quick(room / "annotations.json" / "x"))


def test_luma_keeps_the_depth_of_the_film() -> None:
    layout = Layout("rgb", 10)
    planes = tuple(np.full((2, 3), value, np.uint16) for value in (1023, 0, 512))
    np.testing.assert_allclose(plain_luma(Frame(0, planes, layout)), 0.2126 + 0.0722 * 512 / 1023)
    gray = Frame(0, (np.full((2, 3), 300, np.uint16),), Layout("gray", 12))
    np.testing.assert_allclose(plain_luma(gray), 300 / 4095)


def test_grain_is_judged_where_it_was_repaired() -> None:
    """Half of the blocks are filled smoothly, the other half left black: only the filled ones have no grain."""
    gray = Layout("gray", 8)
    rng = np.random.default_rng(5)
    mask, changed = np.zeros((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH), bool)
    for row in range(8, HEIGHT - 20, 24):
        for column in range(8, WIDTH - 20, 24):
            mask[row : row + 10, column : column + 10] = True
            changed[row : row + 10, column : column + 10] = (row + column) // 24 % 2
    gathered, alike, without = Restoration(grow=0), Restoration(grow=0), Restoration(grow=0)
    for number in range(4):
        clean = np.clip(120 + rng.normal(0, 5, mask.shape), 0, 255).astype(np.uint8)
        again = np.clip(120 + rng.normal(0, 5, mask.shape), 0, 255).astype(np.uint8)
        black = np.where(mask, rng.integers(0, 120, mask.shape), clean).astype(np.uint8)
        truth_frame = Frame(number, (clean,), gray)
        for made, fill, kept in ((gathered, 120, changed), (alike, again, changed), (without, again, None)):
            film = Frame(number, (np.where(changed, fill, black).astype(np.uint8),), gray)
            made.add(film, truth_frame, mask, None, kept)
    assert gathered.grain.variance_ratio == pytest.approx(0, abs=0.01)
    assert alike.grain.variance_ratio == pytest.approx(1, abs=0.15)
    assert without.grain.variance_ratio > 10
