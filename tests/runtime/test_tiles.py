from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmend.runtime.tiles import Map, Stack, padded, run_tiled

REACH = 6


def blurred(sizes: list[tuple[int, int]]) -> Callable[[Stack], Map]:
    """A box filter of 13 x 13 that sees zeros beyond its picture, as convolutions do; notes the sizes it is given."""

    def run(stack: Stack) -> Map:
        sizes.append(stack.shape[1:])
        side = 2 * REACH + 1
        return cv2.blur(stack[0], (side, side), borderType=cv2.BORDER_CONSTANT)

    return run


@given(
    st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 2, 4, 8]), st.integers(0, 60), st.integers(0, 2**32 - 1)
)
def test_tiles_leave_no_trace(height: int, width: int, multiple: int, more: int, seed: int) -> None:
    margin = -(-REACH // multiple) * multiple
    stack = np.random.default_rng(seed).random((1, height, width), np.float32)
    sizes: list[tuple[int, int]] = []
    tile = 2 * (margin + multiple) + more
    tiled = run_tiled(blurred(sizes), stack, multiple, tile, margin)
    whole = blurred([])(padded(stack, multiple))[:height, :width]
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
    for one in sizes:
        assert one[0] % multiple == one[1] % multiple == 0
        assert one[0] * one[1] <= tile * tile


def test_a_picture_that_fits_is_computed_whole_whatever_its_shape() -> None:
    sizes: list[tuple[int, int]] = []
    run_tiled(blurred(sizes), np.zeros((1, 40, 250), np.float32), 2, 100, 8)
    assert sizes == [(40, 250)]


def test_tiles_of_8k_overlap_little() -> None:
    sizes: list[tuple[int, int]] = []
    run_tiled(blurred(sizes), np.zeros((1, 4320, 7680), np.float32), 16, 2048, 160)
    assert len(set(sizes)) == 1
    assert sum(h * w for h, w in sizes) < 1.35 * 4320 * 7680


def test_padding_mirrors_where_it_can_and_repeats_where_not() -> None:
    stack = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    np.testing.assert_array_equal(padded(stack, 4)[0, 3], [4, 5, 6, 7])
    small = padded(stack[:, :1, :1], 16)
    assert small.shape == (1, 16, 16)
    assert not small.any()
    assert padded(stack, 1) is stack


@pytest.mark.parametrize(("tile", "margin"), [(100, 9), (40, 16), (100, -8)])
def test_tiles_that_cannot_be_are_refused(tile: int, margin: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        run_tiled(blurred([]), np.zeros((1, 300, 300), np.float32), 8, tile, margin)
