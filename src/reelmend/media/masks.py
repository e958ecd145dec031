"""Masks on disk: a folder of 8-bit gray PNGs `mask_000123.png` or one FFV1 gray `.mkv`; 255 = damage, 0 = none.

The number in a PNG's name is the frame's, counted from 0 at the start of the source. A film of masks says with which
frame of the source it begins in its `first_frame` tag (0 when it has none).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import MediaError, UsageError
from reelmend.film import Frame, Layout, Mask, Plane, ReelFacts
from reelmend.media.paths import output_kind
from reelmend.media.pattern import Pattern
from reelmend.media.promise import Reel, Writer

NAMES = Pattern("mask_", ".png", 6)
FIRST_FRAME = "FIRST_FRAME"
"""Metadata key of a film of masks: the source's frame that its first mask belongs to."""
ORIGIN_NAMES = Pattern("origin_", ".png", 6)
_GRAY = Layout("gray", 8)


class MaskReader:
    """Masks by frame number. In a folder, a frame without a file has an empty mask."""

    def __init__(self, path: Path, height: int, width: int, threads: int = 0) -> None:
        self._path, self._shape = path, (height, width)
        self._reel: Reel | None = None
        self._stream: Iterator[Frame] | None = None
        self._next = 0
        if not path.exists():
            raise UsageError(f"{path} does not exist; give a folder of masks or a mask film")
        if path.is_dir():
            self._numbers = {n for entry in path.iterdir() if (n := NAMES.number(entry.name)) is not None}
            if not self._numbers:
                raise UsageError(f"{path} holds no masks; they are called {NAMES.name(0)}, {NAMES.name(1)} and so on")
            return
        from reelmend.media import open_reel

        self._reel = open_reel(path, threads=threads)
        facts = self._reel.facts
        if facts.kind != "container" or facts.layout != _GRAY:
            self._reel.close()
            raise UsageError(f"{path} is no film of masks; it must be 8-bit gray, such as detect writes")
        self._check_size(path, (facts.height, facts.width))
        tags = {key.upper(): value for key, value in facts.metadata.items()}
        self._first = int(tags.get(FIRST_FRAME, "0")) if tags.get(FIRST_FRAME, "0").isdigit() else 0

    def mask(self, index: int) -> Mask:
        """The mask `(h, w)` of the source's frame `index`, True = damage. In order is fastest.

        UsageError for a mask of another size, with a value other than 0 and 255, or (in a film of masks) for a frame
        that it does not reach.
        """
        if self._reel is None:
            return self._from_folder(index)
        if self._stream is None or index != self._next:
            if index < self._first:
                raise UsageError(
                    f"{self._path} begins with the mask of frame {self._first}; start there or make masks for "
                    f"frame {index}"
                )
            self._stream = self._reel.frames(index - self._first)
        self._next = index + 1
        try:
            frame = next(self._stream, None)
        except UsageError:
            # A start beyond the end.
            frame = None
        if frame is None:
            self._stream = None
            raise UsageError(f"{self._path} ends before frame {index}; make masks for every frame")
        return self._boolean(frame.planes[0], self._path, f", frame {index}")

    def close(self) -> None:
        if self._reel is not None:
            self._reel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _from_folder(self, index: int) -> Mask:
        if index not in self._numbers:
            return np.zeros(self._shape, np.bool_)
        from reelmend.media.sequence_image import read_image

        path = self._path / NAMES.name(index)
        try:
            planes, layout, _ = read_image(path)
        except MediaError as error:
            raise UsageError(f"{error}; save the mask again as an 8-bit gray PNG") from error
        if layout.bits != 8 or layout.is_float:
            raise UsageError(f"{path} has {layout.bits} bits; save the mask as an 8-bit gray PNG")
        self._check_size(path, (int(planes[0].shape[0]), int(planes[0].shape[1])))
        # Image editors like to save gray as RGB; that is the same mask as long as it is gray.
        if any(not np.array_equal(planes[0], plane) for plane in planes[1 : layout.colour_planes]):
            raise UsageError(f"{path} has colours; a mask holds 0 and 255 only")
        return self._boolean(planes[0], path, "")

    def _check_size(self, path: Path, shape: tuple[int, int]) -> None:
        if shape != self._shape:
            raise UsageError(
                f"{path} is {shape[1]}x{shape[0]}, the film is {self._shape[1]}x{self._shape[0]}; masks have the "
                "film's size"
            )

    def _boolean(self, plane: Plane, path: Path, where: str) -> Mask:
        damaged: Mask = plane == 255
        wrong = ~damaged & (plane != 0)
        if wrong.any():
            row, column = (int(i) for i in np.argwhere(wrong)[0])
            raise UsageError(
                f"{path}{where} has the value {int(plane[row, column])} at column {column}, row {row}; a mask "
                "holds 0 and 255 only"
            )
        return damaged


class PlaneWriter:
    """Gray planes of consecutive frames; resumable and whole or not at all, like any film."""

    def __init__(self, writer: Writer, start: int) -> None:
        self._writer, self._start = writer, start
        self._position = writer.done

    @property
    def done(self) -> int:
        """Planes that are stored already."""
        return self._writer.done

    def write_plane(self, plane: NDArray[np.uint8]) -> None:
        """Add the plane `(h, w)` of the next frame."""
        self._writer.write(Frame(self._start + self._position, (plane,), _GRAY))
        self._position += 1

    def finish(self) -> None:
        self._writer.finish()

    def close(self) -> None:
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MaskWriter(PlaneWriter):
    """Masks of consecutive frames."""

    def write(self, mask: Mask) -> None:
        """Add the mask `(h, w)` of the next frame, True = damage."""
        self.write_plane(mask.astype(np.uint8) * np.uint8(255))


def open_mask_writer(
    path: Path, height: int, width: int, *, rate: Fraction, work: Path, options: dict[str, Any]
) -> MaskWriter:
    """See `reelmend.media.open_mask_writer`."""
    return MaskWriter(*_opened(path, height, width, rate, work, options, NAMES))


def open_origin_writer(
    path: Path, height: int, width: int, *, rate: Fraction, work: Path, options: dict[str, Any]
) -> PlaneWriter:
    """See `reelmend.media.open_origin_writer`."""
    return PlaneWriter(*_opened(path, height, width, rate, work, options, ORIGIN_NAMES))


def _opened(
    path: Path, height: int, width: int, rate: Fraction, work: Path, options: dict[str, Any], names: Pattern
) -> tuple[Writer, int]:
    kind = output_kind(path)
    if kind == "container" and path.suffix.lower() != ".mkv":
        raise UsageError(f"{path}: masks are written as a folder of PNGs or as .mkv, which keep every value")
    if kind == "sequence" and path.suffix.lower() == ".png":
        raise UsageError(f"{path}: give the folder of the masks; its files are called {names.name(0)} and so on")
    start = int(options["start"])
    facts = ReelFacts(
        path=path,
        kind="sequence",
        format="mask",
        codec="",
        pixel_format="gray",
        layout=_GRAY,
        width=width,
        height=height,
        rate=rate,
        time_base=1 / rate,
        frames=None,
        pattern=names.printf,
        metadata={FIRST_FRAME: str(start)},
    )
    from reelmend.media import open_writer

    return open_writer(path, facts, source=None, work=work, **options), start
