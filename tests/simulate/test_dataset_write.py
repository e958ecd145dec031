"""Datasets end to end: layout, COCO rules, the same bytes, going on after a kill, and one-sentence mistakes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.simulate.test_dataset_sources import film, picture, write

from reelmend.errors import UsageError
from reelmend.film import Frame, Layout
from reelmend.simulate.dataset import making, open_dataset, piece, write_dataset
from reelmend.simulate.dataset.coco import mask_of
from reelmend.simulate.dataset.cut import develop, windows
from reelmend.simulate.dataset.plan import Plan
from reelmend.simulate.dataset.sources import find_sources
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.optics import FAINTEST
from reelmend.simulate.recipe import Recipe, load_recipe

SHARES = (0.5, 0.25, 0.25)

RECIPE = Recipe.model_validate(
    {
        "gauge": ["16mm", "super8"],
        "scan_width": [200, 400],
        "amount": [2, 4],
        "damage": {
            "dust": {"opacity": [0.1, 1.0]},
            "short hair": {"halo": [0.2, 0.4]},
            "line scratch": {"per_frame": [0.3, 0.6], "frames": [5, 9], "tints": ["neutral", "green"]},
            "water spot": {"per_frame": [0.2, 0.5]},
        },
        "grain": {},
        "picture": {"weave": [20, 60], "flicker": [0.02, 0.05]},
        "lookalikes": {"snow": {"chance": 0.5}},
    }
)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    for at in range(6):
        write(folder / f"still-{at}-.png", picture(at))
        film(folder / f"roll{at}", 4, seed=20 + at)
    gray = picture(90)[..., 0]
    write(folder / "gray.png", gray)
    (folder / "LICENSE").write_text("CC0")
    return folder


OPTIONS = {"window": 3, "size": 64, "splits": SHARES}


@pytest.fixture(scope="module")
def made(clean, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "data"
    return write_dataset(clean, out, 12, RECIPE, 11, **OPTIONS)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def documents(out: Path) -> dict[str, dict]:
    return {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/annotations.json")}


def test_the_layout_is_as_documented(made):
    assert sum(made.samples.values()) == 12 == made.made and set(made.samples) == {"train", "validation", "test"}
    top = {path.name for path in made.out.iterdir()}
    assert top == {"train", "validation", "test", "dataset.json", "recipe.toml"}
    for split, document in documents(made.out).items():
        files = contents(made.out / split)
        for entry in document["images"]:
            named = [entry["file_name"], entry["mask"], entry["clean"], *entry["neighbours"].values()]
            assert len(named) == 5 and all(name in files for name in named)
            frame, mask, clean = (
                cv2.imread(str(made.out / split / entry[key]), cv2.IMREAD_UNCHANGED)
                for key in ("file_name", "mask", "clean")
            )
            assert frame.shape[:2] == mask.shape == (64, 64) == (entry["height"], entry["width"])
            assert frame.dtype == mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
            assert frame.shape == clean.shape
            # Where nothing is damaged to speak of, the film is the same, grain and all.
            sound = cv2.dilate(mask, np.ones((9, 9), np.uint8)) == 0
            assert np.abs(frame[sound].astype(int) - clean[sound]).max(initial=0) < 60
            assert (frame != clean).any() == mask.any() or not mask.any()
        assert len(files) == 1 + 6 * len(document["images"])


def test_annotations_obey_the_rules_of_coco(made):
    seen = 0
    for split, document in documents(made.out).items():
        assert {"info", "licenses", "images", "annotations", "categories"} == document.keys()
        images = {entry["id"]: entry for entry in document["images"]}
        kinds = {category["id"]: category["name"] for category in document["categories"]}
        assert len(images) == len(document["images"]) and set(kinds.values()) == set(KINDS)
        assert all(entry["license"] == document["licenses"][0]["id"] for entry in images.values())
        numbers = [annotation["id"] for annotation in document["annotations"]]
        assert numbers == list(range(1, len(numbers) + 1))
        together = {number: np.zeros((64, 64), bool) for number in images}
        for annotation in document["annotations"]:
            assert annotation["iscrowd"] == 0 and annotation["category_id"] in kinds
            mask = mask_of(annotation["segmentation"], 64, 64)
            assert mask.sum() == annotation["area"] > 0
            x, y, width, height = annotation["bbox"]
            rows, columns = np.nonzero(mask)
            assert [x, y] == [columns.min(), rows.min()]
            assert [x + width, y + height] == [columns.max() + 1, rows.max() + 1]
            if isinstance(annotation["segmentation"], list):
                for flat in annotation["segmentation"]:
                    assert len(flat) >= 8 and min(flat) >= 0 and max(flat) <= 64
            together[annotation["image_id"]] |= mask
            seen += 1
        for number, mask in together.items():
            stored = cv2.imread(str(made.out / split / images[number]["mask"]), cv2.IMREAD_GRAYSCALE)
            assert np.array_equal(mask, stored == 255)
    assert seen > 50


def test_no_source_is_in_two_splits_and_the_card_says_where_all_came_from(made, clean):
    card = json.loads((made.out / "dataset.json").read_text())
    used = {split: {entry["source"] for entry in one["images"]} for split, one in documents(made.out).items()}
    assert not used["train"] & used["test"] and not used["train"] & used["validation"]
    for source in card["sources"]:
        assert source["used"] == (source["name"] in used.get(source["split"], set()))
        assert source["licence"][0]["says"] == "CC0" and len(source["sha256"]) == 64
    assert card["count"] == 12 and card["seed"] == 11 and card["settings"]["size"] == 64
    assert "reelmend" in card["versions"]
    for split, document in documents(made.out).items():
        names = {category["id"]: category["name"] for category in document["categories"]}
        counted = [names[annotation["category_id"]] for annotation in document["annotations"]]
        assert card["splits"][split]["defects"] == {name: counted.count(name) for name in sorted(KINDS)}
        masks = [cv2.imread(str(made.out / split / entry["mask"]), 0) == 255 for entry in document["images"]]
        assert card["splits"][split]["damaged_share"] == pytest.approx(np.mean(masks), abs=1e-6)
    assert load_recipe(made.out / "recipe.toml").damage == RECIPE.damage


def test_our_reader_reads_it(made):
    samples = list(open_dataset(made.out, "coco"))
    assert len(samples) == 12
    channels = {sample.image.shape[2] for sample in samples}
    assert channels <= {1, 3}
    for sample in samples:
        assert Path(sample.meta["clean"]).is_file() and len(sample.meta["neighbours"]) == 2
    assert any(sample.mask.any() for sample in samples)


def test_the_same_seed_gives_the_same_bytes_in_any_number_of_processes(made, clean, tmp_path):
    write_dataset(clean, tmp_path / "again", 12, RECIPE, 11, **OPTIONS, jobs=2)
    assert contents(tmp_path / "again") == contents(made.out)
    other = write_dataset(clean, tmp_path / "other", 4, RECIPE, 12, **OPTIONS)
    frames = {name: data for name, data in contents(other.out).items() if "/frames/" in name}
    assert all(contents(made.out).get(name) != data for name, data in frames.items())


def test_a_killed_run_goes_on_and_keeps_what_is_finished(made, clean, tmp_path, monkeypatch):
    out = tmp_path / "killed"
    whole, calls = making.write_png, []

    def dies(path, array):
        calls.append(path)
        if len(calls) == 23:
            path.write_bytes(b"half a picture")
            raise KeyboardInterrupt
        whole(path, array)

    monkeypatch.setattr(making, "write_png", dies)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(clean, out, 12, RECIPE, 11, **OPTIONS)
    monkeypatch.undo()
    finished = {path: path.stat().st_mtime_ns for path in out.glob("*/records/*.json")}
    assert len(finished) == 4
    seen = []
    result = write_dataset(clean, out, 12, RECIPE, 11, **OPTIONS, progress=lambda done, count: seen.append(done))
    assert result.made == 8 and seen == list(range(5, 13))
    assert all(path.stat().st_mtime_ns == when for path, when in finished.items())
    assert contents(out) == contents(made.out)


def test_a_larger_count_adds_samples_and_keeps_those_there(made, clean, tmp_path):
    out = tmp_path / "grown"
    write_dataset(clean, out, 6, RECIPE, 11, **OPTIONS)
    assert write_dataset(clean, out, 12, RECIPE, 11, **OPTIONS).made == 6
    assert contents(out) == contents(made.out)
    assert write_dataset(clean, out, 12, RECIPE, 11, **OPTIONS).made == 0
    with pytest.raises(UsageError, match="holds 12 samples already; ask for as many or more, or --overwrite"):
        write_dataset(clean, out, 6, RECIPE, 11, **OPTIONS)


def test_another_dataset_is_not_mixed_in(clean, tmp_path):
    out = tmp_path / "data"
    write_dataset(clean, out, 2, RECIPE, 1, size=64)
    with pytest.raises(UsageError, match="holds a dataset of another recipe, seed, source or version; choose another"):
        write_dataset(clean, out, 2, RECIPE, 2, size=64)
    write_dataset(clean, out, 2, RECIPE, 2, size=64, overwrite=True)
    assert json.loads((out / "dataset.json").read_text())["seed"] == 2
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"thesis\.txt, which is no part of a dataset"):
        write_dataset(clean, out, 2, RECIPE, 3, size=64, overwrite=True)
    assert (out / "thesis.txt").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        write_dataset(clean, tmp_path / "full", 2, RECIPE, 3, size=64)


def test_whole_frames_of_16_bits(clean, tmp_path):
    result = write_dataset(clean, tmp_path / "data", 4, RECIPE, 1, bits=16, clean=False)
    for sample in open_dataset(result.out, "coco"):
        assert sample.image.shape[:2] == (72, 96) and sample.image.dtype == np.uint16
        assert "clean" not in sample.meta and "neighbours" not in sample.meta
        assert len(np.unique(sample.image)) > 1000


def test_a_source_that_breaks_gives_its_samples_to_the_others(clean, tmp_path):
    folder = tmp_path / "clean"
    shutil.copytree(clean, folder)
    for at in range(6):
        broken = folder / f"still-{at}-.png"
        broken.write_bytes(broken.read_bytes()[:3000])
    result = write_dataset(folder, tmp_path / "data", 12, RECIPE, 1, size=64, splits=(1.0, 0.0, 0.0), photographs=0.9)
    assert sum(result.samples.values()) == 12
    assert any("still-0-.png" in note and note.endswith("; passed over") for note in result.notes)
    assert all("still" not in entry["source"] for entry in documents(result.out)["train"]["images"])


def test_a_split_without_a_source_is_said(tmp_path):
    write(tmp_path / "clean" / "one.png", picture(1))
    result = write_dataset(tmp_path / "clean", tmp_path / "data", 3, RECIPE, 1, size=64)
    assert len(result.samples) == 1 and sum("stays empty" in note for note in result.notes) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"count": 0}, "ask for 1 or more"),
        ({"seed": -1}, "choose 0 or more"),
        ({"jobs": 0}, "choose 1 or more"),
        ({"size": 512}, "holds nothing of 512 pixels or more; choose a smaller size"),
        ({"out": "clean/inside"}, "lie in one another"),
        ({"out": "file"}, "is a file; name a folder"),
        ({"clean_folder": "missing"}, "is not a folder"),
    ],
)
def test_mistakes_are_one_sentence(change, says, tmp_path):
    write(tmp_path / "clean" / "one.png", picture(1))
    (tmp_path / "file").touch()
    values = {"clean_folder": "clean", "out": "data", "count": 1, "seed": 0, **change}
    places = {key: tmp_path / values.pop(key) for key in ("clean_folder", "out")}
    with pytest.raises(UsageError, match=says):
        write_dataset(**places, recipe=RECIPE, **values)


def plan_of(source, at: float, number: int = 0) -> Plan:
    return Plan(number, "train", source, at, 0.5, 0.5, (0.0, 0.0), 1)


def test_a_window_lies_in_one_shot_and_shows_no_frame_twice(tmp_path):
    first, second = picture(1, 72, 160), picture(2, 72, 160)
    shown = [first[:, 3 * at : 3 * at + 96] for at in range(6)]
    shown += [shown[-1]] * 2
    shown += [second[:, 3 * at : 3 * at + 96] for at in range(8)]
    for at, frame in enumerate(shown):
        write(tmp_path / f"roll_{at:03d}.png", frame)
    [source] = find_sources(tmp_path)[0]
    assert source.kind == "film" and source.frames == 16
    for at in np.linspace(0, 1, 14):
        [window] = windows(source, [plan_of(source, float(at))], 3)
        indices = [frame.index for frame in window.frames]
        assert indices == list(range(indices[0], indices[0] + 3)) and not window.still
        assert indices[-1] < 6 or indices[0] >= 8, indices


def test_a_window_does_not_depend_on_which_others_are_wanted(tmp_path):
    film(tmp_path, 12, seed=4)
    [source] = find_sources(tmp_path)[0]
    plans = [plan_of(source, at, number) for number, at in enumerate((0.9, 0.1, 0.5, 0.5))]
    together = {window.plan.number: window.frames[0].index for window in windows(source, plans, 3)}
    alone = {plan.number: next(windows(source, [plan], 3)).frames[0].index for plan in plans}
    assert together == alone and len(together) == 4


def test_single_frames_come_from_where_they_were_wanted(tmp_path):
    film(tmp_path, 11)
    [source] = find_sources(tmp_path)[0]
    plans = [plan_of(source, at, number) for number, at in enumerate((1.0, 0.0, 0.5))]
    found = {window.plan.number: [frame.index for frame in window.frames] for window in windows(source, plans, 1)}
    assert found == {0: [10], 1: [0], 2: [5]}


def test_a_frame_that_cannot_be_read_is_never_shown(tmp_path):
    film(tmp_path, 9)
    broken = tmp_path / "shot_0005.png"
    broken.write_bytes(broken.read_bytes()[:200])
    [source] = find_sources(tmp_path)[0]
    for length in (1, 3):
        for at in np.linspace(0, 1, 7):
            [window] = windows(source, [plan_of(source, float(at))], length)
            assert 4 not in [frame.index for frame in window.frames]
            assert all(frame.fault is None for frame in window.frames) and len(window.frames) == length


def test_a_film_too_short_for_a_window_stands_still(tmp_path):
    film(tmp_path, 2)
    [source] = find_sources(tmp_path)[0]
    [window] = windows(source, [plan_of(source, 0.5)], 5)
    assert window.still and len(window.frames) == 1


def test_developing_keeps_what_is_there(tmp_path):
    shot = picture(3)
    write(tmp_path / "one.png", shot)
    [source] = find_sources(tmp_path)[0]
    [window] = windows(source, [plan_of(source, 0)], 1)
    frame = develop(window.frames[0], source, (5, 7, 40, 50), (40, 50))
    assert np.array_equal(np.stack(frame.planes, axis=-1), shot[5:45, 7:57, ::-1].astype(np.uint16) * 257)
    half = develop(window.frames[0], source, (0, 0, 72, 96), (36, 48))
    mean = shot[..., ::-1].astype(float).reshape(36, 2, 48, 2, 3).mean(axis=(1, 3)) * 257
    assert np.abs(np.stack(half.planes, axis=-1) - mean).max() <= 1


SCAN, BOX = (220, 300), (60, 150, 70, 90)
STILL = RECIPE.model_copy(update={"grain": None, "lookalikes": {}, "gauge": ("super8",)})


def test_a_piece_is_what_one_would_cut_out_of_the_whole_scan(monkeypatch):
    # Of fitted kinds only what is near is sampled, from the same stream of numbers: let all be near.
    monkeypatch.setattr(piece, "REACH_UM", {})
    scene = np.rint(picture(5, *SCAN)[..., 0] * 257.0).astype(np.uint16)
    frame = Frame(2, (scene,), Layout("gray", 16))
    damaged = 0
    for seed in range(4):
        whole = piece.Piece(STILL, seed, SCAN, (0, 0, *SCAN), "gray").make(frame, (0, 0, *SCAN))
        cut = piece.Piece(STILL, seed, SCAN, BOX, "gray").make(frame, BOX)
        inside = np.s_[60:130, 150:240]
        assert np.array_equal(cut.truth, whole.truth[inside])
        # Blurring a patch that was cut elsewhere rounds its sums in another order; an alpha at the edge of the
        # faintest that is drawn may then fall on the other side of it.
        steps = np.abs(cut.damaged.planes[0].astype(int) - whole.damaged.planes[0][inside])
        assert steps.max() <= 65535 * FAINTEST
        assert (steps > 2).mean() < 0.01
        damaged += int(cut.truth.sum())
    assert damaged > 100


def test_what_is_near_a_piece_lies_where_it_would_in_the_whole_scan():
    dusty = Recipe.model_validate({"amount": [1, 1], "damage": {"dust": {}, "long hair": {}}})
    scan, box = (450, 600), (120, 200, 64, 64)
    top, left, height, width = box
    found = 0
    for seed in range(3):
        whole = piece.Piece(dusty, seed, scan, (0, 0, *scan), "gray").defects(1)
        near = piece.Piece(dusty, seed, scan, box, "gray").defects(1)
        for kind in ("dust", "long hair"):
            all_places, places = (
                {(one.pose.x, one.pose.y) for one in some if one.kind == kind} for some in (whole, near)
            )
            inside = {(x, y) for x, y in all_places if left <= x < left + width and top <= y < top + height}
            assert inside <= places <= all_places
            found += len(inside)
        assert len(near) < 0.25 * len(whole)
    assert found > 5
