"""What a desk has to do, one thing at a time in the background: searches and renders, paused or gone on with.

What a person wants of a task and what the thread does are two things. Every run of a task has a stop of its own: a task
that is paused and gone on with before its thread has seen the pause waits until that run has ended, and then goes on
from there; or is done, if that run came to its end all the same.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reelmend.desk.findings import Findings
from reelmend.desk.project import ReelEntry
from reelmend.desk.renders import Places, render_job, write_render
from reelmend.errors import ReelMendError
from reelmend.pipeline.kept import KeptRepairs
from reelmend.pipeline.run import Progress

State = Literal["waiting", "running", "paused", "done", "failed", "given up"]

Kind = Literal["search", "render", "trial", "proxies"]

Work = Callable[["Task"], bool]
"""Does a task until it is stopped; True when it is finished. May end by raising `Stopped` instead."""


class Stopped(Exception):
    """Ends work from within its own report of progress; what it has written is gone on from."""


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
    """Of the run under way."""
    first: int = 0
    """Frames that were done before it began, or went on."""
    repaired: int = 0
    """Frames that were repaired anew since it began or went on, of a render."""

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
        self._busy: Task | None = None
        """The task that the thread is at, whatever is wanted of it."""
        self._thread = threading.Thread(target=self._run, name="desk-queue", daemon=True)
        self._thread.start()

    def tasks(self) -> list[Task]:
        with self._changed:
            return list(self._tasks)

    def search(self, entry: ReelEntry, findings: Findings) -> Task:
        """Look through a reel with its present options; the same search is not queued twice."""

        def work(task: Task) -> bool:
            stop = task.stop

            def tell(done: int) -> None:
                task.done = done

            task.done = task.first = len(findings.records)
            return findings.search(entry.job(), stop, tell)

        with self._changed:
            for one in self._tasks:
                if one.kind == "search" and one.reel == entry.id and one.state in ("waiting", "running"):
                    return one
        return self._add(Task(next(self._ids), "search", entry.id, f"Find damage in {entry.id}", work))

    def render(self, entry: ReelEntry, output: Path | Places, /, **options: object) -> Task:
        """Write a film, and what else is wanted, from what was found and edited; `options` as in `reelmend.repair`.

        Raises UsageError for options that there are none of.
        """
        places = output if isinstance(output, Places) else Places(output)
        job = render_job(entry, places, **options)

        def work(task: Task) -> bool:
            stop, begun = task.stop, False

            def tell(progress: Progress, kept: KeptRepairs) -> None:
                nonlocal begun
                if not begun:
                    # What an earlier run has written is not this one's doing.
                    begun, task.first = True, progress.done - 1
                task.done, task.total, task.repaired = progress.done, progress.total, kept.added
                if stop.is_set():
                    raise Stopped

            write_render(entry, places, job, tell)
            return True

        return self._add(Task(next(self._ids), "render", entry.id, f"Render {places.film.name}", work))

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
            self._changed.wait_for(lambda: self._busy is None and self._waiting() is None, timeout=seconds)

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
            # A run that is under way sees for itself that it was stopped.
            task.stop.set()
            task.state = state
            self._let_go(task)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting() is not None)
                task = self._waiting()
                if self._closed or task is None:
                    return
                self._busy, task.stop = task, threading.Event()
                task.state, task.begun, task.first, task.repaired = "running", time.monotonic(), task.done, 0
            said, finished = "", False
            try:
                with suppress(Stopped):
                    finished = task.work(task)
            except ReelMendError as error:
                said = str(error) or type(error).__name__
            except Exception as error:  # a fault of ours must not end the desk
                said = f"{type(error).__name__}: {error}"
            with self._changed:
                self._busy = None
                self._ended(task, finished, said)
                self._changed.notify_all()

    def _ended(self, task: Task, finished: bool, said: str) -> None:
        """What became of a run. Where it only stopped, what a person wants of the task by now stands."""
        if finished:
            task.state, task.said = "done", ""
        elif said and task.state != "given up":
            task.state, task.said = "failed", said
        elif task.state == "running":
            task.state = "paused"
        self._let_go(task)

    def _let_go(self, task: Task) -> None:
        """What will not be done again holds nothing."""
        if task.state in ("done", "given up") and task is not self._busy:
            task.work = _nothing

    def _waiting(self) -> Task | None:
        return next((task for task in self._tasks if task.state == "waiting"), None)


def _nothing(task: Task) -> bool:
    return True
