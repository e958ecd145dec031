"""Tables that benchmarks write into documents, between a line that names the command and one that ends the table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

END = "<!-- end of table -->"


def put(document: Path, begin: str, text: str) -> None:
    """Replace what stands between the marks. SystemExit where the document has none."""
    before, _, after = _parted(document, begin)
    document.write_text(f"{before}{begin}\n{text}\n{END}{after}", encoding="utf-8")


def merge(document: Path, begin: str, table: str, order: str | None = None) -> str:
    """Put a Markdown table between the marks, and leave there the rows of what it does not tell of: a benchmark need
    not measure everything again to tell of one thing more. The table as it then is.

    A row tells of what stands in its first column. Rows kept get a dash in columns that they did not have. `order`:
    heading of the column by which rows are sorted, the highest first; unset: kept rows first, in the order in which
    they stand.
    """
    head, new = _rows(table)
    old_head, old = _rows(_parted(document, begin)[1])
    told = {_cells(row)[0] for row in new}
    rows = [_under(row, old_head, head) for row in old if _cells(row)[0] not in told] + new
    if order is not None:
        column = _cells(head[0]).index(order)
        rows.sort(key=lambda row: -float(_cells(row)[column]))
    text = "\n".join([*head, *rows])
    put(document, begin, text)
    return text


def table_of(document: Path, begin: str) -> list[dict[str, str]]:
    """The rows of a document's table, their cells by heading."""
    head, rows = _rows(_parted(document, begin)[1])
    return [dict(zip(_cells(head[0]), _cells(row), strict=True)) for row in rows]


def fill(document: Path, begin: str, heading: str, cells: Mapping[str, str]) -> None:
    """Put cells into a column of a document's table, by what stands in the first column of their rows."""
    head, rows = _rows(_parted(document, begin)[1])
    column = _cells(head[0]).index(heading)
    filled = []
    for row in rows:
        told = _cells(row)
        told[column] = cells.get(told[0], told[column])
        filled.append("| " + " | ".join(told) + " |")
    put(document, begin, "\n".join([*head, *filled]))


def _under(row: str, old_head: list[str], head: list[str]) -> str:
    """A row with its cells under the headings of another table."""
    if old_head[0] == head[0]:
        # Headings may be alike: two columns called "of".
        return row
    have = dict(zip(_cells(old_head[0]), _cells(row), strict=True))
    return "| " + " | ".join(have.get(one, "-") for one in _cells(head[0])) + " |"


def _parted(document: Path, begin: str) -> tuple[str, str, str]:
    before, mark, rest = document.read_text(encoding="utf-8").partition(begin)
    inside, end, after = rest.partition(END)
    if not mark or not end:
        raise SystemExit(f"{document} has no table between {begin} and {END}")
    return before, inside, after


def _rows(table: str) -> tuple[list[str], list[str]]:
    """Headings with the line below them, and the other lines."""
    lines = [line for line in table.splitlines() if line.startswith("|")] or [""]
    return lines[:2], lines[2:]


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]
