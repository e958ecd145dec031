"""Tables that benchmarks write into documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.documents import END, fill, merge, put, table_of

BEGIN = "<!-- table: of films -->"
HEAD = "| film | grain | Dice |\n| --- | --- | --- |\n"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    page = tmp_path / "page.md"
    page.write_text(
        f"Before.\n\n{BEGIN}\n{HEAD}| street | 3 | 0.5 |\n| train | 4 | 0.7 |\n{END}\n\nAfter, {END} too.\n"
    )
    return page


def test_what_is_not_told_of_stays(document: Path) -> None:
    merge(document, BEGIN, HEAD + "| train | 9 | 0.6 |\n| quay | 1 | 0.55 |")
    assert document.read_text() == (
        f"Before.\n\n{BEGIN}\n{HEAD}| street | 3 | 0.5 |\n| train | 9 | 0.6 |\n| quay | 1 | 0.55 |\n{END}"
        f"\n\nAfter, {END} too.\n"
    )


def test_rows_are_sorted_by_a_column(document: Path) -> None:
    merged = merge(document, BEGIN, HEAD + "| quay | 1 | 0.55 |", order="Dice")
    assert [row.split()[1] for row in merged.splitlines()[2:]] == ["train", "quay", "street"]


def test_several_rows_of_one_go_together(document: Path) -> None:
    merge(document, BEGIN, HEAD + "| train | 1 | 0.1 |\n| train | 2 | 0.2 |")
    merge(document, BEGIN, HEAD + "| train | 3 | 0.3 |")
    assert "| train | 3 | 0.3 |" in document.read_text()
    assert document.read_text().count("| train |") == 1


def test_kept_rows_have_a_dash_in_new_columns(document: Path) -> None:
    merged = merge(document, BEGIN, "| film | Dice | blur |\n| --- | --- | --- |\n| quay | 0.4 | 2 |")
    assert merged.splitlines()[2:] == ["| street | 0.5 | - |", "| train | 0.7 | - |", "| quay | 0.4 | 2 |"]


def test_one_column_is_filled_in(document: Path) -> None:
    assert table_of(document, BEGIN)[1] == {"film": "train", "grain": "4", "Dice": "0.7"}
    fill(document, BEGIN, "grain", {"train": "9", "quay": "1"})
    assert document.read_text() == (
        f"Before.\n\n{BEGIN}\n{HEAD}| street | 3 | 0.5 |\n| train | 9 | 0.7 |\n{END}\n\nAfter, {END} too.\n"
    )


def test_a_document_without_the_marks_is_left_alone(document: Path) -> None:
    was = document.read_text()
    with pytest.raises(SystemExit, match="no table between"):
        put(document, "<!-- another -->", HEAD)
    assert document.read_text() == was


def test_two_columns_may_have_one_heading(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        f"{BEGIN}\n| name | found | of | touched | of |\n| - | - | - | - | - |\n| a | 1 | 2 | 3 | 4 |\n{END}\n"
    )
    merge(document, BEGIN, "| name | found | of | touched | of |\n| - | - | - | - | - |\n| b | 5 | 6 | 7 | 8 |")
    assert "| a | 1 | 2 | 3 | 4 |" in document.read_text()
