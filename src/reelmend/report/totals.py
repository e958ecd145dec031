"""Sums over a reel's frame records: the totals, the shots and the columns of the timeline. One pass, bounded memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from reelmend.report.record import FrameRecord

LISTED = 24
"""Frames listed by name: the most unsure ones, and the first that could not be read or carry a note."""


@dataclass(slots=True)
class ShotTotals:
    number: int
    first: int
    last: int
    frames: int = 0
    damaged: float = 0.0
    """Mean share of a frame."""
    blobs: int = 0


@dataclass(slots=True)
class Column:
    """Neighbouring frames drawn as one column of the timeline."""

    first: int
    last: int
    frames: int = 0
    damaged: float = 0.0
    """Highest share in the column."""
    unsure: float = 0.0
    """Highest share in the column."""
    faults: int = 0


@dataclass(slots=True)
class Totals:
    """What a whole run found and did. Shares are of all pixels of all frames, 0..1."""

    frames: int = 0
    damaged_frames: int = 0
    damaged: float = 0.0
    peak: float = 0.0
    """The most damaged frame's share."""
    peak_frame: int | None = None
    changed: float = 0.0
    unsure: float = 0.0
    blobs: int = 0
    copies: int = 0
    faults: int = 0
    notes: int = 0
    repaired_by: dict[str, float] = field(default_factory=dict)
    """How the pixels inside the grown masks were filled, shares that sum to 1."""
    regions: dict[str, float] = field(default_factory=dict)
    """Mean share of each region's pixels that is damaged, by its number, where a label map was given."""
    shots: list[ShotTotals] = field(default_factory=list)
    most_unsure: list[FrameRecord] = field(default_factory=list)
    faulty: list[FrameRecord] = field(default_factory=list)
    noted: list[FrameRecord] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The sums alone, for JSON."""
        out = asdict(self)
        for name in ("shots", "most_unsure", "faulty", "noted"):
            del out[name]
        return out


def total(records: Iterable[FrameRecord]) -> Totals:
    """Add up records in frame order."""
    sums = Totals()
    fills: dict[str, float] = {}
    unsure: list[tuple[float, int, FrameRecord]] = []
    for record in records:
        sums.frames += 1
        sums.damaged_frames += record.damaged > 0
        sums.damaged += record.damaged
        sums.changed += record.changed
        sums.unsure += record.unsure
        sums.blobs += record.blobs
        sums.copies += record.copy_of is not None
        if record.damaged > sums.peak:
            sums.peak, sums.peak_frame = record.damaged, record.index
        for name, share in record.repaired_by.items():
            fills[name] = fills.get(name, 0.0) + share * record.changed
        for name, share in (record.regions or {}).items():
            sums.regions[name] = sums.regions.get(name, 0.0) + share
        if record.fault:
            sums.faults += 1
            if len(sums.faulty) < LISTED:
                sums.faulty.append(record)
        if record.note:
            sums.notes += 1
            if len(sums.noted) < LISTED:
                sums.noted.append(record)
        if record.unsure > 0:
            entry = (record.unsure, -record.index, record)
            (heapq.heappushpop if len(unsure) == LISTED else heapq.heappush)(unsure, entry)
        _into_shot(sums.shots, record)
    for name in ("damaged", "changed", "unsure"):
        setattr(sums, name, getattr(sums, name) / max(1, sums.frames))
    sums.regions = {name: sums.regions[name] / sums.frames for name in sorted(sums.regions, key=int)}
    for shot in sums.shots:
        shot.damaged /= shot.frames
    whole = sum(fills.values())
    sums.repaired_by = {name: share / whole for name, share in sorted(fills.items())} if whole else {}
    sums.most_unsure = [record for _, _, record in sorted(unsure, reverse=True)]
    return sums


def columns(records: Iterable[FrameRecord], frames: int, limit: int = 600) -> list[Column]:
    """The timeline of `frames` records in at most `limit` columns of equally many frames."""
    each = max(1, -(-frames // limit))
    result: list[Column] = []
    for number, record in enumerate(records):
        if number % each == 0:
            result.append(Column(record.index, record.index))
        column = result[-1]
        column.last = record.index
        column.frames += 1
        column.damaged = max(column.damaged, record.damaged)
        column.unsure = max(column.unsure, record.unsure)
        column.faults += record.fault is not None
    return result


def _into_shot(shots: list[ShotTotals], record: FrameRecord) -> None:
    if not shots or shots[-1].number != record.shot:
        shots.append(ShotTotals(record.shot, record.index, record.index))
    shot = shots[-1]
    shot.last = record.index
    shot.frames += 1
    shot.damaged += record.damaged
    shot.blobs += record.blobs
