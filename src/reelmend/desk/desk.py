"""An open desk: a project with everything that is held in memory of its reels."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from threadpoolctl import threadpool_limits

from reelmend.config import Job
from reelmend.desk.blobs import KnownBlob, known_blobs
from reelmend.desk.findings import Findings
from reelmend.desk.preview import Preview, Repaired, digest_of
from reelmend.desk.project import Project, ReelEntry
from reelmend.desk.proxies import Proxies
from reelmend.desk.queue import Queue, Task
from reelmend.desk.renders import RenderState, origin_of, places_of, render_job, render_state
from reelmend.desk.stills import Stills, jpeg
from reelmend.detect.learned import FRINGE, LARGEST_SHARE, smallest_blob
from reelmend.detect.refine import Limits, refine
from reelmend.edits import Edits, Journal, Line, Operation, follow_line
from reelmend.errors import UsageError
from reelmend.film import Mask
from reelmend.media import open_reel
from reelmend.motion.luma import luma8
from reelmend.motion.windows import RADIUS
from reelmend.pipeline.kept import KeptRepairs

OPEN_REELS = 6
"""Reels whose frames are held at a time; others are opened again when asked for."""

FOLLOWED = 300
"""Frames to either side through which a scratch is followed: ten seconds, which take a few to read."""


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
    _stages: tuple[object, list[tuple[str, bytes]]] = (None, [])
    """Of the frame that they were asked for last, as JPEG, and what they were made from."""
    _kept: tuple[object, KeptRepairs | None] = (None, None)
    close: Callable[[], object] = field(init=False)
    """Let go of its files now."""

    def __post_init__(self) -> None:
        # Its files are let go of when the last who uses it has done with it, however long ago it left the desk.
        self.close = weakref.finalize(self, _let_go, self.journal, self.stills)

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
        smallest = job.min_blob or smallest_blob(job.strength, width)
        largest = job.max_blob or round(LARGEST_SHARE * height * width)
        seed = min(max(threshold, 0.004), 1.0)
        return refine(self.findings.damage(number, *self.size), Limits(seed, FRINGE * seed, smallest, largest))

    def mask(self, number: int, threshold: float | None = None) -> Mask:
        """Damage of a frame after edits."""
        return self.edits.apply(number, self.found(number, threshold))

    def blobs(self, number: int) -> list[KnownBlob]:
        """The blobs of a frame after edits, with what is known of those that were found."""
        found = self.found(number)
        return known_blobs(
            self.edits.apply(number, found), found, self.findings.blobs(number), self.findings.lives(number)
        )

    def repaired(self, number: int, job: Job) -> Repaired:
        """A frame with its edited mask filled as a job says. What is made by the reel's own job a render need not make
        again, and the other way round."""
        with self.lock:
            found, edits = self.found(number), self.edits.of(number)
            kept = self._repairs(job) if job == self.entry.job() and number < len(self.findings.records) else None
            done = self.preview.repaired(number, self.mask, job, kept)
            if kept is not None and done.kept:
                kept.mark(number, float(found.mean()), edits, float(done.unsure.mean()))
            return done

    def _repairs(self, job: Job) -> KeptRepairs:
        made_for = job, origin_of(self.entry)
        if self._kept[0] != made_for or self._kept[1] is None:
            self._kept = made_for, KeptRepairs(self.entry.repairs, *made_for)
        assert self._kept[1] is not None
        return self._kept[1]

    def render_state(self) -> RenderState:
        """Which of the frames that were looked at need no repair any more, and how unsure the repairer was."""
        return render_state(self.entry, self.findings.records, self.edits)

    def stages(self, number: int) -> list[tuple[str, bytes]]:
        """Every stage of a frame by its name, as JPEGs; those of the frame asked for last are kept until its mask or
        the job changes."""
        with self.lock:
            damage, job = self.findings.damage(number, *self.size), self.entry.job()
            masks = [self.mask(one) for one in range(max(0, number - RADIUS), number + RADIUS + 1)]
            made_from = number, b"".join(map(digest_of, [damage, *masks])), job
            if self._stages[0] != made_from:
                made = self.preview.stages(number, damage, self.mask, job)
                self._stages = made_from, [(name, jpeg(shown)) for name, shown in made]
            return self._stages[1]

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

    def follow(self, line: Line, drawn: int) -> None:
        """Mark a scratch that was drawn in frame `drawn` wherever it wanders in its stretch of frames; further than
        `FOLLOWED` frames away it stays where it was last.

        Raises UsageError for a frame beyond the reel or not in the stretch, MediaError for what cannot be read.
        """
        if drawn not in line.frames:
            raise UsageError(f"frame {drawn}, in which the line was drawn, is not between {line.first} and {line.last}")
        first, last = max(line.first, drawn - FOLLOWED), min(line.last, drawn + FOLLOWED)
        part = line.model_copy(update={"first": first, "last": last})
        with open_reel(self.entry.source, gaps="hold", on_error="hold") as reel:
            near = follow_line(part, drawn, (luma8(frame) for frame in reel.frames(first, last - first + 1))).shifts
        if near:
            shifts = (near[0],) * (first - line.first) + near + (near[-1],) * (line.last - last)
            line = line.model_copy(update={"shifts": shifts})
        self.do(line)

    def undo(self) -> Operation | None:
        with self.lock:
            return self.journal.undo()

    def redo(self) -> Operation | None:
        with self.lock:
            return self.journal.redo()


def _let_go(journal: Journal, stills: Stills) -> None:
    journal.close()
    stills.close()


class Desk:
    """One project, its reels as they are asked for, and its queue. Any thread may ask."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.queue = Queue()
        self._open: dict[str, OpenReel] = {}
        """Held open, the one asked for last at the end."""
        self._used: weakref.WeakValueDictionary[str, OpenReel] = weakref.WeakValueDictionary()
        """Those, and others that somebody still uses."""
        self._findings: weakref.WeakValueDictionary[str, Findings] = weakref.WeakValueDictionary()
        """Of a reel there is one as long as anything uses it, a search that goes on while the reel is not open too."""
        self._lock = threading.Lock()
        # As in a render: what a preview repairs is what a render would, to the bit.
        self._limits = threadpool_limits(1)

    def reel(self, name: str) -> OpenReel:
        """A reel by its id. Raises UsageError where there is none, and as `open_reel`."""
        with self._lock:
            found = self._open.pop(name, None) or self._used.get(name)
            if found is None:
                entry = self.project.reel(name)
                stills = Stills(entry.source, Proxies(entry.folder / "proxies", entry.source))
                findings = self._findings.setdefault(name, Findings(entry))
                found = self._used[name] = OpenReel(entry, stills, findings, Preview(stills), entry.journal())
            self._open[name] = found
            while len(self._open) > OPEN_REELS:
                self._open.pop(next(iter(self._open)))
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
            stop = task.stop
            # Frames of its own, so that it does not seek to and fro with who looks at the reel.
            stills = Stills(reel.entry.source, proxies)
            try:
                for number in itertools.count():
                    if stop.is_set():
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

    def render(
        self,
        name: str,
        film: str,
        /,
        *,
        masks: bool = False,
        origins: bool = False,
        report: bool = False,
        overwrite: bool = False,
        **options: Any,
    ) -> Task:
        """Queue a render into the reel's own folder, under a file name, with what else is wanted beside the film.

        Raises UsageError for a name that is a path or taken, unless it may be overwritten.
        """
        entry = self.reel(name).entry
        places = places_of(entry, film, masks=masks, origins=origins, report=report)
        taken = next((one for one in (places.film, places.masks, places.origins) if one and one.exists()), None)
        if taken is not None and not overwrite:
            raise UsageError(f"{taken.name} is there already; choose another name, or have it replaced")
        return self.queue.render(entry, places, overwrite=overwrite, **options)

    def render_job(
        self, name: str, film: str, *, masks: bool = False, origins: bool = False, report: bool = False
    ) -> Job:
        """The job of a render, for the command line."""
        entry = self.project.reel(name)
        return render_job(entry, places_of(entry, film, masks=masks, origins=origins, report=report))

    def close(self) -> None:
        """Stop what is under way, so that it can go on another time, and let go of everything."""
        self.queue.close()
        with self._lock:
            for reel in list(self._used.values()):
                reel.close()
            self._open.clear()
        self._limits.restore_original_limits()
