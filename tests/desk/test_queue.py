"""The queue: one thing after another, paused and gone on with, and a failure is a sentence."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import reelmend
from reelmend.desk.files import Roots
from reelmend.desk.findings import Findings
from reelmend.desk.project import Project, ReelEntry
from reelmend.desk.queue import Queue, Task
from reelmend.edits import Protect
from reelmend.errors import UsageError
from reelmend.film import Layout
from reelmend.media import open_reel
from reels import in_layout, long_reel, write_reel


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = in_layout(long_reel(), Layout("gray", 8))
    return write_reel(tmp_path_factory.mktemp("reel") / "scan.mkv", frames)


@pytest.fixture
def entry(reel: Path, tmp_path: Path) -> ReelEntry:
    made = Project(tmp_path / "desk", Roots([reel.parent])).add(reel)
    made.set_options(detector="spike", repairer="temporal")
    return made


@pytest.fixture
def queue() -> Iterator[Queue]:
    made = Queue()
    yield made
    made.close()


def planes(path: Path) -> list[np.ndarray]:
    with open_reel(path) as film:
        return [frame.planes[0] for frame in film.frames()]


def until(told: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not told():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_search_then_render_is_what_restore_does(entry: ReelEntry, reel: Path, queue: Queue, tmp_path: Path) -> None:
    reelmend.restore(reel, tmp_path / "wanted.mkv", detector="spike", repairer="temporal")
    findings = Findings(entry)
    search = queue.search(entry, findings)
    assert queue.search(entry, findings) is search
    render = queue.render(entry, tmp_path / "out.mkv", origins=tmp_path / "origins.mkv")
    queue.wait()
    assert (search.state, render.state) == ("done", "done"), search.said + render.said
    assert search.done == len(findings.records) == render.done
    for one, two in zip(planes(tmp_path / "out.mkv"), planes(tmp_path / "wanted.mkv"), strict=True):
        np.testing.assert_array_equal(one, two)
    assert (tmp_path / "origins.mkv").exists()


def test_edits_count_in_a_render(entry: ReelEntry, reel: Path, queue: Queue, tmp_path: Path) -> None:
    with entry.journal() as journal:
        journal.do(Protect(first=0, last=10_000, left=0, top=0, width=10_000, height=10_000))
    queue.search(entry, Findings(entry))
    queue.render(entry, tmp_path / "out.mkv")
    queue.wait()
    for one, two in zip(planes(tmp_path / "out.mkv"), planes(reel), strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_paused_goes_on_and_what_is_given_up_does_not(entry: ReelEntry, queue: Queue) -> None:
    findings = Findings(entry)
    task = queue.search(entry, findings)
    until(lambda: task.done >= 2)
    queue.pause(task.id)
    until(lambda: task.state == "paused")
    seen = len(findings.records)
    queue.wait()
    queue.go_on(task.id)
    queue.wait()
    assert task.state == "done" and len(findings.records) >= seen
    other = queue.search(entry, findings)
    queue.wait()
    assert other is not task and other.state == "done"
    queue.give_up(other.id)
    assert other.state == "done"


def test_a_failure_is_a_sentence_and_the_queue_goes_on(entry: ReelEntry, queue: Queue, tmp_path: Path) -> None:
    broken = queue.render(entry, tmp_path / "out.mkv")
    queue.wait()
    assert broken.state == "failed" and "masks" in broken.said

    def wrong(task: Task) -> bool:
        raise KeyError("a fault of ours")

    fault = queue._add(Task(99, "search", entry.id, "wrong", wrong))
    queue.wait()
    assert fault.state == "failed" and "a fault of ours" in fault.said
    after = queue.search(entry, Findings(entry))
    queue.wait()
    assert after.state == "done"
    queue.go_on(broken.id)
    queue.wait()
    assert broken.state == "done", broken.said


class Gate:
    """A task's work that a test holds up: it looks for its stop only when it is let."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self._begun, self._on = threading.Semaphore(0), threading.Semaphore(0)
        self._then = "stop"

    def work(self, task: Task) -> bool:
        stop = task.stop
        self._begun.release()
        assert self._on.acquire(timeout=30)
        self.runs.append(self._then)
        if self._then == "fail":
            raise UsageError("it broke")
        return self._then == "finish" or not stop.is_set()

    def began(self) -> None:
        assert self._begun.acquire(timeout=30)

    def let(self, then: str) -> None:
        self._then = then
        self._on.release()


def gated(queue: Queue) -> tuple[Task, Gate]:
    gate = Gate()
    task = queue._add(Task(7, "search", "scan", "held up", gate.work))
    gate.began()
    return task, gate


def test_paused_and_gone_on_with_before_the_thread_saw_it(queue: Queue) -> None:
    task, gate = gated(queue)
    queue.pause(task.id)
    queue.go_on(task.id)
    assert task.state == "waiting"
    gate.let("stop")
    # The run that was paused ends where it stopped; the next one goes on.
    gate.began()
    assert task.state == "running" and not task.stop.is_set()
    gate.let("stop")
    queue.wait()
    assert (task.state, gate.runs) == ("done", ["stop", "stop"])


def test_a_run_that_ends_all_the_same_is_not_run_again(queue: Queue) -> None:
    task, gate = gated(queue)
    queue.pause(task.id)
    queue.go_on(task.id)
    gate.let("finish")
    queue.wait()
    assert (task.state, gate.runs) == ("done", ["finish"])


@pytest.mark.parametrize(
    ("wanted", "then", "state"),
    [
        (["pause"], "stop", "paused"),
        (["pause"], "finish", "done"),
        (["pause"], "fail", "failed"),
        (["give_up"], "stop", "given up"),
        (["give_up"], "fail", "given up"),
        (["give_up", "go_on"], "stop", "given up"),
        (["pause", "go_on", "pause"], "stop", "paused"),
        (["pause", "go_on", "give_up"], "stop", "given up"),
        (["pause", "go_on"], "fail", "failed"),
        ([], "fail", "failed"),
    ],
)
def test_what_is_wanted_of_a_run_that_goes_on_for_a_while(
    queue: Queue, wanted: list[str], then: str, state: str
) -> None:
    task, gate = gated(queue)
    for one in wanted:
        getattr(queue, one)(task.id)
    gate.let(then)
    queue.wait()
    assert (task.state, gate.runs) == (state, [then])
    assert task.said == ("it broke" if state == "failed" else "")


def test_a_desk_that_closes_pauses_what_runs() -> None:
    queue = Queue()
    task, gate = gated(queue)
    closing = threading.Thread(target=queue.close)
    closing.start()
    until(task.stop.is_set)
    gate.let("stop")
    closing.join()
    assert task.state == "paused"


def test_what_is_done_holds_nothing(entry: ReelEntry, queue: Queue) -> None:
    findings = Findings(entry)
    held = weakref.ref(findings)
    task = queue.search(entry, findings)
    queue.wait()
    del findings
    gc.collect()
    assert task.state == "done" and held() is None
