"""One model that finds and repairs, beside a detector and then a repairer: one table.

    python -m benchmarks.unified CARD [--detector fast] [--repairer auto] [--split test] [--every 7]
        [--write docs/repair.md]

Both ways to find and both ways to repair, in all four combinations, on the evaluation clips. How different from the
scan the unified model's picture must be to count as damage is chosen on the dev clips, by the best Dice. Figures are
means over clips: of the mask against true damage; "false alarms" are pixels taken per million of the same frames before
they were damaged; low-passed PSNR inside true damage, in dB, after grain; "changed" are pixels per million outside the
damage (grown by 2) that repair moved by more than two codes. "s" are seconds a frame on one thread, finding and
repairing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.clips import built, data_folder
from benchmarks.detection import detections, windows_of
from benchmarks.documents import put
from benchmarks.measure import CHANGED
from benchmarks.repair import SEED
from reelmend.detect import make_detector
from reelmend.evaluate.fidelity import decibels, low_passed_error
from reelmend.evaluate.masks import Counts, count
from reelmend.evaluate.sweep import Sweep
from reelmend.film import Mask
from reelmend.grain import regrain
from reelmend.media import open_reel
from reelmend.motion.windows import Window
from reelmend.repair import Repairer, grow, make_repairer
from reelmend.repair.unified import UnifiedRepairer

BEGIN = "<!-- table: python -m benchmarks.unified -->"

GROWN = 2
"""Pixels by which masks are grown before repair, as by default."""

Masks = dict[int, Mask]
"""Masks of the frames looked at, by index."""


@dataclass(slots=True)
class Found:
    """What a way of finding made of a clip, and what it took of the same clip undamaged."""

    damaged: Masks
    clean: Masks
    seconds: float
    """On the damaged clip, in all."""


@dataclass(slots=True)
class Clip:
    """A clip as both ways see it, the frames looked at."""

    folder: Path
    windows: list[Window]
    truth: Masks
    clean: dict[int, np.ndarray]
    found: dict[str, Found] = field(default_factory=dict)


def read(folder: Path, every: int) -> Clip:
    with open_reel(folder / "truth.mkv") as reel:
        truth = {frame.index: frame.planes[0] > 127 for frame in reel.frames()}
    with open_reel(folder / "clean.mkv") as reel:
        clean = {frame.index: frame.planes[0].copy() for frame in reel.frames()}
    return Clip(folder, list(windows_of(folder / "damaged.mkv"))[::every], truth, clean)


def by_detector(name: str, clip: Clip) -> Found:
    detector = make_detector(name, threads=1)
    begun = time.perf_counter()
    damaged = detections(detector, clip.folder / "damaged.mkv")
    seconds = (time.perf_counter() - begun) * len(clip.windows) / len(damaged)
    clean = detections(detector, clip.folder / "clean.mkv")
    looked = [window.centre.index for window in clip.windows]
    return Found({n: damaged[n].mask for n in looked}, {n: clean[n].mask for n in looked}, seconds)


def maps(unified: UnifiedRepairer, windows: Sequence[Window]) -> dict[int, np.ndarray]:
    """How different the model's picture is from each frame."""
    return {window.centre.index: unified.find(window)[1] for window in windows}


def threshold(unified: UnifiedRepairer, clips: Sequence[Clip]) -> float:
    """The difference with the best Dice over all of the clips."""
    sweep = Sweep()
    for clip in clips:
        for index, one in maps(unified, clip.windows).items():
            sweep.add(one, clip.truth[index])
    best = sweep.curve().best
    assert best is not None
    return float(sweep.curve().thresholds[best])


def by_unified(unified: UnifiedRepairer, least: float, clip: Clip, every: int) -> Found:
    begun = time.perf_counter()
    damaged = maps(unified, clip.windows)
    seconds = time.perf_counter() - begun
    clean = maps(unified, list(windows_of(clip.folder / "clean.mkv"))[::every])
    masks = [{n: one >= least for n, one in found.items()} for found in (damaged, clean)]
    return Found(masks[0], masks[1], seconds)


def score(finds: str, repairer: Repairer, clips: Sequence[Clip]) -> dict[str, Any]:
    """One combination, over all clips."""
    rows = []
    for clip in clips:
        found, counts, alarms = clip.found[finds], Counts(), Counts()
        squared, inside, changed, outside, seconds = 0.0, 0, 0, 0, found.seconds
        for window in clip.windows:
            n = window.centre.index
            true, clean, scan = clip.truth[n], clip.clean[n], window.centre.frame
            counts += count(found.damaged[n], true)
            alarms += count(found.clean[n], np.zeros_like(true))
            begun = time.perf_counter()
            repair = repairer.repair(window, grow(found.damaged[n], GROWN))
            seconds += time.perf_counter() - begun
            after = regrain(repair.frame, scan, repair.touched, drawn=repair.drawn, seed=SEED).planes[0]
            squared += float((low_passed_error(after, clean) ** 2)[true].sum())
            inside += int(np.count_nonzero(true))
            undamaged = ~grow(true, GROWN)
            away = np.abs(after.astype(np.int16) - scan.planes[0])
            changed += int(np.count_nonzero(away[undamaged] > CHANGED))
            outside += int(np.count_nonzero(undamaged))
        rows.append(
            {
                "dice": counts.dice,
                "precision": counts.precision,
                "recall": counts.recall,
                "alarms": alarms.false_alarm_area,
                "low_passed": decibels(squared / max(inside, 1), 255),
                "changed": changed / outside * 1e6,
                "seconds": seconds / len(clip.windows),
            }
        )
    return {name: float(np.mean([row[name] or 0.0 for row in rows])) for name in rows[0]}


HEADINGS = ("finds", "repairs", "Dice", "precision", "recall", "false alarms", "low-passed", "changed", "s")


def row(finds: str, repairs: str, one: dict[str, Any]) -> str:
    cells = [finds, repairs, *(f"{one[name]:.3f}" for name in ("dice", "precision", "recall"))]
    cells += [f"{one['alarms']:.0f}", f"{one['low_passed']:.1f}", f"{one['changed']:.0f}", f"{one['seconds']:.1f}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("card")
    parser.add_argument("--detector", default="fast")
    parser.add_argument("--repairer", default="auto")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--every", type=int, default=7, metavar="N", help="look at every so many frames")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    unified = make_repairer(options.card)
    if not isinstance(unified, UnifiedRepairer):
        raise SystemExit(f"{options.card} is no model that finds and repairs")
    dev = [read(clip, 2 * options.every) for clip in built(options.out, "dev", options.data)]
    least = threshold(unified, dev)
    print(f"damage is what differs by {least:.3f} or more")
    clips = [read(clip, options.every) for clip in built(options.out, options.split, options.data)]
    ways: dict[str, Callable[[Clip], Found]] = {
        options.detector: lambda clip: by_detector(options.detector, clip),
        unified.name: lambda clip: by_unified(unified, least, clip, options.every),
    }
    for name, find in ways.items():
        for clip in clips:
            clip.found[name] = find(clip)
    repairers = {options.repairer: make_repairer(options.repairer), unified.name: unified}
    lines = ["| " + " | ".join(HEADINGS) + " |", "| " + " | ".join("---" for _ in HEADINGS) + " |"]
    for finds in ways:
        lines += [row(finds, name, score(finds, repairer, clips)) for name, repairer in repairers.items()]
    text = "\n".join(lines)
    if options.write:
        put(options.write, BEGIN, text)
    print(text)


if __name__ == "__main__":
    main()
