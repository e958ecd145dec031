"""Damage over a reel as an inline SVG plot."""

from __future__ import annotations

import math

from reelmend.report.totals import Column, ShotTotals

WIDTH, HEIGHT = 1200, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 12, 26


def draw(timeline: list[Column], shots: list[ShotTotals]) -> str:
    """The plot as SVG text: a bar a column, its unsure part in white, shots as alternating bands, faults as marks."""
    if not timeline:
        return ""
    first, last = timeline[0].first, timeline[-1].last
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    top, steps = _scale(max(column.damaged for column in timeline))

    def x(frame: float) -> float:
        return LEFT + wide * (frame - first) / (last + 1 - first)

    def y(share: float) -> float:
        return TOP + high * (1 - share / top)

    parts = [f'<svg id="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Damaged share of each frame">']
    for number, shot in enumerate(shots):
        start, width = x(shot.first), x(shot.last + 1) - x(shot.first)
        parts.append(f'<rect class="shot{number % 2}" x="{start:.1f}" y="{TOP}" width="{width:.1f}" height="{high}"/>')
        if width > 34:
            parts.append(f'<text class="shotname" x="{start + 5:.1f}" y="{TOP + 13}">{shot.number}</text>')
    for step in range(steps + 1):
        share = top * step / steps
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}"/>')
        label = f"{share * 100:.4g}"
        parts.append(f'<text class="axis" text-anchor="end" x="{LEFT - 6}" y="{y(share) + 4:.1f}">{label} %</text>')
    damage, doubt, faults = [], [], []
    for column in timeline:
        start = x(column.first)
        width = x(column.last + 1) - start
        bar = max(width - (1 if width > 3 else 0), 0.6)
        if column.damaged > 0:
            damage.append(_bar(start, bar, y(column.damaged), TOP + high))
        if column.unsure > 0:
            doubt.append(_bar(start, bar, y(min(column.unsure, top)), TOP + high))
        if column.faults:
            faults.append(f"M{start + bar / 2:.1f} {TOP + 2}l5 -9h-10z")
    parts.append(f'<path class="damage" d="{"".join(damage)}"/><path class="unsure" d="{"".join(doubt)}"/>')
    parts.append(f'<path class="fault" d="{"".join(faults)}"/>')
    for frame in _ticks(first, last):
        parts.append(f'<text class="axis" text-anchor="middle" x="{x(frame):.1f}" y="{HEIGHT - 8}">{frame}</text>')
    parts.append(f'<rect id="cursor" x="0" y="{TOP}" width="1" height="{high}" visibility="hidden"/></svg>')
    return "".join(parts)


def _bar(x: float, width: float, top: float, bottom: float) -> str:
    return f"M{x:.1f} {bottom}V{top:.1f}h{width:.1f}V{bottom}z"


def _scale(peak: float) -> tuple[float, int]:
    """A round top of the axis at or above `peak`, and the number of steps to it."""
    if peak <= 0:
        return 0.01, 2
    power = 10.0 ** math.floor(math.log10(peak))
    for factor, steps in ((1, 2), (1.5, 3), (2, 4), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5)):
        if peak <= factor * power * (1 + 1e-9):
            return factor * power, steps
    return 10 * power, 5


def _ticks(first: int, last: int) -> list[int]:
    """Round frame numbers, at most about ten."""
    span = max(1, last - first)
    power = 10 ** max(0, math.floor(math.log10(span / 10)) if span >= 10 else 0)
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if span / (factor * power) <= 10)
    return list(range(-(-first // step) * step, last + 1, step))
