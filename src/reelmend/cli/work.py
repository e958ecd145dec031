"""The commands that run a job: restore, detect, repair."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reelmend.cli import STOPPED
from reelmend.config import Job
from reelmend.errors import ReelMendError, UsageError

if TYPE_CHECKING:
    from reelmend.pipeline import Summary

Stage = Literal["restore", "detect", "repair"]

PLACES: dict[Stage, tuple[str, ...]] = {
    "restore": ("source", "output"),
    "detect": ("source", "masks"),
    "repair": ("source", "masks", "output"),
}
"""What each command cannot do without, in the order of its arguments."""


class Stopped(ReelMendError):
    """A person pressed Ctrl-C."""

    exit_code = STOPPED


def run(stage: Stage, *, job: Path | None, quiet: bool, no_grain: bool = False, **options: Any) -> None:
    """Run a stage as the command line asks and show how it goes.

    Raises:
        ReelMendError: as the stage does.
        Stopped: on Ctrl-C, saying how to go on.
    """
    made = assemble(stage, job, no_grain, options)
    from reelmend.cli.progress import Display

    with Display(quiet) as display:
        try:
            from reelmend import pipeline

            summary = getattr(pipeline, stage)(made, display.update)
        except KeyboardInterrupt:
            raise Stopped(display.how_to_go_on(made.start, step(stage, made))) from None
    if not quiet:
        print("\n".join(summed_up(stage, summary)), file=sys.stdout)


def assemble(stage: Stage, file: Path | None, no_grain: bool, options: dict[str, Any]) -> Job:
    """The job that flags and a job file make together. Raises UsageError for what is missing or not allowed."""
    missing = [name for name in PLACES[stage] if options.get(name) is None]
    if missing and (file is None or missing[0] != "source"):
        from reelmend.config import read_toml

        known = read_toml(file) if file else {}
        lacking = [name.upper() for name in missing if name not in known]
        if lacking:
            usage = " ".join(name.upper() for name in PLACES[stage])
            raise UsageError(f"{' and '.join(lacking)} missing: give `reelmend {stage} {usage}`, or name it in --job.")
    if no_grain:
        options["regrain"] = False
    return Job.build(file, **options)


def step(stage: Stage, job: Job) -> int:
    """Frames between two places from which a stopped job goes on: films are kept in segments, images one by one."""
    from reelmend.media.paths import output_kind
    from reelmend.pipeline.films import SEGMENT

    written = {
        "restore": (job.output, job.masks, job.origins),
        "detect": (job.masks,),
        "repair": (job.output, job.edited_masks, job.origins),
    }[stage]
    return SEGMENT if any(output_kind(place) == "container" for place in written if place is not None) else 1


def summed_up(stage: Stage, summary: Summary) -> list[str]:
    """What was found and what it cost, a line each."""
    shots = f"{summary.shots} shot{'s' * (summary.shots != 1)}"
    lines = [
        f"{summary.frames} frame{'s' * (summary.frames != 1)} in {shots}: {percent(summary.damaged_fraction)} of the "
        f"picture damaged, {summary.blobs} blobs"
        + (f", {percent(summary.unsure_fraction)} repaired but unsure" if stage != "detect" else "")
        + "."
    ]
    rate = summary.frames / summary.wall if summary.wall > 0 else 0.0
    spent = ", ".join(f"{name} {value:.1f} s" for name, value in summary.seconds.items() if value >= 0.05)
    lines.append(f"{summary.wall:.1f} s, {rate:.1f} frames a second" + (f" ({spent})" if spent else "") + ".")
    for name in ("output", "masks", "report"):
        place = getattr(summary, name)
        if place is not None and not (name == "masks" and stage == "repair"):
            lines.append(f"{name:<7} {place}")
    return lines + [f"note    {note}" for note in summary.notes]


def percent(share: float) -> str:
    """A share as percent with three significant digits."""
    return f"{share * 100:.3g} %"
