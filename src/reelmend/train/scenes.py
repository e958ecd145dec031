"""Photographs made small, whole or nearly so, in colour: what a diffusion model that segments learns from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.errors import UsageError
from reelmend.train.order import Entries, Order

SIDE = 128
"""Pixels of a picture."""

_ORDER = 1 << 20

LARGEST = 1.6
"""Short sides of shrunk photographs are 1 to this many times `SIDE`: objects come in more than one size."""


def write_scenes(
    files: Sequence[Path], out: Path, *, seed: int = 0, each: int = 24, say: Callable[[str], None] = print
) -> dict[str, int]:
    """Write `each` pictures of every photograph as `out`, `(n, 3, SIDE, SIDE)` uint8 RGB; how many, by file name.

    What cannot be read, or is too small, is told to `say` and left out. Raises UsageError when nothing is left.
    """
    counts: dict[str, int] = {}
    made: list[NDArray[np.uint8]] = []
    for number, path in enumerate(files):
        photograph = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photograph is None or min(photograph.shape[:2]) < SIDE:
            say(f"left out: {path} is no photograph of at least {SIDE} pixels a side")
            continue
        rng = np.random.default_rng([seed, number])
        made += [view(np.asarray(photograph[..., ::-1], np.uint8), rng) for _ in range(each)]
        counts[path.name] = each
    if not counts:
        raise UsageError(f"none of the files is a photograph of at least {SIDE} pixels a side")
    np.save(out, np.stack(made))
    facts = {"windows": counts, "seed": seed, "side": SIDE}
    out.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return counts


def view(photograph: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A square of a photograph `(h, w, 3)` shrunk by chance, `(3, SIDE, SIDE)`."""
    height, width = photograph.shape[:2]
    short = min(SIDE * rng.uniform(1, LARGEST), min(height, width))
    scale = short / min(height, width)
    size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
    small = np.asarray(cv2.resize(photograph, size, interpolation=cv2.INTER_AREA), np.uint8)
    top, left = int(rng.integers(size[1] - SIDE + 1)), int(rng.integers(size[0] - SIDE + 1))
    return np.ascontiguousarray(small[top : top + SIDE, left : left + SIDE].transpose(2, 0, 1))


class Scenes:
    """Batches of small pictures by their number, mirrored half of the time."""

    def __init__(self, packs: Sequence[Path], seed: int, *, shuffled: bool = True) -> None:
        """Raises UsageError when a pack is missing or is none."""
        self._scenes = Entries([open_scenes(path) for path in packs])
        self._order = Order(len(self), seed, _ORDER, shuffled=shuffled)
        self._seed, self._shuffled = seed, shuffled

    def __len__(self) -> int:
        return len(self._scenes)

    def batch(self, number: int, size: int) -> tuple[Tensor]:
        """Pictures `(size, 3, SIDE, SIDE)`, 0..1; alone in a tuple, as packs of holes have more to give."""
        rng = np.random.default_rng([self._seed, number])
        chosen = []
        for n in range(size):
            picture = self._scenes[self._order[number * size + n]]
            chosen.append(picture[:, :, ::-1] if self._shuffled and rng.integers(2) else picture)
        return (torch.from_numpy(np.stack(chosen)).float().div_(255),)


def open_scenes(path: Path) -> NDArray[np.uint8]:
    """The pictures of a pack, read as they are needed. Raises UsageError when it is missing or no pack of scenes."""
    try:
        pack = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot read the pack of scenes ({error})") from error
    if pack.ndim != 4 or pack.shape[1:] != (3, SIDE, SIDE) or pack.dtype != np.uint8:
        raise UsageError(f"{path} is no pack of scenes; `reelmend train scenes` writes them")
    return np.asarray(pack)


def save_pictures(path: Path, rows: Sequence[Tensor]) -> None:
    """Write rows of pictures `(b, 3, h, w)`, 0..1, below each other."""
    planes = [torch.cat(list(row.float().cpu().clamp(0, 1)), dim=2) for row in rows]
    sheet = (torch.cat(planes, dim=1) * 255).round().byte().permute(1, 2, 0).numpy()
    cv2.imwrite(str(path), np.ascontiguousarray(sheet[..., ::-1]))
