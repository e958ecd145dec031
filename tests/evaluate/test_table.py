"""Results side by side."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from reelmend.errors import UsageError
from reelmend.evaluate.bootstrap import Resampling
from reelmend.evaluate.columns import COLUMNS, best_of, odd_ones
from reelmend.evaluate.measure import Settings, measure_masks, measure_restoration, measure_sweep
from reelmend.evaluate.provenance import read_result
from reelmend.evaluate.table import comma_separated, markdown, page, write_tables

Rows = list[tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="module")
def rows(room: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Two masks, two restorations and a sweep, as read back from their files."""
    root = tmp_path_factory.mktemp("results")

    def settings(name: str) -> Settings:
        return Settings(
            command=f"reelmend evaluate {name}", name=name, out=root / name, how=Resampling(draws=100, seed=3)
        )

    masks = {"source": room / "damaged", "classes": room / "annotations.json"}
    measure_masks(room / "found", room / "truth", settings("half"), **masks)
    measure_masks(room / "truth", room / "truth", settings("ideal | masks"), **masks)
    for name in ("restored", "damaged"):
        measure_restoration(room / name, room / "clean", room / "truth", settings(name), damaged=room / "damaged")
    measure_sweep(room / "maps", room / "truth", settings("maps <1>"))
    names = ("half", "ideal | masks", "restored", "damaged", "maps <1>")
    return [(root / name, read_result(root / name / "result.json")) for name in names]


def test_markdown_holds_every_row_and_marks_the_best(rows: Rows) -> None:
    text = markdown(rows, "Comparison")
    assert text.startswith("# Comparison\n")
    lines = text.splitlines()
    half = next(line for line in lines if line.startswith("| half |"))
    assert half.split(" | ")[1:6] == ["0.714", "0.300", "0.9981", "0.423", "0.268"]
    ideal = next(line for line in lines if line.startswith("| ideal \\| masks |"))
    assert "| **1.000** |" in ideal
    assert any(line.startswith("| half | 0.500 | 0.000 |") for line in lines), "recall by class"
    assert re.search(r"\| restored \| \*\*[\d.]+\*\*", text)
    # Every table has as many cells in all of its lines.
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_every_row_carries_command_seed_data_and_versions(rows: Rows) -> None:
    text, sheet = markdown(rows, "x"), list(csv.DictReader(io.StringIO(comma_separated(rows))))
    for (_, result), line in zip(rows, sheet, strict=True):
        origin = result["provenance"]
        assert f"`{origin['command']}`".replace("|", "\\|") in text
        assert line["command"] == origin["command"]
        assert line["seed"] == "3"
        for role, digest in origin["data"].items():
            assert line[f"sha256_{role}"] == digest
            assert digest[:12] in text
        assert line["version_numpy"] == origin["versions"]["numpy"]
        assert f"numpy {origin['versions']['numpy']}" in text


def test_the_sheet_keeps_figures_and_intervals_and_leaves_the_undefined_empty(rows: Rows) -> None:
    sheet = list(csv.DictReader(io.StringIO(comma_separated(rows))))
    half, ideal, restored, damaged, maps = sheet
    assert float(half["precision"]) == pytest.approx(90 / 126)
    assert float(half["precision_low"]) <= 90 / 126 <= float(half["precision_high"])
    assert (half["recall_dust"], half["recall_long_hair"]) == ("0.5", "0")
    assert ideal["psnr_inside"] == half["average_precision"] == maps["precision"] == ""
    assert restored["grain_variance_ratio"] == ""
    assert restored["psnr_outside"] == damaged["psnr_outside"] == "inf"
    assert restored["identical_outside"] == "yes"
    assert float(restored["flicker_inside"]) < float(damaged["flicker_inside"])
    assert [line["kind"] for line in sheet] == ["masks", "masks", "restoration", "restoration", "sweep"]
    assert sheet[0].keys() == sheet[4].keys()


def test_the_page_stands_alone(rows: Rows) -> None:
    text = page(rows, "A & B")
    assert "<h1>A &amp; B</h1>" in text
    assert "maps &lt;1&gt;" in text and "maps <1>" not in text
    assert (
        text.count('<img src="data:image/jpeg;base64,') == 4 + 3 + 3 + 3
    )  # nothing is found or missed on a clean frame
    assert text.count("<svg ") == 3
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "reelmend evaluate half" in text


def test_rows_on_other_data_are_marked_and_never_win(rows: Rows, room: Path) -> None:
    some = Settings(name="two frames", frames=2, how=Resampling(draws=50))
    other = (room, measure_masks(room / "truth", room / "truth", some))
    chosen = [rows[0], other]
    assert odd_ones(chosen) == {1}
    assert all(best_of(chosen, column) == set() for column in COLUMNS["masks"])
    assert "| two frames † |" in markdown(chosen, "x")
    assert "† measured on other data" in page(chosen, "x")
    assert "†" not in markdown(rows, "x")


def test_best_is_by_what_is_shown_and_by_the_goal(rows: Rows) -> None:
    columns = {column.key: column for kind in COLUMNS.values() for column in kind}

    def best(key: str, *values: float | None) -> set[int]:
        column = columns[key]
        made: Rows = []
        for value in values:
            result: dict[str, Any] = {"provenance": {"data": {}}}
            place = result
            for name in column.path[:-1]:
                place = place.setdefault(name, {})
            place[column.path[-1]] = value
            made.append((Path(), result))
        return best_of(made, column)

    assert best("dice", 0.5, 0.7, 0.70004, None) == {1, 2}
    assert best("false_alarm_area", 10.0, 3.0) == {1}
    assert best("grain_variance_ratio", 0.0, 1.6, 0.7) == {2}
    assert best("grain_variance_ratio", 0.4, 2.0) == {1}
    assert best("psnr_outside", 50.0, float("inf")) == {1}
    assert best("dice", 0.5, None) == best("dice", 0.5, 0.5) == best("frames", 3, 4) == set()


def test_files_are_written_and_repeat(rows: Rows, tmp_path: Path) -> None:
    made = write_tables(rows, tmp_path)
    assert [path.name for path in made] == ["table.md", "table.csv", "table.html"]
    first = [path.read_bytes() for path in made]
    assert [path.read_bytes() for path in write_tables(rows, tmp_path)] == first
    with pytest.raises(UsageError, match="no results"):
        write_tables([], tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "no result of reelmend evaluate"),
        ('{"kind": "masks"}', "no result of reelmend evaluate"),
        ('{"kind": "masks", "layout": 99, "name": "", "frames": 1, "pooled": {}, "provenance": {}}', "has layout 99"),
    ],
)
def test_what_is_no_result_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_result(tmp_path / "result.json")


def test_results_that_are_missing_are_told(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_result(tmp_path / "result.json")
    with pytest.raises(UsageError, match=r"is a folder; give the result\.json"):
        read_result(tmp_path)
    with pytest.raises(UsageError, match="keep pictures beside"):
        page([(tmp_path, rows[0][1])], "x")


def test_infinite_figures_come_back_and_names_stay(rows: Rows) -> None:
    assert rows[2][1]["pooled"]["outside"]["psnr"] == float("inf")
    held = json.loads((rows[2][0] / "result.json").read_text())
    assert held["pooled"]["outside"]["psnr"] == "inf"
