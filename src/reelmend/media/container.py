"""Films in containers, read through PyAV (any format that FFmpeg opens)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av

from reelmend.errors import MediaError, ReelMendError, UsageError
from reelmend.film import Frame
from reelmend.media.completeness import ffv1_slices_intact, missing_bytes
from reelmend.media.container_facts import film_stream, gather_facts
from reelmend.media.container_frames import planes_of
from reelmend.media.pixels import pixel_format
from reelmend.media.promise import Policy, Reel

av.logging.set_level(None)


class ContainerReel(Reel):
    """A film in a container."""

    def __init__(self, path: Path, on_error: Policy = "stop", threads: int = 0) -> None:
        self._path, self._on_error, self._threads = path, on_error, threads
        self._missing = missing_bytes(path)
        with open_input(path) as container:
            stream = film_stream(container)
            if container.format.name == "tty":
                # FFmpeg draws any text file as a terminal would.
                raise UsageError(f"{path} is not a film but text; check the file")
            if stream is None:
                raise UsageError(f"{path} holds no film, only {_kinds(container)}; give a file with a picture")
            first = self._first(container, stream)
            self.facts = gather_facts(path, container, stream, first, self._missing)
            self.display_matrix = _display_matrix(first)
            codec = stream.codec_context.codec
            # One packet is one frame, in order: frames can be counted, and passed over, without decoding.
            self._countable = codec.intra_only or codec.canonical_name == "ffv1"
            self._checks_slices = codec.canonical_name == "ffv1" and self._has_slice_checksums()

    def frames(self, start: int = 0, count: int | None = None) -> Iterator[Frame]:
        if start < 0 or (self.facts.frames is not None and start >= max(self.facts.frames, 1)):
            raise UsageError(f"{self._path} has no frame {start}; it has {self.facts.frames} frames, counted from 0")
        return self._frames(start, count)

    def _frames(self, start: int, count: int | None) -> Iterator[Frame]:
        end = None if count is None else start + count
        position = start
        if count == 0:
            return
        try:
            for frame in self._decode(start, self._threads):
                yield frame
                position = frame.index + 1
                if end is not None and position >= end:
                    return
        except _Damaged:
            # With frame threads FFmpeg reports damage out of order; one thread tells which frame it is.
            previous = None
            for frame in self._decode_carefully(position):
                previous = frame
                yield frame
                position = frame.index + 1
                if end is not None and position >= end:
                    return
            if previous is None and position == start:
                raise MediaError(
                    f"{self._path}: no frame can be decoded; the file is damaged, use another copy"
                ) from None
        if position == start:
            raise UsageError(f"{self._path} has no frame {start}; it ends earlier, frames are counted from 0")
        self._check_end(position)

    def _check_end(self, position: int) -> None:
        expected = self.facts.frames
        short = expected is not None and position < expected
        if self._on_error == "stop" and (short or self._missing):
            of = f" of {expected}" if short else ""
            raise MediaError(
                f"{self._path} is cut short after {position}{of} frames; use a whole copy, or --on-error hold to "
                "work on "
                "what is there"
            )

    def _decode(self, start: int, threads: int) -> Iterator[Frame]:
        """Frames from `start`; raises _Damaged at the first sign of damage."""
        fmt = pixel_format(self.facts.pixel_format)
        with open_input(self._path) as container:
            stream = film_stream(container)
            assert stream is not None
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = threads
            index = sent = passed_over = 0
            skipping: list[Any] = []
            for packet in self._packets(container, stream):
                if packet.size == 0 and packet.dts is not None:
                    continue
                if self._countable and packet.size and index + len(skipping) < start:
                    # Decode from the last key frame before `start`; what lies before it is passed over.
                    if packet.is_keyframe:
                        index, skipping = index + len(skipping), []
                        passed_over = index
                    skipping.append(packet)
                    continue
                if skipping and packet.size and packet.is_keyframe:
                    index, skipping = index + len(skipping), []
                    passed_over = index
                for each in (*skipping, packet):
                    if self._checks_slices and each.size and not ffv1_slices_intact(bytes(each)):
                        raise _Damaged("slice checksum mismatch")
                    sent += each.size > 0
                    try:
                        pictures = each.decode()
                    except av.error.FFmpegError as error:
                        raise _Damaged(_reason(error)) from error
                    for picture in pictures:
                        if fault := self._fault(picture):
                            raise _Damaged(fault)
                        if index >= start:
                            yield self._frame(picture, index, fmt)
                        index += 1
                skipping = []
            # Damage in the last packets is lost when the decoder's threads are emptied; only the count shows it.
            expected = passed_over + sent if self._countable else self.facts.frames
            if expected is not None and index < expected:
                raise _Damaged("the last frames are missing")

    def _packets(self, container: Any, stream: Any) -> Iterator[Any]:
        try:
            yield from container.demux(stream)
        except av.error.FFmpegError as error:
            raise _Damaged(_reason(error)) from error

    def _decode_carefully(self, start: int) -> Iterator[Frame]:
        """One thread, every failing packet a frame of its own at its place in time."""
        previous: Frame | None = None
        leading: list[tuple[int, int | None, str]] = []
        for index, picture, pts, fault in self._outcomes():
            if fault is None:
                assert picture is not None
                good = self._frame(picture, index, pixel_format(self.facts.pixel_format))
                if index >= start:
                    for early, early_pts, why in leading:
                        yield replace(good, index=early, pts=early_pts, fault=f"{why}, frame {index} stands in")
                    yield good
                leading, previous = [], good
                continue
            if index < start and self._on_error == "hold":
                continue
            if self._on_error == "stop":
                raise MediaError(
                    f"{self._path}: frame {index} is damaged ({fault}); --on-error hold repeats the frame before it"
                )
            why = f"frame {index} is damaged ({fault})"
            if previous is None:
                leading.append((index, pts, why))
            else:
                yield replace(previous, index=index, pts=pts, fault=f"{why}, frame {previous.index} stands in")

    def _outcomes(self) -> Iterator[tuple[int, Any | None, int | None, str | None]]:
        """`(index, picture, pts, fault)` from the first frame on, in order of presentation."""
        index = 0
        failed: list[tuple[int | None, str]] = []
        with open_input(self._path) as container:
            stream = film_stream(container)
            assert stream is not None
            stream.codec_context.thread_count = 1
            packets = iter(container.demux(stream))
            while True:
                try:
                    packet = next(packets, None)
                except av.error.FFmpegError:
                    # Nothing readable follows; `_check_end` says how much is missing.
                    packet = None
                pictures: list[Any] = []
                if packet is None:
                    break
                if packet.size == 0 and packet.dts is not None:
                    continue
                try:
                    if self._checks_slices and packet.size and not ffv1_slices_intact(bytes(packet)):
                        failed.append((packet.pts, "slice checksum mismatch"))
                    else:
                        pictures = packet.decode()
                except av.error.FFmpegError as error:
                    failed.append((packet.pts, _reason(error)))
                if self._countable:
                    failed, ready = [], failed
                    for pts, why in ready:
                        yield index, None, pts, why
                        index += 1
                for picture in pictures:
                    ready = [f for f in failed if f[0] is None or (picture.pts is not None and f[0] < picture.pts)]
                    failed = [f for f in failed if f not in ready]
                    for pts, why in ready:
                        yield index, None, pts, why
                        index += 1
                    fault = self._fault(picture)
                    yield index, None if fault else picture, picture.pts, fault
                    index += 1
            for pts, why in failed:
                yield index, None, pts, why
                index += 1

    def _fault(self, picture: Any) -> str | None:
        if picture.is_corrupt:
            return "damaged data"
        facts = self.facts
        if (picture.width, picture.height, picture.format.name) != (facts.width, facts.height, facts.pixel_format):
            found = f"{picture.width}x{picture.height} {picture.format.name}"
            return f"it is {found} where the film began as {facts.width}x{facts.height} {facts.pixel_format}"
        return None

    def _frame(self, picture: Any, index: int, fmt: Any) -> Frame:
        duration = picture.duration or None
        return Frame(index, planes_of(picture, fmt), fmt.layout, picture.pts, duration)

    def _first(self, container: Any, stream: Any) -> Any | None:
        stream.codec_context.thread_count = 1
        try:
            for packet in container.demux(stream):
                try:
                    for picture in packet.decode():
                        return picture
                except av.error.FFmpegError:
                    continue
        except av.error.FFmpegError:
            pass
        return None

    def _has_slice_checksums(self) -> bool:
        """Do the first packets carry FFV1 slice checksums? One damaged packet must not hide them."""
        with open_input(self._path) as again:
            packets = islice(again.demux(film_stream(again)), 8)
            return any(packet.size and ffv1_slices_intact(bytes(packet)) for packet in packets)


class _Damaged(Exception):
    """Something in the stream cannot be decoded; which frame it is shows only with one thread."""


def open_input(path: Path) -> Any:
    """A PyAV input container; UsageError for what is no film, MediaError for a film that is cut short."""
    try:
        return av.open(str(path), metadata_errors="replace")
    except PermissionError as error:
        raise UsageError(f"no permission to read {path}; change its permissions") from error
    except (av.error.FFmpegError, ValueError) as error:
        if missing_bytes(path):
            raise MediaError(f"{path} is cut short and its index is missing; use a whole copy of the file") from error
        if _looks_like_film(path):
            raise MediaError(f"{path} is damaged and cannot be opened ({_reason(error)}); use another copy") from error
        raise UsageError(f"{path} is not a film that FFmpeg can read ({_reason(error)}); check the file") from error


def _looks_like_film(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(b"\x1aE\xdf\xa3") or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide")


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text).split("\n")[0].rstrip(".") or type(error).__name__


def _kinds(container: Any) -> str:
    return ", ".join(sorted({str(s.type) for s in container.streams})) or "nothing"


def _display_matrix(first: Any | None) -> bytes | None:
    if first is None:
        return None
    for side in first.side_data:
        if getattr(side.type, "name", "") == "DISPLAYMATRIX":
            return bytes(side)
    return None


def open_container(path: Path, on_error: Policy, threads: int) -> ContainerReel:
    try:
        return ContainerReel(path, on_error, threads)
    except ReelMendError:
        raise
    except PermissionError as error:
        raise UsageError(f"no permission to read {path}; change its permissions") from error
    except OSError as error:
        raise MediaError(f"{path} cannot be read ({_reason(error)}); check the disk") from error
