"""Writes the tables of options in docs/job-file.md from their one declaration in reelmend.config."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from reelmend.config import Job
from reelmend.describe import rows

PAGE = Path(__file__).parents[1] / "docs" / "job-file.md"
MARK = "<!-- options: tools/options_table.py writes what follows -->\n"


def tables() -> str:
    """The tables as Markdown, one for each section."""
    lines: list[str] = []
    for section, options in groupby(rows(Job), key=lambda row: row.section):
        lines += ["", f"## [{section}]" if section else "## Top level", ""]
        lines += ["| option | default | allowed | what it does |", "|---|---|---|---|"]
        lines += [f"| `{row.name}` | {row.default} | {row.limits} | {row.help} |" for row in options]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page as it should be."""
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
