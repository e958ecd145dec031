"""Mask measures against worked values and an independent count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from reelmend.evaluate.masks import (
    BlobCounts,
    Counts,
    blob_precision,
    blob_recall,
    count,
    mean_of_defined,
    per_frame,
    pooled,
)

SHAPE = (9, 11)
masks = arrays(bool, SHAPE)


def damaged_frame() -> np.ndarray:
    truth = np.zeros((10, 10), bool)
    truth[2:4, 3:8] = True
    return truth


def test_a_perfect_mask_scores_one_in_all_five() -> None:
    assert count(damaged_frame(), damaged_frame()).figures() == dict.fromkeys(
        ("precision", "recall", "accuracy", "dice", "iou"), 1.0
    )


def test_an_empty_mask_on_a_damaged_frame() -> None:
    figures = count(np.zeros((10, 10), bool), damaged_frame()).figures()
    assert figures == {"precision": None, "recall": 0.0, "accuracy": 0.9, "dice": 0.0, "iou": 0.0}


def test_a_full_mask_has_the_damaged_share_as_precision() -> None:
    figures = count(np.ones((10, 10), bool), damaged_frame()).figures()
    assert figures["recall"] == 1.0
    assert figures["precision"] == figures["accuracy"] == figures["iou"] == pytest.approx(0.1)
    assert figures["dice"] == pytest.approx(0.2 / 1.1)


def test_nothing_found_where_nothing_is_damaged_is_undefined() -> None:
    figures = count(np.zeros((4, 4), bool), np.zeros((4, 4), bool)).figures()
    assert figures == {"precision": None, "recall": None, "accuracy": 1.0, "dice": None, "iou": None}


def test_unjudged_pixels_do_not_count() -> None:
    truth = damaged_frame()
    assert count(~truth, truth, judged=np.zeros_like(truth)) == Counts()
    assert count(~truth, truth, judged=truth) == Counts(misses=10)


@settings(max_examples=50, deadline=None)
@given(masks, masks)
def test_counts_agree_with_a_pixel_by_pixel_count(found: np.ndarray, truth: np.ndarray) -> None:
    cells = list(zip(found.ravel().tolist(), truth.ravel().tolist(), strict=True))
    wanted = Counts(*(cells.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))))
    assert count(found, truth) == wanted
    assert count(found, truth).dice == count(truth, found).dice


def test_pooling_weighs_frames_by_their_pixels_and_the_mean_does_not() -> None:
    small, large = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    small[0, 0] = True
    large[:3] = True
    found = [np.zeros((10, 10), bool), large, np.zeros((10, 10), bool)]
    truth = [small, large, np.zeros((10, 10), bool)]
    assert pooled(found, truth).recall == pytest.approx(30 / 31)
    assert per_frame(found, truth)["recall"] == pytest.approx(0.5)
    assert per_frame(found, truth)["precision"] == 1.0
    assert mean_of_defined([None, None]) is None


def test_blobs_are_found_at_a_quarter_and_sorted_by_size() -> None:
    truth = np.zeros((20, 20), bool)
    truth[1, 1:5] = True  # 4 pixels, a quarter covered
    truth[10:16, 10:16] = True  # 36 pixels, 8 covered: less than a quarter
    truth[3, 15] = True  # 1 pixel, missed
    found = np.zeros_like(truth)
    found[1, 4:8] = True
    found[10:12, 10:14] = True
    recall = blob_recall(found, truth, edges=(1, 3, 20))
    assert recall == BlobCounts((1, 3, 20), (0, 1, 0), (1, 1, 1))
    assert recall.by_size == {1: 0.0, 3: 1.0, 20: 0.0}
    assert recall.share == pytest.approx(1 / 3)
    precision = blob_precision(found, truth, edges=(1, 3, 20))
    assert precision == BlobCounts((1, 3, 20), (0, 2, 0), (0, 2, 0))
    assert (recall + recall).total == (2, 2, 2)


def test_pixels_that_touch_by_a_corner_are_one_blob() -> None:
    assert blob_recall(np.eye(6, dtype=bool), np.eye(6, dtype=bool)).total == (0, 1, 0, 0, 0)


def test_no_blobs_is_undefined() -> None:
    assert blob_recall(np.ones((4, 4), bool), np.zeros((4, 4), bool)).share is None


@settings(max_examples=30, deadline=None)
@given(masks, masks)
def test_blob_recall_agrees_with_scipy(found: np.ndarray, truth: np.ndarray) -> None:
    labels, number = label(truth, np.ones((3, 3)))
    wanted = sum(bool(found[labels == index].mean() >= 0.25) for index in range(1, number + 1))
    result = blob_recall(found, truth)
    assert (sum(result.matched), sum(result.total)) == (wanted, number)


def test_masks_must_be_boolean_and_alike() -> None:
    with pytest.raises(ValueError, match="boolean"):
        count(np.zeros((2, 2), np.uint8), np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="compared"):
        count(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
    with pytest.raises(ValueError, match="rise from 1"):
        blob_recall(np.zeros((2, 2), bool), np.zeros((2, 2), bool), edges=(3, 9))


@settings(max_examples=50, deadline=None)
@given(masks, masks)
def test_dice_and_iou_say_the_same(found: np.ndarray, truth: np.ndarray) -> None:
    counts = count(found, truth)
    if counts.dice is None:
        assert counts.iou is None
    else:
        assert counts.iou == pytest.approx(counts.dice / (2 - counts.dice))


@settings(max_examples=50, deadline=None)
@given(masks, masks, masks)
def test_a_larger_mask_never_recalls_less(found: np.ndarray, more: np.ndarray, truth: np.ndarray) -> None:
    small, large = count(found, truth).recall, count(found | more, truth).recall
    assert small is None or small <= large


def test_false_alarm_area_on_clean_film() -> None:
    clean, found = np.zeros((100, 200), bool), np.zeros((100, 200), bool)
    found[3, 4:9] = True
    assert count(found, clean).false_alarm_area == pytest.approx(5 / 20000 * 1e6)
    assert count(clean, clean).false_alarm_area == 0
    assert count(clean, ~clean).false_alarm_area is None
