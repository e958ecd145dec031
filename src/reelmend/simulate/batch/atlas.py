"""An atlas of drawn defects: thousands of soft patches, kept as the few pixels that they touch.

Drawing is done once, by the kinds of damage themselves, at a ladder of scan scales; a batch then only copies. A patch
that would be larger than `SIDE` (a stain, a scratch down the whole frame) is kept as the piece of it that one square
of that side sees, so that every training window inside the square sees the piece without an edge of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 512
"""Pixels: the largest window that can be filled."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Step:
    """One rung of the ladder of scan scales."""

    gauge: str
    width: int
    """Pixels across the gauge's aperture."""
    height: int
    micrometres: float
    """Film that a pixel spans."""


@dataclass(frozen=True)
class Pixels:
    """What one patch touches: rows and columns from its origin, and the share covered there, 0..1."""

    dy: NDArray[np.int16]
    dx: NDArray[np.int16]
    cover: Floats

    @classmethod
    def of(cls, soft: Floats, top: int, left: int, faintest: float) -> Pixels:
        """The pixels of a patch `(rows, columns)` that are covered by more than `faintest`."""
        rows, columns = np.nonzero(soft > faintest)
        return cls(
            (rows + top).astype(np.int16), (columns + left).astype(np.int16), soft[rows, columns].astype(np.float32)
        )


@dataclass(frozen=True)
class Atlas:
    """Patches of all pools one after the other. A pool is one kind at one step of the ladder; patch, not defect, is
    what has a number: a defect that changes with age is `ages` patches in a row, counted as one member of its pool."""

    dy: NDArray[np.int16]
    dx: NDArray[np.int16]
    cover: Floats
    start: Ints
    """First pixel of each patch."""
    count: Ints
    """Pixels of each patch."""
    rim: Ints
    """Patch of the refracted rim that belongs to a patch, -1 without."""
    piece: NDArray[np.bool_]
    """Whether a patch is only what a square of `SIDE` sees, its origin the square's top left corner; its pixels are
    in the order of their rows."""
    member_patch: Ints
    """First patch of each member."""
    member_box: Ints
    """`(members, 4)`: first and last row, first and last column of its pixels, from its origin."""
    member_reach: Floats
    """`(members, 2)`: rows and columns that the whole shape spans in pixels."""
    member_cut: NDArray[np.bool_]
    """Whether its patches are pieces."""
    pool_start: Ints
    """`(steps, kinds)`: first member."""
    pool_members: Ints
    """`(steps, kinds)`."""
    pool_seen: Floats
    """`(steps, kinds)`: share of the kind's defects that a square of `SIDE`, anywhere in the frame, sees; read for
    kinds that span the frame."""
    ages: Ints
    """`(kinds,)`: patches a member."""
    spans: NDArray[np.bool_]
    """`(kinds,)`: whether the kind spans the frame."""


class Collector:
    """Gathers drawn patches into an atlas, pool by pool."""

    def __init__(self, steps: int, ages: Sequence[int], spans: Sequence[bool]) -> None:
        """`ages` has the patches a member for each kind."""
        self._pixels: list[Pixels] = []
        self._rim: list[int] = []
        self._piece: list[bool] = []
        self._first: list[int] = []
        self._box: list[tuple[int, int, int, int]] = []
        self._reach: list[tuple[int, int]] = []
        self._cut: list[bool] = []
        self._ages = np.array(ages, dtype=np.int64)
        self._spans = np.array(spans, dtype=np.bool_)
        self._pool_start = np.zeros((steps, len(ages)), dtype=np.int64)
        self._pool_members = np.zeros((steps, len(ages)), dtype=np.int64)
        self._pool_seen = np.ones((steps, len(ages)), dtype=np.float32)

    def begin(self, step: int, kind: int) -> None:
        """The members added from here belong to this pool."""
        self._pool_start[step, kind] = len(self._first)

    def end(self, step: int, kind: int, seen: float) -> None:
        self._pool_members[step, kind] = len(self._first) - self._pool_start[step, kind]
        self._pool_seen[step, kind] = seen

    def add(
        self, bodies: Sequence[Pixels], rims: Sequence[Pixels | None], cut_from: tuple[int, int] | None = None
    ) -> None:
        """One member: a patch, and a rim or None, for each age. `cut_from` is the size of the whole, if cut."""
        self._first.append(len(self._pixels))
        place = len(self._pixels)
        self._pixels.extend(bodies)
        after = place + len(bodies)
        for rim in rims:
            self._rim.append(-1 if rim is None else after)
            after += rim is not None
        extra = [rim for rim in rims if rim is not None]
        self._pixels.extend(extra)
        self._rim.extend([-1] * len(extra))
        self._piece.extend([cut_from is not None] * (len(bodies) + len(extra)))
        seen = [part for part in (*bodies, *extra) if len(part.dy)]
        box = [(part.dy.min(), part.dy.max(), part.dx.min(), part.dx.max()) for part in seen] or [(0, 0, 0, 0)]
        low, high = np.min(box, axis=0), np.max(box, axis=0)
        self._box.append((int(low[0]), int(high[1]), int(low[2]), int(high[3])))
        # A window of n rows is touched by a shape of m rows from n + m - 1 places.
        self._reach.append(cut_from or (int(high[1] - low[0]), int(high[3] - low[2])))
        self._cut.append(cut_from is not None)

    def atlas(self) -> Atlas:
        counts = np.array([len(part.dy) for part in self._pixels], dtype=np.int64)
        empty = Pixels(np.zeros(0, np.int16), np.zeros(0, np.int16), np.zeros(0, np.float32))
        parts = self._pixels or [empty]
        return Atlas(
            dy=np.concatenate([part.dy for part in parts]),
            dx=np.concatenate([part.dx for part in parts]),
            cover=np.concatenate([part.cover for part in parts]),
            start=np.cumsum(counts) - counts,
            count=counts,
            rim=np.array(self._rim, dtype=np.int64),
            piece=np.array(self._piece, dtype=np.bool_),
            member_patch=np.array(self._first, dtype=np.int64),
            member_box=np.array(self._box, dtype=np.int64).reshape(-1, 4),
            member_reach=np.array(self._reach, dtype=np.float32).reshape(-1, 2),
            member_cut=np.array(self._cut, dtype=np.bool_),
            pool_start=self._pool_start,
            pool_members=self._pool_members,
            pool_seen=self._pool_seen,
            ages=self._ages,
            spans=self._spans,
        )
