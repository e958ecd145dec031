"""`reelmend probe`: the facts of a reel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from reelmend.config import Job
from reelmend.film import ReelFacts
from reelmend.report.source import describe_source


def show(source: Path, gaps: str, as_json: bool) -> None:
    """Print what is known of a reel before a frame is decoded. Raises ReelMendError where it cannot be opened."""
    job = Job.build(source=source, gaps=gaps)
    from reelmend.media import open_reel

    with open_reel(job.source, gaps=job.gaps) as reel:
        facts = reel.facts
    if as_json:
        print(json.dumps(describe_source(facts), indent=1, ensure_ascii=False))
        return
    for name, value in rows(facts):
        print(f"{name:<14} {value}")


def rows(facts: ReelFacts) -> Iterator[tuple[str, str]]:
    """Facts as `(name, value)` for people; what is not known or usual is left out."""
    yield "source", str(facts.path) + (f" ({facts.pattern})" if facts.pattern else "")
    yield "format", f"{facts.format}, {facts.codec}"
    yield "size", f"{facts.width} x {facts.height}"
    if facts.sample_aspect != 1:
        yield "pixel aspect", f"{facts.sample_aspect.numerator}:{facts.sample_aspect.denominator}"
    if facts.rotation:
        yield "rotation", f"{facts.rotation} degrees"
    yield "pixel format", f"{facts.pixel_format} ({layout(facts)})"
    rate = f"{float(facts.rate):.6g} frames/s"
    yield "rate", rate if facts.rate.denominator == 1 else f"{rate} ({facts.rate})"
    yield "frames", "unknown until read" if facts.frames is None else str(facts.frames)
    if facts.frames is not None and facts.rate > 0:
        yield "duration", f"{float(facts.frames / facts.rate):.3f} s"
    if facts.kind == "sequence":
        yield "first number", str(facts.first_number)
    if facts.timecode:
        yield "timecode", facts.timecode
    if facts.field_order != "progressive":
        yield "field order", facts.field_order
    tags = facts.colour
    named = ("primaries", tags.primaries), ("transfer", tags.transfer), ("matrix", tags.matrix), ("range", tags.range)
    yield "colour", ", ".join(f"{name} {tag}" for name, tag in named if tag) or "not tagged"
    for stream in facts.streams:
        extra = [text for text in (stream.codec, stream.detail, stream.language) if text]
        yield f"stream {stream.index}", f"{stream.kind}: {', '.join(extra)}"
    for key, value in facts.metadata.items():
        yield "metadata", f"{key} = {value}"
    for note in facts.notes:
        yield "note", note


def layout(facts: ReelFacts) -> str:
    """`10-bit yuv 4:2:2`, `16-bit float rgb with alpha`."""
    made = facts.layout
    depth = f"{made.bits}-bit{' float' if made.is_float else ''} {made.family}"
    if made.family == "yuv":
        names = {(0, 0): "4:4:4", (1, 0): "4:2:2", (1, 1): "4:2:0", (2, 0): "4:1:1", (2, 2): "4:1:0", (0, 1): "4:4:0"}
        depth += " " + names.get((made.sub_x, made.sub_y), f"1/{1 << made.sub_x} x 1/{1 << made.sub_y}")
    return depth + (" with alpha" if made.alpha else "")
