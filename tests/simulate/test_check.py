"""The realism report: its tests, its classifier, its page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from reelmend.errors import UsageError
from reelmend.simulate.check.check import CheckResult, check
from reelmend.simulate.check.classifier import fold_numbers, judge, wilson
from reelmend.simulate.check.crops import WINDOWS, Window, crop, describe, mask
from reelmend.simulate.check.tests import CELL, cell_counts, compare, distance, nearest
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline

from .annotated_scans import ellipse, stripe, write_scans


def specks(count: int, seed: int, low: float = 4, high: float = 7) -> list[Outline]:
    rng = np.random.default_rng(seed)
    return [Outline("dust", (ellipse(rng, low, high) * MICROMETRES_PER_PIXEL,)).centred() for _ in range(count)]


def test_the_distance_is_scipys() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=70).round(1), rng.normal(0.4, size=90).round(1)
    assert distance(one, other) == pytest.approx(ks_2samp(one, other, method="asymp").statistic)


def test_a_comparison_tells_real_from_moved_and_knows_the_yardstick() -> None:
    rng = np.random.default_rng(0)
    real = {"a": rng.normal(size=300), "b": rng.normal(size=300)}
    alike = {"a": rng.normal(size=300), "b": rng.normal(size=300)}
    moved = {name: values + 1 for name, values in alike.items()}
    near, far = compare("size", real, alike), compare("size", real, moved)
    assert near is not None
    assert far is not None
    assert near.distance < 0.1 < 0.3 < far.distance
    assert near.p_value > 0.01 > far.p_value
    assert far.shift == pytest.approx(1, abs=0.15)
    assert near.yardstick == pytest.approx(distance(real["a"], real["b"]))
    assert far.by_scan == pytest.approx(np.mean([distance(real[name], moved[name]) for name in real]))
    assert near.anderson < 3 < 30 < far.anderson


def test_too_few_values_are_not_compared() -> None:
    assert compare("size", {"a": np.ones(3)}, {"a": np.ones(30)}) is None


def test_values_that_are_all_one_compare_as_equal() -> None:
    found = compare("size", {"a": np.ones(10)}, {"a": np.ones(10)})
    assert found is not None
    assert (found.distance, found.shift, found.anderson) == (0, 0, 0)


def test_cells_and_neighbours() -> None:
    places = np.array([(10.0, 10.0), (10.0, 40.0), (CELL + 1, 10.0), (2 * CELL + 5, 20.0)])
    # The last lies beyond the two whole cells.
    assert sorted(cell_counts(places, 2.5 * CELL, CELL).tolist()) == [1, 2]
    np.testing.assert_allclose(nearest(places)[:2], 30)
    assert nearest(places[:1]).size == 0


def test_a_crop_holds_the_area_in_the_middle() -> None:
    square = np.array([(0, 0), (10, 0), (10, 6), (0, 6)]) * MICROMETRES_PER_PIXEL
    shape = Outline("dirt", (square + 500,))
    picture = crop(shape, Window(64, 64))
    assert picture.sum() == pytest.approx(60, rel=1e-4)
    rows, columns = np.nonzero(picture)
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == (32, 32)
    assert crop(shape, Window(128, 64)).sum() == pytest.approx(15, rel=1e-3)
    assert mask(shape).sum() == pytest.approx(60, rel=1e-4)


def test_a_shape_larger_than_the_window_is_cut() -> None:
    rng = np.random.default_rng(0)
    hair = Outline("long hair", (stripe(rng, 900, 6, 0.0) * MICROMETRES_PER_PIXEL,))
    picture = crop(hair, WINDOWS["long hair"])
    assert picture.shape == (80, 80)
    assert picture.sum() > 0


def test_a_description_does_not_see_corners() -> None:
    corners = ellipse(np.random.default_rng(1), 8, 12)
    between = (corners + np.roll(corners, -1, axis=0)) / 2
    more = np.stack([corners, between], axis=1).reshape(-1, 2)
    few, many = (describe(Outline("dust", (points * MICROMETRES_PER_PIXEL,))) for points in (corners, more))
    np.testing.assert_allclose(few, many, atol=1e-4)


def test_folds_keep_scans_whole() -> None:
    scans = ["a"] * 30 + ["b"] * 5 + ["c"] * 7 + ["d"] * 20 + ["e"] * 3 + ["f"] * 2
    folds = fold_numbers(scans)
    assert len(set(folds)) == 5
    assert all(len({fold for name, fold in zip(scans, folds, strict=True) if name == one}) == 1 for one in set(scans))


def test_wilsons_interval() -> None:
    # E. B. Wilson's interval for 50 of 100: 0.4038 to 0.5962 (as R's prop.test(50, 100, correct = FALSE)).
    assert wilson(50, 100) == pytest.approx((0.4038, 0.5962), abs=2e-4)


def test_the_classifier_tells_what_differs_and_not_what_is_alike() -> None:
    scans = ["a", "b", "c"] * 40
    same = judge("dust", specks(120, 1), specks(120, 2), scans)
    assert same.best.low < 0.5 < same.best.high or same.best.value < 0.62
    assert len(same.score) == 240
    larger = judge("dust", specks(120, 1), specks(120, 2, 6, 10), scans)
    assert larger.best.value > 0.8
    assert larger.best.count == 240
    assert larger.score[:120].mean() > larger.score[120:].mean()


def test_the_classifier_needs_equal_numbers_and_two_scans() -> None:
    with pytest.raises(ValueError, match="equal numbers"):
        judge("dust", specks(3, 0), specks(2, 0), ["a", "b", "a"])
    with pytest.raises(ValueError, match="two scans"):
        judge("dust", specks(3, 0), specks(3, 0), ["a"] * 3)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> CheckResult:
    folder = tmp_path_factory.mktemp("check")
    return check(write_scans(folder), folder / "report", jobs=1)


def test_the_report_has_every_kind_and_statistic(result: CheckResult) -> None:
    assert [one.kind for one in result.kinds] == ["dust", "dirt", "short hair", "long hair", "scratch"]
    named = {found.statistic for found in result.kinds[0].comparisons}
    assert {"area", "elongation", "count per cell", "nearest neighbour distance, given the scan's number"} <= named
    assert 0 <= result.accuracy("dust") <= 1
    with pytest.raises(KeyError):
        result.accuracy("scratch")  # twelve are too few


def test_the_page_needs_nothing_beside_itself(result: CheckResult) -> None:
    text = result.report.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2 * len(result.kinds)
    assert "http" not in text
    assert "Method" in text


def test_the_numbers_are_those_of_the_table(result: CheckResult) -> None:
    numbers = json.loads(result.numbers.read_text(encoding="utf-8"))
    assert numbers["scans"] == ["scan_1_made", "scan_2_made", "scan_3_made"]
    value = numbers["kinds"]["dust"]["classifier"]["best"]["value"]
    assert f"{100 * value:.1f} %" in result.table.read_text(encoding="utf-8")
    assert numbers["kinds"]["scratch"]["classifier"] is None


def test_two_scans_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="three annotation files"):
        check(write_scans(tmp_path, scans=2), tmp_path / "out")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="choose another"):
        check([Path("a.json"), Path("b.json"), Path("c.json")], tmp_path / "file")
