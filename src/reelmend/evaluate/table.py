"""Results side by side: Markdown for documents, CSV for sheets, one HTML page with pictures for the screen."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from reelmend.errors import UsageError
from reelmend.evaluate.columns import (
    COLUMNS,
    LEGENDS,
    TITLES,
    Column,
    Result,
    Rows,
    best_of,
    class_columns,
    kinds,
    odd_ones,
    of_kind,
)
from reelmend.evaluate.measure import write_text
from reelmend.evaluate.plot import COLOURS, sweep_plots
from reelmend.evaluate.thresholds import curve_of

TEMPLATE = Path(__file__).parent / "templates" / "table.html.j2"

WIDEST = 1280
"""Columns of an embedded picture, pixels: what a screen shows when one is enlarged. Larger ones are reduced."""

SHOWN = 4
"""Pictures of a row on the page; all of them stay in the result's folder."""


def write_tables(rows: Rows, folder: Path, title: str = "Results") -> list[Path]:
    """Write `table.md`, `table.csv` and `table.html` into a folder that exists; their paths.

    Raises UsageError when there are no rows or the folder cannot be written.
    """
    if not rows:
        raise UsageError("no results to set side by side; give one result.json or more")
    made = []
    for name, text in (
        ("table.md", markdown(rows, title)),
        ("table.csv", comma_separated(rows)),
        ("table.html", page(rows, title)),
    ):
        write_text(folder / name, text)
        made.append(folder / name)
    return made


def markdown(rows: Rows, title: str) -> str:
    """Tables of figures and of what made them."""
    lines = [f"# {title}", ""]
    for kind in kinds(rows):
        chosen = of_kind(rows, kind)
        lines += [f"## {TITLES[kind]}", "", *_markdown_table(chosen, COLUMNS[kind]), "", LEGENDS[kind], ""]
        if odd_ones(chosen):
            lines += ["† measured on other data than the first row: not to be compared with it.", ""]
        if classes := class_columns(chosen):
            lines += ["### Recall by class", "", *_markdown_table(chosen, classes), ""]
    lines += ["## How it was measured", ""]
    lines += ["| | command | made by | seed | data, SHA-256 | versions |", "|---|---|---|---|---|---|"]
    for _, result in rows:
        origin = result["provenance"]
        cells = [
            result["name"], f"`{origin['command']}`", f"`{origin['made_by']}`" if origin["made_by"] else "-",
            str(origin["seed"]), data_text(result), versions_text(result),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(_cell(each) for each in cells)} |")
    return "\n".join(lines) + "\n"


def _markdown_table(rows: Rows, columns: Sequence[Column]) -> list[str]:
    lines = [f"| | {' | '.join(each.heading for each in columns)} |", f"|---|{'---:|' * len(columns)}"]
    best = [best_of(rows, column) for column in columns]
    odd = odd_ones(rows)
    for place, (_, result) in enumerate(rows):
        cells = [_cell(result["name"]) + (" †" if place in odd else "")]
        for column, winners in zip(columns, best, strict=True):
            text = column.text(result)
            cells.append(f"**{text}**" if place in winners else text)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def comma_separated(rows: Rows) -> str:
    """One line a result with all digits, intervals and full hashes; an undefined figure is an empty field."""
    columns: dict[str, Column] = {}
    for kind in kinds(rows):
        chosen = of_kind(rows, kind)
        columns |= {column.key: column for column in [*COLUMNS[kind], *class_columns(chosen)]}
    roles = sorted({role for _, result in rows for role in result["provenance"]["data"]})
    libraries = sorted({name for _, result in rows for name in result["provenance"]["versions"]})
    ranged = {key for key in columns if any(key in result.get("intervals", {}) for _, result in rows)}
    heading = ["kind", "name"]
    for key in columns:
        heading += [key, f"{key}_low", f"{key}_high"] if key in ranged else [key]
    heading += ["command", "made_by", "seed", *(f"sha256_{role}" for role in roles)]
    heading += [f"version_{name}" for name in libraries]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heading)
    for _, result in rows:
        own = {column.key: column for column in [*COLUMNS[result["kind"]], *class_columns([(Path(), result)])]}
        line: list[Any] = [result["kind"], result["name"]]
        for key in columns:
            mine = own.get(key)
            line.append("" if mine is None else _field(mine.value(result)))
            if key in ranged:
                line += [_field(end) for end in (mine and mine.interval(result)) or (None, None)]
        origin = result["provenance"]
        line += [origin["command"], origin["made_by"] or "", _field(origin["seed"])]
        line += [origin["data"].get(role, "") for role in roles]
        line += [origin["versions"].get(name, "") for name in libraries]
        writer.writerow(line)
    return file.getvalue()


def _field(value: float | bool | None) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.10g}"


def page(rows: Rows, title: str) -> str:
    """One HTML page that needs no other file: tables, curves, pictures and what made them."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    sections = []
    for kind in kinds(rows):
        chosen = of_kind(rows, kind)
        curves = [
            (result["name"], curve_of(result), result["reliability"]) for _, result in chosen if "curve" in result
        ]
        sections.append(
            {
                "title": TITLES[kind],
                "legend": LEGENDS[kind],
                "tables": [
                    table for table in (_cells(chosen, COLUMNS[kind]), _cells(chosen, class_columns(chosen))) if table
                ],
                "odd": bool(odd_ones(chosen)),
                "plots": list(sweep_plots(curves).values()) if curves else [],
                "key": [(name, COLOURS[place % len(COLOURS)]) for place, (name, _, _) in enumerate(curves)],
                "rows": [{"name": result["name"], "pictures": embedded(folder, result)} for folder, result in chosen],
                "caption": CAPTIONS[kind],
                "broad": kind == "restoration",
            }
        )
    origins = [
        {"name": r["name"], **r["provenance"], "data": data_text(r), "versions": versions_text(r)} for _, r in rows
    ]
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    version = rows[0][1]["provenance"]["versions"].get("reelmend", "")
    return template.render(title=title, sections=sections, origins=origins, version=version)


CAPTIONS = {
    "masks": "yellow: hit, green: false alarm, red: miss; the worst frames",
    "restoration": "close-ups of the worst frames: before (where given), restored, clean",
    "sweep": "",
}


def _cells(rows: Rows, columns: Sequence[Column]) -> dict[str, Any] | None:
    if not columns:
        return None
    best, odd = [best_of(rows, column) for column in columns], odd_ones(rows)
    lines = [
        {
            "name": result["name"],
            "odd": place in odd,
            "cells": [
                {"text": column.text(result), "range": column.range_text(result), "best": place in winners}
                for column, winners in zip(columns, best, strict=True)
            ],
        }
        for place, (_, result) in enumerate(rows)
    ]
    return {"columns": [column.heading for column in columns], "lines": lines}


def data_text(result: Result) -> str:
    """Roles with the first digits of their hashes."""
    return ", ".join(f"{role} {digest[:12]}" for role, digest in result["provenance"]["data"].items())


def versions_text(result: Result) -> str:
    """Libraries with their versions."""
    return ", ".join(f"{name} {version}" for name, version in result["provenance"]["versions"].items())


def embedded(folder: Path, result: Result, limit: int = SHOWN) -> list[dict[str, Any]]:
    """The first pictures of a result as data URIs, reduced to `WIDEST` columns.

    Plots are left out, as the page draws them together. Raises UsageError for a picture that is gone.
    """
    made: list[dict[str, Any]] = []
    for entry in [each for each in result.get("pictures", []) if each["file"].endswith(".png")][:limit]:
        path = folder / Path(entry["file"]).name
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.exists() else None
        if picture is None:
            raise UsageError(f"{path} cannot be read; keep pictures beside their result.json, or measure again")
        if picture.shape[1] > WIDEST:
            size = (WIDEST, max(1, round(picture.shape[0] * WIDEST / picture.shape[1])))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        # Full chroma: the overlay's colours are what is to be seen.
        full = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        data = cv2.imencode(".jpg", picture, full)[1].tobytes()
        uri = "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
        made.append({"uri": uri, "frame": entry["frame"]})
    return made
