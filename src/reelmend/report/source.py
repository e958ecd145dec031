"""A reel's facts, and what made a report, as plain values for JSON."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Any

from reelmend.film import ReelFacts


def versions() -> dict[str, str]:
    """The versions that made a report: ReelMend, Python and the libraries that touch pictures."""
    from importlib.metadata import PackageNotFoundError, version

    made = {"reelmend": "", "python": platform.python_version()}
    for name in ("reelmend", "numpy", "opencv-python-headless", "av", "OpenImageIO", "scenedetect-headless"):
        try:
            made[name] = version(name)
        except PackageNotFoundError:
            made.pop(name, None)
    return made


def describe_source(facts: ReelFacts) -> dict[str, Any]:
    """A reel's facts as plain values."""
    out = {
        "path": str(facts.path), "kind": facts.kind, "format": facts.format, "codec": facts.codec,
        "pixel_format": facts.pixel_format, "width": facts.width, "height": facts.height,
        "rate": str(facts.rate), "frames": facts.frames, "sample_aspect": str(facts.sample_aspect),
        "timecode": facts.timecode, "colour": asdict(facts.colour), "field_order": facts.field_order,
        "rotation": facts.rotation, "first_number": facts.first_number, "pattern": facts.pattern,
        "layout": {"family": facts.layout.family, "bits": facts.layout.bits, "float": facts.layout.is_float,
                   "alpha": facts.layout.alpha, "sub_x": facts.layout.sub_x, "sub_y": facts.layout.sub_y},
        "streams": [asdict(stream) for stream in facts.streams],
        "metadata": dict(facts.metadata), "notes": list(facts.notes),
    }  # fmt: skip
    return out
