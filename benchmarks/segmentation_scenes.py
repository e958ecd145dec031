"""Scenes with exact truth: textures cut from photographs, laid together along curved borders.

python -m benchmarks.segmentation_scenes PHOTOGRAPHS... -o build/segmentation

The photographs must not be those that a model under test was trained on. Half of them make the scenes of `dev`, on
which constants are chosen, the other half those of `test`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 192
"""Pixels of a scene."""

PATCH = 80
"""Pixels of a texture in its photograph; scenes repeat it, mirrored."""

TRIES = 60
"""Windows of a photograph that the most even one is chosen of."""

LEAST = 0.06
"""Share of the scene that every region has."""

Colours = NDArray[np.float32]


def texture(photograph: Colours, rng: np.random.Generator) -> Colours:
    """An even part of a photograph `(h, w, 3)`, as large as a scene: low frequencies say least of it."""
    height, width = photograph.shape[:2]
    best, chosen = np.inf, photograph[:PATCH, :PATCH]
    for _ in range(TRIES):
        top, left = int(rng.integers(height - PATCH)), int(rng.integers(width - PATCH))
        part = photograph[top : top + PATCH, left : left + PATCH]
        uneven = float(cv2.resize(part, (4, 4), interpolation=cv2.INTER_AREA).std(axis=(0, 1)).sum())
        # A little of chance: the same sky would win every time.
        score = (uneven + 0.01) / (float(part.std(axis=(0, 1)).sum()) + 0.05) * rng.uniform(1, 1.5)
        if score < best:
            best, chosen = score, part
    half = np.concatenate([chosen, chosen[:, ::-1]], axis=1)
    tile = np.concatenate([half, half[::-1]], axis=0)
    times = -(-SIDE // tile.shape[0]) + 1
    top, left = (int(rng.integers(tile.shape[0])) for _ in range(2))
    return np.tile(tile, (times, times, 1))[top : top + SIDE, left : left + SIDE]


def layout(regions: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Labels `(SIDE, SIDE)` of connected regions with curved borders, none smaller than `LEAST`."""
    while True:
        waves = [cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), SIDE / 10) for _ in range(2)]
        bent = [one / one.std() * SIDE / 14 for one in waves]
        rows, columns = np.mgrid[:SIDE, :SIDE] + np.stack(bent)
        places = rng.uniform(0, SIDE, (regions, 2))
        labels = np.stack([np.hypot(rows - y, columns - x) for y, x in places]).argmin(axis=0)
        whole = all(cv2.connectedComponents((labels == n).astype(np.uint8))[0] == 2 for n in range(regions))
        if whole and np.bincount(labels.ravel(), minlength=regions).min() >= LEAST * SIDE * SIDE:
            return np.asarray(labels, np.uint16)


def compose(photographs: Sequence[Path], rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """A scene `(SIDE, SIDE, 3)` as OpenCV writes it, and its labels."""
    regions = int(rng.integers(2, 7))
    labels = layout(regions, rng)
    scene = np.zeros((SIDE, SIDE, 3), np.float32)
    for number, index in enumerate(rng.choice(len(photographs), regions, replace=False)):
        found = cv2.imread(str(photographs[index]), cv2.IMREAD_COLOR)
        assert found is not None, photographs[index]
        scene[labels == number] = texture(found.astype(np.float32) / 255, rng)[labels == number]
    # Light that falls off across the scene, and the blur of a lens: borders are no steps in real pictures.
    slope = rng.normal(0, 0.25, 2)
    rows, columns = np.mgrid[-0.5 : 0.5 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j]
    light = 1 + slope[0] * rows + slope[1] * columns
    scene = cv2.GaussianBlur(scene * light[..., None].astype(np.float32), (0, 0), 0.7)
    scene += rng.normal(0, 0.01, scene.shape).astype(np.float32)
    return np.asarray(np.clip(scene * 255, 0, 255), np.uint8), labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, default=Path("build/segmentation"))
    parser.add_argument("--count", type=int, default=40, help="scenes of each split")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    given = sorted(options.photographs)
    for number, split in enumerate(("dev", "test")):
        folder = options.out / split
        folder.mkdir(parents=True, exist_ok=True)
        for scene in range(options.count):
            rng = np.random.default_rng([options.seed, number, scene])
            picture, labels = compose(given[number::2], rng)
            cv2.imwrite(str(folder / f"{scene:03d}.png"), picture)
            cv2.imwrite(str(folder / f"{scene:03d}.labels.png"), labels)
    print(f"{options.count} scenes in each of {options.out}/dev and {options.out}/test")


if __name__ == "__main__":
    main()
