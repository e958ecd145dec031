"""Pools and clocks: what is lazy is done once, by whoever asks; nested work is counted once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reelmend.pipeline.stream import Clock, Lazily, TimedPool


def test_lazy_work_is_done_once_when_asked_for_whoever_asks() -> None:
    done: list[int] = []
    together = threading.Barrier(8)

    def work(value: int) -> int:
        done.append(value)
        time.sleep(0.02)
        return value + 1

    asked, left = Lazily().submit(work, 1), Lazily().submit(work, 2)
    assert done == [] and not asked.done()

    def ask(_: int) -> int:
        together.wait()
        return asked.result()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [2] * 8
    assert done == [1] and not left.done()


def test_what_goes_wrong_lazily_goes_wrong_for_all() -> None:
    calls: list[int] = []

    def broken() -> None:
        calls.append(1)
        raise ValueError("no flow")

    later = Lazily().submit(broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="no flow"):
            later.result()
    assert calls == [1]


def test_work_within_work_of_its_stage_is_counted_once() -> None:
    clock = Clock()
    pool = TimedPool(Lazily(), clock, "motion")

    def busy(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    inner = pool.submit(busy, 0.03)
    outer = pool.submit(lambda: (inner.result(), busy(0.02)))
    begun = time.thread_time()
    outer.result()
    spent = time.thread_time() - begun
    assert 0.05 <= clock.seconds["motion"] <= spent
    with clock.on("motion"):
        busy(0.01)
    assert clock.seconds["motion"] >= 0.06
