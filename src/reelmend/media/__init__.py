"""Films in and out: containers through PyAV, image sequences through OpenImageIO, masks.

The libraries load when a film is opened, so importing this package costs nothing.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from reelmend.errors import UsageError
from reelmend.film import ReelFacts
from reelmend.media.paths import output_kind
from reelmend.media.pattern import IMAGE_SUFFIXES, parse_pattern
from reelmend.media.promise import Policy, Reel, Writer

if TYPE_CHECKING:
    from reelmend.media.masks import MaskReader, MaskWriter, PlaneWriter

__all__ = [
    "Policy",
    "Reel",
    "Writer",
    "open_mask_reader",
    "open_mask_writer",
    "open_origin_writer",
    "open_reel",
    "open_writer",
]


def open_reel(
    source: str | Path,
    *,
    gaps: Policy = "stop",
    on_error: Policy = "stop",
    rate: Fraction | None = None,
    threads: int = 0,
) -> Reel:
    """Open a film: a container, or an image sequence as a folder, `name_%06d.dpx`, `name_####.dpx` or its first file.

    `gaps="hold"` lets the frame before stand in for a number missing from a sequence; `on_error="hold"` does so for a
    damaged frame. `rate` is the frames a second of a sequence whose files do not say (24 otherwise). `threads` is
    for decoding, 0 = all cores.

    Raises UsageError for a source that is missing, empty, no film, not readable, or a sequence with gaps; MediaError
    for a container that is cut short or damaged beyond opening.
    """
    path = Path(source)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES or (not path.exists() and parse_pattern(path.name)):
        from reelmend.media.sequence import open_sequence

        return open_sequence(path, gaps=gaps, on_error=on_error, rate=rate, threads=threads)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; check the name") from None
    except PermissionError:
        raise UsageError(f"no permission to read {path}; change its permissions") from None
    if size == 0:
        raise UsageError(f"{path} is empty; check how it was copied")
    if rate is not None:
        raise UsageError(f"{path} carries its own frame rate; a rate can be given for image sequences only")
    from reelmend.media.container import open_container

    return open_container(path, on_error, threads)


def open_writer(
    output: str | Path,
    facts: ReelFacts,
    *,
    source: Reel | None,
    work: Path,
    start: int = 0,
    count: int | None = None,
    segment: int = 48,
    overwrite: bool = False,
    threads: int = 0,
) -> Writer:
    """Write a film like `facts`: size, layout, rate and tags come from there.

    The output decides the codec: `.mkv` FFV1, `.mov` ProRes, `.mp4` H.264 or H.265, a folder or pattern an image
    sequence. Frames `start` to `start + count` of `source` are announced; audio and subtitles of that stretch come from
    `source` (None = picture only). `work` is a folder on the output's file system that holds what is unfinished, in
    segments of `segment` frames: a writer with the same `work` and the same arguments goes on after `Writer.done`.

    Raises UsageError for an output that exists (unless `overwrite`), is the source or lies in it, cannot be written,
    or cannot hold the pixels.
    """
    path = Path(output)
    kind = output_kind(path)
    if kind == "container":
        from reelmend.media.container_writer import ContainerWriter as Kind
    else:
        from reelmend.media.sequence_writer import SequenceWriter as Kind  # type: ignore[assignment]
    return Kind(
        path,
        facts,
        source=source,
        work=Path(work),
        start=start,
        count=count,
        segment=segment,
        overwrite=overwrite,
        threads=threads,
    )


def open_mask_reader(path: str | Path, height: int, width: int, *, threads: int = 0) -> MaskReader:
    """Masks for a film of `height` x `width`: a folder of `mask_000123.png` or a film of masks.

    `MaskReader.mask(index)` gives the boolean mask of a frame counted from 0 in the source. In a folder, a frame
    without a file has an empty mask; other files are passed over. Raises UsageError for a path that is missing, holds
    no masks, or has another size.
    """
    from reelmend.media.masks import MaskReader

    return MaskReader(Path(path), height, width, threads)


def open_mask_writer(
    path: str | Path,
    height: int,
    width: int,
    *,
    rate: Fraction,
    work: Path,
    start: int = 0,
    count: int | None = None,
    segment: int = 48,
    overwrite: bool = False,
    threads: int = 0,
) -> MaskWriter:
    """Write masks of the frames from `start` on into a folder of PNGs or, with the suffix `.mkv`, one FFV1 film.

    `work`, `segment`, `done` and the rest as for `open_writer`. Raises UsageError for a place that cannot be written.
    """
    from reelmend.media.masks import open_mask_writer as open_it

    options = {"start": start, "count": count, "segment": segment, "overwrite": overwrite, "threads": threads}
    return open_it(Path(path), height, width, rate=rate, work=Path(work), options=options)


def open_origin_writer(
    path: str | Path,
    height: int,
    width: int,
    *,
    rate: Fraction,
    work: Path,
    start: int = 0,
    count: int | None = None,
    segment: int = 48,
    overwrite: bool = False,
    threads: int = 0,
) -> PlaneWriter:
    """Write where repaired pixels came from, planes of 8 bits; places and errors as for `open_mask_writer`."""
    from reelmend.media.masks import open_origin_writer as open_it

    options = {"start": start, "count": count, "segment": segment, "overwrite": overwrite, "threads": threads}
    return open_it(Path(path), height, width, rate=rate, work=Path(work), options=options)
