"""Shapes as pictures: what the classifier of the realism report looks at, real and simulated alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Pose
from reelmend.simulate.kinds.polygon import draw_placed, place
from reelmend.simulate.outlines import MICROMETRES_PER_PIXEL, Outline

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """The square of film that a crop shows."""

    span: int
    """Side, pixels of the scan."""
    side: int
    """Side of the crop, pixels; smaller than `span` where the crop is shrunk to fit."""


WINDOWS: Mapping[str, Window] = MappingProxyType(
    {
        "dust": Window(32, 32),
        "dirt": Window(64, 64),
        "short hair": Window(160, 64),
        "long hair": Window(400, 80),
        "scratch": Window(960, 96),
    }
)
"""Each holds at least nineteen in twenty of its class whole; the others are cut, real and simulated alike."""


def crop(outline: Outline, window: Window) -> Image:
    """The outline in the middle of a window, share of each pixel covered, `(side, side)`, 0..1.

    The middle of its bounding box is put on the middle of the window, so nothing tells where it was annotated.
    """
    scale = window.side / window.span / MICROMETRES_PER_PIXEL
    middle = window.side / 2
    pose = Pose(x=middle, y=middle, scale=scale)
    cover = draw_placed([place(part, pose) for part in outline.centred().parts], (window.side, window.side))
    picture: Image = np.zeros((window.side, window.side), dtype=np.float32)
    rows, columns = cover.coverage.shape
    top, left = max(cover.top, 0), max(cover.left, 0)
    bottom, right = min(cover.top + rows, window.side), min(cover.left + columns, window.side)
    if top < bottom and left < right:
        cut = cover.coverage[top - cover.top : bottom - cover.top, left - cover.left : right - cover.left]
        picture[top:bottom, left:right] = cut
    return picture


def mask(outline: Outline) -> Image:
    """The outline whole, at the scan's resolution, with a margin: `(rows, columns)`, 0..1."""
    pose = Pose(x=0.0, y=0.0, scale=1 / MICROMETRES_PER_PIXEL)
    corners = [place(part, pose) for part in outline.centred().parts]
    low = np.floor(np.concatenate(corners).min(axis=0)) - 3
    corners = [part - low for part in corners]
    high = np.ceil(np.concatenate(corners).max(axis=0)).astype(int) + 3
    columns, rows = high.tolist()
    cover = draw_placed(corners, (rows, columns))
    picture: Image = np.zeros((rows, columns), dtype=np.float32)
    picture[cover.top : cover.top + cover.coverage.shape[0], cover.left : cover.left + cover.coverage.shape[1]] = (
        cover.coverage
    )
    return picture


TURNS = 12
"""Quantiles of the outline's turning that describe it, and bins of its direction."""


def describe(outline: Outline) -> NDArray[np.float64]:
    """Numbers of the drawn mask's shape at the scan's resolution, `(n,)`.

    From the pixels alone, never from the polygon: how many corners somebody clicked must not give a shape away.
    """
    picture = mask(outline)
    solid = (picture >= 0.5).astype(np.uint8)
    if not solid.any():
        solid[np.unravel_index(int(np.argmax(picture)), picture.shape)] = 1
    area = float(picture.sum())
    rows, columns = (np.arange(size) + 0.5 for size in picture.shape)
    x, y = float(picture.sum(0) @ columns) / area, float(picture.sum(1) @ rows) / area
    xx = float(picture.sum(0) @ (columns - x) ** 2) / area + 1 / 12
    yy = float(picture.sum(1) @ (rows - y) ** 2) / area + 1 / 12
    xy = float((rows - y) @ picture @ (columns - x)) / area
    spread = np.sqrt(max(((xx - yy) / 2) ** 2 + xy**2, 0.0))
    long, short = np.sqrt((xx + yy) / 2 + spread), np.sqrt(max((xx + yy) / 2 - spread, 1 / 12))
    lean = 0.5 * np.arctan2(2 * xy, xx - yy)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = depth[solid > 0]
    contours, tree = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=len)
    hull = cv2.convexHull(largest)
    perimeter = sum(cv2.arcLength(contour, True) for contour in contours)
    edge_x, edge_y = cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    direction = np.histogram(np.arctan2(edge_y, edge_x) % np.pi, TURNS, (0, np.pi), weights=np.hypot(edge_x, edge_y))[0]
    height, width = (int(np.ptp(line)) + 1 for line in np.nonzero(solid))
    return np.concatenate(
        [
            np.log([area, perimeter + 1, float(height), float(width)]),
            np.log([long, short, long / short, perimeter**2 / area + 1, area / long / short]),
            [np.cos(2 * lean), np.sin(2 * lean), len(contours), float(tree[0, :, 3].max() >= 0)],
            np.quantile(inside, [0.25, 0.5, 0.75, 0.9, 1.0]),
            [cv2.contourArea(hull) / area, cv2.arcLength(hull, True) / (perimeter + 1), inside.std() / inside.mean()],
            direction / max(float(direction.sum()), 1e-9),
            np.sort(direction)[::-1][:4] / max(float(direction.sum()), 1e-9),
            *(_turning(largest[:, 0, :].astype(np.float64), scale) for scale in (2, 4, 8)),
            _moments(picture, x, y, area),
        ]
    )


def _turning(contour: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    """Quantiles of the angle by which the outline turns over `scale` pixels on either side."""
    ahead, behind = np.roll(contour, -scale, axis=0) - contour, contour - np.roll(contour, scale, axis=0)
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    angle = np.arctan2(cross, (behind * ahead).sum(axis=1))
    return np.asarray(np.quantile(angle, np.linspace(0.02, 0.98, TURNS)))


def _moments(picture: Image, x: float, y: float, area: float) -> NDArray[np.float64]:
    """Hu's invariants of shape on a logarithmic scale (M.-K. Hu, IRE Trans. Information Theory 8, 1962)."""
    invariants = cv2.HuMoments(cv2.moments(picture)).ravel()
    return np.asarray(np.sign(invariants) * np.log10(np.abs(invariants) + 1e-12))


def gradients(picture: Image, cells: int = 6, bins: int = 8) -> NDArray[np.float64]:
    """Histograms of oriented gradients on a grid (Dalal and Triggs, CVPR 2005), with the gray values of the same
    cells, `(cells * cells * (bins + 1),)`."""
    edge_x, edge_y = cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    strength = np.hypot(edge_x, edge_y)
    sector = np.minimum((np.arctan2(edge_y, edge_x) % np.pi) / np.pi * bins, bins - 1).astype(int)
    place_in = np.minimum(np.arange(len(picture)) * cells // len(picture), cells - 1)
    index = (place_in[:, None] * cells + place_in[None, :]) * bins + sector
    histogram = np.bincount(index.ravel(), strength.ravel(), cells * cells * bins)
    gray = cv2.resize(picture, (cells, cells), interpolation=cv2.INTER_AREA).ravel()
    return np.concatenate([np.sqrt(histogram), gray])
