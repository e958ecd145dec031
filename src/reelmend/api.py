"""Restoring from Python: one call a command, with the options of the job file by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmend import pipeline
from reelmend.config import Job
from reelmend.pipeline import Progress, Summary

Place = str | Path
Report = Callable[[Progress], None]


def restore(source: Place, output: Place, *, progress: Report | None = None, **options: Any) -> Summary:
    """Find damage in `source`, repair it and write `output`; everything else stays as it is, bit for bit.

    Args:
        source: a film file, or an image sequence as folder, pattern (`name_%06d.dpx`) or first file.
        output: the film to write; its suffix decides the codec, a folder or a pattern makes a sequence.
        progress: called after every frame, in the calling thread. An exception raised in it stops the run; the same
            call goes on from there.
        options: options of a job by their name, whatever section they live in (`strength="gentle"`, `masks="masks"`,
            `report="report"`, `start=100`, `overwrite=True`); `docs/job-file.md` lists them all.

    Raises:
        UsageError: an option that does not exist or is out of its limits, a source that cannot be read, an output
            that exists or would touch the source.
        MediaError: what goes wrong while running.
    """
    return pipeline.restore(Job.build(source=source, output=output, **options), progress)


def detect(source: Place, masks: Place, *, progress: Report | None = None, **options: Any) -> Summary:
    """Find damage in `source` and write it to `masks`: a folder of PNGs (255 = damage) or one `.mkv`.

    Arguments and errors otherwise as for `restore`.
    """
    return pipeline.detect(Job.build(source=source, masks=masks, **options), progress)


def repair(source: Place, masks: Place, output: Place, *, progress: Report | None = None, **options: Any) -> Summary:
    """Repair in `source` what `masks` marks, detected or drawn by hand, and write `output`.

    In a folder of masks, a frame without a file has no damage. Arguments and errors otherwise as for `restore`.
    """
    return pipeline.repair(Job.build(source=source, masks=masks, output=output, **options), progress)
