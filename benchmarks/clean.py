"""False alarms in clean video as it comes, without grain and without damage.

    python -m benchmarks.clean [NAME_OR_CARD ...] [--strength standard] [--frames 30] [--sheet FILE.png]
        [--write docs/detection.md]

The sources of the evaluation clips, and two videos more that no training has seen, shrunk to 640 at most, from their
first frame on. All that is found is wrong. Where a codec has taken the grain, `fast` and `best` look twice
(`reelmend.detect.faint`): what that adds is told apart. The sheet shows what was found, largest first.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import detectors
from benchmarks.clips import CLIPS, data_folder
from benchmarks.contact import crop, labelled
from benchmarks.detection import decided
from benchmarks.documents import merge
from reelmend.detect.evidence import LearnedEvidence
from reelmend.detect.promise import Detector
from reelmend.film import Frame, Layout, Mask
from reelmend.media import open_reel
from reelmend.motion.cuts import shots
from reelmend.motion.luma import luma8
from reelmend.motion.picture import picture
from reelmend.motion.windows import Window, windows

BEGIN = "<!-- table: python -m benchmarks.clean -->"

VIDEOS = (*(clip.source for clip in CLIPS), "fire2.mp4", "wolf.mp4")

WIDEST = 640

CROP, SCALE = 48, 3
"""Pixels of a find's picture, and how many times as large it is shown."""

SHOWN = 40


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrongly found in a video."""

    name: str
    windows: list[Window]
    masks: list[Mask]
    once: list[Mask]
    """Without the second look."""

    def per_million(self, masks: Sequence[Mask]) -> float:
        return 1e6 * float(np.mean([mask.mean() for mask in masks]))


def shrunk(film: Path, frames: int) -> Iterator[Frame]:
    """The luma of the first frames, `WIDEST` wide at most."""
    with open_reel(film) as reel:
        for index, frame in enumerate(islice(reel.frames(), frames)):
            luma = luma8(frame)
            scale = min(1.0, WIDEST / luma.shape[1])
            small = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            yield Frame(index, (np.asarray(small, np.uint8),), Layout("gray", 8))


def find(detector: Detector, film: Path, frames: int) -> Found:
    """What a detector finds in a video."""
    with ThreadPoolExecutor(2) as pool:
        seen = [one.result() for _, one in windows(shots(map(picture, shrunk(film, frames))), pool)]
    evidence = [detector.look(window) for window in seen]
    masks, once = ([one.mask for one in decided(detector, each)] for each in (evidence, list(map(_once, evidence))))
    return Found(film.stem, seen, masks, once)


def _once(evidence: Any) -> Any:
    return replace(evidence, raised=None) if isinstance(evidence, LearnedEvidence) else evidence


def table(found: dict[str, list[Found]]) -> str:
    """Markdown: a row for each detector, pixels a million."""
    lines = ["| detector | videos | frames | false alarms | without the second look | worst |", "| --- " * 6 + "|"]
    for name, videos in found.items():
        rates = {one.name: one.per_million(one.masks) for one in videos}
        once = np.mean([one.per_million(one.once) for one in videos])
        worst = max(rates, key=lambda key: rates[key])
        cells = [name, len(videos), sum(len(one.masks) for one in videos), f"{np.mean(list(rates.values())):.0f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{once:.0f}", f"{worst} {rates[worst]:.0f}"])) + " |")
    return "\n".join(lines)


def sheet(videos: Sequence[Found]) -> NDArray[np.uint8]:
    """What was found, largest first: the frame before, the frame, and the frame with what is marked in it."""
    places = []
    for video in videos:
        for window, mask in zip(video.windows, video.masks, strict=True):
            _, _, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
            rows_of = zip(stats[1:, cv2.CC_STAT_AREA], centres[1:], strict=True)
            places += [(int(area), video, window, mask, x, y) for area, (x, y) in rows_of]
    places.sort(key=lambda one: -one[0])
    rows = []
    for area, video, window, mask, x, y in places[:SHOWN]:
        luma = window.centre.luma
        before = window.before[0].picture.luma if window.before else luma
        marked = np.where(mask, 255, luma // 2).astype(np.uint8)
        views = [np.repeat(one[..., None], 3, axis=2) for one in (before, luma, marked)]
        crops = [crop(one, int(x), int(y), CROP, SCALE) for one in views]
        rows.append(labelled(np.concatenate(crops, axis=1), f"{video.name[:14]} {window.centre.index} {area}"))
    blank = np.zeros_like(rows[0]) if rows else np.zeros((SCALE * CROP, 3 * SCALE * CROP, 3), np.uint8)
    rows += [blank] * (-len(rows) % 4 if rows else 4)
    return np.concatenate([np.concatenate(rows[n : n + 4], axis=1) for n in range(0, len(rows), 4)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser, default=("fast",))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    found: dict[str, list[Found]] = {}
    for name, detector in detectors.chosen(options):
        found[name] = []
        for video in VIDEOS:
            found[name].append(find(detector, options.data / "clean" / "video" / video, options.frames))
            one = found[name][-1]
            print(name, one.name, *(f"{one.per_million(masks):.0f}" for masks in (one.masks, one.once)), flush=True)
    text = table(found)
    print(text)
    if options.sheet:
        cv2.imwrite(str(options.sheet), cv2.cvtColor(sheet(next(iter(found.values()))), cv2.COLOR_RGB2BGR))
    if options.write:
        merge(options.write, BEGIN, text)


if __name__ == "__main__":
    main()
