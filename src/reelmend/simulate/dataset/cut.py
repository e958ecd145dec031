"""Windows of consecutive frames out of clean sources, read once through, a few frames in memory.

A window lies in one shot, holds no frame that stands in for a broken one, and, where that can be had, none that merely
repeats the frame before: what a copy shows under a speck is the speck.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from reelmend.errors import MediaError
from reelmend.film import Frame, Layout, Plane
from reelmend.media import open_reel
from reelmend.media.colour import is_full_range, luma_weights
from reelmend.media.convert import convert
from reelmend.motion.copies import change, is_copy
from reelmend.motion.picture import Picture, picture
from reelmend.simulate.dataset.plan import Plan
from reelmend.simulate.dataset.sources import Source, still_frame

PATIENCE = 48
"""Frames looked through for a window without copies before one with copies will do: a film may stand still."""

BLOCK = 256
"""Frames read on end where a reel can begin anywhere. Blocks begin at its multiples, so that a window does not depend
on which others were wanted."""

_LEAD = 8
"""Frames read before a block, for the cut detector to settle."""

_JUMPS = ("ffv1", "prores", "dnxhd", "v210", "cfhd", "mjpeg", "rawvideo", "huffyuv", "utvideo", "jpeg2000", "dvvideo")
"""Codecs of which every frame can be decoded by itself, by FFmpeg's names."""

Box = tuple[int, int, int, int]
"""Top, left, height, width."""


@dataclass(frozen=True, slots=True)
class Window:
    """Frames as the source has them."""

    plan: Plan
    frames: tuple[Frame, ...]
    """As many as asked for; a photograph's one frame stands for all."""
    still: bool


@dataclass(slots=True)
class _Wish:
    plan: Plan
    target: int
    spare: tuple[Frame, ...] | None = None
    """The first window in one shot, though with copies."""
    waited: int = 0


@dataclass(slots=True)
class _Look:
    """The last pictures of a reel and what the steps between them are like."""

    length: int
    pictures: deque[tuple[int, Picture]] = field(default_factory=deque)
    copies: deque[bool] = field(default_factory=deque)
    usual: float = 0.0

    def add(self, shot: int, one: Picture) -> None:
        if self.pictures:
            mean, block = change(self.pictures[-1][1].luma, one.luma)
            self.copies.append(is_copy(mean, block, self.usual))
            self.usual = mean
        self.pictures.append((shot, one))
        while len(self.pictures) > self.length:
            self.pictures.popleft()
        while len(self.copies) > self.length - 1:
            self.copies.popleft()

    @property
    def whole(self) -> bool:
        """Whether these are enough frames, of one shot, none of them standing in for another."""
        return (
            len(self.pictures) == self.length
            and self.pictures[0][0] == self.pictures[-1][0]
            and all(one.frame.fault is None for _, one in self.pictures)
        )

    @property
    def frames(self) -> tuple[Frame, ...]:
        return tuple(one.frame for _, one in self.pictures)


def windows(source: Source, plans: Sequence[Plan], length: int) -> Iterator[Window]:
    """A window of `length` frames for each plan, in the order in which they lie in the source.

    Where a film has no such window, one of its frames stands still. Raises MediaError or UsageError for a source that
    cannot be read.
    """
    if source.kind == "photograph":
        frame = still_frame(source.path)
        for plan in plans:
            yield Window(plan, (frame,), True)
        return
    last = max(source.frames - length, 0)
    wishes = [_Wish(plan, round(plan.at * last)) for plan in plans]
    wishes.sort(key=lambda one: (one.target, one.plan.number))
    jumps = source.codec in _JUMPS or not source.path.is_file()
    blocks: dict[int, list[_Wish]] = {}
    for wish in wishes:
        blocks.setdefault(wish.target // BLOCK if jumps else 0, []).append(wish)
    for block, own in blocks.items():
        if length == 1:
            yield from _single(source, block * BLOCK, own)
        else:
            yield from _in_block(source, max(block * BLOCK - _LEAD, 0), own, length)


def _single(source: Source, start: int, wishes: list[_Wish]) -> Iterator[Window]:
    """Single frames, for which cuts and copies do not matter."""
    waiting = deque(wishes)
    last: Frame | None = None
    for frame in _frames(source, start):
        if frame.fault is not None:
            continue
        last = frame
        while waiting and waiting[0].target <= frame.index:
            yield Window(waiting.popleft().plan, (frame,), False)
        if not waiting:
            return
    if last is None:
        raise MediaError(f"{source.path} has no frame that can be read; use another copy")
    for wish in waiting:
        yield Window(wish.plan, (last,), False)


def _in_block(source: Source, start: int, wishes: list[_Wish], length: int) -> Iterator[Window]:
    look = _Look(length)
    waiting = deque(wishes)
    open_wishes: list[_Wish] = []
    one: Picture | None = None
    for shot, one in _pictures(source, start):
        look.add(shot, one)
        first = look.pictures[0][1].index
        while waiting and waiting[0].target <= first:
            open_wishes.append(waiting.popleft())
        if open_wishes and look.whole:
            moving = not any(look.copies)
            for wish in open_wishes:
                wish.spare, wish.waited = wish.spare or look.frames, wish.waited + 1
            ready = [wish for wish in open_wishes if moving or wish.waited > PATIENCE]
            open_wishes = [wish for wish in open_wishes if not (moving or wish.waited > PATIENCE)]
            for wish in ready:
                yield Window(wish.plan, look.frames if moving else wish.spare or look.frames, False)
        if not waiting and not open_wishes:
            return
    if one is None:
        raise MediaError(f"{source.path} has no frame that can be read; use another copy")
    for wish in (*open_wishes, *waiting):
        # The film is over: what it has is what there is.
        frames = wish.spare or (look.frames if look.whole else None)
        yield Window(wish.plan, frames or (one.frame,), frames is None)


def _pictures(source: Source, start: int) -> Iterator[tuple[int, Picture]]:
    from reelmend.motion.cuts import shots

    yield from shots(picture(frame) for frame in _frames(source, start))


def _frames(source: Source, start: int) -> Iterator[Frame]:
    with open_reel(source.path, threads=1, on_error="hold") as reel:
        begun = min(start, max((reel.facts.frames or 1) - 1, 0))
        try:
            yield from reel.frames(begun)
        except MediaError:
            # A film that breaks off has the frames before that.
            return


def develop(frame: Frame, source: Source, box: Box, size: tuple[int, int]) -> Frame:
    """A piece of a frame as a gray or RGB frame of 16 bits, full range, scaled to `size` `(height, width)`.

    `box` is in pixels of the source. Made smaller by averaging over area; never larger.
    """
    layout = frame.layout
    top, left, height, width = box
    # Chroma lies on a coarser grid; a margin keeps its interpolation from seeing the cut.
    grid = 4
    y0, x0 = max(top - grid, 0) & ~1, max(left - grid, 0) & ~3
    y1, x1 = min(top + height + grid, frame.height), min(left + width + grid, frame.width)
    planes = []
    for index in range(layout.colour_planes):
        sub_x, sub_y = layout.subsampling(index)
        planes.append(frame.planes[index][y0 >> sub_y : -(-y1 >> sub_y), x0 >> sub_x : -(-x1 >> sub_x)])
    target = Layout("gray" if layout.family == "gray" else "rgb", 16)
    if layout.is_float:
        codes = [_shown(plane) for plane in planes]
    else:
        plain = Layout(layout.family, layout.bits, sub_x=layout.sub_x, sub_y=layout.sub_y)
        codes = list(
            convert(
                planes,
                plain,
                target,
                source_full=is_full_range(source.colour, layout.family),
                target_full=True,
                weights=luma_weights(source.colour.matrix, source.height),
            )
        )
    inner = [plane[top - y0 : top - y0 + height, left - x0 : left - x0 + width] for plane in codes]
    if (height, width) != size:
        inner = [
            np.rint(cv2.resize(plane.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)).astype(np.uint16)
            for plane in inner
        ]
    return Frame(frame.index, tuple(np.ascontiguousarray(plane) for plane in inner), target)


def _shown(plane: Plane) -> Plane:
    """Linear light as a picture near film density, as `motion.luma` does it."""
    light = np.clip(np.nan_to_num(plane.astype(np.float32)), 0, 1)
    return np.asarray(np.rint(light ** np.float32(1 / 2.4) * 65535), dtype=np.uint16)
