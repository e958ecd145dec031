"""Fits how much a network's opinion of a pixel counts beside the classical detector's: `reelmend.detect.opinions`.

    python -m benchmarks.opinions [NAME_OR_CARD] [--split dev]

Logistic regression on the log odds of both, of the damaged pixels of the evaluation clips, apart for pixels that the
classical detector has as candidates and for others of which the network is not sure that they are clean.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.clips import built, data_folder, truth_of
from benchmarks.detection import windows_of
from reelmend.detect.learned import learned
from reelmend.detect.opinions import CERTAIN, THEY_CERTAIN
from reelmend.detect.spike import SpikeDetector

CLEAN = 0.02
"""The network is sure that a pixel is clean below this probability."""


def opinions(folder: Path, name: str) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of every frame of a clip: both probabilities, where there are candidates, and the truth."""
    own, classical = learned(name, threads=2, still=None, second=False), SpikeDetector("strong")
    windows = list(windows_of(folder / "damaged.mkv"))
    seen = [classical.look(window) for window in windows]
    truths = truth_of(folder)
    for window, evidence, truth in zip(windows, seen, truths, strict=True):
        others = tuple(seen[n] if 0 <= n < len(seen) else None for n in classical.needs(evidence))
        candidates = np.zeros(truth.size, bool)
        candidates[evidence.where] = evidence.pair is not None
        theirs = classical.decide(evidence, others).damage
        yield own.look(window).damage, theirs, candidates.reshape(truth.shape), truth


def log_odds(probability: np.ndarray, certain: float = CERTAIN) -> np.ndarray:
    sure = np.clip(probability.astype(np.float64), certain, 1 - certain)
    return np.asarray(np.log(sure / (1 - sure)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="fast")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    options = parser.parse_args()
    clips = built(options.out, options.split, options.data)
    cv2.setNumThreads(1)
    shared, alone = ([], []), ([], [])  # type: ignore[var-annotated]
    for clip in clips:
        for own, theirs, candidates, truth in opinions(clip, options.name):
            shared[0].append(np.stack([log_odds(own[candidates]), log_odds(theirs[candidates], THEY_CERTAIN)], axis=1))
            shared[1].append(truth[candidates])
            open_ = ~candidates & (own > CLEAN)
            alone[0].append(log_odds(own[open_])[:, None])
            alone[1].append(truth[open_])
    for what, (given, truth_) in (("where both have an opinion", shared), ("where one has", alone)):
        fit = LogisticRegression(max_iter=300).fit(np.concatenate(given), np.concatenate(truth_))
        print(what, *(f"{one:.3f}" for one in (*fit.coef_[0], fit.intercept_[0])), f"of {sum(map(len, truth_))} pixels")


if __name__ == "__main__":
    main()
