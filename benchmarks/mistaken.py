"""What is taken of things that look like damage: each look-alike of the simulator, put into undamaged film.

    python -m benchmarks.mistaken [NAME_OR_CARD ...] [--split dev] [--only snow rain ...] [--write docs/detection.md]

The evaluation clips before they were damaged, with one kind of thing in the picture, in its usual number, and nothing
on the film. Told for each detector and kind: how many pieces of things can be seen (`LEAST` pixels or more,
8-connected, whose luma they move by `SEEN` codes or more), the share of these of which a quarter or more is taken, the
share of their pixels, and how many pixels of a million are taken in all, with what is taken of the film itself
("nothing": the film as it is).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from benchmarks import detectors
from benchmarks.clips import built, data_folder
from benchmarks.detection import detections
from benchmarks.documents import merge
from benchmarks.kinds import QUARTER
from benchmarks.video import write_ffv1
from reelmend.film import Mask
from reelmend.media import open_reel
from reelmend.motion.luma import luma8
from reelmend.simulate.lookalikes import LOOKALIKES
from reelmend.simulate.recipe import Lookalike, Recipe
from reelmend.simulate.simulation import Simulation

BEGIN = "<!-- table: python -m benchmarks.mistaken -->"
SEEN = 8
"""8-bit codes: what moves luma by less is hard to see among grain."""
LEAST = 3
"""Pixels of a piece."""
NOTHING = "nothing"


@dataclass
class Tally:
    """Of one detector and one kind of thing."""

    seen: int = 0
    taken: int = 0
    pixels: int = 0
    taken_pixels: int = 0
    in_all: int = 0
    film: int = 0
    """Pixels looked at."""

    def add(self, found: Mask, thing: Mask) -> None:
        """One frame: what was found, and where there is a thing."""
        count, labels = cv2.connectedComponents(thing.view(np.uint8), connectivity=8)
        area = np.bincount(labels.ravel(), minlength=count)[1:]
        covered = np.bincount(labels[found], minlength=count)[1:]
        large = area >= LEAST
        self.seen += int(large.sum())
        self.taken += int((covered >= QUARTER * area)[large].sum())
        self.pixels += int(area.sum())
        self.taken_pixels += int(covered.sum())
        self.in_all += int(found.sum())
        self.film += found.size

    def row(self, name: str, detector: str) -> str:
        counted = (self.taken, self.seen), (self.taken_pixels, self.pixels)
        share, area = (f"{100 * a / b:.1f}" if b else "-" for a, b in counted)
        return f"| {name} | {detector} | {self.seen} | {share} | {area} | {1e6 * self.in_all / self.film:.0f} |"


def with_things(folder: Path, name: str, out: Path) -> list[Mask]:
    """Puts things into a clip's undamaged film; where they can be seen, in each frame."""
    things = {} if name == NOTHING else {name: Lookalike(chance=1, amount=(1, 1))}
    recipe = Recipe(lookalikes=things, grain=None)
    masks, planes = [], []
    with open_reel(folder / "clean.mkv") as reel:
        simulation = Simulation.like(recipe, 1, reel.facts)
        for frame in reel.frames():
            made = simulation.frame(frame)
            masks.append(np.abs(luma8(made.frame).astype(np.int16) - luma8(frame)) >= SEEN)
            planes.append(made.frame.planes)
        kind = "gray" if len(planes[0]) == 1 else ("yuv420p" if reel.facts.layout.sub_x else "yuv444p")
    write_ffv1(out, planes, kind, Fraction(24))
    return masks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser, default=("fast",))
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--only", nargs="+", choices=(NOTHING, *LOOKALIKES), default=[NOTHING, *sorted(LOOKALIKES)])
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    clips = built(options.out, options.split, options.data)
    known = dict(detectors.chosen(options))
    head = ["| in the picture | detector | seen | taken, % | pixels taken, % | in a million |", "| --- " * 6 + "|"]
    print("\n".join(head))
    rows = []
    for name in options.only:
        tallies = {title: Tally() for title in known}
        with TemporaryDirectory() as folder:
            for clip in clips:
                film = Path(folder) / f"{clip.name}.mkv"
                things = with_things(clip, name, film)
                for title, detector in known.items():
                    for found, thing in zip(detections(detector, film), things, strict=True):
                        tallies[title].add(found.mask, thing)
        rows += [tally.row(name, title) for title, tally in tallies.items()]
        print("\n".join(rows[-len(tallies) :]), flush=True)
    if options.write:
        merge(options.write, BEGIN, "\n".join([*head, *rows]))


if __name__ == "__main__":
    main()
