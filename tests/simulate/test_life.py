"""Damage through time: any frame in any order, and the numbers of the recipe."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from reelmend.simulate.defect import Defect, Ink, Pose
from reelmend.simulate.inks import BRIGHT, DARK, sample_ink
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.life import (
    Timeline,
    choose_reel,
    mean_life,
    pose_at,
    sample_life,
)
from reelmend.simulate.outlines import GAUGE_WIDTH, Outline
from reelmend.simulate.procedural import flake
from reelmend.simulate.recipe import Entry, Recipe, Sticking
from reelmend.simulate.statistics import Count, KindStatistics, Space, Statistics

SIZE = (240, 320)


def recipe(**changes) -> Recipe:
    damage = changes.pop("damage", None) or {
        "line scratch": Entry(per_frame=(0.2, 0.2), frames=(1, 40)),
        "stain": Entry(per_frame=(0.3, 0.3), frames=(10, 60), every=(7, 9)),
        "gate hair": Entry(per_frame=(0.1, 0.1), frames=(5, 30), wobble=(5.0, 20.0)),
        "abrasion": Entry(per_frame=(1.5, 1.5)),
    }
    return Recipe(amount=(1.0, 1.0), damage=damage, **changes)


def dust_numbers(per_mm2: float = 0.05) -> Statistics:
    """Numbers of dust that lies evenly."""
    plain = KindStatistics(
        count=Count(per_mm2=per_mm2, dispersion=0.0), space=Space(clustered=0, members=0, radius=0), shape={}
    )
    return Statistics(scans=[], film_mm2=1.0, kinds={"dust": plain})


class Specks:
    """Dust whose shapes need no fit."""

    name = "dust"
    spans = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Outline:
        return Outline("dust", (flake(rng, float(rng.uniform(20, 200)), 0.2),)).centred()


@pytest.fixture
def specks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "dust", Specks())  # type: ignore[arg-type]


class TestAnyOrder:
    def test_random_access_equals_sequence(self) -> None:
        timeline = Timeline(recipe(), 11, SIZE)
        forwards = [timeline.alive(frame) for frame in range(80)]
        for frame in (79, 3, 40, 0, 41):
            assert Timeline(recipe(), 11, SIZE).alive(frame) == forwards[frame]
            assert timeline.alive(frame) == forwards[frame]

    def test_seeds_decide(self) -> None:
        first, same, other = (Timeline(recipe(), seed, SIZE).alive(20) for seed in (4, 4, 5))
        assert first == same != other

    def test_a_kind_more_leaves_the_others_as_they_were(self) -> None:
        entries = dict(recipe().damage)
        more = recipe(damage={"mould": Entry(per_frame=(1.0, 1.0)), **entries})
        few, many = (Timeline(one, 2, SIZE).alive(9) for one in (recipe(), more))
        kept = [replace(defect, number=0) for defect in many if defect.kind != "mould"]
        assert kept == [replace(defect, number=0) for defect in few]
        assert len(many) > len(few)

    def test_numbers_are_its_own(self) -> None:
        timeline = Timeline(recipe(), 1, SIZE)
        by_number: dict[int, Defect] = {}
        for frame in range(60):
            for defect in timeline.alive(frame):
                assert by_number.setdefault(defect.number, defect) == defect
                assert defect.number >= 0
        assert len(by_number) > 60


class TestLives:
    def test_first_and_frames_say_when_it_shows(self) -> None:
        timeline = Timeline(recipe(), 8, SIZE)
        shown: dict[int, list[int]] = {}
        known: dict[int, Defect] = {}
        for frame in range(160):
            for defect in timeline.alive(frame):
                shown.setdefault(defect.number, []).append(frame)
                known[defect.number] = defect
        whole = [number for number, defect in known.items() if defect.first >= 0 and defect.first + defect.frames < 160]
        assert len(whole) > 100
        for number in whole:
            defect = known[number]
            assert shown[number] == list(range(defect.first, defect.first + defect.frames, defect.every))
        assert {known[number].every for number in whole if known[number].kind == "stain"} == {7, 8, 9}

    def test_the_first_frame_already_has_what_was_born_before(self) -> None:
        alive = [defect for seed in range(30) for defect in Timeline(recipe(), seed, SIZE).alive(0)]
        assert any(defect.first < 0 for defect in alive)

    def test_poisson_numbers_of_new_and_of_living(self) -> None:
        timeline = Timeline(recipe(), 3, SIZE)
        frames = 600
        new: Counter[str] = Counter()
        scratches = []
        abrasions = []
        for frame in range(frames):
            alive = timeline.alive(frame)
            new.update(defect.kind for defect in alive if defect.first == frame)
            scratches.append(sum(defect.kind == "line scratch" for defect in alive))
            abrasions.append(sum(defect.kind == "abrasion" for defect in alive))
        for kind, entry in recipe().damage.items():
            expected = entry.per_frame[0] * frames
            assert abs(new[kind] - expected) < 4 * np.sqrt(expected)
        living = 0.2 * mean_life((1, 40))
        assert np.mean(scratches) == pytest.approx(living, rel=0.25)
        assert np.var(abrasions) == pytest.approx(np.mean(abrasions), rel=0.25)

    def test_lives_are_log_uniform(self) -> None:
        rng = np.random.default_rng(0)
        lives = np.array([sample_life(rng, (2, 63)) for _ in range(4000)])
        assert lives.min() == 2 and lives.max() == 63
        assert (lives < 2**3.5).mean() == pytest.approx((lives >= 2**3.5).mean(), abs=0.06)
        assert lives.mean() == pytest.approx(mean_life((2, 63)), rel=0.04)
        assert mean_life((5, 5)) == pytest.approx(5)


@pytest.mark.usefixtures("specks")
class TestFitted:
    def film(self, **changes) -> tuple[Timeline, float]:
        plain = recipe(damage={"dust": Entry(times=(2.0, 2.0))}, **changes)
        numbers = dust_numbers()
        area = GAUGE_WIDTH["35mm"] ** 2 * SIZE[0] / SIZE[1] / 1e6
        return Timeline(plain, 6, SIZE, statistics=numbers), 0.05 * area * 2

    def test_numbers_are_those_of_the_fit(self) -> None:
        timeline, expected = self.film()
        counts = [len(timeline.alive(frame)) for frame in range(60)]
        assert np.mean(counts) == pytest.approx(expected, abs=4 * np.sqrt(expected / 60))

    def test_sticking_dirt_stays_and_the_frame_has_no_more_of_it(self) -> None:
        timeline, expected = self.film(sticking=Sticking(chance=0.5, frames=(3, 3)))
        alive = [timeline.alive(frame) for frame in range(90)]
        # Lives overlap, so the counts of neighbouring frames are not independent: a third as many frames.
        assert np.mean([len(one) for one in alive]) == pytest.approx(expected, abs=4 * np.sqrt(expected / 30))
        lives = Counter(defect.frames for one in alive for defect in one)
        assert set(lives) == {1, 3}
        # Half stick at birth, and are seen three times.
        assert lives[3] / lives[1] == pytest.approx(3, rel=0.2)
        held = next(defect for defect in alive[0] if defect.frames == 3 and defect.first == 0)
        later = [any(defect.number == held.number for defect in one) for one in alive[1:4]]
        assert later == [True, True, False]
        assert pose_at(held, 2) == held.pose

    def test_specks_are_enlarged_to_the_smallest_that_anybody_sees(self) -> None:
        timeline, _ = self.film(smallest=4.0)
        for defect in timeline.alive(5):
            assert max(defect.shape.extent) * defect.pose.scale >= 4.0 - 1e-9
            assert defect.pose.scale >= SIZE[1] / GAUGE_WIDTH["35mm"]
            assert defect.pose.angle == 0

    def test_dirty_reels_and_clean_ones(self) -> None:
        numbers = dust_numbers()
        spread = numbers.kinds["dust"].model_copy(update={"count": Count(per_mm2=0.05, dispersion=0.5)})
        uneven = numbers.model_copy(update={"kinds": {"dust": spread}})
        plain = recipe(damage={"dust": Entry()})
        factors = [choose_reel(plain, seed, uneven).kinds["dust"].reel_factor for seed in range(800)]
        assert np.mean(factors) == pytest.approx(1, abs=0.1)
        assert np.var(factors) == pytest.approx(0.5, rel=0.25)


class TestReel:
    def test_chance_gauge_and_amount(self) -> None:
        varied = Recipe(
            gauge=("35mm", "16mm"),
            amount=(0.25, 4.0),
            damage={"mould": Entry(per_frame=(2.0, 2.0), chance=0.3), "splice": Entry(per_frame=(1.0, 1.0))},
        )
        reels = [choose_reel(varied, seed) for seed in range(600)]
        assert np.mean(["mould" in reel.kinds for reel in reels]) == pytest.approx(0.3, abs=0.08)
        assert all("splice" in reel.kinds for reel in reels)
        assert np.mean([reel.gauge == "16mm" for reel in reels]) == pytest.approx(0.5, abs=0.08)
        amounts = np.log([reel.amount for reel in reels])
        assert amounts.min() >= np.log(0.25) and amounts.max() <= np.log(4)
        assert np.mean(amounts) == pytest.approx(0, abs=0.15)
        assert all(reel.kinds["splice"].rate == pytest.approx(reel.amount) for reel in reels)
        assert choose_reel(varied, 7) == choose_reel(varied, 7)

    def test_scale_is_that_of_the_gauge(self) -> None:
        small = recipe(gauge=("super8",), damage={"stain": Entry(per_frame=(3.0, 3.0))})
        assert Timeline(small, 0, SIZE).alive(0)[0].pose.scale == pytest.approx(320 / GAUGE_WIDTH["super8"])

    def test_places_fill_the_frame_and_emulsion_goes_at_its_edges(self) -> None:
        entries = {"crack": Entry(per_frame=(5.0, 5.0)), "emulsion loss": Entry(per_frame=(5.0, 5.0))}
        timeline = Timeline(recipe(damage=entries), 0, SIZE)
        alive = [defect for frame in range(80) for defect in timeline.alive(frame)]
        outer = {
            kind: np.mean([not 32 <= defect.pose.x < 288 for defect in alive if defect.kind == kind])
            for kind in entries
        }
        assert outer["crack"] == pytest.approx(0.2, abs=0.08)
        assert outer["emulsion loss"] == pytest.approx(0.6, abs=0.1)
        assert all(0 <= defect.pose.x <= 320 and 0 <= defect.pose.y <= 240 for defect in alive)

    def test_what_follows_the_film_is_not_turned(self) -> None:
        entries = {kind: Entry(per_frame=(4.0, 4.0)) for kind in ("cinch mark", "splice", "line scratch", "stain")}
        alive = Timeline(recipe(damage=entries), 0, SIZE).alive(0)
        turned = {defect.kind for defect in alive if defect.pose.angle != 0}
        assert turned == {"stain"}

    def test_unknown_kind(self) -> None:
        with pytest.raises(KeyError, match="moths"):
            Timeline(recipe(damage={"moths": Entry(per_frame=(1.0, 1.0))}), 0, SIZE)


class TestWobble:
    def test_is_slow_and_of_the_standard_deviation_asked_for(self) -> None:
        defects = [
            Defect("gate hair", None, Pose(100, 50, 0.5), Ink(seed=seed), frames=400, wobble=12.0) for seed in range(40)
        ]
        poses = np.array(
            [[(pose_at(defect, f).x, pose_at(defect, f).y) for f in range(0, 400, 2)] for defect in defects]
        )
        moved = poses - (100, 50)
        assert moved.std(axis=(0, 1)) == pytest.approx(12 * 0.5, rel=0.1)
        assert abs(moved.mean(axis=(0, 1))).max() < 1.0
        steps = np.array([pose_at(defects[0], f).x for f in range(100)])
        assert np.abs(np.diff(steps)).max() < 12 * 0.5 * 2.5
        assert np.corrcoef(steps[1:], steps[:-1])[0, 1] > 0.5

    def test_without_wobble_nothing_moves(self) -> None:
        defect = Defect("stain", None, Pose(1, 2, 3), Ink())
        assert pose_at(defect, 99) is defect.pose

    def test_x_y_and_swing_go_their_own_ways(self) -> None:
        defect = Defect("gate hair", None, Pose(0, 0, 1), Ink(seed=3), wobble=10.0)
        ways = np.array([(p.x, p.y, p.angle) for p in (pose_at(defect, f) for f in range(2000))]).T
        assert np.abs(np.corrcoef(ways)[np.triu_indices(3, 1)]).max() < 0.4


class TestInks:
    def test_polarity_and_ranges(self) -> None:
        entry = Entry(bright=0.25, opacity=(0.2, 0.6), white=(0.7, 0.8), softness=(0.5, 2.0), halo=(0.1, 0.3))
        rng = np.random.default_rng(1)
        inks = [sample_ink(rng, entry) for _ in range(2000)]
        assert np.mean([ink.polarity == "bright" for ink in inks]) == pytest.approx(0.25, abs=0.04)
        for name, (low, high) in {
            "opacity": (0.2, 0.6),
            "white": (0.7, 0.8),
            "softness": (0.5, 2.0),
            "halo": (0.1, 0.3),
        }.items():
            values = np.array([getattr(ink, name) for ink in inks])
            assert values.min() >= low and values.max() <= high
            assert values.mean() == pytest.approx((low + high) / 2, rel=0.05)

    def test_colours_follow_the_order_of_dye_layers(self) -> None:
        rng = np.random.default_rng(1)
        greens = [sample_ink(rng, Entry(bright=0.5, tints=("green",))) for _ in range(50)]
        # Dye scratched off the film that is seen lets light through, whatever the recipe says of dirt.
        assert {ink.polarity for ink in greens} == {"bright"}
        assert all(np.argmax(ink.tint) == 1 for ink in greens)
        yellows = [sample_ink(rng, Entry(bright=0.5, tints=("yellow",))) for _ in range(50)]
        for ink in yellows:
            red, green, blue = ink.tint
            if ink.polarity == "bright":
                assert red == green == 1 > blue
            else:
                assert blue == 1 > red == green
        assert {ink.polarity for ink in yellows} == {"bright", "dark"}
        assert all(max(tint) == 1 for tint in (*BRIGHT.values(), *DARK.values()))
