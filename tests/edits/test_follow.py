"""A scratch is followed to where it wanders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reelmend.edits import Line, apply, follow_line

HEIGHT, WIDTH = 120, 160


def film(places: list[float], strength: float, seed: int = 0, slope: float = 0.0) -> list[np.ndarray]:
    """A moving scene with grain, under a bright line through `places`, one a frame, leaning by `slope`."""
    rng = np.random.default_rng(seed)
    ground = np.kron(rng.uniform(60, 180, (20, 40)), np.ones((12, 12)))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    frames = []
    for n, place in enumerate(places):
        scene = ground[5 : 5 + HEIGHT, 3 * n : 3 * n + WIDTH] + rng.normal(0, 5, (HEIGHT, WIDTH))
        line = np.exp(-(((columns - place - slope * rows) / 1.2) ** 2))
        frames.append(np.clip(scene + strength * line, 0, 255).astype(np.uint8))
    return frames


def drawn(first: int, last: int, x: float, slope: float = 0.0) -> Line:
    return Line(first=first, last=last, start=(x, 0), end=(x + slope * (HEIGHT - 1), HEIGHT - 1), width=3)


@pytest.mark.parametrize("slope", [0.0, 0.05])
def test_it_goes_where_the_scratch_goes(slope: float) -> None:
    places = [70 + 6 * np.sin(n / 4) for n in range(24)]
    line = follow_line(drawn(10, 33, places[9], slope), 19, film(places, 45, slope=slope))
    assert line.shifts[9] == 0
    # To the left of a line that is drawn downwards, as the picture is seen, lies the right.
    found = [line.ends(10 + n)[0, 0] for n in range(24)]
    np.testing.assert_allclose(found, places, atol=1.0)


def test_the_mask_follows() -> None:
    places = [60.0 + n for n in range(8)]
    line = follow_line(drawn(0, 7, 60), 0, film(places, 60))
    nothing = np.zeros((HEIGHT, WIDTH), np.bool_)
    for n in (0, 4, 7):
        columns = np.flatnonzero(apply([line], n, nothing)[HEIGHT // 2])
        assert abs(columns.mean() - places[n]) <= 1
        assert len(columns) == 3


def test_it_stays_on_course_where_nothing_is_seen() -> None:
    places = [70 + 0.5 * n for n in range(20)]
    frames = film(places, 45)
    frames[8:11] = film([-50.0] * 20, 45)[8:11]
    line = follow_line(drawn(0, 19, 70), 0, frames)
    np.testing.assert_allclose([line.ends(n)[0, 0] for n in range(11, 20)], places[11:], atol=1.0)
    np.testing.assert_allclose([line.ends(n)[0, 0] for n in range(8, 11)], places[8:11], atol=2.0)


def test_a_line_on_plain_ground_stays() -> None:
    line = follow_line(drawn(0, 5, 80), 2, [np.full((HEIGHT, WIDTH), 90, np.uint8)] * 6)
    assert line.shifts == (0.0,) * 6


def test_a_film_that_ends_early() -> None:
    line = follow_line(drawn(0, 9, 60), 0, film([60.0, 61.0, 62.0, 63.0], 60))
    assert len(line.shifts) == 10
    assert set(line.shifts[4:]) == {line.shifts[3]}


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="not in"):
        follow_line(drawn(3, 5, 60), 6, [])
    with pytest.raises(ValidationError, match="2 shifts for 3 frames"):
        Line(first=0, last=2, start=(0, 0), end=(0, 9), width=2, shifts=(0, 1))


@given(
    ends=st.tuples(*[st.floats(-50, 250)] * 4), width=st.floats(1, 40), frame=st.integers(0, 2), seed=st.integers(0, 9)
)
def test_any_line_is_followed_somewhere(ends: tuple[float, ...], width: float, frame: int, seed: int) -> None:
    line = Line(first=0, last=2, start=ends[:2], end=ends[2:], width=width)
    pictures = np.random.default_rng(seed).integers(0, 256, (3, 40, 60), np.uint8)
    made = follow_line(line, frame, list(pictures))
    assert made.shifts in ((), made.shifts) and len(made.shifts) in (0, 3)
    assert all(abs(shift) <= 16 for shift in made.shifts)
    assert not made.shifts or made.shifts[frame] == 0
