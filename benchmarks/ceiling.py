"""What could be found at all: detection that is told the undamaged picture, on the evaluation clips.

    python -m benchmarks.ceiling [NAME_OR_CARD ...] [--split test]

Two who know what no detector knows. A threshold on the difference from the picture before it was damaged and given
grain, blurred a little, with a share of the largest difference near by; all three chosen on each clip's own truth. And
networks whose four neighbours are that same picture, with grain of their own: motion that is followed perfectly, and
nothing hidden. What these miss, damage fainter than grain and the rims of what is soft, better motion cannot bring
either. Dice, means over clips.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import CLIPS, LAYOUTS, ClipRecipe, built, clean_pictures, data_folder, exposed, truth_of
from benchmarks.detection import lumas
from reelmend.detect.learned import FRINGE
from reelmend.evaluate.masks import Counts, count
from reelmend.film import Frame
from reelmend.motion.luma import luma8
from reelmend.runtime import load_network
from reelmend.simulate.grain import grain_of

Floats = NDArray[np.float32]

BLURS = (0.0, 0.5, 0.8)
"""Pixels: standard deviations."""

LEVELS = range(2, 24, 2)
"""8-bit codes."""

SHARES, NEAR = (0.0, 0.1, 0.2, 0.3, 0.4), np.ones((7, 7), np.uint8)


def pictures(recipe: ClipRecipe, data: Path, grains: int) -> Iterator[tuple[Floats, list[Floats]]]:
    """Of every frame the luma `(h, w)`, 0..1, before damage and grain, and as often with grain of its own."""
    grain, rng = grain_of(recipe.gauge, recipe.size[0]), np.random.default_rng(recipe.seed + 1)
    for index, rgb in enumerate(clean_pictures(recipe, data)):
        made = []
        for one in (None, *[grain] * grains):
            planes = exposed(rgb, recipe.pixel_format, one, rng)
            made.append(luma8(Frame(index, planes, LAYOUTS[recipe.pixel_format])).astype(np.float32) / 255)
        yield made[0], made[1:]


def thresholded(damaged: Floats, bare: Floats, truth: NDArray[np.bool_]) -> float:
    """The best Dice that thresholds on the difference reach on a clip; arrays `(n, h, w)`, 8-bit codes."""
    best = 0.0
    for blur in BLURS:
        apart = np.abs([cv2.GaussianBlur(one, (0, 0), blur) if blur else one for one in damaged - bare])
        most = np.array([cv2.dilate(one, NEAR) for one in apart])
        for level, share in product(LEVELS, SHARES):
            best = max(best, count(apart > np.maximum(level, share * most), truth).dice or 0.0)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["fast", "best"])
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    options = parser.parse_args()
    networks = {name: load_network(name, "cpu", 2, precision=None) for name in options.names}
    scores: dict[str, list[float]] = {"thresholds": [], **{name: [] for name in networks}}
    recipes = [recipe for recipe in CLIPS if recipe.split == options.split]
    for recipe, clip in zip(recipes, built(options.out, options.split, options.data), strict=True):
        damaged = [one.astype(np.float32) for one in lumas(clip / "damaged.mkv")]
        truth = truth_of(clip)
        bare, tallies = [], {name: Counts() for name in networks}
        for scan, true, (picture, grainy) in zip(damaged, truth, pictures(recipe, options.data, 4), strict=True):
            bare.append(picture * 255)
            stack = np.stack([scan / 255, *grainy]).astype(np.float32)
            for name, network in networks.items():
                mask = network.damage(stack) >= FRINGE * network.card.operating_points.standard
                tallies[name] += count(mask, true)
        scores["thresholds"].append(thresholded(np.array(damaged), np.array(bare), np.array(truth)))
        for name, tally in tallies.items():
            scores[name].append(tally.dice or 0.0)
        print(recipe.name, {name: round(values[-1], 3) for name, values in scores.items()}, flush=True)
    print("mean", {name: round(float(np.mean(values)), 3) for name, values in scores.items()})


if __name__ == "__main__":
    main()
