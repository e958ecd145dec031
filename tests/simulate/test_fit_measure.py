from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label, points_in_poly, regionprops

from reelmend.simulate.fit.annotated import SMALLEST, annotated, mask_of
from reelmend.simulate.fit.measure import axis, centroid, mean_axis, measure, signed_distance
from reelmend.simulate.kinds.traced import TRAITS, trace, traits
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline, polygon_area

NOTCHED = np.array([(0, 0), (12, 0), (12, 4), (6, 4), (6, 9), (0, 9)], dtype=np.float64)
"""An L of 78 square units."""


def ellipse(length: float, width: float, angle: float, corners: int = 80) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    x, y = length / 2 * np.cos(turn), width / 2 * np.sin(turn)
    return np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=1)


@pytest.mark.parametrize("angle", [0.2, 1.0, 2.4])
def test_an_ellipse_is_measured_as_it_is(angle: float) -> None:
    found = measure(ellipse(60, 20, angle) + np.array([1000, -300]))
    assert found.area == pytest.approx(np.pi * 300, rel=0.01)
    assert (found.length, found.width) == pytest.approx((60, 20), rel=0.01)
    assert found.elongation == pytest.approx(3, rel=0.01)
    assert found.orientation == pytest.approx(angle, abs=0.01)
    assert found.roughness == pytest.approx(0, abs=1e-3)
    assert found.corners == 80


def test_an_orientation_agrees_with_scikit_image() -> None:
    rows, columns = np.mgrid[:200, :200]
    places = (np.stack([columns.ravel(), rows.ravel()], axis=1) - 50.0) / 10
    mask = points_in_poly(places, NOTCHED).reshape(200, 200)
    (region,) = regionprops(label(mask.astype(int)))
    # Scikit-image counts from the axis of rows, the other way round.
    assert axis(NOTCHED) == pytest.approx((np.pi / 2 - region.orientation) % np.pi, abs=0.01)
    np.testing.assert_allclose(centroid(NOTCHED), (np.array(region.centroid)[::-1] - 50) / 10, atol=0.1)


def test_a_notch_is_roughness() -> None:
    hull = 12 * 9 - 6 * 5 / 2
    assert measure(NOTCHED).roughness == pytest.approx(1 - 78 / hull)


def test_axes_have_no_head() -> None:
    direction, agreement = mean_axis(np.array([0.1, np.pi - 0.1, 0.05, np.pi - 0.05]))
    assert min(direction, np.pi - direction) == pytest.approx(0, abs=1e-9)
    assert agreement > 0.98
    assert mean_axis(np.array([0.0, np.pi / 2]))[1] == pytest.approx(0, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_signed_distance_agrees_with_scikit_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(-5, 17, (300, 2))
    distance = signed_distance(NOTCHED, places)
    clear = np.abs(distance) > 1e-6
    np.testing.assert_array_equal(distance[clear] > 0, points_in_poly(places[clear], NOTCHED))
    # No place is nearer to the edge than to the densely sampled edge.
    ends = np.roll(NOTCHED, -1, axis=0)
    edge = np.concatenate([a + (b - a) * np.linspace(0, 1, 400)[:, None] for a, b in zip(NOTCHED, ends, strict=True)])
    nearest = np.linalg.norm(places[:, None] - edge, axis=2).min(axis=1)
    np.testing.assert_allclose(np.abs(distance), nearest, atol=0.02)


def test_the_annotators_grid() -> None:
    """Corners on whole pixels, few of them, about the same size, none too small."""
    rng = np.random.default_rng(4)
    unit = MICROMETRES_PER_PIXEL
    areas = []
    for _ in range(60):
        outline = Outline("dirt", (ellipse(110, 80, rng.uniform(0, 3)),))
        written = annotated(outline, rng)
        corners = written.parts[0] / unit
        steps = np.diff(corners, axis=0)
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
        assert 4 <= len(corners) <= 24
        areas.append(polygon_area(written.parts[0]))
    assert np.mean(areas) == pytest.approx(np.pi * 110 * 80 / 4, rel=0.04)
    speck = Outline("dust", (np.array([(0, 0), (6.8, 0), (6.8, 6.8), (0, 6.8)]) * unit,))
    assert all(polygon_area(annotated(speck, rng).parts[0]) > SMALLEST * unit**2 for _ in range(20))


def test_a_traced_outline_is_traced_again_as_it_was() -> None:
    box = np.array([(3, 4), (3, 14), (15, 14), (15, 4)], dtype=np.float64)
    mask, low = mask_of(box)
    assert {tuple(corner) for corner in trace(mask) + low} == {tuple(corner) for corner in box}
    outline = Outline("dirt", (box * MICROMETRES_PER_PIXEL,)).centred()
    assert annotated(outline, np.random.default_rng(0)) is outline


def test_traits_do_not_change_by_quarter_turns_and_shifts() -> None:
    turned = NOTCHED[:, ::-1] * (-1.0, 1.0) + (30, 7)
    found = dict(zip(TRAITS, traits(NOTCHED), strict=True))
    np.testing.assert_allclose(traits(turned), list(found.values()), atol=1e-4)
    assert found["area"] == pytest.approx(np.log(78), abs=1e-4)
    assert found["sharpest notch"] == pytest.approx(-np.pi / 2, abs=1e-4)
    assert found["upright edges"] == pytest.approx(1)
    assert found["diagonal edges"] == 0
