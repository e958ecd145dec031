"""How many network calls a drawn repair needs, and how much neighbours should count in it: one table.

    python -m benchmarks.sampling [CARD] [--steps N ...] [--biases B ...] [--split dev] [--every 4]
        [--write docs/repair.md]

`temporal-diffusion` on the evaluation clips with true masks, all holes drawn, over every so many frames, first by
number of steps, then by bias. A step is a network call for each patch, two where bias is neither 0 nor 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2

from benchmarks.clips import built, data_folder
from benchmarks.documents import put
from benchmarks.repair import read_clip, score
from reelmend.repair.sampled import BIAS, DiffusionRepairer
from reelmend.repair.sampled import STEPS as USED
from reelmend.runtime import load_repair_network

BEGIN = "<!-- table: python -m benchmarks.sampling -->"

STEPS = (2, 3, 4, 6, 10, 20, 50)
BIASES = (0.0, 0.5, 0.8, 1.2, 1.5)


def row(steps: int, bias: float, one: dict[str, Any]) -> str:
    low = {part: values[2] for part, values in one["pooled"].items()}
    cells = [f"{steps}", f"{bias:g}", *(f"{one[key]:.1f}" for key in ("before_grain", "after_grain", "low_passed"))]
    cells += [f"{low[part]:.1f}" for part in ("agree", "fail")]
    cells += [f"{one['grain']:.2f}", f"{one['seconds_per_megapixel']:.0f}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("card", nargs="?", default="temporal-diffusion")
    parser.add_argument("--steps", nargs="*", type=int, default=STEPS, metavar="N")
    parser.add_argument("--biases", nargs="*", type=float, default=BIASES, metavar="B")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--every", type=int, default=4, metavar="N")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    found = built(options.out, options.split, options.data)
    cv2.setNumThreads(1)
    clips = [read_clip(clip, None, 2) for clip in found]
    network = load_repair_network(options.card)
    mean = load_repair_network(network.card.mean)
    headings = (
        "steps", "bias", "before grain", "after grain", "low-passed", "neighbours agree", "neighbours fail", "grain",
        "s/MP",
    )  # fmt: skip
    lines = ["| " + " | ".join(headings) + " |", "| " + " | ".join("---" for _ in headings) + " |"]
    for steps, bias in [(steps, BIAS) for steps in options.steps] + [(USED, bias) for bias in options.biases]:
        repairer = DiffusionRepairer(network, mean, steps=steps, bias=bias)
        lines.append(row(steps, bias, score(repairer, clips, options.every)))
        print(lines[-1], flush=True)
    if options.write:
        put(options.write, BEGIN, "\n".join(lines))


if __name__ == "__main__":
    main()
