"""Renders: where a film and what goes with it lie, how they are made, and which of a reel's frames are up to date."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.desk.project import ReelEntry
from reelmend.edits import Edits
from reelmend.errors import MediaError, UsageError
from reelmend.media.pattern import parse_pattern
from reelmend.motion.windows import RADIUS
from reelmend.pipeline.kept import KeptRepairs, edits_of, read_marks, settings_of
from reelmend.pipeline.run import Progress
from reelmend.pipeline.run import repair as repair_film
from reelmend.report import FrameRecord

PAGE = "report.html"
"""A report's page in its folder."""

Tell = Callable[[Progress, KeptRepairs], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a render's films go; None for what is not wanted."""

    film: Path
    masks: Path | None = None
    """Film of the masks, edits applied."""
    origins: Path | None = None
    """Film of where repaired pixels came from."""
    report: Path | None = None
    """Folder of the report; its page lies beside it too, under the folder's name."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Something in the folder of renders."""

    name: str
    bytes: int | None
    """None for a folder: a sequence of images, or a report with its pictures."""
    when: datetime
    """When it was written."""


def places_of(entry: ReelEntry, film: str, *, masks: bool, origins: bool, report: bool) -> Places:
    """Where a render under a file name goes, all in the reel's own folder.

    A name with a place for frame numbers (`out_%06d.dpx`) gets a folder of its own. Raises UsageError for a name that
    is a path, hidden, or one of another render's masks, origins or report.
    """
    if not film or film != Path(film).name or film.startswith(".") or "\\" in film or "\0" in film:
        raise UsageError(f"{film!r} is no file name; renders go to the project's folder")
    pattern = parse_pattern(film)
    stem = Path(film).stem if pattern is None else (pattern.prefix.rstrip("_-. ") or "frames")
    if stem.endswith((".masks", ".origins", ".report")):
        raise UsageError(f"{film} is a name for what goes with a film; call the film otherwise")
    folder = entry.renders
    return Places(
        folder / film if pattern is None else folder / stem / film,
        folder / f"{stem}.masks.mkv" if masks else None,
        folder / f"{stem}.origins.mkv" if origins else None,
        folder / f"{stem}.report" if report else None,
    )


def render_job(entry: ReelEntry, places: Places, /, **options: Any) -> Job:
    """The job of a render: `reelmend repair` writes the same film from it. Raises UsageError as `Job.build`."""
    given = {
        "output": places.film, "masks": entry.masks, "edits": entry.edits if entry.edits.exists() else None,
        "edited_masks": places.masks, "origins": places.origins, "report": places.report,
    }  # fmt: skip
    return Job.build(entry.job(), **given | options).anchored()


def write_render(entry: ReelEntry, places: Places, job: Job, tell: Tell) -> None:
    """Render; frames of which nothing has changed since they were last repaired are not repaired again.

    Raises as `reelmend.repair`, and whatever `tell` raises, which stops it so that the same call goes on.
    """
    kept = KeptRepairs(entry.repairs, job, origin_of(entry))
    if places.film.parent.parent == entry.renders:
        places.film.parent.mkdir(exist_ok=True)
    repair_film(job, lambda progress: tell(progress, kept), kept=kept)
    if places.report is not None:
        page = places.report.with_name(f"{places.report.name}.html")
        draft = page.with_name(f".{page.name}.part")
        try:
            shutil.copyfile(places.report / PAGE, draft)
            os.replace(draft, page)
        except OSError as error:
            raise MediaError(f"cannot write {page}: {error.strerror}; free some space") from None


def listed(entry: ReelEntry) -> list[Rendered]:
    """What was rendered, the latest first; unfinished ones are not there yet."""
    found = []
    for one in _finished(entry):
        # What is replaced meanwhile is there again at the next look.
        with suppress(OSError):
            facts, folder = one.stat(follow_symlinks=False), one.is_dir(follow_symlinks=False)
            when = datetime.fromtimestamp(facts.st_mtime, UTC)
            found.append(Rendered(one.name, None if folder else facts.st_size, when))
    return sorted(found, key=lambda one: (one.when, one.name), reverse=True)


def finished(entry: ReelEntry, name: str) -> Path:
    """A finished file by its name. Raises UsageError for a name that is not in the list, and for a folder."""
    for one in _finished(entry):
        if one.name == name:
            if one.is_dir(follow_symlinks=False):
                raise UsageError(f"{name} is a folder; it lies in {entry.renders}")
            return Path(one.path)
    raise UsageError(f"there is no render {name!r}")


def _finished(entry: ReelEntry) -> list[os.DirEntry[str]]:
    try:
        found = list(os.scandir(entry.renders))
    except OSError:
        return []
    # Unfinished work is hidden; links lead elsewhere.
    return [one for one in found if not one.name.startswith(".") and not one.is_symlink()]


def origin_of(entry: ReelEntry) -> str:
    """In words, which film a reel is and by what options its masks were found.

    Of a sequence only the folder is looked at: the index of kept repairs may call a frame up to date whose file was
    overwritten in place; a render sees that.
    """
    place = entry.source if entry.source.exists() else entry.source.parent
    try:
        facts = place.stat()
        stamp = [facts.st_size, facts.st_mtime_ns]
        found = (entry.folder / "found" / "detection.json").read_text(encoding="utf-8")
    except OSError:
        return json.dumps([str(entry.source), "not searched"])
    return json.dumps([str(entry.source), stamp, found])


@dataclass(frozen=True, slots=True, eq=False)
class RenderState:
    """Which frames are up to date."""

    rendered: NDArray[np.bool_]
    """Of every frame, whether a render has nothing to repair in it."""
    unsure: list[float | None]
    """Share of a frame's pixels that the repairer was unsure of when it last repaired it; None where it never did."""


def render_state(entry: ReelEntry, records: list[FrameRecord], edits: Edits) -> RenderState:
    """The state of as many frames as there are records, from the index of kept repairs."""
    count = len(records)
    marks = read_marks(entry.repairs)[:count]
    rendered = np.zeros(count, np.bool_)
    known = len(marks)
    try:
        settings = settings_of(entry.job(), origin_of(entry))
    except (UsageError, MediaError):
        # Its weights are not there: nothing can be rendered.
        settings = 0
    if known and settings:
        found = np.fromiter((one.damaged for one in records), np.float64, count)[:known]
        edited = edit_numbers(edits, known)
        same = (marks["settings"] == settings) & (marks["edits"] == edited) & (marks["found"] == found)
        # Frames beside one that has changed since it was made are repaired by what is damaged in it (where copies lie
        # between, windows reach further; a render sees that).
        changed = (marks["settings"] != 0) & ~same
        stale = cv2.dilate(changed.astype(np.uint8)[:, None], np.ones((2 * RADIUS + 1, 1), np.uint8))[:, 0] > 0
        rendered[:known] = same & ~stale
    shares = np.clip(np.nan_to_num(marks["unsure"].astype(np.float64)), 0, 1).round(7)
    made = (marks["settings"] != 0).tolist()
    unsure: list[float | None] = [share if there else None for share, there in zip(shares.tolist(), made, strict=True)]
    return RenderState(rendered, unsure + [None] * (count - known))


def edit_numbers(edits: Edits, count: int) -> NDArray[np.uint64]:
    """`edits_of` of every frame up to `count`, without going through all edits for each of them."""
    numbers = np.zeros(count, np.uint64)
    long = [one for one in edits.operations if len(one.frames) > 1]
    ends = {min(end, count) for one in long for end in (one.frames.start, one.frames.stop)}
    places = sorted({0, count} | ends)
    for first, stop in pairwise(places):
        numbers[first:stop] = edits_of([one for one in long if first in one.frames])
    for frame in {one.frames.start for one in edits.operations if len(one.frames) == 1}:
        if frame < count:
            numbers[frame] = edits_of(edits.of(frame))
    return numbers
