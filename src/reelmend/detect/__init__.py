"""Detectors: a promise, and those that keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelmend.errors import UsageError

if TYPE_CHECKING:
    from reelmend.detect.promise import Detector

AUTO = "auto"
"""The detector that we recommend."""

DETECTORS = ("fast", "best", "still", "spike")
"""By name: two networks that see a window of frames, the second larger; one that sees a frame alone; and the classical
detector."""


def choose_detector(name: str = AUTO, device: str = "auto") -> str:
    """The detector that a name means: `auto` is `best` where networks run on a GPU, `fast` on a processor."""
    if name != AUTO:
        return name
    from reelmend.runtime import on_gpu

    return "best" if on_gpu(device) else "fast"


def make_detector(
    name: str = AUTO,
    strength: str = "standard",
    min_blob: int | None = None,
    max_blob: int | None = None,
    *,
    device: str = "auto",
    threads: int = 1,
) -> Detector:
    """A detector by name, or by the path of a network's weight card (a `.json` file).

    `device` and `threads` say where a network runs and how many threads one frame may use. Raises UsageError for a name
    that there is no detector of, MediaError for weights that do not fit their card.
    """
    name = choose_detector(name, device)
    if name == "spike":
        from reelmend.detect.spike import SpikeDetector

        return SpikeDetector(strength, min_blob, max_blob)
    if name in DETECTORS or name.endswith(".json"):
        from reelmend.detect.learned import learned

        return learned(name, strength, min_blob, max_blob, device, threads)
    raise UsageError(f"there is no detector {name}; known are {', '.join((AUTO, *DETECTORS))}")
