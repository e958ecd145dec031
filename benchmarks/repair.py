"""How well repairers fill holes: one table over the evaluation clips, with the true masks or with found ones.

    python -m benchmarks.repair NAME_OR_CARD ... [--split test] [--detector NAME] [--grow 2] [--every N]
        [--write docs/repair.md]

Every repairer sees the same windows and masks. PSNR of luma inside the true damage, in dB, means over clips: before
grain is put back, after, and after with the error blurred by a Gaussian of 1.5 pixels (grain costs PSNR although nobody
sees it). Places where neighbours fail are those of which the temporal repairer is unsure. All figures go to
`OUT/repair-<split>[-<detector>].json`; `--write` puts the rows into the document's table, where repairers that were not
asked for keep theirs. A row says so where only every Nth frame was looked at (slow ones).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.clips import CLASSES, built, data_folder, truth_of
from benchmarks.detection import SIZES, detections, windows_of
from benchmarks.documents import merge
from benchmarks.effort import watched
from reelmend.detect import make_detector
from reelmend.evaluate.fidelity import decibels, low_passed_error, ssim_map
from reelmend.evaluate.grain import GrainPair, flat_picture
from reelmend.evaluate.masks import SIZE_BINS
from reelmend.evaluate.stability import Stability, Steps
from reelmend.film import Mask
from reelmend.grain import regrain
from reelmend.media import open_reel
from reelmend.motion.informed import FilledFlows, informed
from reelmend.motion.windows import Window
from reelmend.pipeline.frames import UNSURE
from reelmend.pipeline.stream import Lazily
from reelmend.repair import REPAIRERS, FilledBy, Repairer, grow, make_repairer
from reelmend.repair.patches import cover
from reelmend.repair.temporal import TemporalRepairer

BEGIN = "<!-- table: python -m benchmarks.repair -->"
BEGIN_FOUND = "<!-- table: python -m benchmarks.repair --detector -->"

SEED = 0


@dataclass(slots=True)
class Errors:
    """Squared errors of some pixels: plain before grain, after it, and low-passed after it."""

    sums: np.ndarray = field(default_factory=lambda: np.zeros(3))
    pixels: int = 0

    def add(self, squared: np.ndarray, where: Mask) -> None:
        self.sums += squared[:, where].sum(axis=1)
        self.pixels += int(np.count_nonzero(where))

    def decibels(self) -> list[float | None]:
        return [decibels(float(one) / self.pixels, 255) if self.pixels else None for one in self.sums]


@dataclass(slots=True)
class Clip:
    """What all repairers are shown of a clip."""

    name: str
    windows: list[Window]
    truth: list[Mask]
    clean: list[np.ndarray]
    masks: list[Mask]
    """What is to be repaired, grown."""
    doubtful: list[Mask]
    """Where the temporal repairer is unsure."""
    classes: list[np.ndarray]
    """What damaged every true pixel, as `benchmarks.clips` writes it."""


def read_clip(folder: Path, detector: str | None, grow_px: int) -> Clip:
    """A clip of `benchmarks.clips`, with its true masks or those of a detector at standard strength."""
    truth = truth_of(folder)
    with open_reel(folder / "clean.mkv") as reel:
        clean = [frame.planes[0].copy() for frame in reel.frames()]
    with open_reel(folder / "classes.mkv") as reel:
        classes = [frame.planes[0].copy() for frame in reel.frames()]
    seen = list(windows_of(folder / "damaged.mkv"))
    if detector:
        found = [one.mask for one in detections(make_detector(detector, threads=2), folder / "damaged.mkv")]
    else:
        found = truth
    masks = [grow(one, grow_px) for one in found]
    known = {window.centre.index: mask for window, mask in zip(seen, found, strict=True)}
    flows = FilledFlows(Lazily())
    seen = [informed(window, known, flows) for window in seen]
    with ThreadPoolExecutor(2) as pool:
        repairs = pool.map(TemporalRepairer().repair, seen, masks)
        doubtful = [one.unsure >= UNSURE for one in repairs]
    return Clip(folder.name, seen, truth, clean, masks, doubtful, classes)


def score(repairer: Repairer, clips: Sequence[Clip], every: int = 1) -> dict[str, Any]:
    """The figures of a repairer, over every so many frames."""
    names = ("all", "agree", "fail", *SIZES, *CLASSES)
    single, pooled = {}, {name: Errors() for name in names}
    grain, steps, seconds, damaged, patches, invented, unsure = GrainPair(), Steps(), 0.0, 0, 0, 0, 0
    similar: list[np.ndarray] = []
    with watched() as effort:
        for clip in clips:
            own, calm = {name: Errors() for name in names}, Stability()
            for n, window in list(enumerate(clip.windows))[::every]:
                mask, true, clean = clip.masks[n], clip.truth[n], clip.clean[n]
                begun = time.perf_counter()
                repair = repairer.repair(window, mask)
                seconds += time.perf_counter() - begun
                damaged += int(np.count_nonzero(mask))
                patches += sum(len(group.places) for group in cover(mask))
                invented += int(np.count_nonzero(repair.filled_by == FilledBy.NETWORK))
                unsure += int(np.count_nonzero(repair.unsure >= UNSURE))
                scan = window.centre.frame
                after = regrain(repair.frame, scan, repair.touched, drawn=repair.drawn, seed=SEED)
                if every == 1:
                    calm.add(after.planes[0] / 255.0, clean / 255.0, clean, true)
                if not true.any():
                    continue
                errors = [one.planes[0].astype(np.float64) - clean for one in (repair.frame, after)]
                squared = np.stack([*(one**2 for one in errors), low_passed_error(after.planes[0], clean) ** 2])
                for name, where in _parts(true, clip.doubtful[n], clip.classes[n]).items():
                    own[name].add(squared, where)
                    pooled[name].add(squared, where)
                similar.append(ssim_map(after.planes[0], clean, 255)[true])
                if mask.any():
                    grain.add(after.planes[0], mask, flat_picture(clean))
            single[clip.name] = own["all"].decibels()
            steps.add(calm.inside)
    means = [float(np.mean([one[n] for one in single.values()])) for n in range(3)]
    return {
        "before_grain": means[0],
        "after_grain": means[1],
        "low_passed": means[2],
        "ssim": float(np.concatenate(similar).mean()),
        "flicker": steps.squared / steps.squared_clean if steps.visible else None,
        "pooled": {name: one.decibels() for name, one in pooled.items()},
        "pixels": {name: one.pixels for name, one in pooled.items()},
        "grain": grain.variance_ratio,
        "spectrum": grain.spectrum_distance,
        "calls": effort.patches_answered / max(patches, 1),
        "seconds_per_megapixel": seconds / max(damaged, 1) * 1e6,
        "memory_mb": effort.peak / 1e6,
        "invented": invented / max(damaged, 1),
        "unsure": unsure / max(damaged, 1),
        "clips": single,
    }


def _parts(true: Mask, doubtful: Mask, classes: np.ndarray) -> dict[str, Mask]:
    parts = {"all": true, "agree": true & ~doubtful, "fail": true & doubtful}
    _, labels, stats, _ = cv2.connectedComponentsWithStats(true.view(np.uint8), connectivity=8)
    area = stats[labels, cv2.CC_STAT_AREA]
    for name, low, high in zip(SIZES, SIZE_BINS, [*SIZE_BINS[1:], 1 << 30], strict=True):
        parts[name] = true & (area >= low) & (area < high)
    return parts | {name: classes == 1 + n for n, name in enumerate(CLASSES)}


HEADINGS = (
    "repairer", "before grain", "after grain", "low-passed", "SSIM", "neighbours agree", "neighbours fail",
    *(f"{size} px" for size in SIZES), *CLASSES, "grain", "spectrum dB", "flicker", "calls", "s/MP", "MB",
    "added by network", "unsure",
)  # fmt: skip


def table(results: dict[str, Any]) -> str:
    """The whole table, the best low-passed PSNR first."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "| " + " | ".join("---" for _ in HEADINGS) + " |"]
    for name, one in sorted(results.items(), key=lambda item: -item[1]["low_passed"]):
        low = {part: values[2] for part, values in one["pooled"].items()}
        cells = [name, *(f"{one[key]:.1f}" for key in ("before_grain", "after_grain", "low_passed"))]
        cells.append(f"{one['ssim']:.3f}")
        cells += ["-" if low[part] is None else f"{low[part]:.1f}" for part in ("agree", "fail", *SIZES, *CLASSES)]
        cells += ["-" if one[key] is None else f"{one[key]:.2f}" for key in ("grain", "spectrum", "flicker")]
        cells += [f"{one['calls']:.2f}", f"{one['seconds_per_megapixel']:.1f}", f"{one['memory_mb']:.0f}"]
        cells += [f"{one['invented']:.1%}", f"{one['unsure']:.1%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME_OR_CARD", help=f"of {', '.join(REPAIRERS)}")
    parser.add_argument("--split", choices=("dev", "test", "all"), default="test")
    parser.add_argument("--detector", metavar="NAME", help="find the masks instead of taking the true ones")
    parser.add_argument("--grow", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="look at every so many frames")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    folders = built(options.out, options.split, options.data)
    cv2.setNumThreads(1)
    target = options.out / f"repair-{options.split}{f'-{options.detector}' if options.detector else ''}.json"
    results: dict[str, Any] = {}
    clips = [read_clip(clip, options.detector, options.grow) for clip in folders]
    for name in options.names:
        title = Path(name).stem + (f" (1 frame in {options.every})" if options.every > 1 else "")
        results[title] = score(make_repairer(name), clips, options.every)
        target.write_text(json.dumps(results, indent=1) + "\n")
    text = table(results)
    if options.write:
        text = merge(options.write, BEGIN_FOUND if options.detector else BEGIN, text, order="low-passed")
    print(text)


if __name__ == "__main__":
    main()
