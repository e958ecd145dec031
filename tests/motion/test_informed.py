"""Motion under large damage is carried in from around it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from footage import pan
from reelmend.motion.flow import optical_flow
from reelmend.motion.informed import DEEP, FilledFlows, carried_in, filled
from reelmend.motion.picture import picture
from reelmend.pipeline.stream import Lazily

HEIGHT, WIDTH = 160, 240
YS, XS = np.mgrid[:HEIGHT, :WIDTH]
HOLE = np.hypot(XS - 120, YS - 80) < 40


@settings(max_examples=30, deadline=None)
@given(st.floats(-20, 20), st.floats(-20, 20))
def test_motion_that_is_the_same_all_around_is_it_inside_too(dx: float, dy: float) -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[...] = dx, dy
    spoiled = flow.copy()
    spoiled[HOLE] = 99, -99
    np.testing.assert_allclose(carried_in(spoiled, HOLE), flow, atol=1e-3)


def test_what_is_known_stays_and_where_nothing_is_known_nothing_changes() -> None:
    flow = np.random.default_rng(1).normal(0, 3, (HEIGHT, WIDTH, 2)).astype(np.float32)
    np.testing.assert_array_equal(carried_in(flow, HOLE)[~HOLE], flow[~HOLE])
    np.testing.assert_array_equal(carried_in(flow, np.ones_like(HOLE)), flow)


def test_only_deep_damage_says_nothing() -> None:
    first, _ = pan(2, HEIGHT, WIDTH)
    speck = np.hypot(XS - 60, YS - 60) < DEEP - 4
    assert filled(picture(first), speck).deep is None
    deep = filled(picture(first), HOLE | speck).deep
    assert deep is not None
    assert deep[HOLE].all() and not deep[speck].any()
    assert np.hypot(XS - 120, YS - 80)[deep].max() < 40 + 10


def test_flow_through_a_stain_is_that_of_the_scene() -> None:
    one, two = (picture(frame) for frame in pan(2, HEIGHT, WIDTH, speed=(4.0, 1.0), grain=1.0))
    truth = optical_flow(one.luma, two.luma)
    none = np.zeros_like(HOLE)
    found = FilledFlows(Lazily()).between(one, two, {0: HOLE, 1: none})
    assert np.hypot(*np.moveaxis(found - truth, -1, 0))[HOLE].mean() < 1
