"""Small line plots as SVG: curves of sweeps, for results and tables. No library, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from reelmend.evaluate.sweep import Curve

COLOURS = ("#3cc8e8", "#f2b632", "#e0589a", "#7ccf5f", "#a98bf0", "#f0824a", "#d8d8d8", "#5f8fe0")
"""Lines in order; told apart also by those who see few colours, as they differ in lightness."""

SIZE, LEFT, BOTTOM, TOP, RIGHT = 300, 44, 40, 26, 10
POINTS = 400
"""Points of a drawn line at most: more than pixels show."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve within the unit square."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    steps: bool = False
    """Drawn as stairs: the height holds until the next point."""
    dots: bool = False


def plot(title: str, x: str, y: str, lines: Sequence[Line], diagonal: bool = False) -> str:
    """Lines over 0..1 both ways as an SVG element."""
    width, height = LEFT + SIZE + RIGHT, TOP + SIZE + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, Liberation Sans, sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#272727"/>',
        f'<text x="{LEFT}" y="17" fill="#f4f4f4" font-size="13">{escape(title)}</text>',
    ]
    for tick in range(6):
        share = tick / 5
        px, py = LEFT + SIZE * share, TOP + SIZE * (1 - share)
        parts += [
            f'<path d="M{px:g} {TOP}V{TOP + SIZE}M{LEFT} {py:g}H{LEFT + SIZE}" stroke="#454545" stroke-width=".6"/>',
            f'<text x="{px:g}" y="{TOP + SIZE + 15}" fill="#969696" text-anchor="middle">{share:g}</text>',
            f'<text x="{LEFT - 6}" y="{py + 4:g}" fill="#969696" text-anchor="end">{share:g}</text>',
        ]
    middle = TOP + SIZE / 2
    parts += [
        f'<text x="{LEFT + SIZE / 2}" y="{height - 7}" fill="#d8d8d8" text-anchor="middle">{escape(x)}</text>',
        f'<text x="12" y="{middle}" fill="#d8d8d8" text-anchor="middle" transform="rotate(-90 12 {middle})">'
        f"{escape(y)}</text>",
    ]
    if diagonal:
        parts.append(f'<path d="M{LEFT} {TOP + SIZE}L{LEFT + SIZE} {TOP}" stroke="#787878" stroke-dasharray="4 4"/>')
    for number, line in enumerate(lines):
        parts.append(_drawn(line, COLOURS[number % len(COLOURS)]))
    return "\n".join([*parts, "</svg>"])


def sweep_plots(curves: Sequence[tuple[str, Curve, Sequence[dict[str, Any]]]]) -> dict[str, str]:
    """Precision-recall, ROC and reliability of one or more results `(name, curve, reliability bins)`."""
    recalls = [
        Line(name, [0.0, *curve.recall], [curve.precision[0], *curve.precision], steps=True)
        for name, curve, _ in curves
        if curve.recall is not None and len(curve.recall)
    ]
    operating = [
        Line(name, [0.0, *curve.false_alarm_rate], [0.0, *curve.recall])
        for name, curve, _ in curves
        if curve.recall is not None and curve.false_alarm_rate is not None
    ]
    filled = [(name, [each for each in bins if each["pixels"]]) for name, _, bins in curves]
    reliable = [
        Line(name, [each["predicted"] for each in bins], [each["observed"] for each in bins], dots=True)
        for name, bins in filled
    ]
    return {
        "precision-recall": plot("Precision and recall", "recall", "precision", recalls),
        "roc": plot("ROC", "false alarms of clean pixels", "recall", operating, diagonal=True),
        "reliability": plot("Reliability", "predicted probability", "damaged share", reliable, diagonal=True),
    }


def _drawn(line: Line, colour: str) -> str:
    chosen = np.unique(np.linspace(0, len(line.xs) - 1, min(len(line.xs), POINTS)).astype(int)) if len(line.xs) else ()
    points = [(LEFT + SIZE * float(line.xs[i]), TOP + SIZE * (1 - float(line.ys[i]))) for i in chosen]
    if not points:
        return ""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for px, py in points[1:]:
        # A point of the curve stands for all of the recall that was gained on the way to it.
        path += f"V{py:.1f}H{px:.1f}" if line.steps else f"L{px:.1f} {py:.1f}"
    marks = "".join(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points)
    return (
        f'<g><title>{escape(line.name)}</title><path d="{path}" fill="none" stroke="{colour}" stroke-width="1.8" '
        f'stroke-linejoin="round"/>{marks if line.dots else ""}</g>'
    )
