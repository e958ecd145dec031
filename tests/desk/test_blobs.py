"""Blobs after edits: a place inside each, and what is known of those that were found."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import arrays

from reelmend.desk.blobs import known_blobs


def boxes(*given: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    for left, top, width, height in given:
        mask[top : top + height, left : left + width] = True
    return mask


def told(probability: float, polarity: str = "bright") -> dict[str, object]:
    return {"probability": probability, "polarity": polarity}


def test_found_rejected_drawn_and_joined_blobs() -> None:
    found = boxes((2, 2, 3, 3), (20, 2, 4, 4), (26, 2, 3, 3))
    # The first is rejected, the others are joined by a stroke, and one is drawn.
    mask = boxes((20, 2, 9, 3), (20, 2, 4, 4), (40, 20, 5, 5))
    joined, drawn = known_blobs(mask, found, [told(0.9), told(0.8), told(0.7, "dark")], [(0, 1), (3, 4), (5, 1)])
    assert (joined.probability, joined.polarity, joined.since, joined.frames) == (0.8, "bright", 3, 4)
    assert (joined.left, joined.top, joined.width, joined.height) == (20, 2, 9, 4)
    assert (drawn.probability, drawn.polarity, drawn.since, drawn.frames) == (None,) * 4
    assert (drawn.x, drawn.y, drawn.area, drawn.kind) == (42, 22, 25, "dirt")


def test_what_was_found_with_no_list_of_blobs_is_told_without() -> None:
    mask = boxes((5, 5, 4, 4))
    (only,) = known_blobs(mask, mask, [], [])
    assert only.probability is None and only.area == 16


def test_the_place_of_a_bent_hair_lies_on_it() -> None:
    mask = boxes((10, 10, 20, 1), (10, 10, 1, 20), (29, 10, 1, 20))
    (hair,) = known_blobs(mask, ~mask & False, [], [])
    assert mask[hair.y, hair.x]


@given(arrays(np.bool_, (12, 15)))
def test_every_blob_is_there_once_and_hit_by_its_place(mask: np.ndarray) -> None:
    blobs = known_blobs(mask, mask, [told(1.0)] * 90, [(0, 1)] * 90)
    assert sum(one.area for one in blobs) == mask.sum()
    assert all(mask[one.y, one.x] for one in blobs)
    assert blobs == sorted(blobs, key=lambda one: (one.y, one.x))
