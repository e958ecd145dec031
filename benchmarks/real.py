"""Real film, labelled by eye: how much clear one-frame damage is found, and how much else is touched.

    python -m benchmarks.real [NAME_OR_CARD ...] [--strength standard] [--alone] [--write docs/detection.md]
        [--show FILE.png]

`film_labels.json` holds places in five films that stand out from both motion-compensated neighbours: candidates of
`detect.candidates`, the strongest of every second frame and some drawn by lot, each looked at in its frame and the two
beside it: `[frame, left, top, right, bottom, damaged]`, edges included. What the eye could not tell was left out. A
damaged place is found when the mask touches it. A place that is not damage (limbs, wheels, shadows, the edge of the
gate) is touched when a tenth of its box is in the mask. The labels are no part of any training; the films are not in
this repository.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks import detectors
from benchmarks.clips import data_folder
from benchmarks.detection import detections, windows_of
from benchmarks.documents import merge
from reelmend.detect.promise import Detector
from reelmend.film import Mask

LABELS = Path(__file__).with_name("film_labels.json")
TOUCHED = 0.1
BEGIN = "<!-- table: python -m benchmarks.real -->"


@dataclass(frozen=True, slots=True)
class Place:
    """A labelled place of a film."""

    frame: int
    left: int
    top: int
    right: int
    bottom: int
    damaged: bool

    def taken(self, mask: Mask) -> bool:
        """Whether a frame's mask finds or touches it."""
        inside = mask[self.top : self.bottom + 1, self.left : self.right + 1]
        return bool(inside.any()) if self.damaged else float(inside.mean()) >= TOUCHED


def labels(data: Path) -> dict[Path, list[Place]]:
    """The places of every film that is there."""
    found = {data / name: [Place(*one) for one in rows] for name, rows in json.loads(LABELS.read_text()).items()}
    return {film: places for film, places in found.items() if film.exists()}


@dataclass
class Tally:
    """Of one detector on one film."""

    found: int = 0
    damaged: int = 0
    touched: int = 0
    others: int = 0

    def add(self, place: Place, taken: bool) -> None:
        if place.damaged:
            self.found, self.damaged = self.found + taken, self.damaged + 1
        else:
            self.touched, self.others = self.touched + taken, self.others + 1


def score(detector: Detector, film: Path, places: list[Place]) -> tuple[Tally, list[Place]]:
    """How the places fared, and those that fared wrongly."""
    found = detections(detector, film)
    tally, wrong = Tally(), []
    for place in places:
        taken = place.taken(found[place.frame].mask)
        tally.add(place, taken)
        if taken != place.damaged:
            wrong.append(place)
    return tally, wrong


def table(known: dict[str, Detector], data: Path, show: Path | None) -> str:
    """Markdown: a row for each detector and film, and one for all films."""
    lines = ["| detector | film | damage found | of | else touched | of |", "| --- " * 6 + "|"]
    rows = []
    for name, detector in known.items():
        total = Tally()
        for film, places in labels(data).items():
            tally, wrong = score(detector, film, places)
            lines.append(_row(name, film.stem, tally))
            total = Tally(*(getattr(total, key) + getattr(tally, key) for key in Tally.__dataclass_fields__))
            rows += [_strip(f"{name} {film.stem} {place.frame}", place, film) for place in wrong if show]
        lines.append(_row(name, "**all**", total))
    if show and rows:
        cv2.imwrite(str(show), np.concatenate(rows))
    return "\n".join(lines)


def _row(name: str, film: str, tally: Tally) -> str:
    return f"| {name} | {film} | {tally.found} | {tally.damaged} | {tally.touched} | {tally.others} |"


def _strip(title: str, place: Place, film: Path) -> np.ndarray:
    """The frame before, the frame and the frame after around a place that fared wrongly, three times as large."""
    reach, scale = 28, 3
    window = next(one for one in windows_of(film) if one.centre.index == place.frame)
    x, y = (place.left + place.right) // 2, (place.top + place.bottom) // 2
    shown = [one.picture.luma for one in (*window.before[:1], *window.after[:1])]
    pictures = []
    for luma in (shown[0], window.centre.luma, shown[-1]):
        wide = cv2.copyMakeBorder(np.asarray(luma), reach, reach, reach, reach, cv2.BORDER_CONSTANT)
        crop = wide[y : y + 2 * reach, x : x + 2 * reach]
        pictures.append(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    strip = np.concatenate(pictures, axis=1)
    words = f"{title} {'missed' if place.damaged else 'touched'}"
    cv2.putText(strip, words, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
    return strip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser, default=("fast",))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--show", type=Path, help="a picture of what fared wrongly")
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    text = table(dict(detectors.chosen(options)), options.data, options.show)
    print(text)
    if options.write:
        merge(options.write, BEGIN, text)


if __name__ == "__main__":
    main()
