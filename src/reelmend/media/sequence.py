"""Numbered image sequences as films, read through OpenImageIO."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelmend.errors import MediaError, UsageError
from reelmend.film import Frame, Layout, Plane, ReelFacts
from reelmend.media.paths import readable
from reelmend.media.pattern import Run, find_run
from reelmend.media.promise import Policy, Reel
from reelmend.media.sequence_image import Header, in_colour, rate_of, read_header, read_image, timecode_of

_FORMATS = {"openexr": "exr"}
_DEFAULT_RATE = Fraction(24)
"""Frames a second of a sequence that does not say: the speed of sound film."""


class SequenceReel(Reel):
    """A numbered image sequence; frame numbers count from its first file, gaps included."""

    def __init__(
        self, given: Path, run: Run, gaps: Policy, on_error: Policy, rate: Fraction | None, threads: int
    ) -> None:
        self._run, self._on_error = run, on_error
        self._present = frozenset(run.numbers)
        self._workers = max(1, min(threads or os.cpu_count() or 1, 8))
        missing = (
            [n for n in range(run.first, run.numbers[-1] + 1) if n not in self._present]
            if run.span > len(run.numbers)
            else []
        )
        if missing and gaps == "stop":
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            verb = "are" if more else "is"
            raise UsageError(
                f"frame {missing[0]}{more} {verb} missing from {run.folder}/; --gaps hold repeats {missing[0] - 1}"
            )
        self._header, layout = self._first_header()
        self.facts = _facts(given, run, self._header, layout, rate, missing)

    def frames(self, start: int = 0, count: int | None = None) -> Iterator[Frame]:
        total = self._run.span
        if not 0 <= start < total:
            raise UsageError(f"{self._run.folder} has no frame {start}; it has {total} frames, counted from 0")
        return self._frames(start, total if count is None else min(total, start + count))

    def _frames(self, start: int, end: int) -> Iterator[Frame]:
        previous: Frame | None = None
        leading: list[tuple[int, str]] = []
        for index, outcome in self._read_ahead(start, end):
            if isinstance(outcome, Frame):
                for early, why in leading:
                    yield self._stand_in(outcome, early, why)
                leading, previous = [], outcome
                yield outcome
                continue
            number = self._run.first + index
            if outcome is None:
                why = f"frame {number} is missing from {self._run.folder}/"
                if previous is None:
                    previous = self._last_before(index)
            elif self._on_error == "stop":
                raise MediaError(f"frame {number}: {outcome}; --on-error hold repeats the frame before it")
            else:
                why = f"frame {number}: {outcome}"
            if previous is None:
                leading.append((index, why))
            else:
                yield self._stand_in(previous, index, why)
        if leading:
            raise MediaError(f"{self._run.folder}: none of the frames asked for can be read; use another copy")

    def _stand_in(self, frame: Frame, index: int, why: str) -> Frame:
        number = self._run.first + frame.index
        return replace(frame, index=index, pts=index, fault=f"{why}, {number} stands in")

    def _last_before(self, index: int) -> Frame | None:
        for earlier in range(index - 1, -1, -1):
            outcome = self._read(earlier)
            if isinstance(outcome, Frame):
                return outcome
        return None

    def _read_ahead(self, start: int, end: int) -> Iterator[tuple[int, Frame | str | None]]:
        if self._workers == 1 or end - start == 1:
            for index in range(start, end):
                yield index, self._read(index)
            return
        with ThreadPoolExecutor(self._workers, thread_name_prefix="read") as pool:
            pending: deque[tuple[int, Future[Frame | str | None]]] = deque()
            try:
                for index in range(start, end):
                    pending.append((index, pool.submit(self._read, index)))
                    if len(pending) > self._workers:
                        number, future = pending.popleft()
                        yield number, future.result()
                while pending:
                    number, future = pending.popleft()
                    yield number, future.result()
            finally:
                for _, future in pending:
                    future.cancel()

    def _read(self, index: int) -> Frame | str | None:
        """The frame, what is wrong with it, or None when its file is missing."""
        number = self._run.first + index
        if number not in self._present:
            return None
        path = self._run.path(number)
        try:
            planes, layout, header = read_image(path)
        except (MediaError, UsageError) as error:
            return str(error) if readable(path) else f"no permission to read {path}"
        if self._lost_its_colour(layout, header):
            (planes, header), layout = in_colour(planes, header), self.facts.layout
        return self._mismatch(path, planes, layout, header) or Frame(index, planes, layout, index, 1, {"image": header})

    def _lost_its_colour(self, layout: Layout, header: Header) -> bool:
        same = replace(layout, family="rgb") == self.facts.layout and layout.family == "gray"
        return same and header.format in ("png", "jpeg") and header.extra is None

    def _mismatch(self, path: Path, planes: tuple[Plane, ...], layout: Layout, header: Header) -> str | None:
        facts = self.facts
        height, width = planes[0].shape
        if (height, width) != (facts.height, facts.width):
            return f"{path} is {width}x{height}, the sequence began as {facts.width}x{facts.height}"
        if layout != facts.layout:
            return f"{path} is {pixel_name(layout)}, the sequence began as {pixel_name(facts.layout)}"
        return None

    def _first_header(self) -> tuple[Header, Layout]:
        failure: Exception | None = None
        for number in self._run.numbers:
            path = self._run.path(number)
            if not readable(path):
                failure = failure or UsageError(f"no permission to read {path}; change its permissions")
            elif path.stat().st_size == 0:
                failure = failure or UsageError(f"{path} is empty; check how it was copied")
            else:
                try:
                    return read_header(path)
                except UsageError:
                    raise
                except MediaError as error:
                    failure = failure or error
            if self._on_error == "stop":
                break
        if isinstance(failure, MediaError):
            remedy = "--on-error hold passes over it" if len(self._run.numbers) > 1 else "check the file"
            raise (MediaError if len(self._run.numbers) > 1 else UsageError)(f"{failure}; {remedy}")
        assert failure is not None
        raise failure


def pixel_name(layout: Layout) -> str:
    """`uint10 rgb`, `half gray`, `uint8 rgba`: OpenImageIO's words for a sequence's pixels."""
    kind = ("half" if layout.bits == 16 else "float") if layout.is_float else f"uint{layout.bits}"
    return f"{kind} {layout.family}{'a' if layout.alpha else ''}"


def _facts(
    given: Path, run: Run, header: Header, layout: Layout, rate: Fraction | None, missing: list[int]
) -> ReelFacts:
    spec = header.spec
    said = rate_of(header)
    notes = []
    if rate is None and said is None and run.span > 1:
        notes.append(f"the images do not say their frame rate, {_DEFAULT_RATE} frames a second are assumed")
    if missing:
        shown = ", ".join(str(n) for n in missing[:10]) + (", ..." if len(missing) > 10 else "")
        notes.append(f"missing frames, held from the frame before: {shown}")
    if len(header.spec.channelnames) > len(header.picture):
        others = [n for c, n in enumerate(header.spec.channelnames) if c not in header.picture]
        notes.append(f"channels {', '.join(others)} are no picture and are kept as they are")
    if spec.get_int_attribute("oiio:subimages", 1) > 1:
        notes.append(f"{header.path.name} has several parts; only the first is read")
    aspect = spec.get_float_attribute("PixelAspectRatio", 1.0)
    return ReelFacts(
        # A folder stands for all that is in it; a pattern or a file only for its run.
        path=given,
        kind="sequence",
        format=_FORMATS.get(header.format, header.format),
        codec=spec.get_string_attribute("compression") or "uncompressed",
        pixel_format=pixel_name(layout),
        layout=layout,
        width=spec.width,
        height=spec.height,
        rate=rate or said or _DEFAULT_RATE,
        time_base=1 / (rate or said or _DEFAULT_RATE),
        frames=run.span,
        frames_about=run.span,
        sample_aspect=Fraction(aspect).limit_denominator(1000) if 0.1 < aspect < 10 else Fraction(1),
        timecode=timecode_of(header),
        first_number=run.first,
        pattern=run.pattern.printf,
        metadata=_metadata(spec),
        notes=tuple(notes),
    )


def _metadata(spec: Any) -> dict[str, str]:
    kept = {}
    for attribute in spec.extra_attribs:
        text = str(attribute.value)
        if (
            str(attribute.type) in ("string", "int", "uint", "float", "timecode", "keycode", "rational")
            and len(text) < 200
        ):
            kept[attribute.name] = text
    return kept


def open_sequence(path: Path, *, gaps: Policy, on_error: Policy, rate: Fraction | None, threads: int) -> SequenceReel:
    """Open a folder, a pattern or one file of a numbered run; errors as `reelmend.media.open_reel` says."""
    return SequenceReel(path, find_run(path), gaps, on_error, rate, threads)
