from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reelmend.errors import UsageError
from reelmend.simulate.outlines import KINDS
from reelmend.simulate.statistics import Statistics


def plain() -> dict[str, Any]:
    return {
        "format": 1,
        "scans": ["scan_1"],
        "film_mm2": 800.0,
        "kinds": {
            "dust": {
                "count": {"per_mm2": 1.5, "dispersion": 0.25},
                "space": {"clustered": 0.5, "members": 4.0, "radius": 900.0},
                "shape": {"mean": [[1.0, 2.0], [3.0, 1 / 3]], "word": "speck"},
            }
        },
    }


def test_saved_numbers_come_back_and_the_file_is_the_same_each_time(tmp_path: Path) -> None:
    statistics = Statistics.model_validate(plain())
    statistics.save(tmp_path / "a.json")
    again = Statistics.load(tmp_path / "a.json")
    again.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert again.kinds["dust"].count.per_mm2 == 1.5
    assert again.kinds["dust"].shape["mean"][1] == [3.0, 0.333333]


def test_a_model_is_built_once() -> None:
    kind = Statistics.model_validate(plain()).kinds["dust"]
    built: list[int] = []

    def model(shape: Any) -> object:
        built.append(len(shape))
        return object()

    assert kind.built(model) is kind.built(model)
    assert built == [2]


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("format",), 2, "format"),
        (("film_mm2",), 0.0, "film_mm2"),
        (("kinds", "dust", "count", "per_mm2"), -1.0, "per_mm2"),
        (("kinds", "dust", "count", "per_mm2"), "many", "per_mm2"),
        (("kinds", "dust", "space", "clustered"), 1.5, "clustered"),
        (("kinds", "dust", "shape", "mean"), [float("nan")], "finite"),
        (("kinds", "dust", "shape", "mean"), None, "neither a number"),
        (("kinds", "dust", "colour"), 1, "colour"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_name(tmp_path: Path, where: tuple[str, ...], value: Any, said: str):
    content = plain()
    table = content
    for key in where[:-1]:
        table = table[key]
    table[where[-1]] = value
    (tmp_path / "s.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match=rf"s\.json: not statistics of damage.*{said}.*simulate fit"):
        Statistics.load(tmp_path / "s.json")


def test_files_that_are_no_statistics_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json: cannot read the statistics"):
        Statistics.load(tmp_path / "none.json")
    (tmp_path / "s.json").write_text("{")
    with pytest.raises(UsageError, match="not statistics"):
        Statistics.load(tmp_path / "s.json")
    with pytest.raises(UsageError, match="cannot write"):
        Statistics.model_validate(plain()).save(tmp_path / "missing" / "s.json")


def test_the_package_ships_all_annotated_kinds() -> None:
    shipped = Statistics.load()
    assert set(shipped.kinds) == set(KINDS)
    assert shipped.film_mm2 == pytest.approx(len(shipped.scans) * 34.94 * 23.9)
    assert shipped.as_json() == Path(__file__).parents[2].joinpath("src/reelmend/simulate/statistics.json").read_text()
    # 6,096 specks of dust were counted on 6,680 square millimetres.
    assert shipped.kinds["dust"].count.per_mm2 == pytest.approx(6096 / shipped.film_mm2, rel=1e-4)
