"""Image sequences written through OpenImageIO: the source's own format with its headers, or another."""

from __future__ import annotations

import json
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from reelmend.errors import MediaError, ReelMendError, UsageError
from reelmend.film import Frame, Layout, ReelFacts
from reelmend.media.colour import is_full_range, luma_weights
from reelmend.media.convert import convert
from reelmend.media.paths import check_sequence_output, full_disk_number, sequence_target, sync, writing, writing_failed
from reelmend.media.pattern import Pattern, parse_pattern
from reelmend.media.promise import Reel, Writer
from reelmend.media.sequence_dpx import endian, graft_header, set_name
from reelmend.media.sequence_image import Header, cloned_spec, new_spec, set_timecode, write_image
from reelmend.media.timecode import advance

_SUFFIXES = {
    "dpx": (".dpx",), "tiff": (".tif", ".tiff"), "exr": (".exr",), "png": (".png",), "jpeg": (".jpg", ".jpeg"),
}  # fmt: skip
_BITS = {"dpx": (8, 10, 12, 16), "tiff": (8, 16), "png": (8, 16), "jpeg": (8,)}


class SequenceWriter(Writer):
    """A numbered image sequence; the files carry the source's numbers."""

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
    ) -> None:
        self._output, self._facts, self._start = output, facts, start
        self._target, self._pattern = _names(output, facts)
        self._format = _format(self._pattern.suffix)
        self._layout = target_layout(self._format, facts)
        self.notes = _notes(self._format, facts, self._layout)
        self._same_format = facts.kind == "sequence" and facts.format == self._format and self._layout == facts.layout
        self._parts = work / f"{output.name}.parts"
        self._folder = self._parts / "frames"
        self._moving = self._parts / "moving.json"
        self._closed = False
        film = json.dumps(
            {
                "film": str(facts.path.resolve()),
                "pixels": facts.pixel_format,
                "size": [facts.width, facts.height],
                "start": start,
                "count": count,
                "pattern": self._pattern.printf,
            },
            sort_keys=True,
        )
        self._finishing = self._moving.is_file() and self._parts_are(film)
        if not self._finishing:
            check_sequence_output(
                output, self._target, self._pattern, source.facts if source is not None else None, overwrite
            )
            self._prepare(film, work)
        self._position = int(json.loads(self._moving.read_text())["frames"]) if self._finishing else self._stored()
        workers = max(1, min(threads or os.cpu_count() or 1, 8))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="write")
        self._room = 2 * workers
        self._pending: deque[Future[None]] = deque()

    @property
    def done(self) -> int:
        return self._position

    def write(self, frame: Frame) -> None:
        if self._closed or self._finishing:
            raise MediaError(f"{self._output} is finished; no frame can be added")
        facts = self._facts
        if (frame.height, frame.width, frame.layout) != (facts.height, facts.width, facts.layout):
            raise MediaError(f"{self._output}: frame {frame.index} does not have the size and pixels of the film")
        if self._position == 0 and self._same_format and (header := frame.meta.get("image")) is not None:
            self.notes = (*self.notes, *cloned_spec(header)[1])
        number = facts.first_number + self._start + self._position
        self._pending.append(self._pool.submit(self._store, frame, number))
        self._position += 1
        while len(self._pending) >= self._room:
            self._pending.popleft().result()

    def finish(self) -> None:
        if self._closed:
            raise MediaError(f"{self._output}: the writer is closed; open it again to go on")
        while self._pending:
            self._pending.popleft().result()
        if not self._position:
            raise MediaError(f"{self._output}: there is no frame to write; check start and count")
        with writing(self._target):
            if not self._finishing:
                part = self._moving.with_suffix(".part")
                part.write_text(json.dumps({"frames": self._position, "first": self._facts.first_number + self._start}))
                os.replace(part, self._moving)
            self._move()
            for path in (self._parts / "film.json", self._moving):
                path.unlink(missing_ok=True)
            self._parts.rmdir()
        self.close()

    def close(self) -> None:
        if not self._closed:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._closed = True

    def _store(self, frame: Frame, number: int) -> None:
        name = self._pattern.name(number)
        part = self._parts / f"{number}.part{self._pattern.suffix}"
        try:
            self._encode(frame, number, part)
            sync(part)
            os.replace(part, self._folder / name)
        except ReelMendError:
            raise
        except OSError as error:
            part.unlink(missing_ok=True)
            number_of_error = error.errno or full_disk_number(self._parts, str(error))
            raise writing_failed(self._target / name, frame.index, number_of_error, str(error)) from error

    def _encode(self, frame: Frame, number: int, part: Path) -> None:
        header = frame.meta.get("image")
        if self._same_format and isinstance(header, Header):
            spec, _ = cloned_spec(header)
            if self._format == "dpx":
                spec.attribute("oiio:Endian", endian(header.path))
            write_image(part, frame.planes, frame.layout, spec, header.picture, header.extra)
            if self._format == "dpx" and not graft_header(header.path, part, frame.width, frame.height):
                set_name(part, self._pattern.name(number))
            return
        facts, layout = self._facts, self._layout
        planes = convert(
            frame.planes,
            facts.layout,
            layout,
            source_full=is_full_range(facts.colour, facts.layout.family),
            target_full=True,
            weights=luma_weights(facts.colour.matrix, facts.height),
        )
        spec, picture = new_spec(self._pattern.suffix.lower(), layout, frame.height, frame.width)
        if self._format in ("dpx", "exr"):
            if facts.timecode:
                set_timecode(spec, advance(facts.timecode, frame.index, facts.rate))
            spec.attribute("dpx:FrameRate" if self._format == "dpx" else "framesPerSecond", float(facts.rate))
        spec.attribute("PixelAspectRatio", float(facts.sample_aspect))
        write_image(part, planes, layout, spec, picture)
        if self._format == "dpx":
            set_name(part, self._pattern.name(number))

    def _prepare(self, film: str, work: Path) -> None:
        with writing(work):
            if not self._parts_are(film):
                _remove(self._parts)
                self._folder.mkdir(parents=True)
                (self._parts / "film.json").write_text(film)
            self._folder.mkdir(exist_ok=True)
            for stale in self._parts.glob("*.part*"):
                stale.unlink()
        if work.stat().st_dev != (self._target if self._target.is_dir() else self._target.parent).stat().st_dev:
            raise UsageError(
                f"{work} is on another file system than {self._output}; choose a work folder beside the output"
            )

    def _parts_are(self, film: str) -> bool:
        note = self._parts / "film.json"
        return note.is_file() and note.read_text() == film

    def _stored(self) -> int:
        first, position = self._facts.first_number + self._start, 0
        while (self._folder / self._pattern.name(first + position)).is_file():
            position += 1
        return position

    def _move(self) -> None:
        """Put the frames in place: the folder as a whole where there is none, else file by file."""
        if not self._folder.is_dir():
            return
        note = json.loads(self._moving.read_text())
        wanted = {self._pattern.name(note["first"] + i) for i in range(note["frames"])}
        for path in self._folder.iterdir():
            if path.name not in wanted:
                path.unlink()
        target = self._target
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            if target.exists():
                target.rmdir()
            os.replace(self._folder, target)
            return
        for path in target.iterdir():
            if self._pattern.number(path.name) is not None and path.name not in wanted:
                path.unlink()
        for path in sorted(self._folder.iterdir()):
            os.replace(path, target / path.name)
        self._folder.rmdir()


def _names(output: Path, facts: ReelFacts) -> tuple[Path, Pattern]:
    folder, pattern = sequence_target(output)
    if pattern is not None:
        return folder, pattern
    if facts.kind == "sequence" and facts.pattern:
        own = parse_pattern(facts.pattern)
        if own is None:
            stem = Path(facts.pattern.replace("%%", "%"))
            own = Pattern(f"{stem.stem}_", stem.suffix, 6)
        if own.suffix.lower().endswith(tuple(s for group in _SUFFIXES.values() for s in group)):
            return folder, own
        return folder, replace(own, suffix=_default_suffix(facts.layout))
    return folder, Pattern(f"{facts.path.stem}_", _default_suffix(facts.layout), 6)


def _default_suffix(layout: Layout) -> str:
    return ".exr" if layout.is_float else ".png"


def _format(suffix: str) -> str:
    for name, suffixes in _SUFFIXES.items():
        if suffix.lower().endswith(suffixes):
            return name
    raise UsageError(
        f"sequences of {suffix or 'files without a suffix'} cannot be written; use .dpx, .tif, .exr, .png or .jpg"
    )


def target_layout(format_: str, facts: ReelFacts) -> Layout:
    """The layout that an image format holds for a film's pixels; UsageError where none is right."""
    layout = facts.layout
    if format_ == "exr" or (layout.is_float and format_ == "tiff"):
        if not layout.is_float:
            raise UsageError(
                f"EXR holds linear light in floating point, the film has {facts.pixel_format}; write .dpx, .tif or .png"
            )
        return layout
    if layout.is_float:
        raise UsageError(f"{format_} images do not hold {facts.pixel_format}; write .exr or .tif")
    if facts.kind == "sequence" and facts.format == format_:
        return layout
    bits = next((b for b in _BITS[format_] if b >= layout.bits), _BITS[format_][-1])
    family = "rgb" if layout.family == "yuv" else layout.family
    return Layout(family, bits, alpha=layout.alpha and format_ != "jpeg")


def _notes(format_: str, facts: ReelFacts, layout: Layout) -> tuple[str, ...]:
    notes = []
    if facts.layout.family == "yuv":
        notes.append("YUV becomes RGB in images, which rounds every pixel; .mkv keeps the film's own samples")
    if layout.bits < facts.layout.bits:
        notes.append(f"{format_} images hold {layout.bits} bits, the film has {facts.layout.bits}")
    if any(s.kind in ("audio", "subtitle") for s in facts.streams):
        notes.append("an image sequence carries no sound or subtitles")
    return tuple(notes)


def _remove(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            _remove(path) if path.is_dir() else path.unlink()
        folder.rmdir()
