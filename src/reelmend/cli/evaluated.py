"""Results of `reelmend evaluate` as tables in a terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FRAMES_SHOWN = 20
"""Rows of single frames at most; the rest is in the JSON."""

WIDTH = 118
"""Columns where there is no terminal to ask."""


@contextmanager
def counting() -> Iterator[Callable[[int, int | None], None]]:
    """Frames done, in a terminal; nothing elsewhere."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with console.status("reading") as status:
        yield lambda done, total: status.update(f"frame {done}" + (f" of {total}" if total else ""))


def show(result: dict[str, Any], out: Path | None) -> None:
    """Print a result and where it was written."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for table in {"masks": masks, "restoration": restoration, "sweep": sweep}[result["kind"]](result):
        console.print(table)
    how = result["bootstrap"]
    if result["frames"] >= 2 * how["block"]:
        drawn = "frames" if how["block"] == 1 else f"stretches of {how['block']} frames"
        console.print(
            f"In brackets: {how['confidence']:.0%} of {how['draws']} bootstrap draws of {drawn}, seed {how['seed']}."
        )
    if out is not None:
        console.print(f"written to {out}", soft_wrap=True)


def masks(result: dict[str, Any]) -> Iterator[Table]:
    """Pooled and mean figures, size bins, classes, frames."""
    pooled, mean = result["pooled"], result["mean"]
    table = _table(f"{result['name']}: {_frames(result)}", "figure", "pooled", "mean of frames")
    for name, shown in (
        ("precision", "precision"),
        ("recall", "recall"),
        ("accuracy", "accuracy"),
        ("dice", "Dice"),
        ("iou", "IoU"),
        ("boundary_f", f"boundary F, {result['boundary']['tolerance']:g} px"),
        ("blob_recall", "blobs found"),
        ("blob_precision", "found blobs that are damage"),
    ):
        table.add_row(shown, ranged(result, name, pooled[name]), number(mean[name]))
    area = pooled["false_alarm_area"]
    table.add_row(
        "false alarms, px per million clean",
        ranged(result, "false_alarm_area", area, "{:.1f}"),
        number(mean["false_alarm_area"], "{:.1f}"),
    )
    clean = result["clean_frames"]
    table.add_row(
        f"the same on {clean['frames']} clean frame{'s' * (clean['frames'] != 1)}",
        number(clean["false_alarm_area"], "{:.1f}"),
        "",
    )
    yield table
    bins = _table("blobs by size", "pixels", "true blobs", "found", "share", "found blobs", "damage", "share")
    recalls, precisions = (result["blobs"][name]["by_size"] for name in ("recall", "precision"))
    for index, (one, two) in enumerate(zip(recalls, precisions, strict=True)):
        last = index + 1 == len(recalls)
        span = f"{one['from']} and more" if last else f"{one['from']} to {recalls[index + 1]['from'] - 1}"
        cells = [str(each[key]) if key != "share" else number(each[key]) for each in (one, two) for key in SHARES]
        bins.add_row(span, *cells)
    yield bins
    if "classes" in result:
        kinds = _table("classes", "class", "defects", "found", "share", "pixels", "recall", "precision", "Dice", "IoU")
        for name, each in result["classes"].items():
            shares = [number(each[key]) for key in ("recall", "precision", "dice", "iou")]
            kinds.add_row(
                name, str(each["defects"]), str(each["defects_found"]), number(each["defect_recall"]),
                str(each["pixels"]), *shares,
            )  # fmt: skip
        if result["pixels_without_class"]:
            kinds.caption = f"{result['pixels_without_class']} true pixels belong to no listed defect"
        yield kinds
    worst = sorted(result["per_frame"], key=lambda each: -(each["false_alarms"] + each["misses"]))
    frames = _table("frames", "frame", "precision", "recall", "accuracy", "Dice", "IoU", "boundary F", "false/M")
    for each in _chosen(worst, frames):
        figures = [number(each[key]) for key in ("precision", "recall", "accuracy", "dice", "iou", "boundary_f")]
        frames.add_row(str(each["frame"]), *figures, number(each["false_alarm_area"], "{:.1f}"))
    yield frames


SHARES = ("blobs", "found", "share")


def restoration(result: dict[str, Any]) -> Iterator[Table]:
    """Fidelity by region, then grain, calm and what lies outside."""
    pooled, before = result["pooled"], result["before"]
    heading = ["region", "PSNR dB", "low-passed", "SSIM", "MS-SSIM"]
    table = _table(f"{result['name']}: {_frames(result)}", *heading)
    forms = {"psnr": "{:.2f}", "psnr_low_passed": "{:.2f}", "ssim": "{:.4f}", "ms_ssim": "{:.4f}"}
    for region in ("inside", "outside", "everywhere"):
        cells = [ranged(result, f"{key}_{region}", pooled[region][key], form) for key, form in forms.items()]
        table.add_row(region, *cells)
        if before:
            table.add_row("  before", *(number(before[region][key], form) for key, form in forms.items()), style="dim")
    yield table
    rest = _table("", "figure", "value")
    grain, calm = pooled["grain"], pooled["stability"]
    rest.add_row("grain variance, inside over around", number(grain["variance_ratio"]))
    rest.add_row("grain spectrum, distance in dB", number(grain["spectrum_distance_db"], "{:.2f}"))
    for region in ("inside", "everywhere"):
        for key, shown in (
            ("warping_error", "warping error"),
            ("warping_error_clean", "the clean film's"),
            ("flicker", "flicker"),
        ):
            value = calm[region][key]
            scaled = None if value is None else value * 1000
            rest.add_row(f"{shown}, {region}, thousandths", number(scaled))
    light = calm["light_flicker"]
    rest.add_row("flicker of the light, thousandths", number(None if light is None else light * 1000))
    rest.add_row("identical outside", outside(pooled["outside_check"]))
    yield rest
    worst = sorted(result["per_frame"], key=lambda each: _inf(each["psnr_inside"]))
    frames = _table("frames", "frame", "damaged px", "PSNR inside", "before", "SSIM inside", "PSNR everywhere")
    for each in _chosen(worst, frames):
        frames.add_row(
            str(each["frame"]), str(each["damaged_pixels"]), number(each["psnr_inside"], "{:.2f}"),
            number(each.get("psnr_inside_before"), "{:.2f}"), number(each["ssim_inside"], "{:.4f}"),
            number(each["psnr_everywhere"], "{:.2f}"),
        )  # fmt: skip
    yield frames


def sweep(result: dict[str, Any]) -> Iterator[Table]:
    """Areas, the best threshold, calibration and frames."""
    pooled, best = result["pooled"], result["best"]
    table = _table(f"{result['name']}: {_frames(result)}", "figure", "pooled")
    table.add_row("average precision", ranged(result, "average_precision", pooled["average_precision"]))
    table.add_row("area under ROC", ranged(result, "roc_area", pooled["roc_area"], "{:.4f}"))
    table.add_row("damaged share, what chance would score", number(pooled["damaged_share"], "{:.5f}"))
    table.add_row("expected calibration error", number(pooled["expected_calibration_error"], "{:.4f}"))
    table.add_row("Brier score", number(pooled["brier"], "{:.5f}"))
    if best:
        table.add_row("best threshold, by Dice", number(best["threshold"]))
        for key, shown in (("dice", "Dice"), ("iou", "IoU"), ("precision", "precision"), ("recall", "recall")):
            table.add_row(f"  {shown} there", number(best[key]))
        table.add_row("  false alarms there, px per million clean", number(best["false_alarm_area"], "{:.1f}"))
    yield table
    reliable = _table("reliability", "called", "pixels", "mean called", "damaged")
    for each in result["reliability"]:
        reliable.add_row(
            f"{each['low']:.2g} to {each['high']:.2g}", str(each["pixels"]), number(each["predicted"], "{:.4f}"),
            number(each["observed"], "{:.4f}"),
        )  # fmt: skip
    yield reliable
    worst = sorted(result["per_frame"], key=lambda each: _inf(each["average_precision"]))
    frames = _table("frames", "frame", "damaged px", "average precision", "ROC")
    for each in _chosen(worst, frames):
        cells = number(each["average_precision"]), number(each["roc_area"], "{:.4f}")
        frames.add_row(str(each["frame"]), str(each["damaged_pixels"]), *cells)
    yield frames


def number(value: float | None, form: str = "{:.3f}") -> str:
    """A figure; `-` where it is not defined, `identical` where a PSNR is infinite."""
    if value is None:
        return "-"
    return "identical" if math.isinf(value) else form.format(value)


def ranged(result: dict[str, Any], name: str, value: float | None, form: str = "{:.3f}") -> str:
    """A figure with its bootstrap interval."""
    interval = result["intervals"].get(name)
    if value is None or math.isinf(value) or not interval:
        return number(value, form)
    return f"{number(value, form)} ({number(interval['low'], form)} to {number(interval['high'], form)})"


def outside(check: dict[str, Any] | None) -> str:
    """`yes`, or how many samples differ."""
    if check is None:
        return "not checked: needs --damaged, in the result's own kind of samples"
    if check["identical"] is None:
        return "nothing lies outside"
    if check["identical"]:
        return f"yes, all {check['samples']} samples beyond {check['grow']} px"
    return f"no: {check['differing']} of {check['samples']} samples beyond {check['grow']} px differ"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", caption_justify="left", show_edge=False, box=None)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=index > 0)
    return table


def _chosen(worst: Sequence[dict[str, Any]], table: Table) -> list[dict[str, Any]]:
    """The worst frames in the order of the film, said so where some are left out."""
    shown = sorted(worst[:FRAMES_SHOWN], key=lambda each: int(each["frame"]))
    if len(worst) > len(shown):
        table.caption = f"the {len(shown)} worst of {len(worst)} frames; --json and --out give all"
    return shown


def _frames(result: dict[str, Any]) -> str:
    return f"{result['frames']} frame{'s' * (result['frames'] != 1)}"


def _inf(value: float | None) -> float:
    return math.inf if value is None else value
