"""An open desk: a project with everything that is held in memory of its reels."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.desk.findings import Findings
from reelmend.desk.preview import Preview, Repaired
from reelmend.desk.project import Project, ReelEntry
from reelmend.desk.proxies import Proxies
from reelmend.desk.queue import Queue, Task
from reelmend.desk.stills import Stills
from reelmend.detect.learned import FRINGE, LARGEST_SHARE, SMALLEST
from reelmend.detect.refine import Limits, refine
from reelmend.edits import Edits, Journal, Operation
from reelmend.errors import UsageError
from reelmend.film import Mask

OPEN_REELS = 6
"""Reels whose frames are held at a time; others are opened again when asked for."""


@dataclass(eq=False)
class OpenReel:
    """A reel on the desk."""

    entry: ReelEntry
    stills: Stills
    findings: Findings
    preview: Preview
    journal: Journal
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while it is edited, and while a preview is computed."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.stills.facts.height, self.stills.facts.width

    @property
    def edits(self) -> Edits:
        return self.journal.edits

    def found(self, number: int, threshold: float | None = None) -> Mask:
        """Damage of a frame before edits: as it was found, or the damage map cut at another probability, 0..1."""
        if threshold is None:
            return self.findings.mask(number, *self.size)
        height, width = self.size
        job = self.entry.job().detect
        smallest = job.min_blob or max(1, round(SMALLEST[job.strength] * max(1.0, (width / 640) ** 2)))
        largest = job.max_blob or round(LARGEST_SHARE * height * width)
        seed = min(max(threshold, 0.004), 1.0)
        return refine(self.findings.damage(number, *self.size), Limits(seed, FRINGE * seed, smallest, largest))

    def mask(self, number: int, threshold: float | None = None) -> Mask:
        """Damage of a frame after edits."""
        return self.edits.apply(number, self.found(number, threshold))

    def repaired(self, number: int, job: Job) -> Repaired:
        """A frame with its edited mask filled as a job says."""
        with self.lock:
            return self.preview.repaired(number, self.mask(number), job)

    def stages(self, number: int) -> list[tuple[str, NDArray[np.uint8]]]:
        """Every stage of a frame by its name, as pictures."""
        with self.lock:
            damage = self.findings.damage(number, *self.size)
            return list(self.preview.stages(number, damage, self.mask(number), self.entry.job()))

    def do(self, operation: Operation) -> None:
        """Edit. Raises UsageError for a frame beyond the reel."""
        count = self.stills.facts.frames
        if count is None:
            # Only reading tells.
            self.stills.frame(operation.frames.start)
        elif operation.frames.start >= count:
            raise UsageError(f"there is no frame {operation.frames.start}; the reel has {count}")
        with self.lock:
            self.journal.do(operation)

    def undo(self) -> Operation | None:
        with self.lock:
            return self.journal.undo()

    def redo(self) -> Operation | None:
        with self.lock:
            return self.journal.redo()

    def close(self) -> None:
        self.journal.close()
        self.stills.close()


class Desk:
    """One project, its reels as they are asked for, and its queue. Any thread may ask."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.queue = Queue()
        self._open: dict[str, OpenReel] = {}
        self._lock = threading.Lock()

    def reel(self, name: str) -> OpenReel:
        """A reel by its id. Raises UsageError where there is none, and as `open_reel`."""
        with self._lock:
            found = self._open.pop(name, None)
            if found is None:
                entry = self.project.reel(name)
                stills = Stills(entry.source, Proxies(entry.folder / "proxies", entry.source))
                found = OpenReel(entry, stills, Findings(entry), Preview(stills), entry.journal())
            self._open[name] = found
            while len(self._open) > OPEN_REELS:
                self._open.pop(next(iter(self._open))).close()
            return found

    def search(self, name: str) -> Task:
        """Queue a search through a reel."""
        reel = self.reel(name)
        task = self.queue.search(reel.entry, reel.findings)
        task.total = reel.stills.facts.frames or reel.stills.facts.frames_about
        return task

    def make_proxies(self, name: str) -> Task:
        """Queue small pictures of all frames. Raises UsageError for a reel that needs none."""
        reel = self.reel(name)
        facts, width = reel.stills.facts, reel.stills.proxy_width
        if width is None:
            raise UsageError(f"{name} is {facts.width} pixels wide; proxies are for wider reels")
        proxies = Proxies(reel.entry.folder / "proxies", reel.entry.source)

        def work(task: Task) -> bool:
            # Frames of its own, so that it does not seek to and fro with who looks at the reel.
            stills = Stills(reel.entry.source, proxies)
            try:
                for number in itertools.count():
                    if task.stop.is_set():
                        return False
                    stills.picture(number, width)
                    task.done = number + 1
            except UsageError:
                # The reel ends here.
                task.total = task.done
            finally:
                stills.close()
            return True

        return self.queue.add(
            "proxies", reel.entry, f"Make proxies of {name}", facts.frames or facts.frames_about, work
        )

    def render(self, name: str, film: str, **options: Any) -> Task:
        """Queue a render into the reel's own folder, under a file name. Raises UsageError for a name that is a path."""
        reel = self.reel(name)
        if not film or film != Path(film).name or film.startswith("."):
            raise UsageError(f"{film!r} is no file name; renders go to the project's folder")
        return self.queue.render(reel.entry, reel.entry.folder / "renders" / film, **options)

    def close(self) -> None:
        """Stop what is under way, so that it can go on another time, and let go of everything."""
        self.queue.close()
        with self._lock:
            for reel in self._open.values():
                reel.close()
            self._open.clear()
