"""Films into containers: encoded in segments that survive a kill, joined without encoding again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import av

from reelmend.errors import MediaError, ReelMendError, UsageError
from reelmend.film import Frame, ReelFacts
from reelmend.media.colour import is_full_range, luma_weights, numbers
from reelmend.media.container_frames import picture_of
from reelmend.media.container_plan import Plan, plan_for
from reelmend.media.convert import convert
from reelmend.media.paths import check_output, sync, writing, writing_failed
from reelmend.media.promise import Reel, Writer
from reelmend.media.segments import SegmentFile, SegmentStore


class ContainerWriter(Writer):
    """`.mkv` FFV1, `.mov` ProRes, `.mp4` H.264 or H.265."""

    def __init__(
        self,
        output: Path,
        facts: ReelFacts,
        *,
        source: Reel | None,
        work: Path,
        start: int = 0,
        count: int | None = None,
        segment: int = 48,
        overwrite: bool = False,
        threads: int = 0,
        plan: Plan | None = None,
    ) -> None:
        self._output, self._facts, self._source = output, facts, source
        self._start, self._count, self._segment = start, count, segment
        self._threads = threads
        self.plan = plan or plan_for(output, facts)
        self.notes = self.plan.notes
        self._folder = work / f"{output.name}.parts"
        self._whole = self._folder / f"whole{output.suffix}.part"
        self._sealed_note = self._folder / "finished.json"
        self._current: SegmentFile | None = None
        self._encoder: Any = None
        self._position = 0
        self._closed = self._finished = False
        if self._already_there():
            self._finished = True
            return
        check_output(output, source.facts.path if source is not None else None, overwrite)
        _check_folder(work, output)
        with writing(work):
            self._store = SegmentStore(self._folder, self._fingerprint())
        self._position = sum(len(index.frames) for index in self._store.indexes())

    @property
    def done(self) -> int:
        return self._position if not self._finished else int(json.loads(self._sealed_note.read_text())["frames"])

    def write(self, frame: Frame) -> None:
        if self._closed or self._finished:
            raise MediaError(f"{self._output} is finished; no frame can be added")
        if self._position % self._segment and self._current is None:
            raise MediaError(
                f"{self._output}: its last frame is stored already; delete {self._folder} to write it with "
                "another length"
            )
        facts = self._facts
        if (frame.height, frame.width, frame.layout) != (facts.height, facts.width, facts.layout):
            raise MediaError(f"{self._output}: frame {frame.index} does not have the size and pixels of the film")
        try:
            self._encode(frame)
        except ReelMendError:
            raise
        except OSError as error:
            self._abandon()
            raise writing_failed(self._output, frame.index, error.errno, str(error)) from error
        self._position += 1
        if self._position % self._segment == 0:
            self._seal(frame.index)

    def finish(self) -> None:
        if self._closed:
            raise MediaError(f"{self._output}: the writer is closed; open it again to go on")
        if not self._finished:
            self._seal(self._start + self._position - 1)
            if not self._position:
                raise MediaError(f"{self._output}: there is no frame to write; check start and count")
            self._join()
        self._sweep()
        self._finished = self._closed = True

    def close(self) -> None:
        if not self._closed:
            self._abandon()
            self._closed = True

    def _encode(self, frame: Frame) -> None:
        if self._current is None or self._encoder is None:
            self._current = SegmentFile(self._store.path(len(self._store.sealed)))
            self._encoder = av.CodecContext.create(self.plan.codec, "w")
            configure(self._encoder, self.plan, self._facts, self._threads)
            self._encoder.flags |= av.codec.context.Flags.global_header
        plan, facts = self.plan, self._facts
        planes = frame.planes
        if not plan.exact:
            planes = convert(
                planes,
                facts.layout,
                plan.fmt.layout,
                source_full=is_full_range(facts.colour, facts.layout.family),
                target_full=plan.full_range,
                weights=luma_weights(plan.matrix or facts.colour.matrix, facts.height),
            )
        picture = picture_of(planes, plan.fmt, facts.height, facts.width)
        picture.pts = len(self._current.index.frames)
        picture.time_base = 1 / facts.rate
        # ProRes takes the tags of its frame header from the frame, the others from the encoder.
        picture.color_primaries, picture.color_trc = self._encoder.color_primaries, self._encoder.color_trc
        picture.colorspace, picture.color_range = self._encoder.colorspace, self._encoder.color_range
        self._current.index.frames.append((frame.pts, frame.duration))
        self._store_packets(self._encoder.encode(picture))

    def _store_packets(self, packets: list[Any]) -> None:
        assert self._current is not None
        for packet in packets:
            self._current.add(packet, packet.pts, packet.is_keyframe)

    def _seal(self, frame: int) -> None:
        if self._current is None:
            return
        try:
            self._store_packets(self._encoder.encode(None))
            self._current.seal(bytes(self._encoder.extradata or b""))
        except OSError as error:
            self._abandon()
            raise writing_failed(self._output, frame, error.errno, str(error)) from error
        self._store.sealed.append(self._current.path)
        self._current = self._encoder = None

    def _abandon(self) -> None:
        if self._current is not None:
            self._position -= len(self._current.index.frames)
            self._current.abandon()
        self._current = self._encoder = None

    def _join(self) -> None:
        from reelmend.media.container_mux import join

        with writing(self._output):
            try:
                self.notes = (
                    *self.plan.notes,
                    *join(self._whole, self.plan, self._facts, self._store, self._source, self._start),
                )
            except av.error.FFmpegError as error:
                raise writing_failed(self._output, None, error.errno, error.strerror or str(error)) from error
            sync(self._whole)
            size = self._whole.stat().st_size
            note = {"size": size, "frames": self._position, "film": self._fingerprint()}
            self._sealed_note.write_text(json.dumps(note))
            os.replace(self._whole, self._output)

    def _already_there(self) -> bool:
        """Did an earlier run put the output in its place and die before it had swept up?"""
        if not (self._sealed_note.is_file() and self._output.is_file()):
            return False
        try:
            note = json.loads(self._sealed_note.read_text())
        except ValueError:
            return False
        return (
            not self._whole.exists()
            and note.get("film") == json.loads(json.dumps(self._fingerprint()))
            and note.get("size") == self._output.stat().st_size
        )

    def _sweep(self) -> None:
        # The note that the film is finished goes last.
        for path in sorted(self._folder.iterdir(), key=lambda p: p == self._sealed_note):
            path.unlink()
        self._folder.rmdir()

    def _fingerprint(self) -> dict[str, Any]:
        facts, plan = self._facts, self.plan
        return {
            "film": str(facts.path.resolve()),
            "size": [facts.width, facts.height],
            "pixels": facts.pixel_format,
            "rate": str(facts.rate),
            "time_base": str(facts.time_base),
            "aspect": str(facts.sample_aspect),
            "colour": [facts.colour.primaries, facts.colour.transfer, facts.colour.matrix, facts.colour.range],
            "codec": plan.codec,
            "encoded": plan.fmt.name,
            "options": plan.options,
            "start": self._start,
            "count": self._count,
            "segment": self._segment,
            # Another version of the encoder may make other packets of the same frames.
            "library": av.library_versions["libavcodec"],
        }


def configure(context: Any, plan: Plan, facts: ReelFacts, threads: int) -> None:
    """Settings of an encoder, the same for every segment and for the stream of the joined film."""
    context.width, context.height, context.pix_fmt = facts.width, facts.height, plan.fmt.name
    context.framerate = facts.rate
    context.time_base = 1 / facts.rate
    context.sample_aspect_ratio = facts.sample_aspect
    primaries, transfer, matrix, range_ = numbers(facts.colour)
    if plan.matrix is not None:
        matrix = numbers(type(facts.colour)(matrix=plan.matrix))[2]
    if plan.fmt.layout.family == "rgb":
        matrix = 0
    elif matrix == 0:
        matrix = 2
    context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
    if not plan.exact:
        range_ = 2 if plan.full_range else 1
    context.color_range = range_
    field_order = {"progressive": 1, "top": 2, "bottom": 3, "unknown": 0}[facts.field_order]
    context.field_order = field_order
    context.options = dict(plan.options)
    context.flags |= av.codec.context.Flags.bitexact
    context.thread_count = plan.threads or threads
    if plan.exact:
        context.thread_type = "SLICE"


def _check_folder(work: Path, output: Path) -> None:
    with writing(work):
        work.mkdir(parents=True, exist_ok=True)
    if work.stat().st_dev != output.parent.stat().st_dev:
        raise UsageError(f"{work} is on another file system than {output}; choose a work folder beside the output")
