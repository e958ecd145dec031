"""Results side by side: Markdown for documents, CSV for sheets, one HTML page with pictures for the screen."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from reelmend.errors import UsageError
from reelmend.evaluate.measure import write_text
from reelmend.evaluate.plot import COLOURS, sweep_plots
from reelmend.evaluate.thresholds import curve_of

Result = dict[str, Any]
Rows = Sequence[tuple[Path, Result]]
"""Results with the folders that their pictures lie in."""

TEMPLATE = Path(__file__).parent / "templates" / "table.html.j2"

WIDEST = 1280
"""Columns of an embedded picture, pixels: what a screen shows when one is enlarged. Larger ones are reduced."""

SHOWN = 4
"""Pictures of a row on the page; all of them stay in the result's folder."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of a kind of result."""

    key: str
    """In CSV, and of its bootstrap interval."""
    heading: str
    path: tuple[str, ...]
    """Where it lies in a result."""
    form: str = "{:.3f}"
    best: float | None = math.inf
    """The value to be nearest to: infinite = higher is better, 0 = lower; None = neither."""
    scale: float = 1.0

    def value(self, result: Result) -> float | bool | None:
        """The figure; None where it is not defined."""
        found: Any = result
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return found * self.scale if isinstance(found, float) else found

    def interval(self, result: Result) -> tuple[float, float] | None:
        """Its bootstrap interval, where there is one."""
        found = result.get("intervals", {}).get(self.key)
        return (found["low"] * self.scale, found["high"] * self.scale) if found else None

    def text(self, result: Result) -> str:
        """For people: `-` where undefined."""
        value = self.value(result)
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "identical" if math.isinf(value) and "psnr" in self.key else self.form.format(value)

    def range_text(self, result: Result) -> str:
        """The interval for people; empty where there is none."""
        found = self.interval(result)
        if found is None or any(math.isinf(end) for end in found):
            return ""
        return f"{self.form.format(found[0])} to {self.form.format(found[1])}"


def _pooled(*path: str) -> tuple[str, ...]:
    return ("pooled", *path)


COLUMNS: dict[str, tuple[Column, ...]] = {
    "masks": (
        Column("precision", "precision", _pooled("precision")),
        Column("recall", "recall", _pooled("recall")),
        Column("accuracy", "accuracy", _pooled("accuracy"), "{:.4f}"),
        Column("dice", "Dice", _pooled("dice")),
        Column("iou", "IoU", _pooled("iou")),
        Column("boundary_f", "boundary F", _pooled("boundary_f")),
        Column("blob_recall", "blobs found", _pooled("blob_recall")),
        Column("blob_precision", "blobs right", _pooled("blob_precision")),
        Column("false_alarm_area", "false alarms, px per million", _pooled("false_alarm_area"), "{:.1f}", 0),
        Column("frames", "frames", ("frames",), "{:d}", None),
    ),
    "restoration": (
        Column("psnr_inside", "PSNR inside, dB", _pooled("inside", "psnr"), "{:.2f}"),
        Column("psnr_low_passed_inside", "low-passed", _pooled("inside", "psnr_low_passed"), "{:.2f}"),
        Column("ssim_inside", "SSIM inside", _pooled("inside", "ssim"), "{:.4f}"),
        Column("ms_ssim_inside", "MS-SSIM inside", _pooled("inside", "ms_ssim"), "{:.4f}"),
        Column("psnr_outside", "PSNR outside", _pooled("outside", "psnr"), "{:.2f}"),
        Column("ssim_outside", "SSIM outside", _pooled("outside", "ssim"), "{:.4f}"),
        Column("psnr_everywhere", "PSNR all", _pooled("everywhere", "psnr"), "{:.2f}"),
        Column("grain_variance_ratio", "grain variance", _pooled("grain", "variance_ratio"), "{:.2f}", 1),
        Column("grain_spectrum_db", "spectrum, dB", _pooled("grain", "spectrum_distance_db"), "{:.2f}", 0),
        Column(
            "warping_error_inside",
            "warping error inside, ‰",
            _pooled("stability", "inside", "warping_error"),
            "{:.3f}",
            0,
            1000,
        ),
        Column("flicker_inside", "flicker inside, ‰", _pooled("stability", "inside", "flicker"), "{:.2f}", 0, 1000),
        Column("identical_outside", "identical outside", _pooled("outside_check", "identical"), best=None),
        Column("frames", "frames", ("frames",), "{:d}", None),
    ),
    "sweep": (
        Column("average_precision", "average precision", _pooled("average_precision")),
        Column("roc_area", "area under ROC", _pooled("roc_area"), "{:.4f}"),
        Column("best_dice", "best Dice", ("best", "dice")),
        Column("best_threshold", "at threshold", ("best", "threshold"), best=None),
        Column("best_precision", "precision there", ("best", "precision"), best=None),
        Column("best_recall", "recall there", ("best", "recall"), best=None),
        Column("expected_calibration_error", "calibration error", _pooled("expected_calibration_error"), "{:.4f}", 0),
        Column("brier", "Brier", _pooled("brier"), "{:.5f}", 0),
        Column("frames", "frames", ("frames",), "{:d}", None),
    ),
}

TITLES = {"masks": "Masks", "restoration": "Restorations", "sweep": "Damage maps"}


LEGENDS = {
    "masks": "Pixels pooled over frames. A dash is a ratio without a denominator.",
    "restoration": (
        "Inside and outside the true masks. Low-passed: PSNR of the error blurred by 1.5 pixels, blind to grain. Grain "
        "variance: inside over around, 1 is alike. Warping error and flicker in thousandths of full scale."
    ),
    "sweep": "Average precision as scikit-learn defines it; the best threshold is the one with the highest Dice.",
}


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


def kinds(rows: Rows) -> list[str]:
    """The kinds of result that occur, in the order of `COLUMNS`."""
    return [kind for kind in COLUMNS if any(result["kind"] == kind for _, result in rows)]


def of_kind(rows: Rows, kind: str) -> list[tuple[Path, Result]]:
    """The rows of one kind, in the order they were given."""
    return [(folder, result) for folder, result in rows if result["kind"] == kind]


def measured_on(result: Result) -> tuple[str, ...]:
    """What tells one set of data from another: hashes of all but what is judged, and of how many frames."""
    data = result["provenance"]["data"]
    fixed = {"truth", "clean", "masks"}
    return tuple(f"{role} {data[role]}" for role in sorted(data) if role in fixed)


def odd_ones(rows: Rows) -> set[int]:
    """Places of rows of one kind that were measured on other data than the first: not to be compared with it."""
    return {place for place, (_, result) in enumerate(rows) if measured_on(result) != measured_on(rows[0][1])}


def best_of(rows: Rows, column: Column) -> set[int]:
    """Places of the rows with the best figure; none where fewer than two rows on the same data have one."""
    odd = odd_ones(rows)
    values = {place: column.value(result) for place, (_, result) in enumerate(rows) if place not in odd}
    known = {place: float(value) for place, value in values.items() if value is not None}
    if column.best is None or len(known) < 2:
        return set()
    goal = column.best
    distance = {place: _distance(value, goal) for place, value in known.items()}
    # Alike to as many digits as are shown.
    shown = {place: column.text(rows[place][1]) for place in known}
    winner = shown[min(distance, key=lambda place: distance[place])]
    best = {place for place in known if shown[place] == winner}
    return best if len(best) < len(known) else set()


def _distance(value: float, goal: float) -> float:
    if math.isinf(goal):
        return -value
    # A ratio of a half is as far from 1 as one of two.
    return abs(value) if goal == 0 else abs(math.log(value / goal)) if value > 0 else math.inf


def class_columns(rows: Rows) -> list[Column]:
    """Recall of every class of damage that occurs."""
    names = sorted({name for _, result in rows for name in result.get("classes") or {}})
    return [Column(f"recall_{name}", name, ("classes", name, "recall")) for name in names]


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
