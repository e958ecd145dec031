from __future__ import annotations

import numpy as np
import pytest

from reelmend.evaluate.overlay import FALSE_ALARM, FOUND, HIT, MISS, overlay

FOUND_MASK = np.array([[True, True, False, False]])
TRUE_MASK = np.array([[True, False, True, False]])


def test_hits_false_alarms_and_misses_have_their_colours() -> None:
    picture = np.full((1, 4, 3), 90, np.uint8)
    result = overlay(picture, FOUND_MASK, TRUE_MASK, strength=1)
    assert [tuple(pixel) for pixel in result[0].tolist()] == [HIT, FALSE_ALARM, MISS, (90, 90, 90)]
    assert (picture == 90).all()


def test_without_truth_the_mask_is_one_colour_mixed_with_a_gray_picture() -> None:
    result = overlay(np.full((1, 4), 100, np.uint8), FOUND_MASK, strength=0.5)
    assert result.dtype == np.uint8
    assert result[0, 0].tolist() == [round(100 / 2 + part / 2) for part in FOUND]
    assert result[0, 2].tolist() == [100, 100, 100]


def test_sizes_must_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        overlay(np.zeros((2, 2), np.uint8), FOUND_MASK)
    with pytest.raises(ValueError, match="does not fit"):
        overlay(np.zeros((1, 4), np.uint8), FOUND_MASK, np.zeros((1, 3), bool))
