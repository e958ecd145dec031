"""The list of blobs: what it says of each, lifetimes, and going on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reelmend.detect.promise import Blob
from reelmend.errors import MediaError
from reelmend.pipeline.explain import ExplainWriter


def frame(*boxes: tuple[int, int, int, int], polarity: str = "bright") -> tuple[np.ndarray, list[Blob]]:
    """A mask of boxes (left, top, width, height) and what a detector would say of them."""
    mask = np.zeros((60, 80), bool)
    blobs = []
    for left, top, width, height in boxes:
        mask[top : top + height, left : left + width] = True
        blobs.append(Blob(left + (width - 1) / 2, top + (height - 1) / 2, width * height, 0.75, polarity))
    # In no particular order: a blob is found by its place.
    return mask, blobs[::-1]


FILM = [
    frame((10, 10, 2, 40), (40, 20, 4, 4)),
    frame((11, 10, 2, 40)),
    frame((12, 10, 2, 40), (60, 40, 5, 5)),
    frame(),
    frame((12, 10, 2, 40)),
]


def written(path: Path) -> list[list[dict[str, object]]]:
    return [json.loads(line)["blobs"] for line in path.read_text().splitlines()]


def explain(folder: Path, film: list[tuple[np.ndarray, list[Blob]]], stop: int | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    target = folder / "found.jsonl"
    with ExplainWriter(folder) as writer:
        for index, (mask, blobs) in enumerate(film[:stop]):
            writer.frame(index, mask, blobs)
        if stop is None:
            writer.finish(target)
    return target


def test_lifetimes_follow_a_wandering_scratch_and_end_where_it_does(tmp_path: Path) -> None:
    blobs = written(explain(tmp_path, FILM))
    assert [[(one["frames"], one["since"]) for one in of_frame] for of_frame in blobs] == [
        [(3, 0), (1, 0)], [(3, 0)], [(3, 0), (1, 2)], [], [(1, 4)]
    ]  # fmt: skip
    scratch, speck = blobs[0]
    assert (scratch["class"], speck["class"]) == ("scratch", "dirt")
    assert speck | {"probability": 0.75, "polarity": "bright", "area": 16, "left": 40, "top": 20} == speck


def test_polarity_and_size_part_lives(tmp_path: Path) -> None:
    film = [frame((10, 10, 4, 4)), frame((10, 10, 4, 4), polarity="dark"), frame((10, 10, 12, 12), polarity="dark")]
    assert [one["frames"] for of_frame in written(explain(tmp_path, film)) for one in of_frame] == [1, 1, 1]


@pytest.mark.parametrize("killed", [0, 1, 2, 4, 5])
def test_a_run_that_goes_on_writes_the_same(tmp_path: Path, killed: int) -> None:
    whole = explain(tmp_path / "whole", FILM)
    explain(tmp_path / "parts", FILM, killed)
    done = ExplainWriter.length(tmp_path / "parts")
    assert done == killed
    target = tmp_path / "parts" / "found.jsonl"
    with ExplainWriter(tmp_path / "parts", done) as writer:
        if done:
            writer.remember(*FILM[done - 1])
        for index in range(done, len(FILM)):
            writer.frame(index, *FILM[index])
        writer.finish(target)
    assert target.read_text() == whole.read_text()


def test_masks_given_by_hand_have_no_probability_of_their_own(tmp_path: Path) -> None:
    mask, _ = frame((10, 10, 4, 4))
    (blob,) = written(explain(tmp_path, [(mask, [])]))[0]
    assert (blob["probability"], blob["polarity"]) == (1.0, "unknown")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with ExplainWriter(tmp_path) as writer, pytest.raises(MediaError, match="cannot write"):
        writer.frame(0, *FILM[0])
        writer.finish(tmp_path / "file" / "found.jsonl")
