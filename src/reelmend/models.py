"""What can detect and repair: every detector and repairer with its weights' card and its measured scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

SCORES = "scores.json"
"""In `reelmend/weights`, written by the benchmark: `{"measured_on": text, "detectors": {name: {figure: number}},
"repairers": {name: {figure: number}}}`."""


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
    about = " ".join((type(made).__doc__ or "").strip().split("\n\n")[0].split())
    if card and card.get("graph"):
        # Networks are all run by one class: what one of them is, its card says.
        about = card.get("note") or about
    facts = card and {key: card.get(key) for key in ("kind", "licence", "sha256", "recipe", "scores", "data")}
    return {"name": name, "about": about, "weights": facts, "scores": scores.get(name)}


def read(name: str) -> dict[str, Any] | None:
    """A JSON file shipped in `reelmend/weights`; None where there is none."""
    file = resources.files("reelmend") / "weights" / name
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
