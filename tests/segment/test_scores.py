"""Measures of segmentation against other people's code and by hand, and data sets in their layouts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
import skimage.metrics
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.errors import UsageError
from reelmend.segment.datasets import COARSE, DATASETS, coarse_table
from reelmend.segment.scores import (
    IGNORED,
    Boundaries,
    ClassScores,
    ScaleScores,
    boundaries,
    covering,
    edges,
    matched_iou,
    rand_index,
    variation_of_information,
)


def random_labels(seed: int, count: int, shape: tuple[int, int] = (17, 23)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, shape)


@given(seed=st.integers(0, 99), one=st.integers(1, 6), other=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_information_and_pairs_are_those_of_other_libraries(seed: int, one: int, other: int) -> None:
    found, truth = random_labels(seed, one), random_labels(seed + 1, other)
    split = skimage.metrics.variation_of_information(truth, found, ignore_labels=())
    assert variation_of_information(found, truth) == pytest.approx(sum(split), abs=1e-9)
    expected = sklearn.metrics.rand_score(truth.ravel(), found.ravel())
    assert rand_index(found, [truth]) == pytest.approx(expected, abs=1e-9)


def test_covering_by_hand() -> None:
    truth = np.repeat([[0, 0, 1, 1, 1, 1]], 4, axis=0)
    found = np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0)
    # 8 pixels at IoU 8 / 12, 16 pixels at 12 / 16.
    assert covering(found, truth) == pytest.approx((8 * 8 / 12 + 16 * 12 / 16) / 24)
    assert matched_iou(found, truth) == pytest.approx((8 / 12 + 12 / 16) / 2)
    assert covering(truth, truth) == matched_iou(truth, truth) == 1
    # One segment cannot be two regions.
    assert matched_iou(np.zeros_like(truth), truth) == pytest.approx(16 / 24 / 2)


@given(seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_numbers_of_segments_do_not_matter(seed: int) -> None:
    found, truth = random_labels(seed, 5), random_labels(seed + 1, 4)
    other = np.random.default_rng(seed).permutation(5)[found]
    for measure in (covering, matched_iou, variation_of_information):
        assert measure(found, truth) == pytest.approx(measure(other, truth), abs=1e-12)


def test_matching_in_each_picture_or_once_for_all() -> None:
    truth = np.repeat([[0, 0, 2, 2]], 2, axis=0)
    first, second = np.repeat([[0, 0, 1, 1]], 2, axis=0), np.repeat([[1, 1, 0, 0]], 2, axis=0)
    scores = ClassScores(3)
    scores.add(first, truth)
    scores.add(second, truth)
    assert scores.per_picture() == {"accuracy": 1.0, "miou": 1.0}
    # Once for all, 0 is class 0 in one picture and class 2 in the other: half is wrong.
    assert scores.per_dataset() == {"accuracy": 0.5, "miou": pytest.approx(1 / 3)}


def test_what_is_left_without_a_name_is_wrong_and_what_is_ignored_is_not() -> None:
    truth = np.array([[0, 0, 0, 0, IGNORED, IGNORED]])
    scores = ClassScores(2)
    scores.add(np.array([[3, 3, 3, 1, 0, 0]]), truth)
    assert scores.per_picture() == {"accuracy": 0.75, "miou": 0.75}


def test_boundaries_are_matched_one_to_one_within_reach() -> None:
    truth = np.zeros((60, 80), int)
    truth[:, 40:] = 1
    near, far = np.roll(truth, 1, axis=1), np.roll(truth, 5, axis=1)
    near[:, :1], far[:, :5] = 0, 0
    assert boundaries(near, [truth], 0.0125).f_score == 1  # 1.25 pixels
    assert boundaries(far, [truth], 0.0125).f_score == 0
    # A second line beside the first finds no partner.
    double = near.copy()
    double[:, 42:] = 2
    counted = boundaries(double, [truth], 0.05)
    assert counted.found == 2 * counted.found_matched == 2 * counted.true_matched == 120
    assert boundaries(truth * 0, [truth * 0]).f_score == 1
    people = boundaries(near, [truth, far], 0.0125)
    assert people == Boundaries(60, 60, 120, 60)
    assert int(edges(truth).sum()) == 60


def test_one_scale_for_all_and_one_for_each() -> None:
    truth = np.repeat([[0, 0, 1, 1]], 4, axis=0)
    scores = ScaleScores([0.1, 0.2])
    scores.add([truth, truth * 0], [truth])
    scores.add([truth * 0, truth], [truth])
    found = scores.figures()
    assert found["covering"] == {"data_set": 0.75, "picture": 1.0}
    assert found["variation_of_information"] == {"data_set": 0.5, "picture": 0.0}
    assert found["boundary_f"]["picture"] == 1.0
    with pytest.raises(ValueError, match="1 segmentations for 2"):
        scores.add([truth], [truth])


def write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def test_coco_stuff_in_its_layout(tmp_path: Path) -> None:
    write(tmp_path / "images" / "val2017" / "000000000139.jpg", np.zeros((2, 4, 3), np.uint8))
    # person, airplane, grass, sky-other, wall-brick, wood, ignored, one that no label has
    values = np.array([[0, 4, 123, 156], [170, 181, 255, 200]], np.uint8)
    write(tmp_path / "annotations" / "val2017" / "000000000139.png", values)
    (example,) = DATASETS["coco-stuff-27"](tmp_path, "val2017")
    (truth,) = example.truths()
    names = [[COARSE[one] if one >= 0 else "" for one in row] for row in truth]
    assert names == [["person", "vehicle", "plant", "sky"], ["wall", "solid", "", ""]]
    assert example.image().shape == (2, 4, 3)
    assert len(COARSE) == 27 and set(coarse_table()[:182]) == set(range(27))


def test_cityscapes_in_its_layout(tmp_path: Path) -> None:
    name = "frankfurt_000000_000294"
    write(tmp_path / "leftImg8bit" / "val" / "frankfurt" / f"{name}_leftImg8bit.png", np.zeros((2, 3, 3), np.uint8))
    # unlabeled, road, bicycle, license plate (-1, stored as 255), train, ego vehicle
    values = np.array([[0, 7, 33], [255, 31, 1]], np.uint8)
    write(tmp_path / "gtFine" / "val" / "frankfurt" / f"{name}_gtFine_labelIds.png", values)
    (example,) = DATASETS["cityscapes-27"](tmp_path, "val")
    assert example.truths()[0].tolist() == [[-1, 0, 26], [-1, 24, -1]]


def test_bsds_in_its_layout(tmp_path: Path) -> None:
    write(tmp_path / "images" / "test" / "2018.jpg", np.zeros((2, 3, 3), np.uint8))
    people = np.empty((1, 2), object)
    for number, labels in enumerate(([[1, 1, 2], [1, 2, 2]], [[1, 2, 3], [1, 2, 3]])):
        people[0, number] = {"Segmentation": np.array(labels, np.uint16), "Boundaries": np.zeros((2, 3), np.uint8)}
    (tmp_path / "groundTruth" / "test").mkdir(parents=True)
    scipy.io.savemat(tmp_path / "groundTruth" / "test" / "2018.mat", {"groundTruth": people})
    (example,) = DATASETS["bsds500"](tmp_path, "test")
    assert [one.tolist() for one in example.truths()] == [[[0, 0, 1], [0, 1, 1]], [[0, 1, 2], [0, 1, 2]]]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    for load in DATASETS.values():
        with pytest.raises(UsageError, match="give the folder"):
            load(tmp_path, "val")
    write(tmp_path / "images" / "test" / "2018.jpg", np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(UsageError, match=r"2018.mat is missing"):
        DATASETS["bsds500"](tmp_path, "test")
    (tmp_path / "groundTruth" / "test").mkdir(parents=True)
    scipy.io.savemat(tmp_path / "groundTruth" / "test" / "2018.mat", {"other": 1})
    with pytest.raises(UsageError, match="no ground truth of BSDS500"):
        DATASETS["bsds500"](tmp_path, "test")[0].truths()
