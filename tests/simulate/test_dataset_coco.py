"""Masks to COCO segmentations and back, against an independent rasteriser and the COCO API's own numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reelmend.simulate.dataset import coco

MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def fill(outlines, height, width):
    """Even-odd filling of outlines on pixel edges by OpenCV, at 4 times the size to keep edges off pixel centres."""
    canvas = np.zeros((height * 4, width * 4), np.uint8)
    for outline in outlines:
        # fillPoly paints the edge's own pixels, so the outline is moved inside by looking at the middle of each cell.
        one = np.zeros_like(canvas)
        cv2.fillPoly(one, [(outline * 4).astype(np.int32)], 1)
        canvas ^= one
    return canvas[1::4, 1::4] == 1


@given(MASKS)
@settings(max_examples=300, deadline=None)
def test_outlines_enclose_exactly_the_mask(mask):
    outlines = coco.pixel_outlines(mask)
    assert np.array_equal(fill(outlines, *mask.shape), mask)
    # Outlines alternate between vertical and horizontal edges: no corner is superfluous.
    for outline in outlines:
        steps = np.diff(np.concatenate([outline, outline[:1]]), axis=0)
        assert ((steps[:, 0] == 0) != (steps[:, 1] == 0)).all()
        assert (np.diff((steps[:, 0] == 0).astype(int)) != 0).all()


@given(MASKS.filter(lambda mask: mask.any()))
@settings(max_examples=300, deadline=None)
def test_a_segmentation_gives_its_mask_back_and_its_area_is_the_number_of_pixels(mask):
    segments = coco.segmentation(mask)
    assert np.array_equal(coco.mask_of(segments, *mask.shape), mask)
    holes = cv2.connectedComponents((~np.pad(mask, 1)).view(np.uint8), connectivity=8)[0] - 2
    assert isinstance(segments, dict) == (holes > 0)
    if isinstance(segments, list):
        assert sum(abs(coco.signed_area(coco.polygon_of(flat))) for flat in segments) == mask.sum()
        assert len(segments) == cv2.connectedComponents(mask.view(np.uint8), connectivity=4)[0] - 1
    x, y, width, height = (int(side) for side in coco.box(mask))
    assert mask.sum() == mask[y : y + height, x : x + width].sum()
    assert mask[y].any() and mask[:, x].any() and mask[y + height - 1].any() and mask[:, x + width - 1].any()


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_run_lengths_survive_their_text(counts):
    assert coco.text_to_counts(coco.counts_to_text(counts)) == counts


def test_against_the_coco_api():
    # pycocotools 2.0.11: encode(np.asfortranarray(mask))["counts"] of the two masks below.
    ring = np.zeros((7, 9), bool)
    ring[1:6, 2:7] = True
    ring[3, 4] = False
    assert coco.counts_to_text(coco.run_lengths(ring)) == "?5200MO01300="
    rng = np.random.default_rng(3)
    noise = rng.random((40, 50)) < 0.02
    assert coco.counts_to_text(coco.run_lengths(noise))[:39] == "=1d40_K0`00Y30aL0;1c1O:0\\10WL0b30nL0]O0"


def test_an_empty_mask_has_no_box():
    assert coco.box(np.zeros((4, 5), bool)) == [0, 0, 0, 0]
    assert coco.pixel_outlines(np.zeros((4, 5), bool)) == []


@pytest.mark.parametrize(
    ("segments", "says"),
    [
        ([], "neither polygons nor run lengths"),
        ("polygon", "neither polygons nor run lengths"),
        ([[0, 0, 4, 0]], "three or more pairs"),
        ([[0, 0, 4, 0, 4]], "three or more pairs"),
        ([[0, 0, 4, 0, float("nan"), 4]], "three or more pairs"),
        ([[0, 0, "four", 0, 4, 4]], "no number"),
        ([[0, 0, 40, 0, 4, 4]], "outside the picture of 9 x 7"),
        ({"size": [7, 9], "counts": [3, 4]}, "do not fill"),
        ({"size": [7, 9], "counts": [-3, 66]}, "do not fill"),
        ({"size": [9, 7], "counts": [63]}, "not for a picture"),
        ({"counts": [63]}, "not for a picture"),
        ({"size": [7, 9], "counts": "o"}, "middle of a number"),
        ({"size": [7, 9], "counts": "0 0"}, "none of theirs"),
    ],
)
def test_what_is_no_segmentation_is_refused(segments, says):
    with pytest.raises(ValueError, match=says):
        coco.mask_of(segments, 7, 9)


def test_a_corner_just_outside_is_cut_at_the_edge():
    mask = coco.mask_of([[-0.8, 2, 9.6, 2, 9.6, 5, -0.8, 5]], 7, 9)
    assert mask.sum() == 9 * 3 and mask[2:5].all()
