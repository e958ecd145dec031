"""Recall of each class, from listed defects and from maps of classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.draw import polygon2mask

from reelmend.errors import UsageError
from reelmend.evaluate.annotations import Annotated, bounds, draw, read_annotations
from reelmend.evaluate.classes import ClassCounts, count_class_map, count_classes
from reelmend.evaluate.masks import Counts, count
from reelmend.simulate.annotations import polygons

SHAPE = (20, 30)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def defect(kind: str, *rings: np.ndarray, number: int = 0) -> Annotated:
    return Annotated(number, kind, 0, rings)


def filled(*areas: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    for left, top, right, bottom in areas:
        mask[top:bottom, left:right] = True
    return mask


def test_recall_differs_by_class() -> None:
    """Dust of 12 pixels found whole, a hair of 20 found by 4 pixels, and 3 pixels of false alarm."""
    truth = filled((2, 2, 6, 5), (10, 10, 30, 11))
    found = filled((2, 2, 6, 5), (10, 10, 14, 11), (20, 17, 23, 18))
    defects = [defect("dust", box(2.2, 2.2, 5.8, 4.8)), defect("hair", box(10.2, 10.2, 29.8, 10.8), number=1)]
    made, uncovered = count_classes(found, truth, defects)
    assert uncovered == 0
    assert made["dust"] == ClassCounts(Counts(12, 3, 0, 600 - 32 - 3), 1, 1)
    assert made["hair"] == ClassCounts(Counts(4, 3, 16, 600 - 32 - 3), 1, 0)
    assert made["dust"].pixels.recall == 1
    assert made["hair"].pixels.recall == pytest.approx(0.2)
    assert made["hair"].defect_recall == 0
    assert (made["dust"] + made["dust"]).defects == 2


def test_true_pixels_without_a_defect_are_counted_and_invisible_defects_are_not() -> None:
    truth = filled((2, 2, 6, 5), (15, 15, 17, 17))
    defects = [defect("dust", box(2.2, 2.2, 5.8, 4.8)), defect("dirt", box(20, 2, 25, 5))]
    made, uncovered = count_classes(truth, truth, defects)
    assert uncovered == 4
    assert list(made) == ["dust"]


def test_defects_beyond_the_frame_are_passed_over() -> None:
    made, uncovered = count_classes(filled(), filled(), [defect("dust", box(-9, -9, -4, -4)), defect("dirt")])
    assert made == {} and uncovered == 0


@settings(max_examples=30, deadline=None)
@given(arrays(bool, SHAPE), st.integers(0, 99))
def test_a_single_class_that_covers_everything_has_the_counts_of_the_frame(found: np.ndarray, seed: int) -> None:
    truth = np.random.default_rng(seed).random(SHAPE) < 0.2
    made, uncovered = count_classes(found, truth, [defect("all", box(0, 0, 30, 20))])
    assert made["all"].pixels == count(found, truth)
    assert uncovered == 0


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (6, 7)), arrays(np.uint8, (6, 7), elements=st.integers(0, 3)))
def test_classes_of_a_map_add_up_to_the_whole(found: np.ndarray, classes: np.ndarray) -> None:
    whole = count(found, classes != 0)
    made = count_class_map(found, classes, {1: "dust", 2: "dirt", 3: "hair"})
    assert sum(each.hits for each in made.values()) == whole.hits
    assert sum(each.misses for each in made.values()) == whole.misses
    assert all((each.false_alarms, each.clean) == (whole.false_alarms, whole.clean) for each in made.values())


def test_a_number_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="holds 2"):
        count_class_map(np.zeros((2, 2), bool), np.full((2, 2), 2), {1: "dust"})


def test_polygons_cover_what_scikit_image_covers_and_a_seam_more() -> None:
    ring = np.array([[3.2, 2.4], [24.5, 5.1], [18.3, 17.6], [6.9, 12.2]])
    inner = polygon2mask(SHAPE, ring[:, ::-1] - 0.5)
    ours = draw([ring], *SHAPE)
    assert not (inner & ~ours).any()
    seam = ours & ~inner
    assert seam.sum() < 0.35 * inner.sum()
    rows, columns = bounds([ring], *SHAPE)
    assert ours[rows, columns].sum() == ours.sum()


def test_rings_within_rings_are_holes() -> None:
    mask = draw([box(2, 2, 20, 18), box(8.3, 6.3, 14.6, 12.6)], *SHAPE)
    assert mask[4, 4] and not mask[9, 11]


def listed(tmp_path: Path, data: Any) -> Path:
    path = tmp_path / "annotations.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_annotations_are_read_by_frame(tmp_path: Path) -> None:
    entry = {"number": 4, "class": "dust", "frame": 7, "polygons": [[[1, 2], [3, 2], [3, 5]]], "opacity": 0.9}
    found = read_annotations(listed(tmp_path, {"defects": [entry, entry | {"frame": 8}]}))
    assert sorted(found) == [7, 8]
    assert (found[7][0].kind, found[7][0].number) == ("dust", 4)
    np.testing.assert_array_equal(found[7][0].polygons[0], [[1, 2], [3, 2], [3, 5]])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{", "cannot be read as JSON"),
        ([], "no list of defects"),
        ({"defects": [{"class": "dust"}]}, "defect 0 is not what was expected"),
        ({"defects": [{"number": 1, "class": "dust", "frame": 0, "polygons": [[1, 2]]}]}, r"lists of \[x, y\]"),
        ({"defects": [{"number": 1, "class": "dust", "frame": "0", "polygons": []}]}, "whole numbers"),
    ],
)
def test_what_is_no_annotation_is_told(tmp_path: Path, data: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_annotations(listed(tmp_path, data))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_annotations(tmp_path / "none.json")


@settings(max_examples=60, deadline=None)
@given(arrays(bool, (9, 12)), st.integers(0, 5), st.integers(0, 5))
def test_what_simulate_writes_down_is_drawn_back_pixel_by_pixel(own: np.ndarray, top: int, left: int) -> None:
    """The two rooms are strangers; this is where they must agree."""
    whole = np.zeros(SHAPE, bool)
    whole[top : top + 9, left : left + 12] = own
    rings = [np.array(each, float) for each in polygons(own, top, left)]
    np.testing.assert_array_equal(draw(rings, *SHAPE), whole)
    rows, columns = bounds(rings, *SHAPE)
    assert whole[rows, columns].sum() == whole.sum()
