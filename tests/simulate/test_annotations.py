"""Annotations: every defect of every frame, as the mask has it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.errors import MediaError
from reelmend.evaluate.annotations import read_annotations
from reelmend.simulate.annotations import AnnotationWriter, annotate, polygons
from reelmend.simulate.defect import Cover, Defect, Ink, Pose
from reelmend.simulate.optics import expose


def filled(rings: list[list[list[float]]], height: int, width: int) -> np.ndarray:
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.rint(np.array(ring) - 0.5).astype(np.int32) for ring in rings], 1)
    return canvas > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**20), st.floats(0.05, 0.7), st.integers(0, 5), st.integers(0, 7))
def test_filled_polygons_give_the_pixels_back(seed: int, share: float, top: int, left: int) -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((25, 31)), (0, 0), 1.3)
    own = noise > np.quantile(noise, 1 - share)
    wanted = np.zeros((40, 50), bool)
    wanted[top : top + 25, left : left + 31] = own
    np.testing.assert_array_equal(filled(polygons(own, top, left), 40, 50), wanted)


def test_a_ring_keeps_its_hole() -> None:
    own = np.ones((9, 9), bool)
    own[3:6, 3:6] = False
    rings = polygons(own)
    assert len(rings) == 2
    assert not filled(rings, 9, 9)[4, 4]


def test_an_entry_says_what_the_defect_is_and_where() -> None:
    defect = Defect("dust", None, Pose(0, 0, 1), Ink("bright", 0.8, (0.1, 1.0, 0.2), softness=0), number=7)
    patch = expose(Cover(np.ones((3, 5), np.float32), -1, 10), defect.ink, 40, 50)
    entry = annotate(defect, patch, 12)
    assert entry == {
        "number": 7,
        "class": "dust",
        "frame": 12,
        "box": [10, 0, 5, 2],
        "area": 10,
        "opacity": 0.8,
        "polarity": "bright",
        "tint": [0.1, 1.0, 0.2],
        "polygons": [[[10.5, 0.5], [10.5, 1.5], [14.5, 1.5], [14.5, 0.5]]],
    }


def test_what_is_too_faint_for_the_mask_is_not_listed() -> None:
    defect = Defect("dust", None, Pose(0, 0, 1), Ink("bright", 0.1, softness=0))
    assert annotate(defect, expose(Cover(np.ones((3, 5), np.float32), 5, 5), defect.ink, 40, 50), 0) is None


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path, draft = tmp_path / "a.json", tmp_path / "draft"
    entry = {"number": 0, "class": "dust", "frame": 3, "polygons": [[[1.5, 2.5], [3.5, 2.5]]]}
    with AnnotationWriter(path, draft, {"width": 5}) as writer:
        writer.write(entry)
    assert not path.exists()
    with AnnotationWriter(path, draft, {"width": 5}) as writer:
        writer.write(entry)
        writer.write(entry | {"number": 1})
        writer.finish()
    assert json.loads(path.read_text()) == {"format": 1, "width": 5, "defects": [entry, entry | {"number": 1}]}
    assert [one.number for one in read_annotations(path)[3]] == [0, 1]
    assert not draft.exists()
    with AnnotationWriter(path, draft, {}) as writer:
        writer.finish()
    assert json.loads(path.read_text())["defects"] == []


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    with (
        AnnotationWriter(tmp_path / "a.json", Path("/dev/full"), {}) as writer,
        pytest.raises(MediaError, match="full"),
    ):
        for number in range(10_000):
            writer.write({"number": number, "frame": 4})
