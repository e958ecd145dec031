"""Blobs of a mask: counted as OpenCV counts them, and taken out whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from reelmend.detect.labels import Labels

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def of(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """OpenCV's labels, boxes with areas, and centres."""
    _, labels, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return labels, stats, centres


@given(MASKS)
def test_blobs_are_those_of_opencv(mask: NDArray[np.bool_]) -> None:
    found, (labels, stats, centres) = Labels(mask), of(mask)
    np.testing.assert_array_equal(found.map, labels)
    np.testing.assert_array_equal(found.area[1:], stats[1:, cv2.CC_STAT_AREA])
    np.testing.assert_array_equal(found.boxes[1:], stats[1:, :4])
    np.testing.assert_allclose(np.transpose(found.centres)[1:], centres[1:])
    assert not found.boxes[0].any()
    assert found.area[0] == 0


@given(MASKS, st.integers(0, 2**16))
def test_what_is_cleared_is_gone_from_all_that_is_counted(mask: NDArray[np.bool_], seed: int) -> None:
    before, found = mask.copy(), Labels(mask)
    gone = np.random.default_rng(seed).random(found.count) < 0.5
    kept = found.those(~gone)
    found.clear(gone)
    np.testing.assert_array_equal(mask, kept)
    np.testing.assert_array_equal(mask, before & ~gone[found.map])
    left = Labels(mask)
    for numbers in ("area", "boxes"):
        here = getattr(found, numbers)
        np.testing.assert_array_equal(here[found.area > 0], getattr(left, numbers)[1:])
        assert not here[found.area == 0].any()


@given(MASKS, st.integers(0, 2**16))
def test_sums_and_peaks_of_a_picture(mask: NDArray[np.bool_], seed: int) -> None:
    picture = np.random.default_rng(seed).random(mask.shape, np.float32)
    found = Labels(mask)
    other = picture > 0.8
    for number in range(1, found.count):
        inside = found.map == number
        assert found.total(picture)[number] == pytest.approx(float(picture[inside].sum()), rel=1e-5)
        assert found.highest(picture)[number] == picture[inside].max()
        assert found.touching(other)[number] == other[inside].any()


def test_a_mask_that_would_be_copied_is_refused() -> None:
    with pytest.raises(ValueError, match="one after the other"):
        Labels(np.zeros((6, 6), np.bool_)[:, ::2])
