"""`reelmend models`: what can detect and repair, and how well, as measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reelmend.models import gather


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
