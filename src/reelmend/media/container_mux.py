"""Joining segments and the streams that travel beside the picture into one film, without encoding again."""

from __future__ import annotations

import base64
import heapq
import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import count as counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from reelmend.errors import MediaError
from reelmend.film import ReelFacts
from reelmend.media.container import open_input
from reelmend.media.container_facts import film_stream
from reelmend.media.container_plan import Plan
from reelmend.media.matroska_patch import PLACE_HOLDER, set_display
from reelmend.media.promise import Reel
from reelmend.media.segments import SegmentStore, read_packets
from reelmend.media.timecode import advance

_NOT_METADATA = re.compile(
    # What the muxer writes itself, or what describes the old file's bytes and would be wrong about the new ones.
    r"encoder|major_brand|minor_version|compatible_brands|timecode|duration|bps|number_of_(frames|bytes)|_statistics_.*",
    re.IGNORECASE,
)


_MUXING = {
    # No dates, versions or random numbers: the same film twice gives the same bytes.
    "fflags": "+bitexact",
    # Sound that begins before the picture (AAC priming) must not push the picture's times back.
    "avoid_negative_ts": "disabled",
}


def join(
    output: Path, plan: Plan, facts: ReelFacts, store: SegmentStore, source: Reel | None, start: int
) -> tuple[str, ...]:
    """Write the whole film; returns sentences on what could not be taken along."""
    notes: list[str] = []
    beside = None
    with av.open(str(output), "w", format=plan.muxer, container_options=_MUXING) as target:
        frames, order = _timing(store, facts, start)
        stream = _add_film(target, plan, facts, source, start, notes)
        # The muxers take the time scale from here, so that frame times keep their resolution.
        stream.time_base = frames.time_base
        copies: dict[int, Any] = {}
        original = source.facts if source is not None and source.facts.kind == "container" else None
        try:
            if original is not None:
                beside = open_input(original.path)
                copies = _add_copies(target, beside, plan, notes)
                _add_metadata(target, beside, stream)
            elif source is None:
                target.metadata.update(facts.metadata)
            name = stream.metadata.get("title")
            patches = plan.muxer == "matroska" and facts.sample_aspect != 1
            if patches:
                stream.metadata["title"] = (name or "") + PLACE_HOLDER
            target.start_encoding()
            _check_extradata(stream, store)
            shift = frames.shift_seconds
            end = frames.end_seconds if original is not None and frames.partial(original) else None
            copied = _copied_packets(beside, copies, shift, end, notes) if copies else iter(())
            tie = counter()
            film = ((when, 0, next(tie), packet) for when, packet in _film_packets(store, stream, frames, order))
            others = ((when, 1, next(tie), packet) for when, packet in copied)
            for _, _, _, packet in heapq.merge(film, others):
                target.mux(packet)
        finally:
            if beside is not None:
                beside.close()
    if patches:
        set_display(output, facts.width, facts.height, facts.sample_aspect, name)
    return tuple(notes)


class _Times:
    """When each frame of the output is shown, in units of `time_base`."""

    def __init__(self, pts: list[int], durations: list[int | None], time_base: Fraction, start: int) -> None:
        self.time_base = time_base
        # A stretch from the middle starts at 0; a film from its beginning keeps its own clock.
        self._origin = pts[0] if start else 0
        self.start = start
        self.pts = [p - self._origin for p in pts]
        self.durations = durations
        last = durations[-1] or (self.pts[-1] - self.pts[-2] if len(pts) > 1 else 1)
        self._end = pts[-1] + last

    @property
    def shift_seconds(self) -> Fraction:
        return self._origin * self.time_base

    @property
    def end_seconds(self) -> Fraction:
        return self._end * self.time_base

    def partial(self, original: ReelFacts) -> bool:
        return self.start > 0 or original.frames is None or len(self.pts) < original.frames


def _timing(store: SegmentStore, facts: ReelFacts, start: int) -> tuple[_Times, list[int]]:
    """Times of the frames, and for each packet in decoding order the number of its frame."""
    indexes = store.indexes()
    listed = [frame for index in indexes for frame in index.frames]
    order: list[int] = []
    done = 0
    for index in indexes:
        order += [done + place for _, place, _ in index.packets]
        done += len(index.frames)
    if sorted(order) != list(range(len(listed))):
        raise MediaError(f"{store.folder} does not hold every frame; delete it and run the same command again")
    pts = [p for p, _ in listed if p is not None]
    rising = all(a < b for a, b in pairwise(pts))
    if len(pts) == len(listed) and rising:
        return _Times(pts, [d for _, d in listed], facts.time_base, start), order
    # Without usable times of its own the film runs at its nominal rate.
    return _Times([start + i for i in range(len(listed))], [1] * len(listed), 1 / facts.rate, start), order


def _film_packets(store: SegmentStore, stream: Any, times: _Times, order: list[int]) -> Iterator[tuple[Fraction, Any]]:
    # A packet must not be decoded after it is shown: decoding times run ahead by the deepest reordering.
    depth = max(max((number - place for number, place in enumerate(order)), default=0), 0)
    pts = times.pts
    step = max(pts[1] - pts[0], 1) if len(pts) > 1 else 1
    number = 0
    for path, index in zip(store.sealed, store.indexes(), strict=True):
        for (_, _, key), data in zip(index.packets, read_packets(path, index), strict=True):
            place = order[number]
            early = number - depth
            packet = av.Packet(data)
            packet.stream = stream
            packet.time_base = times.time_base
            packet.pts = pts[place]
            packet.dts = pts[early] if early >= 0 else pts[0] + early * step
            following = pts[place + 1] - pts[place] if place + 1 < len(pts) else None
            packet.duration = times.durations[place] or following or step
            packet.is_keyframe = key
            yield packet.dts * times.time_base, packet
            number += 1


def _add_film(target: Any, plan: Plan, facts: ReelFacts, source: Reel | None, start: int, notes: list[str]) -> Any:
    from reelmend.media.container_writer import configure

    stream = target.add_stream(plan.codec, rate=facts.rate)
    configure(stream.codec_context, plan, facts, 1)
    matrix = getattr(source, "display_matrix", None)
    if (matrix or facts.rotation) and not hasattr(stream, "set_display_matrix"):
        notes.append("this version of PyAV cannot write the rotation tag; the picture is stored as it was, unturned")
    elif matrix and (plan.muxer != "matroska" or _is_plain(matrix)):
        stream.set_display_matrix(struct.unpack("<9i", matrix))
    elif facts.rotation:
        stream.set_display_rotation(facts.rotation)
    if facts.timecode:
        label = advance(facts.timecode, start, facts.rate)
        if ";" in label and round(facts.rate) % 30:
            notes.append(
                f"drop-frame timecode {label} does not exist at {float(facts.rate):g} frames a second and is left out"
            )
        else:
            stream.metadata["timecode"] = label
    if any("HDR mastering" in note for note in facts.notes):
        notes.append("HDR mastering metadata (display and light level) is not carried over; the colour tags are")
    return stream


def _is_plain(matrix: bytes) -> bool:
    """Whether a display matrix only turns or mirrors; Matroska has no words for one that also scales or moves."""
    a, b, u, c, d, v, x, y, w = struct.unpack("<9i", matrix)
    one = 1 << 16
    return (u, v, x, y, w) == (0, 0, 0, 0, 1 << 30) and {abs(a), abs(b)} == {abs(c), abs(d)} == {0, one}


def _add_metadata(target: Any, beside: Any, stream: Any) -> None:
    for key, value in beside.metadata.items():
        if not _NOT_METADATA.match(re.sub(r"-[a-z]{3}$", "", key)):
            target.metadata[key] = value
    film = film_stream(beside)
    for key, value in film.metadata.items() if film is not None else ():
        if key in ("language", "title", "handler_name"):
            stream.metadata[key] = value


def _add_copies(target: Any, beside: Any, plan: Plan, notes: list[str]) -> dict[int, Any]:
    film = film_stream(beside)
    copies: dict[int, Any] = {}
    for stream in beside.streams:
        if film is not None and stream.index == film.index:
            continue
        label = _label(stream)
        if stream.type == "attachment":
            if plan.muxer == "matroska" and stream.metadata.get("mimetype"):
                target.add_attachment(
                    stream.metadata.get("filename", "attachment"), stream.metadata["mimetype"], stream.data
                )
            else:
                notes.append(f"{label} has no place in this container and is left out")
            continue
        if stream.type not in ("audio", "subtitle") or stream.codec_context is None:
            if "timecode" not in stream.metadata:
                notes.append(f"{label} cannot be copied and is left out")
            continue
        if not _fits(plan.muxer, stream):
            notes.append(f"{label} does not fit into {plan.muxer} and is left out; .mkv takes nearly every stream")
            continue
        try:
            copy = target.add_stream_from_template(stream)
        except (ValueError, av.error.FFmpegError) as error:
            notes.append(f"{label} cannot be copied ({error}) and is left out")
            continue
        for key, value in stream.metadata.items():
            if key in ("language", "title", "handler_name"):
                copy.metadata[key] = value
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    return copies


_MP4_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac", "mp2", "dts", "truehd"}


def _fits(muxer: str, stream: Any) -> bool:
    codec: str = stream.codec_context.codec.canonical_name
    if muxer == "matroska":
        return codec != "mov_text"
    if stream.type == "subtitle":
        return codec == "mov_text"
    if muxer == "mp4":
        # PCM in MP4 is read wrongly by older players; other codecs have no sample description there.
        return codec in _MP4_AUDIO
    return codec.startswith("pcm_") or codec in {"aac", "mp3", "ac3", "eac3", "alac", "mp2"}


def _copied_packets(
    beside: Any, copies: dict[int, Any], shift: Fraction, end: Fraction | None, notes: list[str]
) -> Iterator[tuple[Fraction, Any]]:
    """Packets of the copied streams that begin within the film's stretch, moved to its clock."""
    last: Fraction = Fraction(0)
    try:
        for packet in beside.demux([beside.streams[index] for index in copies]):
            if packet.size == 0 or packet.dts is None:
                continue
            base = packet.time_base
            begins = (packet.pts if packet.pts is not None else packet.dts) * base
            if shift and begins < shift:
                continue
            if end is not None and begins >= end:
                continue
            moved = round(shift / base)
            packet.pts = None if packet.pts is None else packet.pts - moved
            packet.dts -= moved
            packet.stream = copies[packet.stream_index]
            last = max(last, packet.dts * base)
            yield last, packet
    except av.error.FFmpegError as error:
        reason = error.strerror or str(error)
        notes.append(f"the sound ends at {float(last):.2f} s, where the source cannot be read ({reason})")


def _check_extradata(stream: Any, store: SegmentStore) -> None:
    ours = bytes(stream.codec_context.extradata or b"")
    for path, index in zip(store.sealed, store.indexes(), strict=True):
        if base64.b64decode(index.extradata) != ours:
            raise MediaError(f"{path} was encoded in another way; delete {store.folder} and run the same command again")


def _label(stream: Any) -> str:
    codec = (
        stream.codec_context.codec.canonical_name
        if stream.codec_context is not None
        else stream.metadata.get("mimetype", "")
    )
    return f"{stream.type} stream {stream.index}{f' ({codec})' if codec else ''}"
