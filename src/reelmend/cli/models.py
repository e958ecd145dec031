"""`reelmend models`: what can detect and repair, and how well, as measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

SCORES = "scores.json"
"""In `reelmend/weights`, written by the benchmark: `{"measured_on": text, "detectors": {name: {figure: number}},
"repairers": {name: {figure: number}}}`."""


def show(as_json: bool) -> None:
    """Print the tables of detectors and repairers."""
    tables = gather()
    if as_json:
        print(json.dumps(tables, indent=1))
        return
    for kind in ("detectors", "repairers"):
        print(f"{kind}:")
        for row in tables[kind]:
            print(f"  {row['name']:<10} {row['about']}")
            print(f"  {'':<10} weights: {weights_line(row['weights'])}")
            print(f"  {'':<10} scores: {scores_line(row['scores'])}")
    if tables["measured_on"]:
        print(f"measured on: {tables['measured_on']}")


def gather() -> dict[str, Any]:
    """Every detector and repairer with its scores; `scores` is None where nobody has measured."""
    from reelmend.detect import DETECTORS, make_detector
    from reelmend.repair import REPAIRERS, make_repairer

    scores = read(SCORES) or {}
    return {
        "measured_on": scores.get("measured_on"),
        "detectors": [entry(name, make_detector(name), scores.get("detectors", {})) for name in DETECTORS],
        "repairers": [entry(name, make_repairer(name), scores.get("repairers", {})) for name in REPAIRERS],
    }


def entry(name: str, made: Any, scores: Mapping[str, Any]) -> dict[str, Any]:
    """One row: the first paragraph of its documentation, its weight card's facts and its measured scores."""
    card = read(f"{name}.json")
    # Networks are all run by one class: what one of them is, its card says.
    about = (card or {}).get("note") or " ".join((type(made).__doc__ or "").strip().split("\n\n")[0].split())
    facts = card and {key: card.get(key) for key in ("kind", "licence", "sha256", "recipe", "scores")}
    return {"name": name, "about": about, "weights": facts, "scores": scores.get(name)}


def weights_line(card: Mapping[str, Any] | None) -> str:
    """What the weights are, their licence and the start of their hash."""
    if not card:
        return "none needed"
    return f"{card['kind']} ({card['licence']}, sha256 {str(card['sha256'])[:12]})"


def scores_line(scores: Mapping[str, Any] | None) -> str:
    """`dice 0.61, ...`, or that it was not measured."""
    if not scores:
        return "not measured"
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" if isinstance(value, int | float) else f"{name} {value}"
        for name, value in scores.items()
    )


def read(name: str) -> dict[str, Any] | None:
    """A JSON file shipped in `reelmend/weights`; None where there is none."""
    file = resources.files("reelmend") / "weights" / name
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
