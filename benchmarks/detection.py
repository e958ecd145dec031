"""How well detectors find damage: one table over the evaluation clips, which no training has seen.

    python -m benchmarks.detection [NAME_OR_CARD ...] [--alone] [--split test] [--write docs/detection.md]

A name is one that `reelmend models` lists; a path is that of a weight card. Every detector looks at the clips' windows
as restoration does, at standard strength, and again at the clips before they were damaged: what it takes there is false
alarm. Figures are means over clips; all of them go to `OUT/detection-<split>.json`. `--alone`: networks without the
classical detector's second opinion, in a file and table of their own. `--write` puts the rows into the document's
table, where detectors that were not asked for keep theirs. `--engines` makes another table: one network on every engine
and precision, its speed beside its Dice, so that no speed is bought blind.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import detectors
from benchmarks.clips import built, data_folder, truth_of
from benchmarks.documents import merge, put
from reelmend.detect.learned import LearnedDetector
from reelmend.detect.promise import Detection, Detector
from reelmend.evaluate.calibration import Bin, Reliability
from reelmend.evaluate.masks import BlobCounts, Counts, blob_recall, count
from reelmend.evaluate.sweep import Sweep
from reelmend.media import open_reel
from reelmend.motion.cuts import shots
from reelmend.motion.luma import luma8
from reelmend.motion.picture import picture
from reelmend.motion.windows import Window, windows
from reelmend.runtime import Network, load_network
from reelmend.runtime.network import Precision

HD = (1080, 1920)

SEEN = 4
"""8-bit codes by which damage must move a pixel's luma to be seen at all; fine grain is as strong. Training judges by
the same (`train.feed.SEEN`)."""

SIZES = ("1-4", "5-12", "13-40", "41-150", "151+")
"""Pixels of area of the blobs in `evaluate.masks.SIZE_BINS`."""

BEGIN = "<!-- table: python -m benchmarks.detection -->"
BEGIN_ALONE = "<!-- table: python -m benchmarks.detection --alone -->"
BEGIN_ENGINES = "<!-- table: python -m benchmarks.detection --engines -->"

ENGINE_ROWS: tuple[tuple[str, Precision], ...] = (
    ("onnxruntime", "f32"),
    ("onnxruntime", "int8"),
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("torch", "f32"),
    ("torch", "bf16"),
)


@dataclass
class Tally:
    """What one detector did on one clip."""

    counts: Counts = field(default_factory=Counts)
    seen: Counts = field(default_factory=Counts)
    """Without the pixels of damage that cannot be seen."""
    blobs: BlobCounts | None = None
    sweep: Sweep = field(default_factory=Sweep)
    reliability: Reliability = field(default_factory=Reliability)
    alarms: Counts = field(default_factory=Counts)
    """On the undamaged clip."""


def windows_of(film: Path) -> Iterator[Window]:
    """The windows of a film, as the pipeline makes them."""
    with ThreadPoolExecutor(2) as pool, open_reel(film) as reel:
        for _, window in windows(shots(picture(frame) for frame in reel.frames()), pool):
            yield window.result()


def detections(detector: Detector, film: Path) -> list[Detection]:
    """What is found in every frame of a film."""
    return decided(detector, [detector.look(window) for window in windows_of(film)])


def decided(detector: Detector, evidence: Sequence[Any]) -> list[Detection]:
    """What is found in every frame, from what a detector saw in each."""
    found = []
    for one in evidence:
        others = tuple(evidence[n] if 0 <= n < len(evidence) else None for n in detector.needs(one))
        found.append(detector.decide(one, others))
    return found


def tally(detector: Detector, clip: Path) -> Tally:
    """One detector on one clip of `benchmarks.clips`."""
    truth = truth_of(clip)
    clean, damaged = (lumas(clip / name) for name in ("clean.mkv", "damaged.mkv"))
    result = Tally()
    all_found = detections(detector, clip / "damaged.mkv")
    for found, true, was, became in zip(all_found, truth, clean, damaged, strict=True):
        result.counts += count(found.mask, true)
        judged = ~true | (np.abs(became - was) >= SEEN)
        result.seen += count(found.mask & judged, true & judged)
        blobs = blob_recall(found.mask, true)
        result.blobs = blobs if result.blobs is None else result.blobs + blobs
        result.sweep.add(np.clip(found.damage, 0, 1), true)
        result.reliability.add(np.clip(found.damage, 0, 1), true)
    for found in detections(detector, clip / "clean.mkv"):
        result.alarms += count(found.mask, np.zeros_like(found.mask))
    return result


def lumas(film: Path) -> list[NDArray[np.int16]]:
    """Every frame's luma, 8-bit codes."""
    with open_reel(film) as reel:
        return [luma8(frame).astype(np.int16) for frame in reel.frames()]


def score(detector: Detector, clips: Sequence[Path]) -> dict[str, Any]:
    """The figures of a detector: means over clips, blobs pooled, and each clip's Dice."""
    tallies = {clip.name: tally(detector, clip) for clip in clips}
    means = {
        name: float(np.mean([getattr(one.counts, name) or 0.0 for one in tallies.values()]))
        for name in ("dice", "iou", "precision", "recall")
    }
    means["dice_seen"] = float(np.mean([one.seen.dice or 0.0 for one in tallies.values()]))
    pooled = None
    for one in tallies.values():
        pooled = one.blobs if pooled is None else pooled + one.blobs  # type: ignore[operator]
    assert pooled is not None
    curves = [one.sweep.curve() for one in tallies.values()]
    return means | {
        "best_dice": float(
            np.mean([curve.counts(curve.best).dice or 0.0 for curve in curves if curve.best is not None])
        ),
        "average_precision": float(np.mean([curve.average_precision or 0.0 for curve in curves])),
        "blob_recall": list(pooled.by_size.values()),
        "false_alarms": float(np.mean([one.alarms.false_alarm_area or 0.0 for one in tallies.values()])),
        "calibration_error": float(np.mean([one.reliability.expected_error or 0.0 for one in tallies.values()])),
        "reliability": [vars_of(one) for one in _summed(list(tallies.values()))],
        "clips": {name: one.counts.dice for name, one in tallies.items()},
        "clip_false_alarms": {name: one.alarms.false_alarm_area for name, one in tallies.items()},
    }


def _summed(tallies: Sequence[Tally]) -> list[Bin]:
    bins = [one.reliability.bins() for one in tallies]
    result = []
    for column in zip(*bins, strict=True):
        pixels = sum(one.pixels for one in column)
        filled = [one for one in column if one.pixels]
        mean = lambda key: sum(getattr(one, key) * one.pixels for one in filled) / pixels if pixels else None  # noqa: E731, B023
        result.append(Bin(column[0].low, column[0].high, pixels, mean("predicted"), mean("observed")))
    return result


def vars_of(one: Bin) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("low", "high", "pixels", "predicted", "observed")}


def megapixels_a_second(network: Network) -> float:
    """A network on an HD frame, motion excluded; the best of three after one to warm up."""
    stack: NDArray[np.float32] = np.random.default_rng(0).random((network.frames, *HD), np.float32)
    best = np.inf
    for _ in range(4):
        begun = time.perf_counter()
        network.damage(stack)
        best = min(best, time.perf_counter() - begun)
    return float(HD[0] * HD[1] / best / 1e6)


def engine_table(names: Sequence[str], clips: Sequence[Path], threads: int) -> str:
    """Networks on every engine that is installed here: frames a second at 1920x1080, and the Dice that they keep."""
    headings = ("detector", "engine", "precision", "frames a second, 1920x1080", "Dice", "false alarms")
    lines = ["| " + " | ".join(headings) + " |", "| " + " | ".join("---" for _ in headings) + " |"]
    for name, (engine, precision) in itertools.product(names, ENGINE_ROWS):
        network = load_network(name, "cpu", threads, engine, precision)
        frames = megapixels_a_second(network) * 1e6 / (HD[0] * HD[1])
        entry = score(LearnedDetector(name, network=network), clips)
        cells = [name, engine, precision, f"{frames:.1f}", f"{entry['dice']:.4f}", f"{entry['false_alarms']:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


HEADINGS = (
    "detector", "network", "sees", "trained", "Dice", "Dice, seen", "IoU", "precision", "recall", "best Dice", "AP",
    *(f"found {size} px" for size in SIZES), "false alarms", "calibration", "MP/s",
)  # fmt: skip


SHARES = ("dice", "dice_seen", "iou", "precision", "recall", "best_dice", "average_precision")


def row(name: str, entry: dict[str, Any]) -> str:
    """One row of the table, in Markdown."""
    percent = [("-" if one is None else f"{100 * one:.0f}") for one in entry["blob_recall"]]
    speed = entry.get("megapixels_a_second")
    cells = [
        name, entry["network"], entry["sees"], entry["trained"],
        *(f"{entry[key]:.3f}" for key in SHARES),
        *percent, f"{entry['false_alarms']:.0f}", f"{entry['calibration_error']:.4f}",
        "-" if speed is None else f"{speed:.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def table(results: dict[str, Any]) -> str:
    """The whole table, the best Dice first."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "| " + " | ".join("---" for _ in HEADINGS) + " |"]
    ordered = sorted(results.items(), key=lambda item: -item[1]["dice"])
    return "\n".join(lines + [row(name, entry) for name, entry in ordered])


def facts_of(detector: Detector) -> dict[str, str]:
    """What stands in the first columns."""
    if not isinstance(detector, LearnedDetector):
        return {"network": "trees on differences", "sees": "window of 5", "trained": "-"}
    card = detector.network.card
    frames = card.architecture.frames
    start = str(card.recipe.get("start_from", ""))
    return {
        "network": card.architecture.net,
        "sees": "one frame" if frames == 1 else f"window of {frames}",
        "trained": f"from {Path(start).stem}" if start else "from scratch",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser)
    parser.add_argument("--split", choices=("dev", "test", "all"), default="test")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--engines", nargs="+", metavar="NAME", help="the other table, of these networks")
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    clips = built(options.out, options.split, options.data)
    target = options.out / f"detection-{options.split}{'-alone' if options.alone else ''}.json"
    results: dict[str, Any] = {}
    for title, detector in detectors.chosen(options):
        results[title] = facts_of(detector) | score(detector, clips)
        if isinstance(detector, LearnedDetector):
            results[title]["megapixels_a_second"] = megapixels_a_second(detector.network)
        print(row(title, results[title]), flush=True)
        target.write_text(json.dumps(results, indent=1) + "\n")
    if options.write and results:
        print(merge(options.write, BEGIN_ALONE if options.alone else BEGIN, table(results), order="Dice"))
    if options.engines:
        text = engine_table(options.engines, clips, options.threads)
        if options.write:
            put(options.write, BEGIN_ENGINES, text)


if __name__ == "__main__":
    main()
