"""What a desk has to do, one thing at a time in the background: searches and renders, paused or gone on with."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reelmend.config import Job
from reelmend.desk.findings import Findings
from reelmend.desk.project import ReelEntry
from reelmend.errors import ReelMendError
from reelmend.pipeline.run import Progress
from reelmend.pipeline.run import repair as render_film

State = Literal["waiting", "running", "paused", "done", "failed", "given up"]

Kind = Literal["search", "render", "trial", "proxies"]

Work = Callable[["Task"], bool]
"""Does a task until it is stopped; True when it is finished."""


@dataclass(eq=False)
class Task:
    """One thing to do."""

    id: int
    kind: Kind
    reel: str
    """Id of its reel."""
    title: str
    work: Work
    state: State = "waiting"
    done: int = 0
    """Frames."""
    total: int | None = None
    """Frames, where the source says."""
    begun: float = 0.0
    said: str = ""
    """Why it failed, or what there is to know."""
    stop: threading.Event = field(default_factory=threading.Event)
    first: int = 0
    """Frames that were done before it began, or went on."""

    @property
    def speed(self) -> float:
        """Frames a second since it began or went on; 0 before."""
        spent = time.monotonic() - self.begun
        return (self.done - self.first) / spent if self.state == "running" and spent > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """None where nobody can tell."""
        return (self.total - self.done) / self.speed if self.total and self.speed > 0 else None


class Queue:
    """Tasks in their order; a thread does them."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="desk-queue", daemon=True)
        self._thread.start()

    def tasks(self) -> list[Task]:
        with self._changed:
            return list(self._tasks)

    def search(self, entry: ReelEntry, findings: Findings) -> Task:
        """Look through a reel with its present options; the same search is not queued twice."""

        def work(task: Task) -> bool:
            def tell(done: int) -> None:
                task.done = done

            task.done = task.first = len(findings.records)
            return findings.search(entry.job(), task.stop, tell)

        with self._changed:
            for one in self._tasks:
                if one.kind == "search" and one.reel == entry.id and one.state in ("waiting", "running"):
                    return one
        return self._add(Task(next(self._ids), "search", entry.id, f"Find damage in {entry.id}", work))

    def render(self, entry: ReelEntry, output: Path, **options: object) -> Task:
        """Write a film from what was found and edited; `options` as in `reelmend.repair`."""
        edits = entry.edits if entry.edits.exists() else None
        given = {"output": output, "masks": entry.masks, "edits": edits} | options
        job = Job.build(entry.job(), **given)

        def work(task: Task) -> bool:
            def tell(progress: Progress) -> None:
                if task.done == 0 and progress.done > 1:
                    task.first = progress.done - 1
                task.done, task.total = progress.done, progress.total
                if task.stop.is_set():
                    raise _Stopped

            try:
                render_film(job, tell)
            except _Stopped:
                return False
            return True

        return self._add(Task(next(self._ids), "render", entry.id, f"Render {output.name}", work))

    def add(self, kind: Kind, entry: ReelEntry, title: str, total: int | None, work: Work) -> Task:
        """Queue other work on a reel, of `total` steps where that is known."""
        return self._add(Task(next(self._ids), kind, entry.id, title, work, total=total))

    def pause(self, number: int) -> None:
        """Stop a task so that it can go on."""
        self._stop(number, "paused")

    def give_up(self, number: int) -> None:
        """Stop a task for good; what it has done so far stays."""
        self._stop(number, "given up")

    def go_on(self, number: int) -> None:
        """Queue a task again that was paused or failed."""
        with self._changed:
            task = self._task(number)
            if task and task.state in ("paused", "failed"):
                task.state, task.said = "waiting", ""
                task.stop.clear()
                self._changed.notify_all()

    def close(self) -> None:
        """Stop all and wait; everything can be gone on with another time."""
        with self._changed:
            self._closed = True
            for task in self._tasks:
                task.stop.set()
            self._changed.notify_all()
        self._thread.join()

    def wait(self, seconds: float = 60.0) -> None:
        """Until nothing waits or runs, at most so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(task.state not in ("waiting", "running") for task in self._tasks), timeout=seconds
            )

    def _add(self, task: Task) -> Task:
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()
        return task

    def _task(self, number: int) -> Task | None:
        return next((task for task in self._tasks if task.id == number), None)

    def _stop(self, number: int, state: State) -> None:
        with self._changed:
            task = self._task(number)
            if task is None or task.state not in ("waiting", "running", "paused", "failed"):
                return
            task.stop.set()
            # A running task's thread sees for itself that it was stopped.
            task.state = state
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting() is not None)
                task = self._waiting()
                if self._closed or task is None:
                    return
                task.state, task.begun, task.first = "running", time.monotonic(), task.done
            said, state = "", "done"
            try:
                if not task.work(task):
                    state = "paused"
            except ReelMendError as error:
                said, state = str(error), "failed"
            except Exception as error:  # a fault of ours must not end the desk
                said, state = f"{type(error).__name__}: {error}", "failed"
            with self._changed:
                task.said = said
                if task.state == "running" or state == "failed":
                    task.state = state  # type: ignore[assignment]
                self._changed.notify_all()

    def _waiting(self) -> Task | None:
        return next((task for task in self._tasks if task.state == "waiting"), None)


class _Stopped(Exception):
    """Ends a render from within its own report of progress; what it has written is gone on from."""
