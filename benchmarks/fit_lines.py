"""Fits what tells line scratches from the scene's own lines: `reelmend.detect.lines`.

    python -m benchmarks.fit_lines [--split dev] [--recipe scratched]

The clips' undamaged films are damaged by a recipe of the simulator in which lines lie over many frames. Paths that run
along such a line for most of their way are scratches; those of the undamaged films, and those of the damaged ones that
run along no damage, are not. Prints the weights of a logistic regression on their features, and what it takes for
scratches on clips that it was not fitted to (one left out at a time), by strength and before neighbouring frames have
their say.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.clips import built, data_folder
from benchmarks.detection import windows_of
from benchmarks.kinds import Truth, damage
from reelmend.detect import lines
from reelmend.film import Mask
from reelmend.simulate.recipe import load_recipe

KIND = "line scratch"

BESIDE = 2
"""Pixels by which a path may miss a line."""

ALONG, NOT_ALONG = 0.5, 0.2
"""Share of its way that a path must run along a line to be one, and may to be none."""


def paths(film: Path) -> Iterator[tuple[lines.LineEvidence, list[np.ndarray]]]:
    """Of every frame: what runs down it, and the features of each path."""
    seen = [lines.look(window) for window in windows_of(film)]
    for one in seen:
        beside = [seen[n].bands for n in one.neighbours]
        with_motion = zip(one.paths, one.motion, strict=True) if beside else ()
        yield one, [lines.features(path, one.bands, beside, motion) for path, motion in with_motion]


def along(path: lines.Path, bands: lines.Bands, mask: Mask) -> float:
    """Share of a path's rows beside which a mask is."""
    shares = []
    for band, x in zip(path.bands, path.x, strict=True):
        part = mask[bands.ends[band] : bands.ends[band + 1], max(0, x - BESIDE) : x + BESIDE + 1]
        shares.append(part.any(axis=1).mean())
    return float(np.mean(shares))


def gather(folder: Path, recipe_name: str, out: Path) -> Iterator[tuple[np.ndarray, bool]]:
    """Features of a clip's paths, and whether they are scratches; what is neither clearly is left out."""
    recipe = load_recipe(recipe_name).model_copy(update={"grain": None})
    truths: list[Truth] = damage(folder, recipe, out)
    for (seen, table), truth in zip(paths(out), truths, strict=True):
        scratched = np.zeros(truth.mask.shape, bool)
        for kind, own in truth.defects:
            scratched |= own if kind == KIND else False
        for path, row in zip(seen.paths, table, strict=False):
            share = along(path, seen.bands, scratched)
            if share > ALONG or (share < NOT_ALONG and along(path, seen.bands, truth.mask) < NOT_ALONG):
                yield row, share > ALONG
    for _, table in paths(folder / "clean.mkv"):
        yield from ((row, False) for row in table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--recipe", default="scratched")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    options = parser.parse_args()
    clips = built(options.out, options.split, options.data)
    cv2.setNumThreads(1)
    rows: list[tuple[int, np.ndarray, bool]] = []
    with TemporaryDirectory() as folder:
        for number, clip in enumerate(clips):
            rows += [(number, *one) for one in gather(clip, options.recipe, Path(folder) / f"{clip.name}.mkv")]
    clip_of, table, truth = (np.array(column) for column in zip(*rows, strict=True))
    chance = np.zeros(len(truth))
    moved = table[:, lines.FEATURES.index("moved")] >= np.log(lines.MOVED + 0.1)
    for number in range(len(clips)):
        left_out = clip_of == number
        fit = make_pipeline(StandardScaler(), LogisticRegression(max_iter=800)).fit(table[~left_out], truth[~left_out])
        chance[left_out] = fit.predict_proba(table[left_out])[:, 1] * moved[left_out]
    print(f"{len(truth)} paths, {truth.sum()} of them scratches")
    for strength, least in lines.LIKELY.items():
        taken = chance >= least
        right = int((taken & truth).sum())
        print(f"{strength}: precision {right / max(1, taken.sum()):.3f}, recall {right / truth.sum():.3f}")
    scale, fit = make_pipeline(StandardScaler(), LogisticRegression(max_iter=800)).fit(table, truth)
    weights = fit.coef_[0] / scale.scale_
    for name, weight in zip(lines.FEATURES, weights, strict=True):
        print(f"{name} {weight:.3f}")
    print(f"bias {fit.intercept_[0] - weights @ scale.mean_:.3f}")


if __name__ == "__main__":
    main()
