"""Small annotation files of damage that nobody found: ellipses and bent stripes, traced as the real ones were."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE = (4900, 3300)


def write_scans(folder: Path, scans: int = 3, each: int = 14, seed: int = 0) -> list[Path]:
    """`scans` annotation files with `each` dust, dirt and short hair, and a few long hairs and scratches."""
    paths = []
    for number in range(1, scans + 1):
        rng = np.random.default_rng([seed, number])
        shapes = [("Dust", ellipse(rng, 4, 6)) for _ in range(each)]
        shapes += [("Dirt", ellipse(rng, 6, 14)) for _ in range(each)]
        shapes += [("Short hair", stripe(rng, rng.uniform(20, 90), 6.0, 0.8)) for _ in range(each)]
        shapes += [("Long hair", stripe(rng, rng.uniform(120, 300), 6.0, 1.5)) for _ in range(each // 2)]
        shapes += [("Scratch", stripe(rng, rng.uniform(150, 400), 6.0, 0.0)) for _ in range(4)]
        entries = {}
        for index, (name, corners) in enumerate(shapes):
            points = corners + np.rint(rng.uniform((400, 400), np.subtract(SIZE, 400)))
            entries[str(index)] = {
                "points": [{"figure_id": None, "x": int(x), "y": int(y)} for x, y in points],
                "label": {"id": index, "name": name},
            }
        path = folder / f"scan_{number}_made.json"
        path.write_text(json.dumps(entries), encoding="utf-8")
        paths.append(path)
    return paths


def ellipse(rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radii = rng.uniform(low, high, 2)
    return traced(np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=1))


def stripe(rng: np.random.Generator, length: float, width: float, bend: float) -> NDArray[np.float64]:
    """A rough arc of a circle, about `bend` radians of it, in any direction."""
    spine, normal = arc(length, rng.normal(0, bend) if bend else 0.0, rng.uniform(0, np.pi))
    rough = np.repeat(rng.uniform(0.35, 0.65, (2, 15)), 4, axis=1)[:, :, None] * width
    return traced(np.concatenate([spine + normal * rough[0], (spine - normal * rough[1])[::-1]]))


def arc(length: float, bend: float, direction: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of an arc that turns by `bend` radians over `length`, `(60, 2)`, and the normal at each."""
    along = np.linspace(-0.5, 0.5, 60)
    heading = direction + bend * along
    step = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    spine = np.cumsum(step, axis=0) * length / (len(along) - 1)
    return spine - spine.mean(axis=0), np.stack([-step[:, 1], step[:, 0]], axis=1)


def traced(polygon: NDArray[np.float64]) -> NDArray[np.float64]:
    corner = np.floor(polygon.min(axis=0)) - 3
    columns, rows = (np.ceil(polygon.max(axis=0)) + 4 - corner).astype(int).tolist()
    mask = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon - corner).astype(np.int32)], 1)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    return np.asarray(cv2.approxPolyDP(largest, 0.8, True)[:, 0] + corner, dtype=np.float64)
