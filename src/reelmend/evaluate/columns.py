"""The figures of each kind of result: where they lie, how they are written, which is best, and what may be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Result = dict[str, Any]
Rows = Sequence[tuple[Path, Result]]
"""Results with the folders that their pictures lie in."""


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
