"""Streams with several hands: decode ahead, compute side by side, encode behind, in order and in bounded memory."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, TypeVar

from reelmend.motion.windows import Pool

T = TypeVar("T")
S = TypeVar("S")


def pool_size(threads: int) -> int:
    """How many threads work on frames; `threads` 0: two for each core. Half of them wait for windows and flows that
    others compute, and with one for each core a third of the cores' time was idle."""
    return threads or 2 * (os.cpu_count() or 1)


class Clock:
    """Seconds spent by stage, added up over all threads.

    Work in the pool is counted in processor seconds of its own thread, so that waiting for another stage does not
    count twice; reading and writing, whose libraries have threads of their own, by the wall clock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = threading.local()
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, stage: str, *, wall: bool = False) -> Iterator[None]:
        if getattr(self._thread, stage, False):
            # Work that is done on the way of other work of its stage is counted with it.
            yield
            return
        now = time.perf_counter if wall else time.thread_time
        setattr(self._thread, stage, True)
        begun = now()
        try:
            yield
        finally:
            setattr(self._thread, stage, False)
            with self._lock:
                self.seconds[stage] += now() - begun


class TimedPool:
    """A pool whose every task is counted towards one stage."""

    def __init__(self, pool: Pool, clock: Clock, stage: str) -> None:
        self._pool, self._clock, self._stage = pool, clock, stage

    def submit(self, work: Callable[..., T], /, *arguments: Any) -> Future[T]:
        def timed() -> T:
            with self._clock.on(self._stage):
                return work(*arguments)

        return self._pool.submit(timed)


class _Later(Future[T]):
    """Work that is done by the first who asks for its result; others wait for that."""

    def __init__(self, work: Callable[..., T], arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self._work: Callable[..., T] | None = work
        self._arguments = arguments
        self._asked = threading.Lock()

    def result(self, timeout: float | None = None) -> T:
        with self._asked:
            if self._work is not None:
                work, arguments = self._work, self._arguments
                self._work, self._arguments = None, ()
                try:
                    self.set_result(work(*arguments))
                except BaseException as error:
                    self.set_exception(error)
        return super().result(timeout)


class Lazily:
    """A pool in which nothing is done before it is needed, by whoever needs it: of many windows, few are."""

    def submit(self, work: Callable[..., T], /, *arguments: Any) -> Future[T]:
        return _Later(work, arguments)


def ahead(stream: Iterable[T], depth: int, clock: Clock, stage: str) -> Generator[T, None, None]:
    """The same stream, pulled by a thread of its own that stays up to `depth` items ahead.

    An error of the stream comes out where the item would have; leaving the loop early stops the thread.
    """
    items: queue.Queue[tuple[bool, Any]] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: tuple[bool, Any]) -> bool:
        while not stop.is_set():
            try:
                items.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def pull() -> None:
        source = iter(stream)
        try:
            while True:
                with clock.on(stage, wall=True):
                    try:
                        item = next(source)
                    except StopIteration:
                        break
                if not put((True, item)):
                    return
            put((False, None))
        except BaseException as error:
            put((False, error))

    thread = threading.Thread(target=pull, name=f"reelmend-{stage}", daemon=True)
    thread.start()
    try:
        while True:
            more, item = items.get()
            if more:
                yield item
            elif item is not None:
                raise item
            else:
                return
    finally:
        stop.set()
        thread.join()


def spread(work: Callable[[T], S], stream: Iterable[T], pool: Executor, depth: int) -> Generator[S, None, None]:
    """`map` over a pool, in order, at most `depth` items under way."""
    under_way: deque[Future[S]] = deque()
    try:
        for item in stream:
            under_way.append(pool.submit(work, item))
            if len(under_way) >= depth:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
