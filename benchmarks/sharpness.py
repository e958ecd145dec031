"""Detectors on damage with edges of one softness: those of scans that were shrunk are sharp, those of large scans soft.

    python -m benchmarks.sharpness [NAME_OR_CARD ...] [--split test] [--softness 0 0.4 0.8 1.6] [--frames 12]
        [--strength standard] [--write docs/detection.md]

The evaluation clips once more, their first frames, damaged alike but for the point spread's standard deviation, pixels.
Truth follows the edge: as in the clips, where more than 12 % of the picture's light is lost.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import detectors
from benchmarks.clips import CLIPS, build, data_folder, pool_of, truth_of
from benchmarks.detection import detections
from benchmarks.documents import merge
from reelmend.detect.promise import Detector
from reelmend.evaluate.masks import Counts, count

BEGIN = "<!-- table: python -m benchmarks.sharpness -->"


def clips_of(softness: float, split: str, frames: int, data: Path, out: Path) -> list[Path]:
    """The clips with edges of one softness, built where they are missing."""
    pool = pool_of(split, data)
    folder = out / "sharpness" / f"{softness:g}-{frames}"
    found = []
    for recipe in CLIPS:
        if recipe.split == split:
            clip = folder / recipe.split / recipe.name
            if not (clip / "clip.json").exists():
                build(replace(recipe, frames=frames), data, pool, folder, (softness, softness))
            found.append(clip)
    return found


def score(detector: Detector, clips: Sequence[Path]) -> tuple[float, float, float]:
    """Dice, precision and recall, means over the clips."""
    scores = []
    for clip in clips:
        total = Counts()
        truth = truth_of(clip)
        for found, true in zip(detections(detector, clip / "damaged.mkv"), truth, strict=True):
            total += count(found.mask, true)
        scores.append((total.dice or 0.0, total.precision or 0.0, total.recall or 0.0))
    dice, precision, recall = np.mean(scores, axis=0)
    return float(dice), float(precision), float(recall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser, default=("fast",))
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--softness", nargs="+", type=float, default=[0.0, 0.4, 0.8, 1.6], metavar="PX")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    heads = [f"{name}, {one:g} px" for one in options.softness for name in ("Dice", "precision", "recall")]
    lines = [f"| detector | {' | '.join(heads)} |", f"| --- |{' --- |' * len(heads)}"]
    for title, detector in detectors.chosen(options):
        cells = [title]
        for softness in options.softness:
            clips = clips_of(softness, options.split, options.frames, options.data, options.out)
            cells += [f"{value:.3f}" for value in score(detector, clips)]
            print(title, softness, *cells[-3:], flush=True)
        lines.append("| " + " | ".join(cells) + " |")
    if options.write:
        print(merge(options.write, BEGIN, "\n".join(lines)))


if __name__ == "__main__":
    main()
