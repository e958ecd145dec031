"""What runs down a picture: the sums that paths are chosen by, and that they keep apart."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reelmend.detect import bands


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_sums_are_those_of_the_best_paths(seed: int) -> None:
    gain = np.random.default_rng(seed).normal(0, 1, (4, 5)).astype(np.float32)
    total, came = bands._sums(gain)
    best = np.full(gain.shape, -np.inf)
    for length in range(1, 5):
        for first in range(5 - length):
            for columns in itertools.product(range(5), repeat=length):
                steps = np.abs(np.diff(columns))
                if (steps <= 1).all():
                    value = gain[first + np.arange(length), columns].sum() - bands.BEND * steps.sum()
                    end = first + length - 1, columns[-1]
                    best[end] = max(best[end], value)
    np.testing.assert_allclose(total, best, atol=1e-5)
    assert (came[0] == bands._NOWHERE).all()


def used_by(paths: list[bands.Path], shape: tuple[int, ...]) -> NDArray[np.int_]:
    used = np.zeros(shape, int)
    for path in paths:
        used[path.bands, path.x] += 1
    return used


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_paths_of_a_polarity_do_not_cross(seed: int) -> None:
    clear = np.random.default_rng(seed).normal(0, 1.5, (12, 90)).astype(np.float32)
    paths = bands.paths_of(clear)
    for sign in (1, -1):
        own = [path for path in paths if path.sign == sign]
        assert used_by(own, clear.shape).max(initial=0) <= 1
        assert all(len(path.x) >= 4 and (np.abs(np.diff(path.x)) <= 1).all() for path in own)


def test_a_bar_stands_out_by_its_height_and_width() -> None:
    luma = np.full((160, 200), 90, np.uint8)
    luma[:, 60:63], luma[:, 120:125] = 130, 60
    made = bands.bands_of(luma)
    assert made.clear.shape == (10, 200) and made.ends.tolist() == list(range(0, 161, 16))
    assert (made.raised[:, 61] == 40).all() and (made.width[:, 61] == 3).all()
    assert (made.raised[:, 122] == -30).all() and (made.width[:, 122] == 5).all()
    assert (made.raised[:, :50] == 0).all()
    found = bands.paths_of(made.clear)
    for sign, middle, half in ((1, 61, 1), (-1, 122, 2)):
        strongest = max((path for path in found if path.sign == sign), key=lambda path: path.score)
        assert len(strongest.x) == 10 and (np.abs(strongest.x - middle) <= half).all()


def test_nothing_runs_down_low_pictures_or_even_ones() -> None:
    assert bands.paths_of(bands.bands_of(np.full((200, 90), 7, np.uint8)).clear) == []
    luma = np.full((100, 90), 90, np.uint8)
    luma[:, 40:42] = 200
    assert bands.paths_of(bands.bands_of(luma).clear) == []


def test_a_path_goes_on_where_it_may_be() -> None:
    one = bands.Path(2, np.full(6, 50), 1, 1.0)
    assert one.goes_on_with(bands.Path(5, np.full(4, 54), 1, 1.0))
    assert not one.goes_on_with(bands.Path(5, np.full(4, 50 + bands.WANDER + 1), 1, 1.0))
    assert not one.goes_on_with(bands.Path(5, np.full(4, 50), -1, 1.0))
    assert not one.goes_on_with(bands.Path(7, np.full(4, 50), 1, 1.0))
    assert not one.goes_on_with(bands.Path(20, np.full(4, 50), 1, 1.0))
