"""Kept repairs: a film rendered again is the film rendered anew, and only what changed is repaired."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelmend import pipeline
from reelmend.config import Job
from reelmend.edits import Journal, Operation, Protect, Stroke
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.motion.flow import FlowPair
from reelmend.motion.windows import REACH
from reelmend.pipeline.kept import MAGIC, KeptRepairs, edits_of, options_of, read_marks, settings_of, shown
from reelmend.repair.temporal import TemporalRepairer
from reels import HEIGHT, WIDTH, digest, in_layout, long_reel, read, read_masks, scan, write_reel

LONG = 38
LAYOUTS = {
    "gray 8": Layout("gray", 8),
    "4:2:0 8": Layout("yuv", 8, sub_x=1, sub_y=1),
    "rgb 16, alpha": Layout("rgb", 16, alpha=True),
}


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cuts, pulled-down copies and a title that stands still."""
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", in_layout(long_reel(), LAYOUTS["4:2:0 8"]))


@pytest.fixture
def repaired(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Frames that were repaired, in any order."""
    frames: list[int] = []
    real = TemporalRepairer.repair

    def noted(self: TemporalRepairer, window: Any, mask: Any) -> Any:
        frames.append(window.centre.index)
        return real(self, window, mask)

    monkeypatch.setattr(TemporalRepairer, "repair", noted)
    return frames


def make_masks(folder: Path, frames: Sequence[int]) -> Path:
    folder.mkdir(parents=True)
    for n in frames:
        put_mask(folder, n, n)
    return folder


def put_mask(folder: Path, frame: int, seed: int) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        cv2.circle(mask, (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))), int(rng.integers(1, 5)), 255, -1)
    cv2.imwrite(str(folder / f"mask_{frame:06d}.png"), mask)


def job_of(reel: Path, masks: Path, output: Path, **options: Any) -> Job:
    told = {"source": reel, "masks": masks, "output": output, "repairer": "temporal", "overwrite": True, "threads": 2}
    return Job.build(**told | options)


def render(job: Job, folder: Path | None) -> KeptRepairs | None:
    kept = KeptRepairs(folder, job, "a test") if folder else None
    pipeline.repair(job, kept=kept)
    return kept


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_second_film_is_the_first_and_nothing_is_repaired(tmp_path: Path, layout: str, repaired: list[int]) -> None:
    reel = write_reel(tmp_path / "scan" / "s_%03d.tif", in_layout(scan(9), LAYOUTS[layout]))
    masks = make_masks(tmp_path / "masks", [0, 3, 4, 8])
    places = {name: tmp_path / f"{name}.mkv" for name in ("origins",)} | {"report": tmp_path / "report"}
    render(job_of(reel, masks, tmp_path / "fresh_%03d.tif", **places), None)
    wanted = [digest(one) for one in sorted(tmp_path.glob("fresh_*.tif"))]
    facts = [digest(places["origins"]), (tmp_path / "report" / "frames.jsonl").read_bytes()]
    assert sorted(repaired) == [0, 3, 4, 8]
    for name in ("one", "two"):
        repaired.clear()
        shutil.rmtree(places["report"])
        kept = render(job_of(reel, masks, tmp_path / f"{name}_%03d.tif", **places), tmp_path / "kept")
        assert kept and sorted(repaired) == ([0, 3, 4, 8] if name == "one" else [])
        assert (kept.found, kept.added) == ((0, 4) if name == "one" else (4, 0))
        made = [digest(one) for one in sorted(tmp_path.glob(f"{name}_*.tif"))]
        assert [list(one.values()) for one in made] == [list(one.values()) for one in wanted]
        assert facts == [digest(places["origins"]), (tmp_path / "report" / "frames.jsonl").read_bytes()]


Change = tuple[str, int, int]
changes = st.lists(
    st.tuples(st.sampled_from(["mask", "none", "stroke", "protect", "grow", "seed"]), st.integers(0, LONG - 1),
              st.integers(1, 9)),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(damaged=st.sets(st.integers(0, LONG - 1), min_size=1, max_size=12), rounds=st.lists(changes, max_size=2))
def test_whatever_was_changed_the_film_is_as_if_rendered_anew(
    reel: Path, tmp_path_factory: pytest.TempPathFactory, damaged: set[int], rounds: list[list[Change]]
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    masks = make_masks(folder / "masks", sorted(damaged))
    edits, options = folder / "edits.jsonl", {"edits": folder / "edits.jsonl"}
    edits.touch()
    for round_ in [[], *rounds]:
        for change in round_:
            options |= apply_change(change, masks, edits)
        job = job_of(reel, masks, folder / "out.mkv", **options)
        render(job, folder / "kept")
        render(job_of(reel, masks, folder / "fresh.mkv", **options), None)
        assert digest(folder / "out.mkv")["out.mkv"] == digest(folder / "fresh.mkv")["fresh.mkv"]


def apply_change(change: Change, masks: Path, edits: Path) -> dict[str, Any]:
    kind, frame, size = change
    if kind in ("grow", "seed"):
        return {kind: size}
    if kind == "mask":
        put_mask(masks, frame, 100 + size)
    elif kind == "none":
        cv2.imwrite(str(masks / f"mask_{frame:06d}.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    else:
        box: Operation = Protect(first=max(0, frame - size), last=frame, left=0, top=0, width=WIDTH, height=60)
        with Journal(edits) as journal:
            journal.do(box if kind == "protect" else Stroke(frame=frame, points=((40, 40),), radius=size))
    return {}


def test_only_what_changed_is_repaired_again(reel: Path, tmp_path: Path, repaired: list[int]) -> None:
    damaged = list(range(0, LONG, 3))
    masks = make_masks(tmp_path / "masks", damaged)
    edits = tmp_path / "edits.jsonl"
    edits.touch()

    def again(output: str = "out.mkv", **options: Any) -> list[int]:
        repaired.clear()
        render(job_of(reel, masks, tmp_path / output, edits=edits, **options), tmp_path / "kept")
        return sorted(repaired)

    assert again() == damaged
    assert again("other.mov") == again(start=9, frames=20) == again(threads=1) == []
    put_mask(masks, 6, 99)
    # What is damaged in a frame counts for those beside it, as far as windows reach.
    assert again() == [3, 6, 9]
    assert again() == []
    with Journal(edits) as journal:
        journal.do(Stroke(frame=7, points=((40, 40),), radius=3))
        # Nothing of a mask lies there.
        journal.do(Protect(first=0, last=LONG, left=-50, top=0, width=20, height=20))
    touched = again()
    assert 7 in touched and all(abs(n - 7) <= REACH for n in touched)
    # What is damaged counts for nothing, nor does what is of another frame.
    place = tmp_path / "kept" / "{:06d}.repair"
    for frame, change in (
        (9, lambda raw: raw[:-20]),
        (12, lambda raw: raw[:200] + bytes([raw[200] ^ 1]) + raw[201:]),
        (15, lambda raw: b""),
        (18, lambda raw: Path(str(place).format(21)).read_bytes()),
        (24, lambda raw: raw + b"more"),
        (27, lambda raw: raw[: len(MAGIC) + 32]),
    ):
        file = Path(str(place).format(frame))
        file.write_bytes(change(file.read_bytes()))
    assert again() == [9, 12, 15, 18, 27]
    assert not list((tmp_path / "kept").glob(".*"))
    assert again(grow=3) == again(seed=4, grow=3) == again(regrain=False) == [*sorted({*damaged, 7})]


def test_another_film_of_the_same_name_is_another(tmp_path: Path, repaired: list[int]) -> None:
    frames = scan(12)
    masks = make_masks(tmp_path / "masks", [2, 9])
    for n, touched in enumerate(([], [3])):
        folder = tmp_path / f"{n}"
        folder.mkdir()
        changed = [one.with_planes((one.planes[0] ^ 1,)) if one.index in touched else one for one in frames]
        reel = write_reel(folder / "scan.mkv", in_layout(changed, LAYOUTS["gray 8"]))
        repaired.clear()
        render(job_of(reel, masks, tmp_path / "out.mkv"), tmp_path / "kept")
        # A neighbour of frame 2 is not what it was; frame 9's are.
        assert sorted(repaired) == [[2, 9], [2]][n]


def test_windows_are_made_of_what_is_repaired_alone(
    reel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows: list[int] = []
    real = FlowPair.between

    def counted(one: Any, other: Any) -> FlowPair:
        flows.append(1)
        return real(one, other)

    monkeypatch.setattr(FlowPair, "between", counted)
    masks = make_masks(tmp_path / "masks", [5])
    render(job_of(reel, masks, tmp_path / "out.mkv"), tmp_path / "kept")
    assert len(flows) == 4
    render(job_of(reel, masks, tmp_path / "out.mkv"), tmp_path / "kept")
    assert len(flows) == 4
    # Neighbours share their flows.
    flows.clear()
    render(job_of(reel, make_masks(tmp_path / "more", [29, 30, 31]), tmp_path / "out.mkv"), None)
    assert len(flows) == 6


def test_the_index_says_what_each_frame_was_made_from(reel: Path, tmp_path: Path) -> None:
    masks = make_masks(tmp_path / "masks", [1, 4])
    stroke = Stroke(frame=2, points=((40, 40),), radius=3)
    with Journal(tmp_path / "edits.jsonl") as journal:
        journal.do(stroke)
    job = job_of(reel, masks, tmp_path / "out.mkv", edits=tmp_path / "edits.jsonl", start=1, frames=5)
    assert not len(read_marks(tmp_path / "kept"))
    render(job, tmp_path / "kept")
    marks = read_marks(tmp_path / "kept")
    assert list(marks["settings"]) == [0] + [settings_of(job, "a test")] * 5
    assert list(marks["edits"]) == [0, 0, edits_of([stroke]), 0, 0, 0] and edits_of([stroke])
    found = [mask.mean() for mask in read_masks(masks, 0, 6)]
    assert list(marks["found"][1:]) == [shown(float(one)) for one in found[1:]]
    assert not marks["unsure"][[3, 5]].any() and (marks["unsure"] <= 1).all()
    assert settings_of(job, "another") != settings_of(job, "a test") != settings_of(Job.build(job, seed=9), "a test")
    assert len({edits_of(one) for one in ([stroke], [stroke, stroke], [])}) == 3
    with pytest.raises(UsageError, match="no repairer magic"):
        KeptRepairs(tmp_path, job_of(reel, masks, tmp_path / "out.mkv", repairer="magic"))


def test_no_room_costs_time_alone(reel: Path, tmp_path: Path, repaired: list[int]) -> None:
    masks = make_masks(tmp_path / "masks", [3])
    (tmp_path / "kept").write_text("no folder")
    for _ in range(2):
        render(job_of(reel, masks, tmp_path / "out.mkv"), tmp_path / "kept")
    assert repaired == [3, 3]


def test_masks_of_a_part_are_enough_for_the_part(reel: Path, tmp_path: Path, repaired: list[int]) -> None:
    part = {"start": 5, "frames": 20}
    pipeline.detect(Job.build(source=reel, masks=tmp_path / "part.mkv", detector="spike", **part))
    pipeline.detect(Job.build(source=reel, masks=tmp_path / "whole.mkv", detector="spike"))
    made = []
    for name in ("part", "whole"):
        pipeline.repair(job_of(reel, tmp_path / f"{name}.mkv", tmp_path / f"{name}-out.mkv", **part))
        made.append([frame.planes[0] for frame in read(tmp_path / f"{name}-out.mkv")])
    assert len(made[0]) == 20 and repaired and max(repaired) < 25
    np.testing.assert_array_equal(made[0], made[1])


def test_edited_masks_are_written(reel: Path, tmp_path: Path) -> None:
    masks = make_masks(tmp_path / "masks", [2, 5])
    with Journal(tmp_path / "edits.jsonl") as journal:
        journal.do(Protect(first=5, last=5, left=0, top=0, width=WIDTH, height=HEIGHT))
        journal.do(Stroke(frame=7, points=((40, 40),), radius=3))
    places = {"edits": tmp_path / "edits.jsonl", "edited_masks": tmp_path / "edited.mkv"}
    pipeline.repair(job_of(reel, masks, tmp_path / "out.mkv", **places))
    given, edited = read_masks(masks, 0, LONG), read_masks(tmp_path / "edited.mkv", 0, LONG)
    np.testing.assert_array_equal(given[2], edited[2])
    assert not edited[5].any() and edited[7].any()
    assert sum(bool(one.any()) for one in edited) == 2
    for taken in (masks, tmp_path / "out.mkv"):
        with pytest.raises(UsageError, match="edited masks"):
            pipeline.repair(job_of(reel, masks, tmp_path / "out.mkv", **(places | {"edited_masks": taken})))
    assert len(read(tmp_path / "out.mkv")) == LONG


def test_another_label_map_under_the_same_name_is_another_option(tmp_path: Path) -> None:
    place = tmp_path / "regions.png"
    told = []
    for line in (10, 20, 10):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[line:] = 1
        cv2.imwrite(str(place), labels)
        told.append(options_of(Job.build(source="scan.mkv", protect=f"{place}:1")))
    assert told[0] == told[2] != told[1]
    assert told[0] != options_of(Job.build(source="scan.mkv", protect=f"{place}:0"))
