"""The check that nothing outside the mask was touched, beside what repair itself promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reelmend.evaluate.grain import grown
from reelmend.evaluate.outside import Difference, outside_differences, touched
from reelmend.film import Frame, Layout
from reelmend.repair.grow import footprint_touches, grow

YUV = Layout("yuv", 8, sub_x=1, sub_y=1)


def frame(height: int = 9, width: int = 11, layout: Layout = YUV) -> Frame:
    shapes = [layout.plane_shape(number, height, width) for number in range(len(layout.planes))]
    return Frame(0, tuple(np.full(shape, 7, layout.dtype) for shape in shapes), layout)


def changed(source: Frame, plane: int, row: int, column: int, value: float = 8) -> Frame:
    planes = [each.copy() for each in source.planes]
    planes[plane][row, column] = value
    return source.with_planes(tuple(planes))


def spot() -> np.ndarray:
    mask = np.zeros((9, 11), bool)
    mask[4, 4] = True
    return mask


def test_an_untouched_frame_is_identical() -> None:
    found = outside_differences(frame(), frame(), spot(), 2)
    assert {name: each.differing for name, each in found.items()} == {"Y": 0, "U": 0, "V": 0}
    assert found["Y"].samples == 99 - 21  # a disc of radius 2.5 holds 21 pixels
    assert all(each.identical for each in found.values())


def test_one_sample_beyond_is_found_and_one_within_is_not() -> None:
    source = frame()
    assert outside_differences(changed(source, 0, 4, 6), source, spot(), 2)["Y"].identical
    assert outside_differences(changed(source, 0, 4, 7), source, spot(), 2)["Y"] == Difference(78, 1)
    chroma = outside_differences(changed(source, 2, 0, 0), source, spot(), 2)
    assert (chroma["V"].differing, chroma["U"].differing, chroma["Y"].differing) == (1, 0, 0)


def test_alpha_counts_and_floats_are_compared_by_bits() -> None:
    layout = Layout("rgb", 32, is_float=True, alpha=True)
    source = changed(frame(layout=layout), 0, 0, 0, np.nan)
    assert outside_differences(source, source, spot(), 1)["R"].identical
    assert outside_differences(changed(source, 3, 0, 0, 1), source, spot(), 1)["A"].differing == 1
    zero = changed(source, 1, 0, 0, 0.0)
    assert outside_differences(changed(source, 1, 0, 0, -0.0), zero, spot(), 1)["G"].differing == 1


def test_nothing_outside_is_undefined() -> None:
    assert outside_differences(frame(), frame(), np.ones((9, 11), bool), 0)["Y"].identical is None
    assert (Difference(3, 1) + Difference(4, 0)) == Difference(7, 1)


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (13, 17)), st.integers(0, 4), st.sampled_from([(0, 0), (1, 0), (1, 1), (2, 2), (0, 1), (2, 0)]))
def test_outside_is_what_repair_calls_outside(mask: np.ndarray, px: int, sub: tuple[int, int]) -> None:
    ours = grown(mask, px + 0.5) if px else mask
    np.testing.assert_array_equal(ours, grow(mask, px))
    np.testing.assert_array_equal(touched(ours, *sub), footprint_touches(ours, *sub))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="different planes"):
        outside_differences(frame(), frame(layout=Layout("gray", 8)), spot(), 0)
    with pytest.raises(ValueError, match="types of samples"):
        outside_differences(frame(), frame(layout=Layout("yuv", 10, sub_x=1, sub_y=1)), spot(), 0)
    with pytest.raises(ValueError, match="does not fit"):
        outside_differences(frame(), frame(), spot()[1:], 0)
