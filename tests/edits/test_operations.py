"""Operations: each draws what it says where it says, of any frame size, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reelmend.edits import Area, Fill, Line, Operation, Protect, Reject, Stroke, apply
from reelmend.film import Mask

coordinates = st.floats(-200, 400, allow_nan=False)
points = st.tuples(coordinates, coordinates)
frames = st.integers(0, 9)
flags = st.booleans()


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    first = draw(frames)
    stretch = {"first": first, "last": first + draw(st.integers(0, 5))}
    return draw(
        st.sampled_from(
            [
                Stroke(
                    frame=first,
                    points=tuple(draw(st.lists(points, min_size=1, max_size=5))),
                    radius=draw(st.floats(0.5, 30)),
                    adds=draw(flags),
                ),
                Area(frame=first, points=tuple(draw(st.lists(points, min_size=3, max_size=6))), adds=draw(flags)),
                Line(**stretch, start=draw(points), end=draw(points), width=draw(st.floats(1, 20)), adds=draw(flags)),
                Fill(frame=first, at=draw(points)),
                Reject(frame=first, at=draw(points)),
                Protect(**stretch, left=draw(coordinates), top=draw(coordinates), width=30, height=50),
            ]
        )
    )


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    shape = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    return np.random.default_rng(draw(st.integers(0, 99))).random(shape) < draw(st.sampled_from([0, 0.1, 0.6]))


@settings(max_examples=150, deadline=None)
@given(st.lists(operations(), max_size=4), masks(), frames)
def test_operations_change_their_frames_only_and_never_the_mask_given(
    some: list[Operation], mask: Mask, frame: int
) -> None:
    before = mask.copy()
    after = apply(some, frame, mask)
    np.testing.assert_array_equal(mask, before)
    assert after.dtype == np.bool_ and after.shape == mask.shape
    if not any(frame in one.frames for one in some):
        np.testing.assert_array_equal(after, mask)
    for one in some[:1]:
        alone = apply([one], frame, mask)
        if getattr(one, "adds", one.kind == "fill"):
            assert (alone >= mask).all()
        else:
            assert (alone <= mask).all()


def empty() -> Mask:
    return np.zeros((60, 80), bool)


def test_a_brush_is_as_round_and_wide_as_its_radius() -> None:
    dot = apply([Stroke(frame=0, points=((40, 30),), radius=5)], 0, empty())
    ys, xs = np.mgrid[:60, :80]
    np.testing.assert_array_equal(dot, (xs - 40) ** 2 + (ys - 30) ** 2 <= 25)
    line = apply([Stroke(frame=0, points=((10, 30), (70, 30)), radius=2)], 0, empty())
    assert line[28:33, 10:71].all() and not line[:28].any() and not line[33:].any()
    gone = apply([Stroke(frame=0, points=((40, 30),), radius=200, adds=False)], 0, line)
    assert not gone.any()


def test_a_lasso_takes_what_it_encloses() -> None:
    inside = apply([Area(frame=2, points=((10, 10), (30, 10), (30, 20), (10, 20)))], 2, empty())
    assert inside.sum() == 21 * 11 and inside[10:21, 10:31].all()


def test_a_line_is_drawn_along_the_stretch() -> None:
    line = Line(first=3, last=5, start=(20, -10), end=(20, 100), width=3)
    for frame in (3, 4, 5):
        drawn = apply([line], frame, empty())
        assert drawn[:, 19:22].all() and drawn.sum() == 3 * 60
    assert not apply([line], 2, empty()).any() and not apply([line], 6, empty()).any()


def test_a_fill_stays_within_its_outline() -> None:
    ring = empty()
    ring[10:31, 10:31] = True
    ring[12:29, 12:29] = False
    ring[10, 10] = False
    full = apply([Fill(frame=0, at=(20, 20))], 0, ring)
    assert full.sum() == 21 * 21 - 1
    np.testing.assert_array_equal(apply([Fill(frame=0, at=(2, 2))], 0, ring), ring)
    open_ring = ring.copy()
    open_ring[10:12, 15] = False
    np.testing.assert_array_equal(apply([Fill(frame=0, at=(20, 20))], 0, open_ring), open_ring)


def test_a_rejected_blob_goes_whole_and_alone() -> None:
    mask = empty()
    mask[5:9, 5:9] = mask[30:33, 40:60] = True
    mask[9, 9] = True
    left = apply([Reject(frame=0, at=(6.4, 5.6))], 0, mask)
    assert left.sum() == 60 and left[30:33, 40:60].all()
    np.testing.assert_array_equal(apply([Reject(frame=0, at=(20, 20))], 0, mask), mask)


def test_later_operations_have_the_last_word() -> None:
    protect = Protect(first=0, last=9, left=0, top=0, width=80, height=60)
    brush = Stroke(frame=4, points=((40, 30),), radius=3)
    assert apply([protect, brush], 4, ~empty()).sum() == apply([brush], 4, empty()).sum()
    assert not apply([brush, protect], 4, empty()).any()


@pytest.mark.parametrize(
    "values",
    [
        {"frame": -1, "points": [(0, 0)], "radius": 1},
        {"frame": 10**12, "points": [(0, 0)], "radius": 1},
        {"frame": 0, "points": [], "radius": 1},
        {"frame": 0, "points": [(float("nan"), 0)], "radius": 1},
        {"frame": 0, "points": [(0, 1e9)], "radius": 1},
        {"frame": 0, "points": [(0, 0)], "radius": 0},
        {"frame": 0, "points": [(0, 0)] * 20_001, "radius": 1},
        {"frame": 0, "points": [(0, 0)], "radius": 1, "colour": "red"},
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Stroke.model_validate(values)
    with pytest.raises(ValidationError, match="before the first"):
        Protect(first=5, last=4, left=0, top=0, width=1, height=1)
