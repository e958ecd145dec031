"""Masks, damage maps and films from files, put side by side frame by frame; what does not fit is told in a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import MediaError, UsageError
from reelmend.film import DamageMap, Frame, Mask
from reelmend.media import Reel, open_mask_reader, open_reel
from reelmend.media.masks import FIRST_FRAME, NAMES

OTHER_FRAMES = "give the same frames of both, or choose some with --start and --frames"


class Digest:
    """SHA-256 of decoded samples: the same for the same pictures, whatever file holds them."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, number: int, *planes: NDArray[Any]) -> None:
        """A frame by its number, its planes in order."""
        for plane in planes:
            self._hash.update(f"{number} {plane.dtype.str} {plane.shape}\n".encode())
            self._hash.update(np.ascontiguousarray(plane).data)

    def text(self) -> str:
        """64 hexadecimal digits."""
        return self._hash.hexdigest()


class _Numbered:
    """Something with a picture for each of some frames."""

    path: Path
    height: int
    width: int
    numbers: Sequence[int]
    """The frames it has, rising."""

    def __init__(self) -> None:
        self.digest = Digest()
        """Of what was read so far."""
        self._stack = ExitStack()

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MaskFilm(_Numbered):
    """Masks in a folder (`mask_000123.png`) or a film, as `detect` and `simulate` write them.

    Raises UsageError for a path that is missing or holds no masks, a mask of another size than the first, or one
    with a value other than 0 and 255.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        if path.is_dir():
            self.numbers = sorted(n for entry in path.iterdir() if (n := NAMES.number(entry.name)) is not None)
            self.height, self.width = _first_size(path, self.numbers)
        elif path.exists():
            with open_reel(path) as reel:
                self.height, self.width = reel.facts.height, reel.facts.width
                self.numbers = _numbers(reel)
        else:
            self.numbers, self.height, self.width = (), 0, 0  # the reader says what is wrong
        self._reader = self._stack.enter_context(open_mask_reader(path, self.height, self.width))

    def mask(self, number: int) -> Mask:
        """The mask `(h, w)` of a frame. In order is fastest."""
        mask = self._reader.mask(number)
        self.digest.add(number, mask)
        return mask


class DamageMaps(_Numbered):
    """Probabilities of damage as a gray film or sequence: 8 or 16 bits over full scale, or floating point 0..1.

    Frames of a sequence carry the numbers of its files, those of a film count from its `FIRST_FRAME` (0 where it has
    none). Raises UsageError for a path that cannot be read or pictures with colour, MediaError while reading.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._reel = self._stack.enter_context(open_reel(path))
        facts = self._reel.facts
        self.height, self.width, self.bits = facts.height, facts.width, facts.layout.bits
        if facts.layout.family == "yuv":
            self.close()
            raise UsageError(f"{path} is {facts.pixel_format}; damage maps are gray, of 8 or 16 bits or floating point")
        self.numbers = _numbers(self._reel)

    def maps(self, numbers: Sequence[int]) -> Iterator[tuple[int, DamageMap]]:
        """The maps `(h, w)`, 0..1, of consecutive frames."""
        if not numbers:
            return
        for number, frame in zip(numbers, self._reel.frames(numbers[0] - self.numbers[0], len(numbers)), strict=True):
            layout, plane = frame.layout, frame.planes[0]
            if any(not np.array_equal(plane, other) for other in frame.planes[1 : layout.colour_planes]):
                raise UsageError(f"{self.path}, frame {number} has colours; damage maps are gray")
            self.digest.add(number, plane)
            found = plane.astype(np.float32) if layout.is_float else (plane / layout.peak).astype(np.float32)
            if not ((found >= 0) & (found <= 1)).all():
                raise UsageError(
                    f"{self.path}, frame {number} has values beyond 0 to 1; damage maps hold probabilities"
                )
            yield number, found


def common_frames(a: _Numbered, b: _Numbered, start: int = 0, frames: int | None = None) -> list[int]:
    """Numbers of the frames from `start` on, at most `frames`, that both have.

    Raises UsageError where sizes differ, one has a frame that the other lacks, or no frame is left.
    """
    if (a.height, a.width) != (b.height, b.width):
        raise UsageError(
            f"{a.path} is {a.width}x{a.height} and {b.path} is {b.width}x{b.height}; give both the film's size"
        )
    end = None if frames is None else start + frames
    chosen = [[n for n in each.numbers if n >= start and (end is None or n < end)] for each in (a, b)]
    for one, other in ((0, 1), (1, 0)):
        lacking = sorted(set(chosen[other]) - set(chosen[one]))
        if lacking:
            paths = a.path, b.path
            raise UsageError(
                f"{paths[one]} has {_said(chosen[one])} and {paths[other]} has {_said(chosen[other])}: frame "
                f"{lacking[0]} is missing from {paths[one]}; {OTHER_FRAMES}"
            )
    if not chosen[0]:
        raise UsageError(f"{a.path} has {_said(a.numbers)}, none of those asked for; choose others with --start")
    return chosen[0]


def need_masks(masks: MaskFilm, number: int) -> Mask:
    """The mask of a frame. Raises UsageError where there is none: no mask is not the same as no damage."""
    if not _has(masks.numbers, number):
        raise UsageError(
            f"{masks.path} has {_said(masks.numbers)}: frame {number} is missing; give a mask for every frame, empty "
            "where nothing is damaged"
        )
    return masks.mask(number)


def frames_together(reels: Sequence[Reel], start: int = 0, count: int | None = None) -> Iterator[tuple[Frame, ...]]:
    """Frames of films side by side, the films of one size and one arrangement of planes.

    Raises UsageError where they differ in size, number of planes, chroma subsampling or number of frames, or no
    frame is left.
    """
    first = reels[0].facts
    for reel in reels[1:]:
        facts = reel.facts
        if (facts.width, facts.height) != (first.width, first.height):
            raise UsageError(
                f"{first.path} is {first.width}x{first.height} and {facts.path} is {facts.width}x{facts.height}; "
                "give films of one size"
            )
        if (facts.layout.family, facts.layout.sub_x, facts.layout.sub_y) != (
            first.layout.family,
            first.layout.sub_x,
            first.layout.sub_y,
        ):
            raise UsageError(
                f"{first.path} is {first.pixel_format} and {facts.path} is {facts.pixel_format}; give films of one "
                "family of pixels, with the same chroma subsampling"
            )
        if facts.frames is not None and first.frames is not None and facts.frames != first.frames:
            raise UsageError(
                f"{first.path} has {first.frames} frames and {facts.path} has {facts.frames}; give films of one length"
            )
    streams = [reel.frames(start, count) for reel in reels]
    number = start
    while True:
        frames = [next(stream, None) for stream in streams]
        present = [frame for frame in frames if frame is not None]
        if not present:
            break
        if len(present) < len(frames):
            ended, going = (
                next(reel.facts.path for reel, frame in zip(reels, frames, strict=True) if (frame is None) == gone)
                for gone in (True, False)
            )
            raise UsageError(f"{ended} ends before frame {number} and {going} goes on; give films of one length")
        number += 1
        yield tuple(present)
    if number == start:
        raise UsageError(f"{first.path} has no frame to compare; give films with frames")


def _numbers(reel: Reel) -> Sequence[int]:
    facts = reel.facts
    count = facts.frames
    if count is None:
        count = sum(1 for _ in reel.frames())
    tags = {key.upper(): value for key, value in facts.metadata.items()}
    tag = tags.get(FIRST_FRAME, "0")
    first = facts.first_number if facts.kind == "sequence" else int(tag) if tag.isdigit() else 0
    return range(first, first + count)


def _first_size(path: Path, numbers: Sequence[int]) -> tuple[int, int]:
    if not numbers:
        return 0, 0
    from reelmend.media.sequence_image import read_image

    first = path / NAMES.name(numbers[0])
    try:
        plane = read_image(first)[0][0]
    except MediaError as error:
        raise UsageError(f"{error}; save the mask again as an 8-bit gray PNG") from error
    return int(plane.shape[0]), int(plane.shape[1])


def _has(numbers: Sequence[int], number: int) -> bool:
    return number in (numbers if isinstance(numbers, range) else set(numbers))


def _said(numbers: Sequence[int]) -> str:
    if not numbers:
        return "no frames"
    if len(numbers) == 1:
        return f"frame {numbers[0]} only"
    return f"{len(numbers)} frames from {numbers[0]} to {numbers[-1]}"
