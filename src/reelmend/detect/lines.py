"""Line scratches: grooves along the film that stay for many frames, so that neighbours show them too.

A line stands out from what is to its left and to its right all along its way, whatever the scene shows there (Kokaram
1998, chapter 9): a path down the bands of the picture. A mast or the frame of a door is such a path too. What tells
them apart is that a scratch keeps its place on the film while the camera moves or the picture weaves (Newson et al.
2014): where the picture stands still, nothing is taken for a scratch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.detect.bands import FLOOR, NEARBY, WANDER, WIDTHS, Bands, Path, bands_of, paths_of
from reelmend.detect.listing import Piece, with_pieces
from reelmend.detect.promise import Detection
from reelmend.film import Mask
from reelmend.motion.flow import Flow
from reelmend.motion.windows import Window

AROUND_PATH = 5
"""Pixels to either side of a path by which it is known again in a neighbour."""

BESIDE = 16
"""Pixels to either side of a line, on a frame 640 wide, where the scene's motion is read; at least so many."""

LIKELY = {"gentle": 0.8, "standard": 0.6, "strong": 0.4}
"""Probability from which on a path is a line scratch, by strength."""

MOVED = 0.25
"""Pixels by which the motion of a line must differ from the camera's and from that of what lies on both sides of it,
as the median of the neighbours has it."""

EDGE = 0.6
"""Share of what a line stands out by in its middle that it does at its edges."""

GONE = 0.05
"""Probability of a path in a neighbour in which there is none."""

REACH = 4
"""Frames to either side that have a say: two by which a frame is judged, and two by which those are."""

FAINT, FAINTER, SMOOTHED = 1.5, 0.5, 7
"""Rows of a line in which it stands out by fewer codes than this, or than this share of its median, as a mean over so
many rows, are not marked: there it has broken off."""

WEIGHTS = {
    "score": 1.317, "length": 2.342, "stays": -0.967, "leads": 1.210, "moved": 1.969, "drift": -0.589, "bend": -4.840,
    "width": -0.516, "contrast": 1.817, "around": 0.614,
}  # fmt: skip
BIAS = -1.707
"""Of the logistic regression of `python -m benchmarks.fit_lines` on the features that `features` describes."""

FEATURES = tuple(WEIGHTS)


@dataclass(frozen=True, slots=True, eq=False)
class LineEvidence:
    """What a frame has to say of lines, for itself and for its neighbours."""

    index: int
    shot: int
    bands: Bands
    paths: tuple[Path, ...]
    neighbours: tuple[int, ...]
    """Indices of the frames of its window."""
    motion: NDArray[np.float64]
    """How far the scene moves aside until each of them: of the camera at every path, and of what lies to the left and
    to the right of it, `(paths, neighbours, 3)` in pixels of the bands."""


@dataclass(frozen=True, slots=True, eq=False)
class LineScratch:
    """A path and how probable it is that it is a scratch."""

    path: Path
    bands: Bands
    probability: float


def look(window: Window) -> LineEvidence:
    """What runs down the frame, and how the scene moves between it and its neighbours."""
    bands = bands_of(window.centre.small)
    paths = tuple(paths_of(bands.clear))
    motion = np.zeros((len(paths), len(window.neighbours), 3))
    for n, one in enumerate(window.neighbours):
        camera = camera_motion(one.flow, bands.clear.shape[1])
        for m, path in enumerate(paths):
            motion[m, n] = scene_motion(path, bands.clear.shape, camera, one.flow)
    neighbours = tuple(one.picture.index for one in window.neighbours)
    return LineEvidence(window.centre.index, window.shot, bands, paths, neighbours, motion)


def wanted(evidence: LineEvidence) -> tuple[int, ...]:
    """The frames whose evidence `judge` wants: the window's, and those that they are judged by."""
    return tuple(evidence.index + n for n in range(-REACH, REACH + 1) if n) if evidence.paths else ()


def judge(evidence: LineEvidence, others: Sequence[LineEvidence | None]) -> list[LineScratch]:
    """The paths of a frame as scratches, given the evidence of the frames that are `wanted`.

    A scratch lives for many frames: the log odds of a path are the mean of its own and of those that the neighbours'
    paths have with which it goes on; a neighbour without one counts as `GONE`.
    """
    near = {one.index: one for one in (evidence, *others) if one and one.shot == evidence.shot}
    own = chances(evidence, near)
    beside = [(near[n], chances(near[n], near)) for n in evidence.neighbours if n in near] if (own > GONE).any() else []
    found = []
    for path, chance in zip(evidence.paths, own, strict=True):
        odds = [_log_odds(chance)]
        for other, theirs in beside:
            goes_on = [q for one, q in zip(other.paths, theirs, strict=True) if path.goes_on_with(one)]
            odds.append(_log_odds(max([GONE, *goes_on])))
        found.append(LineScratch(path, evidence.bands, float(1 / (1 + np.exp(-np.mean(odds))))))
    return found


def _log_odds(probability: float) -> float:
    sure = min(max(probability, GONE / 10), 1 - GONE / 10)
    return float(np.log(sure / (1 - sure)))


def chances(evidence: LineEvidence, near: Mapping[int, LineEvidence]) -> NDArray[np.float64]:
    """Probability that each path of a frame is a scratch, by itself and by what its window's frames show there."""
    there = [n for n, index in enumerate(evidence.neighbours) if index in near]
    if not there or not evidence.paths:
        return np.zeros(len(evidence.paths))
    beside = [near[evidence.neighbours[n]].bands for n in there]
    table = np.stack([
        features(path, evidence.bands, beside, motion[there])
        for path, motion in zip(evidence.paths, evidence.motion, strict=True)
    ])  # fmt: skip
    probability = 1 / (1 + np.exp(-(table @ np.array(list(WEIGHTS.values())) + BIAS)))
    return np.asarray(np.where(table[:, FEATURES.index("moved")] < np.log(MOVED + 0.1), 0.0, probability))


def drawn(scratch: LineScratch, shape: tuple[int, int]) -> Mask:
    """The pixels of a line on a frame of `shape`; rows in which it has broken off are left out."""
    height, width = shape
    bands, path = scratch.bands, scratch.path
    middle = (bands.ends[path.bands] + bands.ends[path.bands + 1]) / 2
    rows = np.arange(bands.ends[path.first], bands.ends[path.first + len(path.x)])
    aside, wide = _across(path, bands)
    x = np.interp(rows, middle, path.x) + aside
    contrast = path.sign * _contrast(bands.luma, rows, x, wide)
    there = contrast >= max(FAINT, FAINTER * float(np.median(contrast)))
    lines: Mask = np.zeros(bands.luma.shape, np.bool_)
    lines[rows[there]] = np.abs(np.arange(lines.shape[1]) - x[there, None]) <= wide / 2
    if lines.shape == shape:
        return lines
    return np.asarray(cv2.resize(lines.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def _contrast(luma: NDArray[np.uint8], rows: NDArray[np.intp], x: NDArray[np.float64], wide: float) -> NDArray[Any]:
    """Codes by which a line stands out from either of its sides in every row, mean over the rows around; the nearer
    side's, 0 where it lies between them."""

    def level(middle: float, width: float) -> NDArray[Any]:
        count = max(1, round(width))
        columns = np.rint(x[:, None] + middle + np.arange(count) - (count - 1) / 2).astype(np.intp)
        return luma[rows[:, None], np.clip(columns, 0, luma.shape[1] - 1)].mean(axis=1)

    own, away = level(0, wide), wide / 2 + 2
    left, right = (
        cv2.blur((own - level(side, 2)).reshape(-1, 1), (1, SMOOTHED), borderType=cv2.BORDER_REFLECT).ravel()
        for side in (-away, away)
    )
    return np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0)


def _across(path: Path, bands: Bands) -> tuple[float, float]:
    """How far to the right of a path the middle lies of what stands out around it, and how wide that is, pixels: all
    along a wide line a narrow bar stands out alike."""
    around = np.arange(-max(WIDTHS), max(WIDTHS) + 1)
    at = np.clip(path.x[:, None] + around, 0, bands.clear.shape[1] - 1)
    raised = path.sign * bands.raised[path.bands[:, None], at].mean(axis=0)
    half = np.flatnonzero(raised < EDGE * raised.max())
    left, right = half[half < max(WIDTHS)].max(initial=0), half[half > max(WIDTHS)].min(initial=len(around) - 1)
    # A bar of even width lies half a pixel to the left of its place.
    even = 0.5 * float(np.mean(bands.width[path.bands, path.x] % 2 == 0))
    return float(around[left] + around[right]) / 2 - even, float(right - left - 1)


def added(found: Detection, scratches: Sequence[LineScratch], strength: str, most: int | None = None) -> Detection:
    """What was found, and the line scratches that are likely enough for a strength, of `most` pixels where that is
    given."""
    shape, pieces = (found.mask.shape[0], found.mask.shape[1]), []
    for scratch in scratches:
        if scratch.probability < LIKELY[strength]:
            continue
        where = drawn(scratch, shape)
        if 0 < np.count_nonzero(where) <= (where.size if most is None else most):
            pieces.append(Piece(where, scratch.probability, scratch.path.sign > 0))
    return with_pieces(found, pieces)


def camera_motion(flow: Flow, columns: int) -> NDArray[np.float64]:
    """Sideways motion of most of the scene, in pixels of a picture of so many columns: coefficients of 1, x and y, both
    0..1. Least squares of ever less weight for what moves otherwise (Cauchy's weights, Holland and Welsch 1977)."""
    height, width = flow.shape[:2]
    ys, xs = np.mgrid[0 : height - 1 : 24j, 0 : width - 1 : 32j].reshape(2, -1).round().astype(np.intp)
    aside = flow[ys, xs, 0].astype(np.float64) * columns / width
    terms = np.stack([np.ones(len(xs)), xs / width, ys / height], axis=1)
    fit = np.array([np.median(aside), 0, 0])
    for _ in range(6):
        off = aside - terms @ fit
        weighed = terms / (1 + (off / max(0.1, 1.5 * float(np.median(np.abs(off))))) ** 2)[:, None]
        fit = np.linalg.solve(weighed.T @ terms, weighed.T @ aside)
    return fit


def scene_motion(
    path: Path, shape: tuple[int, ...], camera: NDArray[np.float64], flow: Flow
) -> tuple[float, float, float]:
    """How far the camera, and what lies to the left and to the right of a path, moves aside; pixels of bands of a
    shape. On a line itself flow follows the line."""
    rows, columns = flow.shape[:2]
    x, y = path.x / shape[1], (path.bands + 0.5) / shape[0]
    away = max(BESIDE, round(BESIDE * shape[1] / 640)) / shape[1]
    at = np.clip((y * rows).astype(np.intp), 0, rows - 1)
    sides = [
        float(np.median(flow[at, np.clip(np.rint((x + side) * columns), 0, columns - 1).astype(np.intp), 0]))
        * shape[1] / columns
        for side in (-away, away)
    ]  # fmt: skip
    return float(np.mean(camera[0] + camera[1] * x + camera[2] * y)), sides[0], sides[1]


def features(path: Path, bands: Bands, beside: Sequence[Bands], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """What tells scratches from the scene's own lines, `FEATURES`: the path's score and length (share of the height);
    how clear it is in the neighbours, at its best place there and there more than where the camera would have moved it;
    how much its motion differs from that of the camera and of what lies beside it (logarithm of pixels), its own a
    frame and from band to band; its width, how much it stands out and how much else does (logarithms of codes).

    `beside` are the neighbours' bands, `motion` the path's `LineEvidence.motion` until them.
    """
    count, columns = bands.clear.shape
    shifts = np.arange(-WANDER, WANDER + 1)
    at = np.clip(path.x + shifts[:, None], 0, columns - 1)
    stays, follows, moved, drift = [], [], [], []
    for other, scene in zip(beside, motion, strict=True):
        seen = np.clip(path.sign * other.clear[path.bands, at], -1, 4).mean(axis=1)
        place = _place(path, bands, other)
        stays.append(float(np.interp(place, shifts, seen)))
        follows.append(float(np.interp(scene[0], shifts, seen)))
        moved.append(float(np.abs(place - scene).min()))
        drift.append(abs(place))
    raised = np.abs(bands.raised[path.bands, path.x])
    clear_ = np.abs(bands.clear[path.bands, path.x])
    around = (raised / np.maximum(clear_, 1e-3) - FLOOR) / NEARBY
    return np.array([
        min(path.score, 1.5), len(path.x) / count, np.mean(stays), np.mean(stays) - np.mean(follows),
        np.log(min(float(np.median(moved)), 1.0) + 0.1), np.mean(drift), np.abs(np.diff(path.x)).mean(),
        np.median(bands.width[path.bands, path.x]), np.log(raised.mean() + 1), np.log(around.mean() + 0.5),
    ])  # fmt: skip


def _place(path: Path, bands: Bands, other: Bands) -> float:
    """How far aside a path lies in a neighbour, pixels: where what stands out around it differs least (absolute
    differences, a parabola through the least one and those beside it)."""
    columns = bands.clear.shape[1]
    around = np.arange(-AROUND_PATH, AROUND_PATH + 1)
    own = bands.raised[path.bands[:, None], np.clip(path.x[:, None] + around, 0, columns - 1)]
    shifts = np.arange(-WANDER, WANDER + 1)
    at = np.clip(path.x[:, None] + around + shifts[:, None, None], 0, columns - 1)
    cost = np.abs(other.raised[path.bands[:, None], at] - own).mean(axis=(1, 2))
    best = int(cost.argmin())
    if not 0 < best < len(shifts) - 1:
        return float(shifts[best])
    low, least, high = cost[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (low - high) / max(low - 2 * least + high, 1e-6))
