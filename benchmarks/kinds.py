"""How much of each kind of damage is found, what lasts for many frames among it.

    python -m benchmarks.kinds [NAME_OR_CARD ...] [--recipe standard scratched] [--split dev] [--alone]

The clips' undamaged films (grain and all) are damaged by recipes of the simulator, which, unlike the evaluation clips,
lay lines along the film and hairs in the gate over many frames. Told for each detector and kind, at standard strength:
how many defects can be seen in a frame (they move its luma by `SEEN` codes on average), the share of them of which at
least a quarter is found, and the share of their pixels; then precision, over everything.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import detectors
from benchmarks.clips import built
from benchmarks.detection import SEEN, detections
from benchmarks.video import write_ffv1
from reelmend.detect.promise import Detector
from reelmend.film import Mask
from reelmend.media import open_reel
from reelmend.motion.luma import luma8
from reelmend.simulate.damage import lay, patches
from reelmend.simulate.recipe import Recipe, load_recipe
from reelmend.simulate.simulation import Simulation

QUARTER = 0.25
"""Of a defect's pixels must be found for it to count as found."""


@dataclass
class Tally:
    """Of one kind of damage."""

    seen: int = 0
    found: int = 0
    pixels: int = 0
    found_pixels: int = 0


@dataclass(frozen=True)
class Truth:
    """One frame's."""

    mask: Mask
    defects: list[tuple[str, Mask]]
    """Kind and pixels of those that can be seen."""


def damage(folder: Path, recipe: Recipe, out: Path) -> list[Truth]:
    """Damages a clip's undamaged film into `out`; what is where."""
    truths, planes = [], []
    with open_reel(folder / "clean.mkv") as reel:
        simulation = Simulation.like(recipe, 1, reel.facts)
        height, width = reel.facts.height, reel.facts.width
        for frame in reel.frames():
            made = simulation.frame(frame)
            moved = np.abs(luma8(made.frame).astype(np.int16) - luma8(made.clean))
            defects = []
            for defect, patch in patches(simulation.defects(frame.index), height, width, frame.index):
                own = lay([patch], height, width).truth
                if own.any() and moved[own].mean() >= SEEN:
                    defects.append((defect.kind, own))
            truths.append(Truth(made.truth, defects))
            planes.append(made.frame.planes)
        kind = "gray" if len(planes[0]) == 1 else ("yuv420p" if reel.facts.layout.sub_x else "yuv444p")
    write_ffv1(out, planes, kind, Fraction(24))
    return truths


def table(known: dict[str, Detector], clips: list[Path], recipe: Recipe) -> str:
    """Markdown, one row for each detector and kind."""
    counts: dict[tuple[str, str], Tally] = defaultdict(Tally)
    right: dict[str, int] = defaultdict(int)
    taken: dict[str, int] = defaultdict(int)
    with TemporaryDirectory() as folder:
        for clip in clips:
            film = Path(folder) / f"{clip.name}.mkv"
            truths = damage(clip, recipe, film)
            for name, detector in known.items():
                for found, truth in zip(detections(detector, film), truths, strict=True):
                    right[name] += int((found.mask & truth.mask).sum())
                    taken[name] += int(found.mask.sum())
                    for kind, own in truth.defects:
                        tally, covered = counts[kind, name], int(found.mask[own].sum())
                        tally.seen += 1
                        tally.found += covered >= QUARTER * own.sum()
                        tally.pixels += int(own.sum())
                        tally.found_pixels += covered
    lines = ["| kind | detector | seen | found, % | pixels found, % |", "| --- " * 5 + "|"]
    for (kind, name), tally in sorted(counts.items()):
        share, area = 100 * tally.found / tally.seen, 100 * tally.found_pixels / tally.pixels
        lines.append(f"| {kind} | {name} | {tally.seen} | {share:.0f} | {area:.0f} |")
    for name in known:
        lines.append(f"| precision | {name} | - | {100 * right[name] / max(taken[name], 1):.0f} | - |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    detectors.add_arguments(parser, default=("fast",))
    parser.add_argument("--recipe", nargs="+", default=["standard", "scratched"])
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    clips = built(options.out, options.split)
    known = dict(detectors.chosen(options))
    for name in options.recipe:
        # The films have their grain already.
        recipe = load_recipe(name).model_copy(update={"grain": None})
        print(f"\n{name}\n{table(known, clips, recipe)}", flush=True)


if __name__ == "__main__":
    main()
