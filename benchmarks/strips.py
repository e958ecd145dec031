"""Picture strips: what repairers make of the same holes, beside the truth.

    python -m benchmarks.strips NAME [NAME ...] [--out docs/pictures/repair.png] [--film SOURCE]

From evaluation clips whose footage may be shown: the largest holes where neighbours fail, then where they agree, as
damaged | mask | each repairer, with grain | truth. With `--film`, the largest finds of a real film, where there is no
truth: damaged | mask | each repairer.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import built
from benchmarks.contact import Rgb, beside, labelled, stacked
from benchmarks.detection import detections, windows_of
from benchmarks.repair import Clip, read_clip
from reelmend.detect import make_detector
from reelmend.evaluate.overlay import overlay
from reelmend.film import Mask
from reelmend.grain import regrain
from reelmend.motion.windows import Window
from reelmend.repair import Repairer, grow, make_repairer

SHOWN = ("03_blocks", "05_default_juggle")
"""Test clips under a licence that lets them be shown: sample videos of Segment Anything 2, Apache-2.0."""

CROP, SCALE = 48, 3
EACH = 3
"""Holes of each clip and kind."""

LEAST_TEXTURE = 4.0
"""Standard deviation around a hole, codes: on plain ground all repairers look alike."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in a clip."""

    frame: int
    x: int
    y: int


def holes(clip: Clip, failing: bool) -> list[Hole]:
    """The largest, each of another frame, where the temporal repairer is unsure of most of it, or of none."""
    found: list[tuple[int, Hole]] = []
    for n, (true, doubtful) in enumerate(zip(clip.truth, clip.doubtful, strict=True)):
        count, labels, stats, centres = cv2.connectedComponentsWithStats(true.view(np.uint8), connectivity=8)
        for one in range(1, count):
            unsure = float(doubtful[labels == one].mean())
            x, y = (round(float(value)) for value in centres[one])
            around = clip.clean[n][max(0, y - 12) : y + 12, max(0, x - 12) : x + 12]
            if (unsure > 0.6 if failing else unsure == 0) and around.std() > LEAST_TEXTURE:
                found.append((int(stats[one, cv2.CC_STAT_AREA]), Hole(n, x, y)))
    chosen: dict[int, Hole] = {}
    for _, hole in sorted(found, key=lambda one: -one[0]):
        chosen.setdefault(hole.frame, hole)
    return list(chosen.values())[:EACH]


def strip(
    window: Window, mask: Mask, hole: Hole, repairers: Sequence[Repairer], truth: NDArray[np.uint8] | None
) -> Rgb:
    """One row."""
    scan = window.centre.frame
    views = [(scan.planes[0], "damaged")]
    for repairer in repairers:
        repair = repairer.repair(window, mask)
        after = regrain(repair.frame, scan, repair.touched, drawn=repair.drawn, seed=0)
        views.append((after.planes[0], repairer.name))
    if truth is not None:
        views.append((truth, "truth"))
    tiles = [labelled(enlarged(gray(luma), hole), name) for luma, name in views]
    tiles.insert(1, labelled(enlarged(overlay(gray(scan.planes[0]), mask), hole), "mask"))
    return beside(tiles)


def gray(luma: NDArray[np.uint8]) -> Rgb:
    return np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2RGB), np.uint8)


def enlarged(view: Rgb, hole: Hole) -> Rgb:
    half = CROP // 2
    padded = np.pad(view, ((half, half), (half, half), (0, 0)), mode="edge")
    part = padded[hole.y : hole.y + CROP, hole.x : hole.x + CROP]
    return np.asarray(cv2.resize(part, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_NEAREST), np.uint8)


def film_strips(source: Path, repairers: Sequence[Repairer], rows: int) -> list[Rgb]:
    """The largest finds of `auto` at standard strength in the first frames of a real film, each of another frame."""
    windows = list(windows_of(source))
    found = detections(make_detector("auto", threads=2), source)
    places = [(blob.area, Hole(n, round(blob.x), round(blob.y))) for n, one in enumerate(found) for blob in one.blobs]
    chosen: dict[int, Hole] = {}
    for _, hole in sorted(places, key=lambda one: -one[0]):
        chosen.setdefault(hole.frame, hole)
    best = list(chosen.values())[:rows]
    return [strip(windows[one.frame], grow(found[one.frame].mask, 2), one, repairers, None) for one in best]


def write(target: Path, rows: list[Rgb]) -> None:
    cv2.imwrite(str(target), cv2.cvtColor(stacked(rows), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/repair.png"))
    parser.add_argument("--bench", type=Path, default=Path("build/bench"))
    parser.add_argument("--film", type=Path, metavar="SOURCE")
    parser.add_argument("--rows", type=int, default=6)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    repairers = [make_repairer(name) for name in options.names]
    if options.film:
        write(options.out, film_strips(options.film, repairers, options.rows))
        return
    rows = []
    for folder in built(options.bench, "test"):
        if folder.name in SHOWN:
            clip = read_clip(folder, None, 2)
            rows += [
                strip(clip.windows[one.frame], clip.masks[one.frame], one, repairers, clip.clean[one.frame])
                for failing in (True, False)
                for one in holes(clip, failing)
            ]
    write(options.out, rows)


if __name__ == "__main__":
    main()
