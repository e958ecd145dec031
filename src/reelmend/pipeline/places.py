"""Where a job reads and writes: nothing that is written may touch what is read, nor another thing that is written."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

from reelmend.config import Job
from reelmend.errors import UsageError
from reelmend.media.paths import output_kind
from reelmend.media.pattern import parse_pattern


def check_places(job: Job, stage: str) -> None:
    """Raise UsageError, before anything is written, for places that would get in each other's way."""
    masks_given = stage == "repair"
    written = {"output": job.output, "report": job.report}
    if masks_given:
        written["edited masks"] = job.edited_masks
    else:
        written |= {"masks": job.masks, "explain": job.explain}
    if stage != "detect":
        written["origins"] = job.origins
    read = {"source": job.source, "edits": job.edits} | ({"masks": job.masks} if masks_given else {})
    protect = job.repair.protect
    read |= {"regions": job.regions, "protect": None if protect is None else Path(protect.rpartition(":")[0])}
    for name, place in written.items():
        for other, origin in read.items():
            if place is None or origin is None:
                continue
            if _same(place, origin):
                if other != "source":
                    raise UsageError(f"{other} and {name} are both {place}; give them different names")
                raise UsageError(f"{place} is the source itself; choose another {name}, the source is never changed")
            if origin.is_dir() and _within(place, origin):
                raise UsageError(
                    f"{place} lies inside the {other} {origin}; choose another place for the {name}, "
                    f"the {other} {'are' if other == 'masks' else 'is'} never changed"
                )
    for (one, place), (other, second) in combinations(written.items(), 2):
        if place is None or second is None:
            continue
        if _same(place, second):
            raise UsageError(f"{other} and {one} are both {place}; give them different names")
        for inner, outer, a, b in ((place, second, one, other), (second, place, other, one)):
            if _is_folder_of_images(b, outer) and _within(inner, outer):
                raise UsageError(f"the {a} {inner} lies inside the {b} {outer}; choose another place for it")


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return os.path.samefile(one, other)
    return one.resolve() == other.resolve()


def _within(inner: Path, outer: Path) -> bool:
    return outer.resolve() in inner.resolve().parents


def _is_folder_of_images(name: str, place: Path) -> bool:
    return name not in ("report", "explain") and parse_pattern(place.name) is None and output_kind(place) == "sequence"
