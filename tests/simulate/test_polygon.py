from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.simulate.defect import Pose
from reelmend.simulate.kinds.outline import OutlineKind
from reelmend.simulate.kinds.polygon import draw_polygons, place
from reelmend.simulate.outlines import Outline

BOX = np.array([(-3.0, -1.0), (3.0, -1.0), (3.0, 1.0), (-3.0, 1.0)])
"""Six by two micrometres."""
CANVAS = (40, 60)


def test_a_box_covers_just_its_pixels() -> None:
    cover = draw_polygons([BOX], Pose(x=20, y=10, scale=1), CANVAS)
    frame = np.zeros(CANVAS, dtype=np.float32)
    rows, columns = cover.coverage.shape
    frame[cover.top : cover.top + rows, cover.left : cover.left + columns] = cover.coverage
    expected = np.zeros_like(frame)
    expected[9:11, 17:23] = 1
    np.testing.assert_allclose(frame, expected, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    x=st.floats(15, 45), y=st.floats(15, 25), angle=st.floats(0, 6.3), scale=st.floats(0.05, 2), mirrored=st.booleans()
)
def test_the_area_is_exact_at_any_pose(x: float, y: float, angle: float, scale: float, mirrored: bool) -> None:
    cover = draw_polygons([BOX], Pose(x, y, scale, angle, mirrored), CANVAS)
    assert cover.coverage.sum() == pytest.approx(12 * scale**2, rel=0.08)


def test_where_parts_overlap_nothing_is_covered_twice_and_seams_close() -> None:
    twice = draw_polygons([BOX, BOX], Pose(20, 10, 1), CANVAS)
    assert twice.coverage.sum() == pytest.approx(12)
    seam = draw_polygons([BOX - np.array([3.3, 0]), BOX + np.array([2.7, 0])], Pose(20, 10, 1), CANVAS)
    assert seam.coverage.sum() == pytest.approx(24)
    assert (seam.coverage > 0.99).sum() >= 2 * 10


def test_a_shape_across_the_edge_keeps_the_part_outside() -> None:
    cover = draw_polygons([BOX], Pose(0, 0, 1), CANVAS)
    assert cover.left < 0 and cover.top < 0
    assert cover.coverage.sum() == pytest.approx(12)
    assert draw_polygons([BOX], Pose(-4, 5, 1), CANVAS).coverage.size == 0
    assert draw_polygons([BOX], Pose(64, 5, 1), CANVAS).coverage.size == 0


def test_mirrored_before_turned() -> None:
    corner = np.array([[1.0, 0.0]])
    np.testing.assert_allclose(place(corner, Pose(0, 0, 2, angle=np.pi / 2)), [[0, 2]], atol=1e-12)
    np.testing.assert_allclose(place(corner, Pose(0, 0, 2, mirrored=True)), [[-2, 0]], atol=1e-12)
    np.testing.assert_allclose(place(corner, Pose(0, 0, 2, np.pi / 2, True)), [[0, -2]], atol=1e-12)


def test_given_outlines_are_drawn_as_they_are() -> None:
    outline = Outline("scratch", (BOX,))
    kind = OutlineKind()
    assert kind.draw(outline, Pose(20, 10, 2), CANVAS).coverage.sum() == pytest.approx(48)
