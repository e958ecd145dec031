"""Detection in large scans: simulated damage on a clip enlarged to the width of a scan, by gauge.

    python -m benchmarks.large [NAME_OR_CARD ...] [--width 1920] [--recipe standard home-movie] [--frames 9]

A dev clip is enlarged and given grain as coarse as 16 mm has it (there is no clean footage of that size here, so its
edges are soft); then recipes of the simulator damage it: `standard` mostly with specks of some tens of pixels, as 35 mm
has, `home-movie` with those of Super 8, which are ten times as large. Told at standard strength: Dice, precision and
recall over all pixels, the share of defects of which a quarter is found, false alarms per million pixels of the clip
before it was damaged, and seconds a frame on two threads, motion included.
"""

from __future__ import annotations

import argparse
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from benchmarks.clips import data_folder
from benchmarks.detection import detections
from benchmarks.kinds import QUARTER, Truth, damage
from benchmarks.video import read_rgb, write_ffv1
from reelmend.detect import make_detector
from reelmend.simulate.recipe import load_recipe

CLIP = "pexels-koolshooters-7322716.mp4"

GRAIN_CODES = 5.0
"""Standard deviation of the grain, 8-bit codes."""
GRAIN_RADIUS = 5.0 / 10_260
"""Of a clump, in widths of the frame: five micrometres on 16 mm."""


def enlarge(source: Path, width: int, frames: int, out: Path) -> None:
    """The clip's luma at a width, with grain, as a gray film."""
    rng, planes = np.random.default_rng(0), []
    for rgb in read_rgb(source, 0, frames):
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        height = round(width * gray.shape[0] / gray.shape[1] / 2) * 2
        large = cv2.resize(gray, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        noise = cv2.GaussianBlur(
            rng.normal(size=large.shape).astype(np.float32), (0, 0), max(0.6, width * GRAIN_RADIUS)
        )
        planes.append((np.clip(large + GRAIN_CODES * noise / noise.std(), 0, 255).astype(np.uint8),))
    write_ffv1(out, planes, "gray", Fraction(24))


def score(name: str, folder: Path, truths: list[Truth]) -> list[float]:
    """Dice, precision, recall, share of defects found, false alarms per million, seconds a frame."""
    detector = make_detector(name, threads=2)
    begun = time.perf_counter()
    found = [one.mask for one in detections(detector, folder / "damaged.mkv")]
    seconds = (time.perf_counter() - begun) / len(found)
    hits, taken, true, known = 0, 0, 0, []
    for mask, truth in zip(found, truths, strict=True):
        hits += int((mask & truth.mask).sum())
        taken, true = taken + int(mask.sum()), true + int(truth.mask.sum())
        known += [bool((mask & own).sum() >= QUARTER * own.sum()) for _, own in truth.defects]
    alarms = float(np.mean([one.mask.mean() for one in detections(detector, folder / "clean.mkv")]))
    return [2 * hits / (taken + true), hits / max(taken, 1), hits / true, float(np.mean(known)), 1e6 * alarms, seconds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME_OR_CARD", default=["fast", "spike"])
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--recipe", nargs="*", default=["standard", "home-movie"])
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--data", type=Path, default=data_folder())
    options = parser.parse_args()
    print(
        "| detector | damage | Dice | precision | recall | defects found | false alarms | s a frame |\n"
        + "| --- " * 8
        + "|"
    )
    for recipe in options.recipe:
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            enlarge(options.data / "clean" / "video" / CLIP, options.width, options.frames, folder / "clean.mkv")
            truths = damage(folder, load_recipe(recipe), folder / "damaged.mkv")
            for name in options.names:
                *shares, alarms, seconds = score(name, folder, truths)
                cells = [Path(name).stem, recipe, *(f"{one:.3f}" for one in shares), f"{alarms:.0f}", f"{seconds:.1f}"]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
