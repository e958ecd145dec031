"""Small films, masks and damage maps on disk, for tests of the measuring room and its commands."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH, FRAMES = 180, 184, 4


def frame(number: int) -> NDArray[np.uint8]:
    """A texture with grain that pans by two pixels a frame."""
    wide = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 1, (HEIGHT, WIDTH + 2 * FRAMES)), (0, 0), 5)
    part = 128 + 40 * wide[:, 2 * number : 2 * number + WIDTH] / wide.std()
    grain = np.random.default_rng(number).normal(0, 3, part.shape)
    return np.asarray(np.clip(part + grain, 0, 255), np.uint8)


def truth(number: int) -> NDArray[np.bool_]:
    """A speck of 60 pixels and a hair of 40 in every frame but the last, which is clean."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    if number < FRAMES - 1:
        mask[30:36, 20 + 30 * number : 30 + 30 * number] = True
        mask[100 : 100 + 20, 60 + 20 * number : 62 + 20 * number] = True
    return mask


def found(number: int) -> NDArray[np.bool_]:
    """The speck, half of it; the hair not at all; a false alarm of 9 pixels in every frame."""
    mask = truth(number)
    mask[33:] = False
    mask[5:8, 5:8] = True
    return mask


def write_masks(folder: Path, masks: list[NDArray[np.bool_]], first: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    for number, mask in enumerate(masks, first):
        assert cv2.imwrite(str(folder / f"mask_{number:06d}.png"), mask.astype(np.uint8) * 255)
    return folder


def write_film(folder: Path, pictures: list[NDArray[np.uint8]]) -> Path:
    folder.mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        assert cv2.imwrite(str(folder / f"frame_{number:04d}.png"), picture)
    return folder


def ring(left: int, top: int, right: int, bottom: int) -> list[list[float]]:
    """The outline of a block of pixels through the centres of its outermost pixels."""
    return [[left + 0.5, top + 0.5], [right - 0.5, top + 0.5], [right - 0.5, bottom - 0.5], [left + 0.5, bottom - 0.5]]


def write_all(root: Path) -> Path:
    """`found`, `truth`, `clean`, `damaged`, `restored`, `maps` and `annotations.json` in a folder."""
    numbers = range(FRAMES)
    write_masks(root / "found", [found(n) for n in numbers])
    write_masks(root / "truth", [truth(n) for n in numbers])
    write_film(root / "clean", [frame(n) for n in numbers])
    write_film(root / "damaged", [np.where(truth(n), 20, frame(n)).astype(np.uint8) for n in numbers])
    # What was found is filled with the truth, 5 codes off.
    halves = [np.where(truth(n) & ~found(n), 20, frame(n) + 5 * (truth(n) & found(n))) for n in numbers]
    write_film(root / "restored", [half.astype(np.uint8) for half in halves])
    (root / "maps").mkdir()
    for n in numbers:
        soft = cv2.GaussianBlur(truth(n).astype(np.float32), (0, 0), 1) * 0.9 + 0.5 * found(n)
        assert cv2.imwrite(str(root / "maps" / f"map_{n:06d}.png"), np.clip(soft * 65535, 0, 65535).astype(np.uint16))
    defects = [
        {"number": number, "class": kind, "frame": n, "polygons": [outline], "opacity": 1.0, "polarity": "dark"}
        for n in range(FRAMES - 1)
        for number, kind, outline in (
            (2 * n, "dust", ring(20 + 30 * n, 30, 30 + 30 * n, 36)),
            (2 * n + 1, "long_hair", ring(60 + 20 * n, 100, 62 + 20 * n, 120)),
        )
    ]
    (root / "annotations.json").write_text(json.dumps({"format": 1, "defects": defects}))
    return root
