"""How often the class that `detect --explain` guesses is the annotators', on scans that its limits were not chosen on.

    python -m benchmarks.classes [--width 2048] [--split test]

Outlines are drawn on a 35 mm frame `--width` pixels wide.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import SCANS, data_folder
from reelmend.detect.classes import guess_class
from reelmend.simulate.outlines import GAUGE_WIDTH, Outline, read_scans

CLASS = {"dust": "dust", "dirt": "dirt", "short hair": "hair", "long hair": "hair", "scratch": "scratch"}
NAMES = ("dust", "dirt", "hair", "scratch")


def drawn(outline: Outline, width: int) -> NDArray[np.bool_]:
    """An outline's pixels on a 35 mm frame of that width."""
    scale = width / GAUGE_WIDTH["35mm"]
    size = [int(side * scale) + 6 for side in outline.extent]
    mask = np.zeros((size[1], size[0]), np.uint8)
    corners = [np.rint((part * scale + np.array(size) / 2) * 16).astype(np.int32) for part in outline.centred().parts]
    cv2.fillPoly(mask, corners, 1, shift=4)
    return mask.astype(bool)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--split", choices=sorted(SCANS), default="test")
    parser.add_argument("--data", type=Path, default=data_folder())
    options = parser.parse_args()
    table = {true: dict.fromkeys(NAMES, 0) for true in NAMES}
    for outline in read_scans(options.data / "damage" / "annotations", SCANS[options.split]):
        mask = drawn(outline, options.width)
        if mask.any():
            table[CLASS[outline.kind]][guess_class(mask, options.width)] += 1
    print("| annotated | " + " | ".join(f"guessed {name}" for name in NAMES) + " | right |")
    print("| --- " * 6 + "|")
    for true, row in table.items():
        total = sum(row.values())
        print(f"| {true} ({total}) | " + " | ".join(str(n) for n in row.values()) + f" | {row[true] / total:.0%} |")
    right, total = sum(table[n][n] for n in NAMES), sum(sum(row.values()) for row in table.values())
    print(f"\nright: {right / total:.1%} of {total}; mean over classes "
          f"{np.mean([table[n][n] / sum(table[n].values()) for n in NAMES]):.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
