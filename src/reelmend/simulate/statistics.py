"""Statistics of real damage, as plain numbers fitted to annotated scans; the package ships its own in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

SHIPPED = Path(__file__).with_name("statistics.json")


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a fit found, by kind of damage."""

    kinds: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """From a file that `reelmend simulate fit` wrote; the package's own without one."""
        return cls(json.loads((path or SHIPPED).read_text(encoding="utf-8"))["kinds"])
