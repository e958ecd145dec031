"""Operations on masks. Each says what it does to which frames, in pixels of the frame; none knows what was detected.

Places count from the frame's top left corner, x to the right and y down; a pixel's middle lies at whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from reelmend.film import Mask

FURTHEST = 100_000
"""No place lies further away, pixels: larger than any scan."""

LAST_FRAME = 100_000_000
"""Fifty days of film."""

MOST_POINTS = 20_000
"""Of a stroke or an outline."""

_SUBPIXEL = 4
"""Bits of a pixel's fraction that OpenCV draws with."""

Coordinate = Annotated[float, Field(ge=-FURTHEST, le=FURTHEST, allow_inf_nan=False)]
Point = tuple[Coordinate, Coordinate]
FrameNumber = Annotated[int, Field(ge=0, le=LAST_FRAME)]


class _Operation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _OfFrame(_Operation):
    frame: FrameNumber

    @property
    def frames(self) -> range:
        """The frames that it changes."""
        return range(self.frame, self.frame + 1)


class _OfStretch(_Operation):
    first: FrameNumber
    last: FrameNumber
    """Included."""

    @model_validator(mode="after")
    def _ordered(self) -> _OfStretch:
        if self.last < self.first:
            raise ValueError("the last frame lies before the first")
        return self

    @property
    def frames(self) -> range:
        """The frames that it changes."""
        return range(self.first, self.last + 1)


class Stroke(_OfFrame):
    """A brush or an eraser, drawn over one frame."""

    kind: Literal["stroke"] = "stroke"
    points: tuple[Point, ...] = Field(min_length=1, max_length=MOST_POINTS)
    radius: float = Field(ge=0.5, le=1000)
    """Pixels."""
    adds: bool = True
    """False: it takes away."""


class Area(_OfFrame):
    """A lasso: all that lies within an outline."""

    kind: Literal["area"] = "area"
    points: tuple[Point, ...] = Field(min_length=3, max_length=MOST_POINTS)
    adds: bool = True


class Line(_OfStretch):
    """A straight line over a stretch of frames: a scratch along the film, which may wander (`edits.follow`)."""

    kind: Literal["line"] = "line"
    start: Point
    end: Point
    width: float = Field(ge=1, le=1000)
    """Pixels."""
    adds: bool = True
    shifts: tuple[Coordinate, ...] = ()
    """Pixels by which it lies beside itself in each frame of the stretch, to the left of its direction as the picture
    is seen; empty: nowhere."""

    @model_validator(mode="after")
    def _one_each(self) -> Line:
        if self.shifts and len(self.shifts) != len(self.frames):
            raise ValueError(f"{len(self.shifts)} shifts for {len(self.frames)} frames")
        return self

    def ends(self, frame: int) -> NDArray[np.float64]:
        """Both ends in a frame of the stretch, `(2, 2)`, x and y."""
        ends = np.array([self.start, self.end], np.float64)
        return ends + self.across() * self.shifts[frame - self.first] if self.shifts else ends

    def across(self) -> NDArray[np.float64]:
        """The unit vector `(2,)` along which it shifts, zero for a line without length."""
        x, y = np.subtract(self.end, self.start)
        length = float(np.hypot(x, y))
        return np.array([y, -x]) / length if length else np.zeros(2)


class Fill(_OfFrame):
    """What the mask encloses around a place becomes part of it; nothing where it does not enclose it."""

    kind: Literal["fill"] = "fill"
    at: Point


class Reject(_OfFrame):
    """The blob at a place is no damage."""

    kind: Literal["reject"] = "reject"
    at: Point


class Protect(_OfStretch):
    """A box in which nothing is damage, over a stretch of frames."""

    kind: Literal["protect"] = "protect"
    left: Coordinate
    top: Coordinate
    width: float = Field(gt=0, le=FURTHEST)
    height: float = Field(gt=0, le=FURTHEST)


Operation: TypeAlias = Annotated[Stroke | Area | Line | Fill | Reject | Protect, Field(discriminator="kind")]


def apply(operations: Iterable[Operation], frame: int, mask: Mask) -> Mask:
    """The mask of a frame after the operations that change it, in their order; the given one stays as it is."""
    done = mask.view(np.uint8).copy()
    for one in operations:
        if frame in one.frames:
            _draw(one, frame, done)
    return done.view(np.bool_)


def _draw(one: Operation, frame: int, mask: NDArray[np.uint8]) -> None:
    match one:
        case Stroke():
            _stroke(one, mask)
        case Area():
            cv2.fillPoly(mask, [_exact(one.points)], int(one.adds), cv2.LINE_8, _SUBPIXEL)
        case Line():
            _thick(one.ends(frame), one.width / 2, int(one.adds), mask)
        case Fill():
            _fill(one.at, mask)
        case Reject():
            _reject(one.at, mask)
        case Protect():
            top, left = max(0, round(one.top)), max(0, round(one.left))
            mask[top : max(0, round(one.top + one.height)), left : max(0, round(one.left + one.width))] = 0


def _stroke(one: Stroke, mask: NDArray[np.uint8]) -> None:
    points = np.array(one.points, np.float64)
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)
    for start, end in pairwise(points):
        _thick(np.stack([start, end]), one.radius, int(one.adds), mask, rounded=True)


def _thick(
    ends: NDArray[np.float64], radius: float, value: int, mask: NDArray[np.uint8], *, rounded: bool = False
) -> None:
    """Pixels whose middle lies within `radius` of a straight piece, which ends flat unless `rounded`.

    Measured, not drawn: a line of 1.5 pixels is 1.5 pixels wide.
    """
    reach = int(np.ceil(radius)) + 1
    low = np.maximum(np.floor(ends.min(axis=0)).astype(np.int64) - reach, 0)
    high = np.minimum(np.ceil(ends.max(axis=0)).astype(np.int64) + reach + 1, [mask.shape[1], mask.shape[0]])
    if (high <= low).any():
        return
    xs = np.arange(low[0], high[0], dtype=np.float64) - ends[0, 0]
    ys = (np.arange(low[1], high[1], dtype=np.float64) - ends[0, 1])[:, None]
    along = ends[1] - ends[0]
    length = float(np.hypot(*along))
    if length == 0:
        inside = xs**2 + ys**2 <= radius**2
    else:
        step = (xs * along[0] + ys * along[1]) / length
        off = np.abs(xs * along[1] - ys * along[0]) / length
        beyond = np.maximum(np.maximum(-step, step - length), 0)
        inside = off**2 + beyond**2 <= radius**2 if rounded else (off <= radius) & (beyond <= 0.5)
    mask[low[1] : high[1], low[0] : high[0]][inside] = value


def _exact(points: tuple[Point, ...]) -> NDArray[np.int32]:
    return np.rint(np.array(points) * (1 << _SUBPIXEL)).astype(np.int32)


def _pixel(at: Point, mask: NDArray[np.uint8]) -> tuple[int, int] | None:
    x, y = round(at[0]), round(at[1])
    return (y, x) if 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0] else None


def _fill(at: Point, mask: NDArray[np.uint8]) -> None:
    place = _pixel(at, mask)
    if place is None or mask[place]:
        return
    # Four neighbours: what an outline of eight neighbours encloses does not leak through its corners.
    _, labels = cv2.connectedComponents(1 - mask, connectivity=4)
    hole = labels == labels[place]
    if not (hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any()):
        mask[hole] = 1


def _reject(at: Point, mask: NDArray[np.uint8]) -> None:
    place = _pixel(at, mask)
    if place is None or not mask[place]:
        return
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    mask[labels == labels[place]] = 0
