"""Large blotches in films: what `reelmend.detect.blotches` takes for one, to be looked at.

    python -m benchmarks.blotches FILM ... [--strength standard] [--frames 300] [--sheet FILE.png]

A line for each film: frames looked at, and regions taken. On footage without damage every region is a false alarm. The
sheet shows each region in the frame before, in its frame and in the frame after.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.contact import labelled
from benchmarks.detection import windows_of
from reelmend.detect import blotches
from reelmend.film import Mask
from reelmend.motion.stack import stack_of

SIDE = 160
"""Pixels of a picture on the sheet."""

LEAST = 80
"""Pixels of a film that it shows at least."""

FRAMES = 5
"""Of a window that are looked at, as the detectors have it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A region that was taken."""

    frame: int
    where: Mask
    doubt: float
    crops: tuple[NDArray[np.uint8], ...]
    """Before, in its frame, after."""


def found(film: Path, strength: str, frames: int) -> tuple[int, list[Found]]:
    """How many frames a film was looked at in, and the regions."""
    evidence, pictures = {}, {}
    for window in islice(windows_of(film), frames):
        stack = stack_of(window, FRAMES)
        index = window.centre.index
        pictures[index] = window.centre.luma
        evidence[index] = None if stack is None else blotches.look(window, stack)
    return len(evidence), list(_taken(evidence, pictures, strength))


def _taken(
    evidence: dict[int, blotches.BlotchEvidence | None], pictures: dict[int, NDArray[np.uint8]], strength: str
) -> Iterator[Found]:
    for index, one in evidence.items():
        if one is None:
            continue
        others = [evidence.get(n) for _, n in one.neighbours]
        for blotch in blotches.clear(one, others, strength):
            shown = tuple(_crop(pictures.get(index + n), blotch.where) for n in (-1, 0, 1))
            yield Found(index, blotch.where, blotch.doubt, shown)


def _crop(picture: NDArray[np.uint8] | None, where: Mask) -> NDArray[np.uint8]:
    """A square around a region, black where there is no picture."""
    if picture is None:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    scale = picture.shape[1] / where.shape[1]
    ys, xs = np.nonzero(where)
    half = int(max(LEAST, 1.4 * max(np.ptp(ys), np.ptp(xs))) * scale / 2)
    y, x = (int((axis.min() + axis.max()) * scale / 2) for axis in (ys, xs))
    wide = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_CONSTANT)
    square = cv2.resize(wide[y : y + 2 * half, x : x + 2 * half], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_GRAY2RGB), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    parser.add_argument("--strength", choices=tuple(blotches.AGREE), default="standard")
    parser.add_argument("--frames", type=int, default=300, help="of each film, at most")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    rows, looked, taken = [], 0, 0
    for film in options.films:
        frames, regions = found(film, options.strength, options.frames)
        looked, taken = looked + frames, taken + len(regions)
        print(f"{film.stem}: {len(regions)} in {frames} frames", flush=True)
        for one in regions:
            rows.append(labelled(np.hstack(one.crops), f"{film.stem[:22]} {one.frame}, doubt {one.doubt:.2f}"))
    print(f"all: {taken} in {looked} frames")
    if options.sheet and rows:
        rows += [np.zeros_like(rows[0])] * (-len(rows) % 3)
        sheet = np.vstack([np.hstack(rows[n : n + 3]) for n in range(0, len(rows), 3)])
        cv2.imwrite(str(options.sheet), sheet[..., ::-1])


if __name__ == "__main__":
    main()
