"""Trials: damage that is known to the pixel, laid on a stretch of a reel, searched for, and scored.

`reels/ID/trial` holds the last one: `damaged.mkv`, its true masks (`truth/`) and what was found in it (`found/`), and
`trial.json` with the scores.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.desk.files import read_json, write_json
from reelmend.desk.project import ReelEntry
from reelmend.detect import choose_detector
from reelmend.errors import UsageError
from reelmend.evaluate.overlay import PLAIN, SAFE, overlay
from reelmend.media import open_mask_reader, open_reel
from reelmend.pipeline.run import Progress, detect
from reelmend.report.picture import to_rgb8
from reelmend.simulate.recipe import load_recipe, recipe_names

MOST_FRAMES = 240
"""Of one trial."""

FIGURES = ("dice", "iou", "precision", "recall")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried."""

    recipe: str
    """Name of a recipe of the package."""
    seed: int
    start: int
    """First frame of the reel."""
    frames: int

    def checked(self) -> Plan:
        """Itself. Raises UsageError for a recipe that there is none of, or too many frames."""
        if self.recipe not in recipe_names():
            raise UsageError(f"there is no recipe {self.recipe}; take one of {', '.join(recipe_names())}")
        if not 1 <= self.frames <= MOST_FRAMES:
            raise UsageError(f"a trial takes 1 to {MOST_FRAMES} frames, not {self.frames}")
        return self


class Trial:
    """The last trial of a reel."""

    def __init__(self, entry: ReelEntry) -> None:
        self._entry = entry
        self.folder = entry.folder / "trial"

    def make(self, plan: Plan, tell: Callable[[int], None]) -> None:
        """Damage, search and score. `tell` hears of every frame twice: damaged, searched.

        Raises as `simulate`, `detect` and `measure_masks`, and whatever `tell` raises, which gives the trial up.
        """
        # A desk opens sooner without them.
        from reelmend.evaluate.measure import Settings, measure_masks
        from reelmend.simulate.reel import beside, simulate

        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        film, truth, found = (self.folder / name for name in ("damaged.mkv", "truth", "found"))
        source = self._entry.source

        def damaging(done: int, total: int | None, share: float) -> None:
            tell(done)

        def searching(progress: Progress) -> None:
            tell(made.frames + progress.done)

        try:
            made = simulate(
                source, film, truth, load_recipe(plan.recipe), plan.seed, start=plan.start, frames=plan.frames,
                gaps="hold", on_error="hold", progress=damaging,
            )  # fmt: skip
            job = Job.build(self._entry.job(), output=None, masks=found, edits=None, start=0, frames=None)
            detector = choose_detector(job.detect.detector, job.device)
            detect(job.model_copy(update={"source": film}), searching)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        scores = measure_masks(found, truth, Settings(pictures=0), classes=beside(truth)[0])
        write_json(
            self.folder / "trial.json",
            _told(plan, scores, made.defects, f"{detector} at {job.detect.strength} strength"),
        )

    def result(self) -> dict[str, Any] | None:
        """Plan and scores of the last trial; None where there is none."""
        place = self.folder / "trial.json"
        return read_json(place) if place.exists() else None

    def picture(self, number: int, safe: bool = False, marked: bool = True) -> NDArray[np.uint8]:
        """A frame of the damaged stretch, counted from 0, `(h, w, 3)`: hits, false alarms and misses in yellow, green
        and red, or in colours that nobody confuses. Raises UsageError where there is no such frame.
        """
        if self.result() is None:
            raise UsageError("no damage was tried on this reel yet")
        with open_reel(self.folder / "damaged.mkv") as reel:
            facts = reel.facts
            frame = next(reel.frames(number, 1), None)
            if frame is None:
                raise UsageError(f"the trial has no frame {number}")
            picture = to_rgb8(frame, facts.colour)
        if not marked:
            return picture
        size = facts.height, facts.width
        with (
            open_mask_reader(self.folder / "found", *size) as ours,
            open_mask_reader(self.folder / "truth", *size) as true,
        ):
            return overlay(picture, ours.mask(number), true.mask(number), colours=SAFE if safe else PLAIN)


def _told(plan: Plan, scores: dict[str, Any], defects: int, searched: str) -> dict[str, Any]:
    pooled = scores["pooled"]
    return {
        **asdict(plan),
        "searched_by": searched,
        "defects": defects,
        "scores": {name: pooled.get(name) for name in FIGURES},
        "false_alarms_per_million": 1e6 * pooled["false_alarms"] / max(1, pooled["false_alarms"] + pooled["clean"]),
        "classes": {name: one["defect_recall"] for name, one in scores.get("classes", {}).items()},
        "per_frame": [[one["hits"], one["false_alarms"], one["misses"]] for one in scores["per_frame"]],
    }
