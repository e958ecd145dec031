"""The HTML page of a report: one file, nothing fetched from outside."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmend.film import ReelFacts
from reelmend.report.record import FrameRecord
from reelmend.report.timeline import LEFT, RIGHT, WIDTH, draw
from reelmend.report.totals import Column, Totals
from reelmend.report.worst import TINT, Pictures

if TYPE_CHECKING:
    from reelmend.report.writer import Outcome

TEMPLATE = Path(__file__).parent / "templates" / "report.html.j2"
MEDIA = {".jpg": "image/jpeg", ".png": "image/png"}


def render(
    facts: ReelFacts,
    job: Mapping[str, Any],
    sums: Totals,
    timeline: list[Column],
    worst: list[Pictures],
    records: Mapping[int, FrameRecord],
    summary: Outcome,
    versions: Mapping[str, str],
) -> str:
    """The whole page as text.

    `records` holds at least the records of the frames in `worst`.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "count": count, "data_uri": data_uri, "seconds": spoken}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        facts=facts,
        name=facts.path.name,
        job=list(_settings(job)),
        sums=sums,
        plot=draw(timeline, sums.shots),
        columns=json.dumps([[c.first, c.last, round(c.damaged, 6), round(c.unsure, 6), c.faults] for c in timeline]),
        worst=worst,
        records=records,
        geometry={"width": WIDTH, "left": LEFT, "inner": WIDTH - LEFT - RIGHT},
        summary=summary,
        stages=_stages(summary.seconds),
        rate=sums.frames / summary.wall if summary.wall > 0 else 0.0,
        versions=versions,
        accent="#{:02x}{:02x}{:02x}".format(*TINT),
        clock=lambda frame: clock(frame, facts),
        doubt=_doubt,
    )


def percent(share: float) -> str:
    """A share as percent with as many digits as it deserves: `12.3 %`, `0.84 %`, `0.0021 %`, `0 %`."""
    value = share * 100
    if value == 0:
        return "0\u2009%"
    digits = 1 if value >= 10 else 2 if value >= 0.1 else 4
    if value < 100 and round(value, digits) >= 100:
        return "> 99.9\u2009%"
    return f"{value:.{digits}f}\u2009%" if value >= 0.0001 else "< 0.0001\u2009%"


def count(number: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u2009")


def spoken(seconds: float) -> str:
    """A duration for people: `4.2 s`, `3 min 05 s`, `2 h 14 min`."""
    if seconds < 60:
        return f"{seconds:.1f}\u2009s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u2009min {rest:02d}\u2009s"
    return f"{minutes // 60}\u2009h {minutes % 60:02d}\u2009min"


def clock(frame: int, facts: ReelFacts) -> str:
    """When a frame is shown, from the start of the reel at its nominal rate: `0:01:23.458`."""
    if facts.rate <= 0:
        return ""
    text = str(timedelta(milliseconds=round(1000 * frame / facts.rate)))
    return text[:-3] if "." in text else text + ".000"


def data_uri(path: Path) -> str:
    """A picture file as a `data:` address."""
    return f"data:{MEDIA[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _settings(job: Mapping[str, Any], section: str = "") -> list[tuple[str, str]]:
    """Options as `(name, value)`, sections after the rest."""
    flat = [(section + key, _plain(value)) for key, value in job.items() if not isinstance(value, Mapping)]
    for key, value in job.items():
        if isinstance(value, Mapping):
            flat += _settings(value, f"{key}.")
    return flat


def _plain(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _stages(seconds: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """`(stage, seconds, share of the longest)`, longest first."""
    longest = max(seconds.values(), default=0.0) or 1.0
    return [(name, value, value / longest) for name, value in sorted(seconds.items(), key=lambda item: -item[1])]


def _doubt(record: FrameRecord) -> float:
    """Unsure pixels as a share of those that repair was allowed to touch."""
    return min(1.0, record.unsure / record.changed) if record.changed > 0 else 0.0
