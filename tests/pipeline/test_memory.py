"""Memory is bounded by the window, never by the length of the reel."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import reelmend
from reelmend.film import Frame
from reelmend.pipeline import Progress, run
from reels import HEIGHT, WIDTH, scan, write_reel


class Alive:
    """How many of the pictures that were read, and of those that were made of them, are still in memory."""

    def __init__(self) -> None:
        self.read = self.made = 0
        self._lock = threading.RLock()

    def watch(self, frame: Frame, kind: str) -> None:
        samples = frame.planes[0]
        while isinstance(samples.base, np.ndarray):
            samples = samples.base
        self._add(kind, 1)
        weakref.finalize(samples, self._add, kind, -1)

    def _add(self, kind: str, change: int) -> None:
        with self._lock:
            setattr(self, kind, getattr(self, kind) + change)


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> Alive:
    counts = Alive()
    frames, write = run._frames, run._Run._write

    def watched(*args: Any) -> Generator[Frame, None, None]:
        for frame in frames(*args):
            counts.watch(frame, "read")
            yield frame

    def written(self: Any, outcome: Any, *args: Any) -> None:
        if outcome.after is not outcome.before:
            counts.watch(outcome.after, "made")
        write(self, outcome, *args)

    monkeypatch.setattr(run, "_frames", watched)
    monkeypatch.setattr(run._Run, "_write", written)
    return counts


@pytest.mark.parametrize("still", [False, True], ids=["moving", "still"])
def test_a_long_reel_holds_no_more_frames_than_a_short_one(tmp_path: Path, still: bool, alive: Alive) -> None:
    reel = write_reel(tmp_path / "scan.mkv", scan(1) * 200 if still else scan(40) * 5)
    gc.collect()
    counts: list[tuple[int, int]] = []
    summary = reelmend.restore(
        reel,
        tmp_path / "out.mkv",
        masks=tmp_path / "masks",
        report=tmp_path / "report",
        threads=2,
        progress=lambda _: counts.append((alive.read, alive.made)),
    )
    assert summary.frames == len(counts) == 200
    assert still or summary.blobs > 20
    # A window with the copies on both sides (13), cuts (3), and what waits between the stages.
    assert 5 < max(read for read, _ in counts) <= 45
    assert max(made for _, made in counts) <= 25
    assert max(read for read, _ in counts[120:]) <= max(read for read, _ in counts[:80]) + 6
    gc.collect()
    assert alive.read == 0


def test_what_was_read_is_let_go_when_a_run_is_stopped(tmp_path: Path, alive: Alive) -> None:
    reel = write_reel(tmp_path / "scan.mkv", scan(30))

    def stop(at: Progress) -> None:
        if at.done == 10:
            raise KeyboardInterrupt

    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        reelmend.restore(reel, tmp_path / "out.mkv", progress=stop)
    gc.collect()
    assert alive.read == 0
    assert threading.active_count() == threads


@pytest.mark.parametrize("every", [50, 1])
def test_repair_holds_no_more_where_few_windows_are_made(tmp_path: Path, every: int, alive: Alive) -> None:
    reel = write_reel(tmp_path / "scan.mkv", scan(40) * 4)
    (tmp_path / "masks").mkdir()
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:24, 30:35] = 255
    for n in range(0, 160, every):
        cv2.imwrite(str(tmp_path / "masks" / f"mask_{n:06d}.png"), mask)
    gc.collect()
    counts: list[tuple[int, int]] = []
    reelmend.repair(
        reel, tmp_path / "masks", tmp_path / "out.mkv", repairer="temporal", threads=2,
        progress=lambda _: counts.append((alive.read, alive.made)),
    )  # fmt: skip
    assert len(counts) == 160
    assert 5 < max(read for read, _ in counts) <= 45
    assert max(made for _, made in counts) <= 25
    gc.collect()
    assert alive.read == 0
