"""Detectors: a promise, and those that keep it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelmend.detect.promise import Detector


def _spike(strength: str, min_blob: int | None, max_blob: int | None) -> Detector:
    from reelmend.detect.spike import SpikeDetector

    return SpikeDetector(strength, min_blob, max_blob)


DETECTORS: dict[str, Callable[[str, int | None, int | None], Detector]] = {"spike": _spike}
"""By name: a factory from strength and blob size limits."""
