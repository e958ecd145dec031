"""Large blotches of one frame: stains, burns and patches of lost emulsion, too large for what looks at specks.

A network that is shown many specks takes a large change for something that moved. But nothing large moves so fast that
it is in one frame and gone before and after: where the neighbours agree with each other, inside and all around, and the
frame differs from every one of them by far more than they do, it is the frame that is damaged. (The spike detection
index of Kokaram 1998, chapter 6, on pictures smoothed until grain and small errors of motion are gone, and judged by
the region.) A limb in mid-swing is left alone for what is around it: there neighbours do not agree. A ball in flight is
told by its way: it stands out before and after too, in line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.agreement import apart
from reelmend.detect.listing import Piece, with_pieces
from reelmend.detect.promise import Detection
from reelmend.film import Mask
from reelmend.motion.flow import length
from reelmend.motion.windows import Window

Floats = NDArray[np.float32]

WIDTH = 720
"""Pixels: wider pictures are shrunken, by a whole number, until they are no wider."""

SMOOTH = 1.5
"""Standard deviation, as all lengths here in pixels of a frame 640 wide."""

FROM = 8.0
"""Codes of 255 by which the frame must differ from each of its neighbours."""

TIMES = 2.0
"""As many times as the neighbours differ from each other, at every pixel that speaks for a blotch."""

GAP = 5.0
"""Between pixels that speak for the same blotch."""

AREA = 200.0
"""Pixels that speak for a blotch: about 16 x 16. What is smaller others find."""

THICK = 6.0
"""From its edge to its middle, gaps filled: what is thinner is a hair or a scratch."""

AGREE = {"gentle": 0.18, "standard": 0.25, "strong": 0.35}
"""How much the neighbours may differ from each other, as a share of how much the frame differs from them: on average
inside the blotch, and around it as far as `GAP`."""

MOVES = 8.0
"""Pixels that the scene may have moved there since the frame before, or until the one after. Of what moves faster
motion compensation misses too much, and neighbours may agree on what the frame does not show any more."""

THING = 70.0
"""Pixels that speak for something that may be the same as a blotch, in another frame."""

ALIKE = 2.5
"""Times as large, or as small, it may be there."""

FASTEST = 120.0
"""Pixels from frame to frame that something flies at most."""

ASTRAY = (6.0, 0.5)
"""Pixels, and share of its last step, by which its next may be another."""

BORDER = 0.02
"""Of the frame's width: what lies nearer to its border, where the gate's edge and the weave are, says nothing."""

EDGE = (4.0, 0.3)
"""Codes, and share of what a blotch differs from its neighbours by, that pixels at its rim differ from the neighbours'
mean by: matching the neighbours' light to a large blotch has changed them around it a little. And more than the
neighbours do among themselves."""

KNOWN = 0.5
"""Share of what speaks for a blotch of which, if it was found already, the outline stands: it is finer."""

PROBABILITY = 0.9
"""Of what is accepted. `python -m benchmarks.blotches` shows it: all that is taken in five real films is damage."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What stands out from a frame's neighbours, whatever it is; lengths as on a frame 640 wide."""

    x: float
    y: float
    area: float
    """Pixels that speak for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Blotch:
    """A region that may be one."""

    thing: Thing
    core: Mask
    """`(h, w)` of the picture that was looked at: what speaks for it."""
    where: Mask
    """What is damaged."""
    doubt: float
    """How much the neighbours differ from each other as a share of how much the frame differs: inside or around,
    whichever is more."""
    bright: bool
    """Against the neighbours."""


@dataclass(frozen=True, slots=True, eq=False)
class BlotchEvidence:
    """What a frame has to say of blotches."""

    blotches: tuple[Blotch, ...] = ()
    things: tuple[Thing, ...] = ()
    neighbours: tuple[tuple[int, int], ...] = ()
    """Step and index of the frames of its window."""


@dataclass(frozen=True, slots=True, eq=False)
class _Differences:
    """How a frame and its neighbours differ, smoothed; `(h, w)` in codes of 255."""

    least: Floats
    """The frame from the neighbour most like it, where all are off to the same side; else 0."""
    off: Floats
    """The frame from the neighbours' mean, with its sign."""
    among: Floats
    """The neighbours from each other, at most."""
    scale: float
    """Pixels of the picture for one of a frame 640 wide."""

    def speaking(self) -> Mask:
        """Pixels that speak for a blotch, those at the border left out."""
        speaks = (self.least > FROM) & (self.least > TIMES * self.among)
        edge = max(1, round(BORDER * speaks.shape[1]))
        speaks[:edge] = speaks[-edge:] = speaks[:, :edge] = speaks[:, -edge:] = False
        return np.asarray(speaks)


def look(window: Window, stack: Floats) -> BlotchEvidence | None:
    """The regions of a window that may be blotches; None where it has no neighbours on one of its sides.

    `stack` `(frames, h, w)` 0..1 is `motion.stack.stack_of` the window.
    """
    if not (window.before and window.after):
        return None
    seen = _differences(_small(stack))
    speaks, scale = seen.speaking(), seen.scale
    if np.count_nonzero(speaks) < THING * scale**2:
        return BlotchEvidence()
    disc = _disc(GAP * scale)
    filled = cv2.morphologyEx(speaks.view(np.uint8), cv2.MORPH_CLOSE, disc)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(filled, connectivity=8)
    areas = np.bincount(labels[speaks], minlength=count) / scale**2
    things = {
        int(n): Thing(float(centres[n, 0]) / scale, float(centres[n, 1]) / scale, float(areas[n]))
        for n in np.flatnonzero(areas >= THING)
    }
    large = {n: thing for n, thing in things.items() if thing.area >= AREA}
    beside = tuple((one.step, one.picture.index) for one in window.neighbours)
    if not large:
        return BlotchEvidence((), tuple(things.values()), beside)
    moved, found = _moved(window, speaks.shape), []
    for n, thing in large.items():
        left, top, wide, high, _ = (int(value) for value in stats[n])
        reach = 2 * disc.shape[0]
        box = np.s_[max(0, top - reach) : top + high + reach, max(0, left - reach) : left + wide + reach]
        region = labels[box] == n
        thick = cv2.distanceTransform(np.pad(region, 1).view(np.uint8), cv2.DIST_L2, 5).max()
        core = region & speaks[box]
        if thick < THICK * scale or np.median(moved[box][core]) > MOVES * scale:
            continue
        found.append(_blotch(thing, seen, box, region, core, disc))
    return BlotchEvidence(tuple(found), tuple(things.values()), beside)


def _differences(stack: Floats) -> _Differences:
    scale = stack.shape[2] / 640
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), SMOOTH * scale) for one in stack]) * np.float32(255)
    centre, others = smooth[0], smooth[1:]
    highest, lowest = others.max(0), others.min(0)
    least = np.maximum(np.maximum(centre - highest, lowest - centre), np.float32(0))
    return _Differences(least, centre - others.mean(0), highest - lowest, scale)


def _blotch(
    thing: Thing, seen: _Differences, box: tuple[slice, slice], region: Mask, core: Mask, disc: NDArray[np.uint8]
) -> Blotch:
    """A region of the box of a picture, as a blotch; `core` are its pixels that speak for it."""
    off, among = seen.off[box], seen.among[box]
    contrast = float(seen.least[box][core].mean())
    grown = cv2.dilate(region.view(np.uint8), disc) > 0
    # Without the region, or it would calm what is around it.
    around = grown & ~region
    doubt = apart(among[region], among[around]) / contrast
    differs = np.abs(off) > np.maximum(among, max(EDGE[0], EDGE[1] * contrast))
    closed = cv2.morphologyEx((differs & grown).view(np.uint8), cv2.MORPH_CLOSE, disc)
    spoken, where = np.zeros(seen.off.shape, np.bool_), np.zeros(seen.off.shape, np.bool_)
    spoken[box], where[box] = core, (closed > 0) & grown
    return Blotch(thing, spoken, where, doubt, float(np.median(off[core])) > 0)


def wanted(evidence: BlotchEvidence) -> tuple[int, ...]:
    """The frames whose evidence `added` wants: none where there is nothing to decide."""
    undecided = any(one.doubt <= max(AGREE.values()) for one in evidence.blotches)
    return tuple(index for _, index in evidence.neighbours) if undecided else ()


def flies(thing: Thing, beside: Mapping[int, Sequence[Thing]]) -> bool:
    """Whether something like it stands out in line before and after, or in the next two frames on one side; `beside`
    has what stands out in the neighbours by their steps, -2 to 2."""
    for near, far in ((-1, 1), (1, 2), (-1, -2)):
        for one in beside.get(near, ()):
            step = np.array([one.x - thing.x, one.y - thing.y])
            most = ASTRAY[0] + ASTRAY[1] * float(np.hypot(*step))
            if np.hypot(*step) > FASTEST or not _alike(thing, one):
                continue
            next_x, next_y = (thing.x, thing.y) + step * (far / near)
            if any(
                _alike(thing, other) and np.hypot(other.x - next_x, other.y - next_y) <= most
                for other in beside.get(far, ())
            ):
                return True
    return False


def _alike(one: Thing, other: Thing) -> bool:
    return one.area / ALIKE <= other.area <= one.area * ALIKE


def _moved(window: Window, shape: tuple[int, ...]) -> Floats:
    """How far the scene moves between a frame and the nearest of its neighbours on either side, whichever is farther;
    `(h, w)` in pixels of a picture of a shape."""
    lengths = np.maximum(*(length(beside[0].flow) for beside in (window.before, window.after)))
    return np.asarray(cv2.resize(lengths, (shape[1], shape[0])) * np.float32(shape[1] / lengths.shape[1]), np.float32)


def added(
    found: Detection,
    evidence: BlotchEvidence,
    others: Sequence[BlotchEvidence | None],
    strength: str,
    most: int,
) -> Detection:
    """What was found, and the blotches that are clear enough for a strength, of `most` pixels each. `others` is the
    evidence of the frames that are `wanted`."""
    shape, pieces = (found.mask.shape[0], found.mask.shape[1]), []
    for one in clear(evidence, others, strength):
        where, core = (_enlarged(part, shape) for part in (one.where, one.core))
        known = np.count_nonzero(found.mask & core) >= KNOWN * np.count_nonzero(core)
        if not known and 0 < np.count_nonzero(where) <= most:
            pieces.append(Piece(where, PROBABILITY, one.bright))
    return with_pieces(found, pieces)


def clear(evidence: BlotchEvidence, others: Sequence[BlotchEvidence | None], strength: str) -> list[Blotch]:
    """The blotches that are clear enough for a strength, and do not fly; `others` as in `added`."""
    steps = (step for step, _ in evidence.neighbours)
    beside = {step: other.things for step, other in zip(steps, others, strict=False) if other is not None}
    return [one for one in evidence.blotches if one.doubt <= AGREE[strength] and not flies(one.thing, beside)]


def _small(stack: Floats) -> Floats:
    """A stack no wider than `WIDTH`."""
    factor = -(-stack.shape[2] // WIDTH)
    if factor == 1:
        return stack
    size = (max(1, stack.shape[2] // factor), max(1, stack.shape[1] // factor))
    return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in stack])


def _enlarged(mask: Mask, shape: tuple[int, int]) -> Mask:
    """A mask on a picture of another size."""
    if mask.shape == shape:
        return mask
    large = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large > 0.5)


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
