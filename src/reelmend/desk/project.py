"""A project: a folder that keeps reels' jobs, findings, edits, reviews and renders, so that nothing is ever lost.

project.json                 the reels, in their order
reels/ID/job.toml            what is to be done, without places
reels/ID/edits.jsonl         edits of the masks
reels/ID/review.json         state of every shot, by its first frame
reels/ID/found/              masks and what is known of them, frame by frame
reels/ID/repairs/            repaired frames, so that only what changed is repaired again
reels/ID/renders/            films, and what was asked for beside them
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from reelmend.config import Job
from reelmend.desk.files import Roots, read_json, write_json
from reelmend.edits import Journal
from reelmend.errors import UsageError
from reelmend.media import open_reel

VERSION = 1

Review = Literal["to do", "approved", "rejected"]
"""What a person thinks of a shot."""

REVIEWS: tuple[Review, ...] = get_args(Review)


@dataclass(frozen=True, slots=True)
class ReelEntry:
    """A reel of a project."""

    id: str
    source: Path
    folder: Path
    """Where everything of it is kept."""

    @property
    def edits(self) -> Path:
        return self.folder / "edits.jsonl"

    @property
    def masks(self) -> Path:
        """Detected damage, as `open_mask_reader` reads it."""
        return self.folder / "found" / "masks"

    @property
    def repairs(self) -> Path:
        """Repaired frames, as `KeptRepairs` keeps them; they may be thrown away at any time."""
        return self.folder / "repairs"

    @property
    def renders(self) -> Path:
        return self.folder / "renders"

    def job(self) -> Job:
        """Its job: the source and the options; places of outputs are a render's own."""
        saved = self.folder / "job.toml"
        return Job.from_toml(saved) if saved.exists() else Job(source=self.source)

    def set_options(self, /, **options: Any) -> Job:
        """Change options by their names, as `Job.build` has them, and keep them. Raises UsageError as that does."""
        job = Job.build(self.job(), **options)
        if job.source != self.source:
            raise UsageError("a reel's source stays; add the other one to the project")
        job.save(self.folder / "job.toml")
        return job

    def journal(self) -> Journal:
        """The journal of its edits, open."""
        return Journal(self.edits)

    def reviews(self) -> dict[int, Review]:
        """State of the shots that have one, by first frame."""
        path = self.folder / "review.json"
        if not path.exists():
            return {}
        return {int(first): state for first, state in read_json(path).items() if state in REVIEWS}

    def set_review(self, first: int, state: str) -> None:
        """Raises UsageError for a state that there is none of."""
        if state not in REVIEWS:
            raise UsageError(f"a shot is {', '.join(REVIEWS)}, not {state}")
        states: dict[int, str] = {**self.reviews(), first: state}
        kept = {str(n): one for n, one in sorted(states.items()) if one != "to do"}
        write_json(self.folder / "review.json", kept)


class Project:
    """An opened project."""

    def __init__(self, folder: Path, roots: Roots) -> None:
        """Open a project, or begin one where there is none. Raises UsageError for a folder of something else."""
        self.folder, self.roots = folder.resolve(), roots
        self._file = self.folder / "project.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the project's folder {folder}: {error.strerror}") from None
        if not self._file.exists():
            if any(self.folder.iterdir()):
                raise UsageError(f"{folder} is not empty and no project; choose another folder")
            self._save({})
        values = read_json(self._file)
        if (
            not isinstance(values, dict)
            or values.get("version") != VERSION
            or not isinstance(values.get("reels"), dict)
        ):
            raise UsageError(f"{self._file} is no project of this version")

    def reels(self) -> list[ReelEntry]:
        """Its reels, in the order they were added."""
        return [self._entry(name, Path(source)) for name, source in read_json(self._file)["reels"].items()]

    def reel(self, name: str) -> ReelEntry:
        """One by its id. Raises UsageError where there is none."""
        for entry in self.reels():
            if entry.id == name:
                return entry
        raise UsageError(f"the project has no reel {name}")

    def add(self, source: str | Path) -> ReelEntry:
        """Add a reel, or find it again. Raises UsageError for a place outside the roots, or no film; MediaError for a
        film that cannot be opened."""
        place = self.roots.check(source)
        for entry in self.reels():
            if entry.source == place:
                return entry
        open_reel(place).close()
        names = {entry.id for entry in self.reels()}
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", place.stem).strip("-")[:40] or "reel"
        name = stem
        count = 1
        while name in names:
            count += 1
            name = f"{stem}-{count}"
        entry = self._entry(name, place)
        (entry.folder / "found").mkdir(parents=True, exist_ok=True)
        entry.renders.mkdir(exist_ok=True)
        self._save({one.id: str(one.source) for one in self.reels()} | {name: str(place)})
        return entry

    def _entry(self, name: str, source: Path) -> ReelEntry:
        return ReelEntry(name, source, self.folder / "reels" / name)

    def _save(self, reels: dict[str, str]) -> None:
        write_json(self._file, {"version": VERSION, "reels": reels})
