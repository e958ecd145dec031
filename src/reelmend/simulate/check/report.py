"""The realism report as a page, as JSON and as a Markdown table."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Any

from reelmend.errors import UsageError
from reelmend.simulate.check.check import CheckResult, KindCheck
from reelmend.simulate.check.plots import contact_sheet, distributions

METHOD = (
    "One scan at a time is left out of the fit; shapes simulated from that fit take the place of the scan's own, "
    "one for each. Both are polygons on the scan's pixel grid: simulated shapes are outlined the way the "
    "annotators' machine traced (drawn on pixels, found again by a threshold, contour simplified; for hairs also "
    "blurred, noised and grown by a square) or a person clicked (corners at irregular steps on either side, whole "
    "pixels). A test that skipped this would tell pixel grids apart. The few numbers of that imitation were chosen "
    "with all scans in view; everything else is fitted without the scan in question.",
    "The classifier sees the filled masks only, never the polygons, their corners or their places: real and "
    "simulated masks are centred on their bounding boxes in the same way, and equally many (2,000 each at most). "
    "Two classifiers are trained: boosted or random trees on descriptors of the mask at full resolution (size, "
    "moments, widths, turning of the outline at three scales, edge directions) and a support vector machine on "
    "gradients and gray values of the crop. A scan's shapes, and those simulated for it, are in one fold. The "
    "better of the two is reported; 50 % = it cannot tell. Few scans that differ much can bring a classifier below "
    "50 %: what it learnt of the others is then wrong for the one that is tested. Folds drawn at random do not have "
    "this bias but let it know the scan; they stand beside.",
    "Distance is the Kolmogorov-Smirnov distance. The honest comparison is between the last two columns: how far a "
    "real scan lies from the shapes simulated without knowing it, and how far it lies from all other real scans.",
)


def write_report(kinds: Sequence[KindCheck], scans: Sequence[str], seed: int, out: Path) -> CheckResult:
    """Writes the three files. Raises UsageError when a file cannot be written."""
    result = CheckResult(
        tuple(kinds), tuple(scans), seed, report=out / "index.html", numbers=out / "check.json", table=out / "check.md"
    )
    texts = {result.report: page(result), result.numbers: numbers(result), result.table: table(result)}
    for path, text in texts.items():
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    return result


def numbers(result: CheckResult) -> str:
    """All figures as JSON."""
    kinds: dict[str, Any] = {}
    for one in result.kinds:
        judged = one.judgement
        kinds[one.kind] = {
            "classifier": None
            if judged is None
            else {
                "best": asdict(judged.best),
                "by_scan": [asdict(accuracy) for accuracy in judged.all],
                "at_random": [asdict(accuracy) for accuracy in judged.at_random],
            },
            "comparisons": [asdict(comparison) for comparison in one.comparisons],
            "counts": [
                {"scan": scan, "real": real, "simulated_5": low, "simulated_95": high}
                for scan, real, low, high in one.counts
            ],
        }
    head = {"scans": list(result.scans), "seed": result.seed, "versions": versions(), "kinds": kinds}
    return json.dumps(head, indent=1) + "\n"


def versions() -> dict[str, str]:
    """Of the packages on which the figures depend."""
    return {name: metadata.version(name) for name in ("reelmend", "numpy", "scipy", "scikit-learn")}


def classifier_rows(result: CheckResult) -> list[list[str]]:
    """A row a kind: shapes, accuracy of the better classifier with its interval, and of each with either folds."""
    rows = []
    for one in result.kinds:
        judged = one.judgement
        if judged is None:
            rows.append([one.kind, str(len(one.real)), "too few shapes", *[""] * (len(CLASSIFIER_HEAD) - 3)])
            continue
        best = judged.best
        interval = f"{100 * best.low:.1f} to {100 * best.high:.1f} %"
        each = [f"{100 * accuracy.value:.1f} %" for accuracy in (*judged.all, *judged.at_random)]
        rows.append([one.kind, str(best.count // 2), f"{100 * best.value:.1f} %", interval, *each])
    return rows


CLASSIFIER_HEAD = [
    "kind", "real shapes", "accuracy", "95 % interval",
    "trees on shape", "vectors on picture", "trees, folds at random", "vectors, folds at random",
]  # fmt: skip
COMPARISON_HEAD = [
    "statistic", "real median", "simulated median", "distance", "p", "Anderson-Darling", "shift",
    "scan from simulated", "scan from other scans",
]  # fmt: skip


def comparison_rows(one: KindCheck) -> list[list[str]]:
    """A row a statistic."""
    return [
        [
            found.statistic,
            f"{found.quantiles[0][2]:.4g}",
            f"{found.quantiles[1][2]:.4g}",
            f"{found.distance:.3f}",
            f"{found.p_value:.1g}",
            f"{found.anderson:.1f}",
            f"{found.shift:+.2f}",
            _maybe(found.by_scan),
            _maybe(found.yardstick),
        ]
        for found in one.comparisons
    ]


def table(result: CheckResult) -> str:
    """Everything but the figures, as Markdown."""
    lines = ["# Realism of simulated damage", "", _facts(result), ""]
    lines += [*_markdown(CLASSIFIER_HEAD, classifier_rows(result)), ""]
    for one in result.kinds:
        lines += [f"## {one.kind.capitalize()}", "", *_markdown(COMPARISON_HEAD, comparison_rows(one)), ""]
        lines += [*_markdown(COUNT_HEAD, _count_rows(one)), ""]
    lines += ["## Method", ""]
    for paragraph in METHOD:
        lines += [paragraph, ""]
    return "\n".join(lines)


def page(result: CheckResult) -> str:
    """The page, pictures inside."""
    body = [f"<h1>Realism of simulated damage</h1><p>{escape(_facts(result))}</p>"]
    body.append("<h2>Can a classifier tell?</h2>" + _html(CLASSIFIER_HEAD, classifier_rows(result)))
    for one in result.kinds:
        body.append(f"<h2>{escape(one.kind.capitalize())}</h2>")
        if one.real:
            body.append(_picture(contact_sheet(one.kind, one.real, one.simulated, result.seed), f"{one.kind}: shapes"))
        body.append(_picture(distributions(one.samples), f"{one.kind}: distributions"))
        body.append(_html(COMPARISON_HEAD, comparison_rows(one)) + _html(COUNT_HEAD, _count_rows(one)))
    body.append("<h2>Method</h2>" + "".join(f"<p>{escape(paragraph)}</p>" for paragraph in METHOD))
    return PAGE.replace("BODY", "\n".join(body))


COUNT_HEAD = ["scan", "real count", "simulated without it, 5 %", "95 %"]


def _count_rows(one: KindCheck) -> list[list[str]]:
    return [[scan, str(real), f"{low:.0f}", f"{high:.0f}"] for scan, real, low, high in one.counts]


def _facts(result: CheckResult) -> str:
    named = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{len(result.scans)} scans ({', '.join(result.scans)}); seed {result.seed}; {named}."


def _maybe(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{''.join(lines)}</table>"


def _picture(png: bytes, text: str) -> str:
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Realism of simulated damage</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; display: block; margin: 1rem 0; }
</style>
<body>
BODY
</body></html>
"""
