"""Kinds of damage as a picture."""

from __future__ import annotations

import cv2
import numpy as np

from reelmend.desk.kinds import BY_HAND, KINDS, kinds


def test_every_blob_has_the_code_of_its_kind() -> None:
    found = np.zeros((240, 640), np.uint8)
    cv2.circle(found, (60, 60), 1, 1, -1)
    cv2.circle(found, (150, 60), 12, 1, -1)
    cv2.line(found, (300, 20), (300, 200), 1, 2)
    codes = kinds(found > 0, found > 0)
    assert KINDS[codes[60, 60] - 1] == "dust"
    assert KINDS[codes[60, 150] - 1] == "dirt"
    assert KINDS[codes[100, 300] - 1] == "scratch"
    assert np.array_equal(codes > 0, found > 0)


def test_what_a_person_drew_is_told_apart_from_what_was_found_and_grown_by_hand() -> None:
    found = np.zeros((100, 100), np.bool_)
    found[10:13, 10:13] = True
    mask = found.copy()
    mask[10:14, 10:16] = True
    mask[60:64, 60:64] = True
    codes = kinds(mask, found)
    assert set(np.unique(codes[60:64, 60:64])) == {BY_HAND}
    assert BY_HAND not in codes[:50, :50]
    assert np.array_equal(codes > 0, mask)
