"""Shapes of the kinds of damage that nobody annotated: what each must look like to be the thing it is named after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.kinds.gate_hair import GateHair
from reelmend.simulate.kinds.line_scratch import LineScratch, centre, on_gauge, strength
from reelmend.simulate.kinds.perforation_damage import PerforationDamage
from reelmend.simulate.kinds.splice import Splice
from reelmend.simulate.kinds.strokes import chain, draw_strokes
from reelmend.simulate.kinds.water_spot import WaterSpot
from reelmend.simulate.outlines import GAUGE_HEIGHT
from reelmend.simulate.statistics import Statistics

NAMES = (
    "line scratch",
    "cinch mark",
    "abrasion",
    "water spot",
    "stain",
    "emulsion loss",
    "crack",
    "finger print",
    "splice",
    "perforation damage",
    "mould",
    "gate hair",
)
NONE = Statistics.model_construct(format=1, scans=[], film_mm2=1.0, kinds={})
HEIGHT, WIDTH = 480, 640
SCALE = WIDTH / 24_900
LINES_720 = 720 / 18_670
"""Pixels a micrometre of a 35 mm full aperture scanned with 720 lines."""
seeds = st.integers(0, 2**32 - 1)


def sample(name: str, seed: int):
    return KINDS[name].sample(np.random.default_rng(seed), NONE)


def on_frame(cover: Cover, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The cover cut to the frame and set into it."""
    frame = np.zeros((height, width), dtype=np.float32)
    rows, columns = cover.coverage.shape
    top, left = max(cover.top, 0), max(cover.left, 0)
    bottom, right = min(cover.top + rows, height), min(cover.left + columns, width)
    if bottom > top and right > left:
        frame[top:bottom, left:right] = cover.coverage[
            top - cover.top : bottom - cover.top, left - cover.left : right - cover.left
        ]
    return frame


def middle(angle: float = 0.0, scale: float = SCALE) -> Pose:
    return Pose(WIDTH / 2, HEIGHT / 2, scale, angle)


@pytest.mark.parametrize("name", NAMES)
def test_is_registered_under_its_name_and_draws_a_visible_share(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name
    shown = [kind.draw(sample(name, seed), middle(), (HEIGHT, WIDTH), age=1).coverage for seed in range(6)]
    assert all(cover.dtype == np.float32 for cover in shown)
    assert max(float(cover.max(initial=0)) for cover in shown) > 0.3
    assert len({cover.tobytes() for cover in shown}) > 3


@pytest.mark.parametrize("name", [name for name in NAMES if not KINDS[name].spans])
def test_mass_follows_the_area_of_film(name: str) -> None:
    kind, shape = KINDS[name], sample(name, 5)
    small, large = (
        kind.draw(
            shape, Pose(times * 320, times * 240, times * SCALE, 0.3), (times * HEIGHT, times * WIDTH)
        ).coverage.sum()
        / times**2
        for times in (1, 3)
    )
    # Where lines cross within a pixel their shares add up, so a coarse scan may show a little more.
    assert large == pytest.approx(small, rel=0.12)


class TestStrokes:
    def test_mass_is_length_times_width_times_level(self) -> None:
        straight = np.array([[-500.0, -200.0], [0.0, 100.0], [500.0, 400.0]])
        bent = np.array([[-500.0, -200.0], [0.0, 100.0], [700.0, 130.0]])
        # Inside a bend a wide line lies on itself, and is no denser there.
        for points, tolerance in ((straight, 1e-5), (bent, 0.01)):
            length = np.hypot(*np.diff(points, axis=0).T).sum()
            for width in (4.0, 30.0, 200.0):
                cover = draw_strokes(chain(points, width, 0.8), middle(0.7), (HEIGHT, WIDTH))
                assert cover.coverage.sum() == pytest.approx(length * width * 0.8 * SCALE**2, rel=tolerance)

    def test_crossing_lines_are_no_denser_than_one(self) -> None:
        cross = [
            chain(np.array([[-900.0, 0.0], [900.0, 0.0]]), 300),
            chain(np.array([[0.0, -900.0], [0.0, 900.0]]), 300),
        ]
        cover = draw_strokes(cross, middle(), (HEIGHT, WIDTH))
        assert cover.coverage.max() == 1

    def test_outside_the_frame_there_is_nothing(self) -> None:
        far = Pose(-4000, 100, SCALE)
        assert draw_strokes(chain(np.array([[0.0, 0.0], [9.0, 9.0]]), 5), far, (HEIGHT, WIDTH)).coverage.size == 0


class TestLineScratch:
    @given(seeds)
    @settings(max_examples=60, deadline=None)
    def test_within_five_degrees_of_vertical(self, seed: int) -> None:
        film = np.arange(0, 40 * 18_670, 25.0)
        slope = np.diff(centre(sample("line scratch", seed), film)) / 25.0
        assert np.degrees(np.arctan(np.abs(slope).max())) <= 5

    @given(seeds)
    @settings(max_examples=60, deadline=None)
    def test_one_to_ten_pixels_wide_at_720_lines(self, seed: int) -> None:
        assert 0.99 <= sample("line scratch", seed).width * LINES_720 <= 10.01

    @pytest.mark.parametrize("gauge", GAUGE_HEIGHT)
    def test_as_wide_a_share_of_the_frame_on_every_gauge(self, gauge: str) -> None:
        shape = sample("line scratch", 1)
        there = on_gauge(shape, gauge)
        assert there.width / GAUGE_HEIGHT[gauge] == pytest.approx(shape.width / GAUGE_HEIGHT["35mm"])
        assert replace(there, width=shape.width) == shape

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("age", [0, 3, 47])
    def test_next_frame_continues_where_this_one_ended(self, seed: int, age: int) -> None:
        shape = replace(sample("line scratch", seed), hold=9.0, chatter=0.0, start=0.0)
        kind = KINDS["line scratch"]
        # The path is bent, but between the last row of one frame and the first of the next it cannot go further
        # than its slope allows in one row: 0.09 pixel.
        this, after = (self._rows(kind.draw(shape, middle(), (HEIGHT, WIDTH), age + step)) for step in (0, 1))
        assert abs(after[0] - this[-1]) < 0.1
        # And as smoothly: the step over the frame line is that within the frames.
        assert after[0] - this[-1] == pytest.approx((this[-1] - this[-2] + after[1] - after[0]) / 2, abs=0.01)

    def test_drifts_and_breaks_with_age(self) -> None:
        kind = KINDS["line scratch"]
        for seed in range(5):
            shape = replace(sample("line scratch", seed), hold=0.2, chatter=0.0, width=120.0)
            covers = [kind.draw(shape, middle(), (HEIGHT, WIDTH), age) for age in range(1, 30)]
            firm = np.concatenate([cover.coverage.max(axis=1) for cover in covers if cover.coverage.size])
            assert (firm == 0).mean() > 0.05 and (firm > 0.9 * min(shape.floor, shape.flank)).mean() > 0.2
            assert len({cover.coverage.tobytes() for cover in covers}) > 20

    def test_contact_is_kept_for_the_share_that_hold_says(self) -> None:
        film = np.arange(0, 3e6, 97.0)
        shares = []
        for seed in range(30):
            shape = replace(sample("line scratch", seed), hold=0.0, chatter=0.0)
            shares.append(float((strength(shape, film, 0.0) > 0).mean()))
        assert np.mean(shares) == pytest.approx(0.5, abs=0.08)

    def test_width_and_profile_are_those_of_the_shape(self) -> None:
        wave = ((0.0, 1e5, 0.0),)
        firm = ((0.0, 1e5, 0.0),)
        scratch = LineScratch(200.0, wave, firm, 3.0, 0.0, 1000.0, 0.5, 1.0, 0.4, 0.0)
        cover = KINDS["line scratch"].draw(scratch, Pose(100, 0, 0.1), (60, 200), age=2)
        row = on_frame(cover, 60, 200)[30]
        assert row.sum() == pytest.approx(20 * (0.5 * 1.0 + 0.5 * 0.4), abs=1e-4)
        assert row[100] == pytest.approx(1) and row[92] == pytest.approx(0.4) and row[88] == 0
        hollow = KINDS["line scratch"].draw(replace(scratch, floor=0.3, flank=1.0), Pose(100, 0, 0.1), (60, 200), 2)
        row = on_frame(hollow, 60, 200)[30]
        assert row[100] == pytest.approx(0.3) and row[92] == pytest.approx(1)

    def test_sets_in_where_the_shape_says(self) -> None:
        shape = replace(sample("line scratch", 1), hold=9.0, chatter=0.0, start=0.5)
        cover = KINDS["line scratch"].draw(shape, middle(), (HEIGHT, WIDTH), 0)
        rows = on_frame(cover).sum(axis=1)
        assert not rows[: HEIGHT // 2].any() and rows[-100:].all()

    @staticmethod
    def _rows(cover: Cover) -> np.ndarray:
        columns = np.arange(cover.coverage.shape[1]) + cover.left + 0.5
        return (cover.coverage * columns).sum(axis=1) / cover.coverage.sum(axis=1)


def principal_direction(frame: np.ndarray) -> float:
    """Degrees from vertical of the structure's lines, by the structure tensor."""
    down, across = np.gradient(frame)
    xx, yy, xy = (across**2).sum(), (down**2).sum(), (across * down).sum()
    return float(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)))


@pytest.mark.parametrize("seed", range(5))
def test_cinch_marks_run_along_the_film(seed: int) -> None:
    cover = KINDS["cinch mark"].draw(sample("cinch mark", seed), middle(0, 4 * SCALE), (4 * HEIGHT, 4 * WIDTH))
    assert abs(principal_direction(cover.coverage)) < 8


def test_abrasion_follows_its_direction() -> None:
    shape = replace(sample("abrasion", 2), directions=(np.pi / 4,), spread=0.02, curve=0.0, broken=0.2)
    frame = KINDS["abrasion"].draw(shape, middle(0, 4 * SCALE), (4 * HEIGHT, 4 * WIDTH)).coverage
    # Lines that go down to the right at 45 degrees change most across that.
    assert abs(abs(principal_direction(frame)) - 45) < 6


class TestSpots:
    @pytest.mark.parametrize("seed", range(8))
    def test_water_spot_is_denser_at_its_rim(self, seed: int) -> None:
        shape = replace(sample("water spot", seed), tides=(), rough=0.0, squash=1.0, gaps=0.0)
        frame = on_frame(KINDS["water spot"].draw(shape, middle(0, 0.2), (HEIGHT, WIDTH)), HEIGHT, WIDTH)
        y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
        away = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) / (shape.radius * 0.2)
        rim, core, outside = frame[(away > 0.97) & (away < 0.99)], frame[away < 0.3], frame[away > 1.05]
        assert rim.mean() > 2 * core.mean() > 0
        assert not outside.any()

    def test_tide_lines_are_denser_than_what_lies_between(self) -> None:
        shape = WaterSpot(1500, 1.0, 0.0, 60, 0.1, (0.5,), 0.0, 7)
        frame = on_frame(KINDS["water spot"].draw(shape, middle(0, 0.2), (2 * HEIGHT, 2 * WIDTH)))
        profile = frame[HEIGHT // 2, WIDTH // 2 : WIDTH // 2 + 300]
        # Tide lines are sharp outside: the peak lies just inside half the radius, 150 pixels.
        assert profile[142:151].max() > 2 * profile[100:120].max()

    @pytest.mark.parametrize("seed", range(6))
    def test_stain_has_a_tide_line_along_its_outline(self, seed: int) -> None:
        shape = replace(sample("stain", seed), steps=((0.0, 0.3),), rim=0.5, rough=0.2, drops=())
        scale = 400 / (3 * shape.radius)
        covered = KINDS["stain"].draw(shape, middle(0, scale), (HEIGHT, WIDTH)).coverage
        from scipy.ndimage import distance_transform_edt

        depth = distance_transform_edt(covered > 0.15) / scale
        edge = covered[(depth > 0) & (depth > 1 / scale) & (depth < 1 / scale + shape.tide)]
        deep = covered[depth > 4 * shape.tide + 2 / scale]
        assert edge.mean() > 1.25 * deep.mean()


class TestAtTheFramesEdge:
    @given(seeds, st.integers(0, 3))
    @settings(max_examples=40, deadline=None)
    def test_perforation_damage_touches_its_edge(self, seed: int, age: int) -> None:
        shape: PerforationDamage = sample("perforation damage", seed)
        frame = on_frame(KINDS["perforation damage"].draw(shape, middle(), (HEIGHT, WIDTH), age))
        edge, other = (frame[:, 0], frame[:, -1]) if shape.side == "left" else (frame[:, -1], frame[:, 0])
        assert edge.max() > 0.9 and not other.any()
        # Nothing floats free of the edge: coverage never grows inwards.
        inwards = frame if shape.side == "left" else frame[:, ::-1]
        assert (np.diff(inwards, axis=1) <= 1e-6).all()

    @given(seeds)
    @settings(max_examples=30, deadline=None)
    def test_splice_spans_the_width_at_top_or_bottom(self, seed: int) -> None:
        shape: Splice = sample("splice", seed)
        kind = KINDS["splice"]
        first, second = (on_frame(kind.draw(shape, middle(), (HEIGHT, WIDTH), age)) for age in (0, 1))
        assert (first.max(axis=0) > 0.1).mean() > 0.98
        third = HEIGHT // 3
        near, far = (first[:third], first[-third:]) if shape.side == "top" else (first[-third:], first[:third])
        assert near.any() and not far.any()
        # The film runs on: what hung over the foot of one frame is at the head of the next.
        assert np.array_equal(second, first[::-1])

    @given(seeds)
    @settings(max_examples=40, deadline=None)
    def test_gate_hair_is_rooted_at_its_edge_however_it_swings(self, seed: int) -> None:
        shape: GateHair = sample("gate hair", seed)
        for swing in (-0.08, 0.0, 0.08):
            frame = on_frame(KINDS["gate hair"].draw(shape, middle(swing), (HEIGHT, WIDTH)))
            sides = {"top": frame[0], "bottom": frame[-1], "left": frame[:, 0], "right": frame[:, -1]}
            assert sides[shape.side].max() > 0.05


class TestNets:
    @pytest.mark.parametrize("seed", range(4))
    def test_cracks_are_thin_and_meet(self, seed: int) -> None:
        from scipy.ndimage import distance_transform_edt

        shape = replace(sample("crack", seed), open=1.0)
        covered = KINDS["crack"].draw(shape, middle(0, 0.15), (HEIGHT, WIDTH)).coverage
        thick = 2 * distance_transform_edt(covered > 0.5).max() / 0.15
        assert thick < 6 * shape.width + 30
        # Between the cracks the layer still lies: a net, not a patch.
        assert 0.01 < covered.mean() < 0.4

    def test_mould_grows_outwards_from_its_spores(self) -> None:
        shape = replace(sample("mould", 4), spores=((0.0, 0.0, 1500.0),))
        scale = 0.12
        cover = KINDS["mould"].draw(shape, middle(0, scale), (HEIGHT, WIDTH))
        y, x = np.mgrid[: cover.coverage.shape[0], : cover.coverage.shape[1]]
        away = np.hypot(x + cover.left - WIDTH / 2, y + cover.top - HEIGHT / 2) / scale
        rings = [cover.coverage[(away >= low) & (away < low + 300)].mean() for low in (0, 600, 1200)]
        assert rings[0] > rings[1] > rings[2]
        assert not cover.coverage[away > 1560].any()

    def test_finger_print_has_ridges_of_its_pitch(self) -> None:
        for seed in range(4):
            shape = replace(sample("finger print", seed), minutiae=(), smear=0.0, ends=2.0)
            scale = 0.04
            covered = KINDS["finger print"].draw(shape, middle(0, scale), (HEIGHT, WIDTH)).coverage
            power = np.abs(np.fft.fft2(covered - covered.mean())) ** 2
            fy, fx = (np.fft.fftfreq(size) for size in covered.shape)
            frequency = np.hypot(fy[:, None], fx[None, :]) * scale
            band = frequency > 1 / 1500
            mean = np.average(frequency[band & (frequency < 1 / 250)], weights=power[band & (frequency < 1 / 250)])
            assert 1 / mean == pytest.approx(shape.pitch, rel=0.25)

    def test_emulsion_loss_stays_within_its_reach(self) -> None:
        for seed in range(6):
            shape = sample("emulsion loss", seed)
            cover = KINDS["emulsion loss"].draw(shape, middle(0, 0.1), (HEIGHT, WIDTH))
            assert not cover.coverage[0].any() and not cover.coverage[:, 0].any()
            assert not cover.coverage[-1].any() and not cover.coverage[:, -1].any()
            assert cover.coverage.max() == pytest.approx(1, abs=0.05)
