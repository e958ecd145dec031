"""What it is worth to ask whether the neighbours agree (`reelmend.detect.agreement`): its limits varied.

    python -m benchmarks.agreement [NAME_OR_CARD ...] [--split dev] [--strength standard] [--write docs/detection.md]

Every frame of the split's clips is looked at once, damaged and undamaged, and decided with one pair of limits after the
other: 0 adds nothing, `inf` drops nothing. Means over the clips.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks import detectors
from benchmarks.clips import built, data_folder, truth_of
from benchmarks.detection import decided, windows_of
from benchmarks.documents import put
from reelmend.detect import agreement
from reelmend.detect.promise import Detection, Detector
from reelmend.evaluate.masks import Counts, count
from reelmend.film import Mask

BEGIN = "<!-- table: python -m benchmarks.agreement -->"
LIMITS = [(0.0, np.inf), (0.3, np.inf), (0.4, np.inf), (0.5, np.inf), (0.0, 0.5), (0.4, 0.4), (0.4, 0.5), (0.4, 0.7)]


@contextmanager
def limits(agree: float, disagree: float) -> Iterator[None]:
    """The module's limits replaced."""
    kept = agreement.AGREE, agreement.DISAGREE
    agreement.AGREE, agreement.DISAGREE = agree, disagree
    try:
        yield
    finally:
        agreement.AGREE, agreement.DISAGREE = kept


def scores(detector: Detector, clip: Path) -> list[tuple[float, ...]]:
    """Dice, precision, recall and false alarms in a million, for each pair of limits."""
    truth = truth_of(clip)
    damaged, clean = ([detector.look(one) for one in windows_of(clip / name)] for name in ("damaged.mkv", "clean.mkv"))
    found = []
    for pair in LIMITS:
        with limits(*pair):
            hits = _sum(decided(detector, damaged), truth)
            alarms = _sum(decided(detector, clean), [np.zeros_like(one) for one in truth])
        found.append((hits.dice or 0.0, hits.precision or 0.0, hits.recall or 0.0, alarms.false_alarm_area or 0.0))
    return found


def _sum(found: Sequence[Detection], truth: Sequence[Mask]) -> Counts:
    total = Counts()
    for one, true in zip(found, truth, strict=True):
        total += count(one.mask, true)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser, default=("fast",))
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    lines = [
        "| detector | adds up to | drops from | Dice | precision | recall | false alarms |",
        "| --- " * 7 + "|",
    ]
    for title, detector in detectors.chosen(options):
        means = np.mean([scores(detector, clip) for clip in built(options.out, options.split, options.data)], axis=0)
        for (agree, disagree), (dice, precision, recall, alarms) in zip(LIMITS, means, strict=True):
            adds, drops = f"{agree:g}" if agree else "-", f"{disagree:g}" if np.isfinite(disagree) else "-"
            lines.append(f"| {title} | {adds} | {drops} | {dice:.4f} | {precision:.3f} | {recall:.3f} | {alarms:.0f} |")
    text = "\n".join(lines)
    print(text)
    if options.write:
        put(options.write, BEGIN, text)


if __name__ == "__main__":
    main()
