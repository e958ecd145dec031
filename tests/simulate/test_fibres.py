"""The centre line of a polygon, the fitted model of fibres, and the kinds that draw from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reelmend.errors import UsageError
from reelmend.simulate.defect import Pose
from reelmend.simulate.fit.fibres import fit_fibres, is_traced, measure_fibres
from reelmend.simulate.fit.outlined import outlined
from reelmend.simulate.fit.spine import find_spine, find_spines
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.kinds.fibre import FibreModel, FibreShape, direction, draw_fibre
from reelmend.simulate.kinds.lint import LintKind
from reelmend.simulate.kinds.scratch import Scratch, ScratchKind, upright
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline, polygon_area
from reelmend.simulate.statistics import Count, KindStatistics, Space, Statistics

from .annotated_scans import arc, stripe


def hairs(count: int = 24, kind: str = "short hair", bend: float = 0.8) -> list[Outline]:
    rng = np.random.default_rng(3)
    found = [stripe(rng, rng.uniform(25, 100), 6.0, bend) * MICROMETRES_PER_PIXEL for _ in range(count)]
    return [Outline(kind, (polygon,)).centred() for polygon in found]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    numbers = dict(fit_fibres(hairs()))
    one = KindStatistics(
        count=Count(per_mm2=0.2, dispersion=0.0), space=Space(clustered=0.0, members=0.0, radius=0.0), shape=numbers
    )
    kinds = {"short hair": one, "long hair": one, "scratch": one}
    return Statistics(scans=["made"], film_mm2=1000.0, kinds=kinds)


def straight(length: float = 700.0, width: float = 35.0, traced: bool = False) -> FibreShape:
    spine = tuple((float(x), 0.0) for x in np.linspace(-length / 2, length / 2, 21))
    return FibreShape(spine, (width,) * 21, 70.0, traced)


@settings(max_examples=25, deadline=None)
@given(st.floats(60, 400), st.floats(4, 10), st.floats(-3.5, 3.5))
@example(394.0, 4.0, 1.5)
def test_the_spine_of_a_bent_stripe_has_its_length_and_width(length: float, width: float, bend: float) -> None:
    spine, normal = arc(length, bend)
    found = find_spine(np.concatenate([spine + normal * width / 2, (spine - normal * width / 2)[::-1]]))
    # A flat end may be cut from corner to corner.
    assert found.length == pytest.approx(length, rel=0.04, abs=width)
    assert np.median(found.width) == pytest.approx(width, rel=0.15)
    # Whichever way round it was found. Ends are rounded to pixels: 0.8 was the most of 1,500 stripes drawn by lot.
    apart = [np.linalg.norm(found.points[ends] - spine[[0, -1]], axis=1).max() for ends in ([0, -1], [-1, 0])]
    assert min(apart) < width + 1


def test_the_spines_area_is_the_polygons() -> None:
    for outline in hairs(8):
        polygon = outline.parts[0]
        spine = find_spine(polygon)
        assert spine.width.mean() * spine.length == pytest.approx(polygon_area(polygon), rel=1e-6)


def test_spines_found_together_are_those_found_alone() -> None:
    polygons = [outline.parts[0] for outline in hairs(6)]
    for together, polygon in zip(find_spines(polygons), polygons, strict=True):
        np.testing.assert_array_equal(together.points, find_spine(polygon).points)
    assert find_spines([]) == []


def test_a_machine_runs_one_way_round_with_short_steps() -> None:
    traced = hairs(5)
    assert all(is_traced(outline) for outline in traced)
    assert not any(is_traced(Outline("short hair", (outline.parts[0][::-1],))) for outline in traced)
    sparse = Outline("short hair", (np.array([(0, 0), (0, 40), (900, 40), (900, 0)], dtype=float),))
    assert not is_traced(sparse)


def test_a_fit_gives_back_the_sizes_it_was_given() -> None:
    real = hairs(40)
    model = FibreModel(fit_fibres(real))
    rng = np.random.default_rng(1)
    drawn = [outlined(model.sample(rng), rng, "short hair", MICROMETRES_PER_PIXEL) for _ in range(150)]
    one, other = (np.stack([m.traits for m in measure_fibres(shapes)]) for shapes in (real, drawn))
    assert np.median(other[:, 0]) == pytest.approx(np.median(one[:, 0]), abs=0.25)  # logarithm of length
    assert np.median(other[:, 1]) == pytest.approx(np.median(one[:, 1]), abs=0.12)  # logarithm of width
    assert np.median(other[:, 4]) == pytest.approx(np.median(one[:, 4]), abs=0.5)  # turning, radians


def test_the_same_outlines_give_the_same_numbers() -> None:
    assert fit_fibres(hairs(8)) == fit_fibres(hairs(8))


def test_a_fit_needs_three_shapes() -> None:
    with pytest.raises(ValueError, match="three"):
        fit_fibres(hairs(2))


def test_numbers_of_something_else_are_refused() -> None:
    with pytest.raises(UsageError, match="simulate fit"):
        FibreModel({"mean": [1.0]})


@pytest.mark.parametrize("name", ["short hair", "long hair", "scratch", "lint"])
def test_a_kind_samples_alike_from_the_same_generator_and_draws_the_same(name: str, statistics: Statistics) -> None:
    kind = KINDS[name]
    one, other = (kind.sample(np.random.default_rng(5), statistics) for _ in range(2))
    assert one == other
    pose = Pose(60.0, 50.0, 1 / MICROMETRES_PER_PIXEL, angle=0.3)
    first, second = (kind.draw(one, pose, (100, 120)) for _ in range(2))
    np.testing.assert_array_equal(first.coverage, second.coverage)
    assert first.coverage.dtype == np.float32
    assert 0 < first.coverage.max() <= 1
    assert first.coverage.min() >= 0


@pytest.mark.parametrize("name", ["short hair", "scratch", "lint"])
def test_nothing_is_drawn_outside_the_frame(name: str, statistics: Statistics) -> None:
    shape = KINDS[name].sample(np.random.default_rng(5), statistics)
    assert KINDS[name].draw(shape, Pose(9000.0, 50.0, 0.1), (100, 120)).coverage.size == 0


@pytest.mark.parametrize("scale", [0.05, 0.14, 0.5])
def test_a_fibre_covers_its_area_at_any_scale(scale: float) -> None:
    cover = draw_fibre(straight(), Pose(300.0, 200.0, scale, angle=0.7), (400, 600))
    assert cover.coverage.sum() == pytest.approx(700 * 35 * scale**2, rel=0.03)


def test_a_fibre_that_crosses_itself_is_filled_where_it_crosses() -> None:
    angle = np.linspace(0, 2.3 * np.pi, 81)
    loop = tuple((300 * float(np.cos(a)), 300 * float(np.sin(a))) for a in angle)
    cover = draw_fibre(FibreShape(loop, (40.0,) * 81, 70.0, traced=False), Pose(60.0, 60.0, 0.15), (120, 120))
    assert cover.coverage.max() == pytest.approx(1.0)
    # The loop goes round once and 0.15 of a turn more, which covers nothing new.
    assert cover.coverage.sum() == pytest.approx(2 * np.pi * 300 * 40 * 0.15**2, rel=0.03)


def test_a_broken_scratch_covers_its_touches_only() -> None:
    shape = Scratch(straight(), ((0.0, 0.25), (0.5, 1.0)))
    cover = ScratchKind().draw(shape, Pose(100.0, 50.0, 0.1), (100, 200))
    assert cover.coverage.sum() == pytest.approx(0.75 * 700 * 35 * 0.01, rel=0.03)
    whole = ScratchKind().draw(Scratch(straight(), ((0.0, 1.0),)), Pose(100.0, 50.0, 0.1), (100, 200))
    assert whole.coverage.sum() == pytest.approx(700 * 35 * 0.01, rel=0.03)


def test_scratches_of_still_film_are_turned_as_reels_run() -> None:
    assert direction(np.asarray(upright(straight()).spine)) == pytest.approx(np.pi / 2)


def test_touches_lie_in_order_and_end_with_the_scratch(statistics: Statistics) -> None:
    rng = np.random.default_rng(0)
    shapes = [ScratchKind().sample(rng, statistics) for _ in range(60)]
    assert {len(shape.touches) > 1 for shape in shapes} == {True, False}
    for shape in shapes:
        ends = np.array(shape.touches).ravel()
        assert np.all(np.diff(ends) >= 0)
        assert ends[0] == 0
        assert ends[-1] == 1


def test_lint_has_a_strand_and_finer_fibres(statistics: Statistics) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        strand, *others = LintKind().sample(rng, statistics).threads
        assert len(others) >= 2
        assert all(10 <= thread.width <= 20 for thread in others)
        assert 20 <= strand.width <= 45


@pytest.mark.parametrize("traced", [True, False])
def test_an_outlined_fibre_lies_on_whole_pixels_and_keeps_its_length(traced: bool) -> None:
    rng = np.random.default_rng(0)
    outline = outlined(straight(traced=traced), rng, "long hair", MICROMETRES_PER_PIXEL)
    corners = outline.parts[0] / MICROMETRES_PER_PIXEL
    apart = corners - corners[0]
    np.testing.assert_allclose(apart, np.rint(apart), atol=1e-6)
    assert outline.extent[0] == pytest.approx(700, abs=6 * MICROMETRES_PER_PIXEL)
    if traced:
        assert np.dot(corners[:, 0], np.roll(corners[:, 1], -1)) < np.dot(corners[:, 1], np.roll(corners[:, 0], -1))
