"""What a report says of one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One line of the journal: what was found in a frame and how it was repaired."""

    index: int
    """Frame number counted from 0 at the start of the reel."""
    shot: int
    """Number of its shot, counted from 0."""
    damaged: float
    """Share of the frame's pixels in the detected mask, 0..1."""
    blobs: int = 0
    """Connected pieces of damage (8 neighbours)."""
    unsure: float = 0.0
    """Share of the frame's pixels that were repaired but where the repairer was unsure, 0..1."""
    changed: float = 0.0
    """Share of the frame's pixels inside the grown mask, 0..1: what repair was allowed to touch."""
    repaired_by: Mapping[str, float] = field(default_factory=dict)
    """How the pixels inside the grown mask were filled: share by kind of fill, `{"temporal": 0.9, "spatial": 0.1}`."""
    regions: Mapping[str, float] | None = None
    """Share of each region's pixels in the detected mask, by the region's number in the label map; without those that
    have none."""
    copy_of: int | None = None
    """The frame this one repeats (pull-down, stretched film), if any."""
    fault: str | None = None
    """Why the frame could not be read and another stands in for it."""
    edits: int = 0
    """Edits by hand that changed its mask, or would have."""
    note: str | None = None
    """Why nothing was looked for or changed: no neighbours to compare with, or too much would have been touched."""

    def to_dict(self) -> dict[str, Any]:
        return {key: _short(value) for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrameRecord:
        """The record in a journal line; keys of a later version are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


def _short(value: Any) -> Any:
    """Shares with seven digits: a tenth of a pixel of a 1080p frame, and a tenth of the file size."""
    if isinstance(value, float):
        return round(value, 7)
    if isinstance(value, Mapping):
        return {key: _short(part) for key, part in value.items()}
    return value
