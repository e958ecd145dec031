"""What every kind of damage keeps, whoever wrote it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.statistics import Statistics

STATISTICS = Statistics.load()
CANVAS = (600, 800)
SCALE = CANVAS[1] / 24_900
NAMES = tuple(KINDS)
COMPACT = tuple(name for name, kind in KINDS.items() if not kind.spans)
POLYGONS = ("dust", "dirt", "clump", "short hair", "long hair", "scratch", "outline")
"""Drawn with exact areas; the others are fields and strokes read at the middles of pixels."""


def shape_of(name: str, seed: int = 1) -> Any:
    return KINDS[name].sample(np.random.default_rng(seed), STATISTICS)


def middle(**changes: Any) -> Pose:
    return dataclasses.replace(Pose(x=400.0, y=300.0, scale=SCALE, angle=0.3), **changes)


def centroid(cover: Cover) -> np.ndarray:
    """Column and row of the middle of the covered area, in frame pixels."""
    mass = cover.coverage.astype(np.float64)
    rows, columns = mass.shape
    x = mass.sum(axis=0) @ (np.arange(columns) + 0.5) / mass.sum() + cover.left
    y = mass.sum(axis=1) @ (np.arange(rows) + 0.5) / mass.sum() + cover.top
    return np.array([x, y])


def spread(cover: Cover) -> np.ndarray:
    """Second moments of the covered area about its middle, `(2, 2)`, x before y."""
    rows, columns = cover.coverage.shape
    y, x = np.mgrid[:rows, :columns]
    places = np.stack([x.ravel() + 0.5 + cover.left, y.ravel() + 0.5 + cover.top], axis=1) - centroid(cover)
    mass = cover.coverage.ravel().astype(np.float64)
    return np.asarray((places * mass[:, None]).T @ places / mass.sum())


def numbers_of(shape: Any) -> list[np.ndarray]:
    if dataclasses.is_dataclass(shape):
        return [found for field in dataclasses.fields(shape) for found in numbers_of(getattr(shape, field.name))]
    if isinstance(shape, np.ndarray):
        return [np.asarray(shape, dtype=np.float64).ravel()]
    if isinstance(shape, tuple | list):
        return [found for part in shape for found in numbers_of(part)]
    return [np.array([shape], dtype=np.float64)] if isinstance(shape, int | float) else []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_known_by_its_own_name(name: str) -> None:
    assert KINDS[name].name == name


@pytest.mark.parametrize("name", NAMES)
def test_sampled_shapes_are_finite_and_repeatable(name: str) -> None:
    for seed in range(5):
        first, again = (numbers_of(shape_of(name, seed)) for _ in range(2))
        assert first
        assert all(np.isfinite(part).all() for part in first)
        assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert any(
        one.shape != other.shape or not np.array_equal(one, other)
        for one, other in zip(numbers_of(shape_of(name, 0)), numbers_of(shape_of(name, 1)), strict=False)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_same_arguments_give_the_same_pixels(name: str) -> None:
    shape = shape_of(name)
    first, again = (KINDS[name].draw(shape, middle(), CANVAS, age=2) for _ in range(2))
    assert (first.top, first.left) == (again.top, again.left)
    np.testing.assert_array_equal(first.coverage, again.coverage)


@pytest.mark.parametrize("name", NAMES)
def test_coverage_is_a_share(name: str) -> None:
    drawn = 0.0
    for seed in range(4):
        cover = KINDS[name].draw(shape_of(name, seed), middle(), CANVAS)
        assert cover.coverage.dtype == np.float32
        assert cover.coverage.ndim == 2
        if cover.coverage.size:
            assert cover.coverage.min() >= 0 and cover.coverage.max() <= 1
        drawn += float(cover.coverage.sum())
    assert drawn > 0


@pytest.mark.parametrize("name", COMPACT)
def test_mass_is_kept_whatever_the_scale(name: str) -> None:
    shape = shape_of(name)
    coarse = KINDS[name].draw(shape, middle(), CANVAS)
    fine = KINDS[name].draw(shape, middle(x=1200.0, y=900.0, scale=3 * SCALE), (1800, 2400))
    assert fine.coverage.sum() / 9 == pytest.approx(coarse.coverage.sum(), rel=0.03 if name in POLYGONS else 0.1)


@pytest.mark.parametrize("name", POLYGONS)
def test_specks_below_a_pixel_keep_their_mass(name: str) -> None:
    shape = shape_of(name)
    fine = KINDS[name].draw(shape, middle(), CANVAS)
    tiny = KINDS[name].draw(shape, middle(scale=SCALE / 20), CANVAS)
    assert tiny.coverage.sum() * 400 == pytest.approx(fine.coverage.sum(), rel=0.15)


@pytest.mark.parametrize("name", COMPACT)
def test_a_shift_below_a_pixel_moves_the_middle_by_it(name: str) -> None:
    shape = shape_of(name)
    still = KINDS[name].draw(shape, middle(), CANVAS)
    moved = KINDS[name].draw(shape, middle(x=400.3, y=300.45), CANVAS)
    np.testing.assert_allclose(centroid(moved) - centroid(still), (0.3, 0.45), atol=0.03 if name in POLYGONS else 0.2)


@pytest.mark.parametrize("name", POLYGONS)
def test_angle_and_mirror_turn_what_is_drawn(name: str) -> None:
    """Second moments turn as the shape does: by 90 degrees x and y change places, mirrored they change sign."""
    shape = shape_of(name, 3)
    scale = 4 * SCALE
    upright, turned, flipped = (
        spread(KINDS[name].draw(shape, middle(angle=angle, mirrored=mirrored, scale=scale), CANVAS))
        for angle, mirrored in ((0.0, False), (np.pi / 2, False), (0.0, True))
    )
    tolerance = 0.03 * np.trace(upright)
    assert turned[0, 0] == pytest.approx(upright[1, 1], abs=tolerance)
    assert turned[0, 1] == pytest.approx(-upright[0, 1], abs=tolerance)
    assert flipped[0, 0] == pytest.approx(upright[0, 0], abs=tolerance)
    assert flipped[0, 1] == pytest.approx(-upright[0, 1], abs=tolerance)


@pytest.mark.parametrize("name", POLYGONS)
def test_outside_the_frame_there_is_nothing_on_it(name: str) -> None:
    cover = KINDS[name].draw(shape_of(name), middle(x=-5000.0, y=-5000.0), CANVAS)
    rows, columns = cover.coverage.shape
    assert not cover.coverage.any() or cover.top + rows <= 0 or cover.left + columns <= 0
