"""What every reader and every writer of film promises; one conformance suite tests them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Literal, Self

from reelmend.film import Frame, ReelFacts

Policy = Literal["stop", "hold"]
"""What to do about a frame that is missing or damaged: raise, or let the picture before it stand in."""


class Reel(ABC):
    """An opened source. A context manager; reading never changes the source."""

    facts: ReelFacts

    @abstractmethod
    def frames(self, start: int = 0, count: int | None = None) -> Iterator[Frame]:
        """Frames from number `start` (counted from 0), at most `count`; may be called again, each call reads anew.

        `Frame.index` is absolute and consecutive. Raises UsageError for a start beyond the end, MediaError for a
        frame that cannot be read (unless opened with `on_error="hold"`: then the picture before it comes again, with
        `Frame.fault` saying why) and for a source that ends before it should.
        """

    def close(self) -> None:  # noqa: B027 - most readers hold nothing between frames
        """Let go of the source; frames already handed out stay valid."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Writer(ABC):
    """A film being written. Everything unfinished lives in `work`; the output appears whole or not at all."""

    notes: tuple[str, ...] = ()
    """Sentences on what the output cannot keep of the source; complete after `finish`."""

    @property
    @abstractmethod
    def done(self) -> int:
        """Frames that are stored already, counted from the first to be written; writing goes on with the next."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Add the next frame, in order. MediaError when the disk is full or the frame does not fit the film."""

    @abstractmethod
    def finish(self) -> None:
        """Put the whole output under its final name and remove what was unfinished. May be repeated after a crash."""

    @abstractmethod
    def close(self) -> None:
        """Stop. Without `finish`, what is stored stays in `work` and a new writer goes on from there."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
