"""How far a job is: a bar in a terminal, a line now and then elsewhere, nothing with `--quiet`."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from reelmend.pipeline import Progress

EVERY = 10.0
"""Seconds between lines where there is no terminal."""


class Display:
    """Shows progress on stderr; `update` is what a stage calls."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.last: Progress | None = None
        self._bar: Any = None
        self._task: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("", total=None, note="", fps="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show the state; cheap enough to call for every frame."""
        self.last = progress
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=progress.done,
                total=progress.total,
                fps=f"{progress.fps:.1f} frames/s",
                note=f"damage {progress.damaged_fraction * 100:.3f} %",
            )
        elif time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            print(line(progress), file=sys.stderr, flush=True)

    def how_to_go_on(self, start: int, step: int) -> str:
        """What to say after Ctrl-C, for a job that begins at frame `start` and can go on every `step` frames."""
        kept = (self.last.done if self.last else 0) // step * step
        if not kept:
            return "stopped before anything could be kept; the same command starts again"
        return f"stopped; the same command goes on from frame {start + kept}"


def line(progress: Progress) -> str:
    """The state in one line: `frame 240 of 1200 (20 %), 12.3 frames/s, 1:18 left, damage 0.120 %`."""
    parts = [f"frame {progress.done}"]
    if progress.total:
        parts[0] += f" of {progress.total} ({100 * progress.done // progress.total} %)"
    if progress.fps > 0:
        parts.append(f"{progress.fps:.1f} frames/s")
        if progress.total:
            left = round((progress.total - progress.done) / progress.fps)
            hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
            parts.append((f"{hours}:{minutes:02d}:" if hours else f"{minutes}:") + f"{seconds:02d} left")
    parts.append(f"damage {progress.damaged_fraction * 100:.3f} %")
    return ", ".join(parts)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    )
