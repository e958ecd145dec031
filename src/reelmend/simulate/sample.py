"""The demo reel: the bundled clean clip with the grain of 16 mm film and damage that is known to the pixel.

    python -m reelmend.simulate.sample demo/sample

Shapes are procedural, so nobody's annotations ship, and everything random comes from `SEED`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reelmend.errors import ReelMendError, UsageError
from reelmend.media import open_mask_writer, open_reel, open_writer
from reelmend.simulate.damage import damage_frame
from reelmend.simulate.grain import grain_frame, grain_of
from reelmend.simulate.pool import PoolRecipe, draw, sample_defects
from reelmend.simulate.procedural import sample_outlines

SEED = 1895
"""The year of the first film show."""

BUNDLED = Path(__file__).resolve().parents[3] / "samples" / "juggle.mp4"
"""The clip in the project's checkout; it does not travel in the installed package."""

GAUGE = "16mm"
RECIPE = PoolRecipe(gauge=GAUGE, bright=0.6, area=(0.004, 0.012))
POOL = 600
"""Shapes to pick from: as many as a reel of this length shows without seeing one too often."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The files of a built sample."""

    clean: Path
    """Grainy film without damage: what restoration should come to."""
    damaged: Path
    masks: Path
    """Film of masks, gray, 255 = damaged."""


def build_sample(folder: Path, source: Path = BUNDLED, seed: int = SEED) -> Sample:
    """Write `clean.mkv`, `damaged.mkv` and `masks.mkv` into a folder, over what is there.

    `source` is any clean film with integer samples. The same source and seed give identical files. Raises
    UsageError when the source is missing.
    """
    if not source.exists():
        raise UsageError(f"{source} does not exist; run from a checkout of the project, or name a clean film")
    folder.mkdir(parents=True, exist_ok=True)
    sample = Sample(folder / "clean.mkv", folder / "damaged.mkv", folder / "masks.mkv")
    shape_rng, grain_rng, damage_rng = np.random.default_rng(seed).spawn(3)
    shapes = sample_outlines(shape_rng, POOL)
    with ExitStack() as stack:
        reel = stack.enter_context(open_reel(source))
        # Like the source in size, rate and tags; not in its codec, its sound or its name.
        facts = replace(reel.facts, streams=(), metadata={}, notes=())
        size, full = (facts.height, facts.width), facts.colour.range == "full"
        grain = grain_of(GAUGE, facts.width)
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        films = [
            stack.enter_context(open_writer(path, facts, source=None, work=work / path.stem, overwrite=True))
            for path in (sample.clean, sample.damaged)
        ]
        masks = open_mask_writer(sample.masks, *size, rate=facts.rate, work=work / "masks", overwrite=True)
        stack.enter_context(masks)
        for frame in reel.frames():
            clean = grain_frame(frame, grain, grain_rng, full_range=full)
            damage = draw(sample_defects(damage_rng, shapes, *size, RECIPE), *size)
            films[0].write(clean)
            films[1].write(damage_frame(clean, damage, full_range=full))
            masks.write(damage.truth)
        for writer in films:
            writer.finish()
        masks.finish()
    return sample


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the demo reel: grain and known damage over a clean film.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", type=Path, default=BUNDLED, help="a clean film (default: the bundled clip)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    try:
        sample = build_sample(options.folder, options.source, options.seed)
    except ReelMendError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    for path in (sample.clean, sample.damaged, sample.masks):
        print(path)


if __name__ == "__main__":
    main()
