"""The pieces that repairers are made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.repair.cells import Cells, sample_at, times, touched_cells
from reelmend.repair.grow import footprint_touches, grow
from reelmend.repair.spatial import fill_plane
from reelmend.repair.spread import spread


def test_growing_a_pixel_makes_a_disc() -> None:
    mask = np.zeros((21, 21), bool)
    mask[10, 10] = True
    ys, xs = np.indices(mask.shape) - 10
    for px in (0, 1, 2, 5):
        np.testing.assert_array_equal(grow(mask, px), np.hypot(xs, ys) <= (px + 0.5 if px else 0))


@given(st.integers(0, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_growing_covers_and_never_wraps(px: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((14, 19)) < 0.05
    wide = grow(mask, px)
    assert (wide | ~mask).all()
    reach = np.pad(mask, px)
    box = np.zeros_like(mask)
    for down in range(2 * px + 1):
        for across in range(2 * px + 1):
            box |= reach[down : down + 14, across : across + 19]
    assert (box | ~wide).all()


def test_growing_by_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        grow(np.ones((2, 2), bool), -1)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2), st.integers(0, 1), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_footprints(height: int, width: int, sub_x: int, sub_y: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.1
    touched = footprint_touches(mask, sub_x, sub_y)
    assert touched.shape == (-(-height >> sub_y), -(-width >> sub_x))
    for row, column in np.ndindex(touched.shape):
        own = mask[row << sub_y : (row + 1) << sub_y, column << sub_x : (column + 1) << sub_x]
        assert touched[row, column] == own.any()


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([4, 8, 12]), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_cells_that_hold_damage(height: int, width: int, side: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.05
    held = touched_cells(mask, side)
    for row, column in np.ndindex(held.shape):
        own = mask[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert held[row, column] == own.any()


@pytest.mark.parametrize("sub", [(0, 0), (1, 1), (1, 0), (2, 0)])
def test_gathered_samples_are_at_their_coordinates(sub: tuple[int, int]) -> None:
    height, width = 37, 51
    mask = np.zeros((height, width), bool)
    mask[3, 5] = mask[36, 50] = mask[20, 0] = True
    cells = Cells.around(mask, 1)
    rows, columns = -(-height >> sub[1]), -(-width >> sub[0])
    plane = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    xs, ys = cells.coordinates(*sub)
    held = np.clip(ys, 0, rows - 1) * columns + np.clip(xs, 0, columns - 1)
    np.testing.assert_array_equal(cells.gather(plane, *sub), held)
    inside = cells.inside(*sub)
    assert inside is not None
    np.testing.assert_array_equal(inside, (xs < columns) & (ys < rows))


@pytest.mark.parametrize("sub", [(0, 0), (1, 1), (2, 0)])
def test_fields_of_cells_are_interpolated(sub: tuple[int, int]) -> None:
    mask = np.zeros((48, 64), bool)
    mask[20:30, 20:40] = True
    cells = Cells.around(mask, 1)
    # A plane in luma pixel coordinates is reproduced exactly, at the middle of each sample's footprint.
    down, across = np.divmod(cells.wide, cells.canvas[1])
    field = np.stack([4 * across + 1.5, 4 * down + 1.5]).astype(np.float32)
    values = cells.at_samples(field, *sub)
    px, py = cells.coordinates(*sub)
    np.testing.assert_allclose(values[0], (px + 0.5) * (1 << sub[0]) - 0.5, atol=1e-4)
    np.testing.assert_allclose(values[1], (py + 0.5) * (1 << sub[1]) - 0.5, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 909, 910, 911, 5000])
def test_a_product_in_pieces_is_the_product(count: int) -> None:
    rng = np.random.default_rng(count)
    rows, matrix = rng.random((count, 9), np.float32), rng.random((9, 16), np.float32)
    np.testing.assert_allclose(times(rows, matrix), rows @ matrix, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 1023, 1024, 3000])
def test_points_are_sampled_bilinearly_and_the_edge_is_repeated(count: int) -> None:
    rng = np.random.default_rng(count)
    ys, xs = np.indices((40, 60), np.float32)
    px, py = (rng.uniform(-5, size + 5, count).astype(np.float32) for size in (60, 40))
    out = np.empty(count, np.float32)
    sample_at(3 * xs + ys, px, py, out)
    # OpenCV may place points on a grid of 1/32 pixel.
    np.testing.assert_allclose(out, 3 * np.clip(px, 0, 59) + np.clip(py, 0, 39), atol=4 / 64 + 1e-3)


def test_footprints_on_cells_are_those_of_the_frame() -> None:
    mask = np.random.default_rng(0).random((37, 51)) < 0.02
    cells = Cells.around(mask, 1)
    for sub in ((0, 0), (1, 1), (1, 0), (2, 0)):
        inside = cells.inside(*sub)
        assert inside is not None
        held = cells.footprints(cells.gather_mask(mask), *sub)
        whole = cells.gather(footprint_touches(mask, *sub), *sub)
        np.testing.assert_array_equal(held & inside, whole & inside)


def test_spread_keeps_constants_and_reaches_everywhere() -> None:
    weight = np.zeros((48, 64, 1), np.float32)
    weight[5:9, 5:9] = 3
    everywhere = np.arange(48 * 64)
    field = spread(np.concatenate([7 * weight, -2 * weight, weight], axis=2), everywhere, prior=1.0)
    np.testing.assert_allclose(field[0], 7, rtol=1e-4)
    np.testing.assert_allclose(field[1], -2, rtol=1e-4)
    assert (spread(np.zeros((16, 16, 2), np.float32), np.arange(256), prior=1.0) == 0).all()


def test_spread_carries_a_slope_through_a_hole() -> None:
    ys, xs = np.indices((48, 64), np.float32)
    weight = np.full((48, 64), 16, np.float32)
    weight[15:22, 25:33] = 0
    slope = 0.5 * xs + ys
    hole = np.flatnonzero(weight == 0)
    for fine, limit in ((True, 2.0), (False, 3.0)):
        field = spread(np.stack([slope * weight, weight], axis=2), hole, prior=1.0, fine=fine)
        assert np.abs(field[0] - slope.ravel()[hole]).max() < limit


def test_a_spatial_fill_continues_a_slope() -> None:
    ys, xs = np.indices((60, 80), np.float32)
    plane = (2 * xs + ys).astype(np.uint16)
    hole = np.zeros(plane.shape, bool)
    hole[20:27, 30:38] = hole[50:53, 0:3] = True
    damaged = plane.copy()
    damaged[hole] = 60000
    filled = fill_plane(damaged, hole)
    assert np.abs(filled - plane)[20:27, 30:38].max() < 5
    assert (filled[~hole] == 0).all()
