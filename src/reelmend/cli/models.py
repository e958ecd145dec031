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
        for entry in tables[kind]:
            print(f"  {entry['name']:<12} {entry['about']}")
            print(f"  {'':<12} weights: {entry['weights'] or 'none needed'}")
            print(f"  {'':<12} {scores_line(entry['scores'])}")
    print(f"measured on: {tables['measured_on'] or 'nothing yet'}")


def gather() -> dict[str, Any]:
    """Every detector and repairer with its scores; `scores` is None where nobody has measured."""
    from reelmend.detect import DETECTORS
    from reelmend.repair import REPAIRERS

    scores = load_scores()
    return {
        "measured_on": scores.get("measured_on"),
        "detectors": [entry(name, made, scores.get("detectors", {})) for name, made in DETECTORS.items()],
        "repairers": [entry(name, made, scores.get("repairers", {})) for name, made in REPAIRERS.items()],
    }


def entry(name: str, made: Any, scores: Mapping[str, Any]) -> dict[str, Any]:
    """One row: the first sentence of its documentation, its weights file and its measured scores."""
    about = " ".join((made.__doc__ or "").strip().split("\n\n")[0].split())
    return {"name": name, "about": about, "weights": getattr(made, "weights", None), "scores": scores.get(name)}


def scores_line(scores: Mapping[str, Any] | None) -> str:
    """`dice 0.61, ...`, or that it was not measured."""
    if not scores:
        return "scores: not measured"
    return "scores: " + ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" if isinstance(value, int | float) else f"{name} {value}"
        for name, value in scores.items()
    )


def load_scores() -> dict[str, Any]:
    """The measured scores shipped with the package, empty where there are none."""
    file = resources.files("reelmend") / "weights" / SCORES
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return loaded
