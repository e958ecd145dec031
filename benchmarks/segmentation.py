"""Segmentation against truth: every affinity, walk and stop beside the baselines.

python -m benchmarks.segmentation --data build/segmentation [--models scene-prior ...] [--write]

`--dataset` composed (scenes of `benchmarks.segmentation_scenes`), bsds500, coco-stuff-27 or cityscapes-27, in their
usual layouts. Constants are chosen on one split and all figures measured on the other. `--write` puts the rows into
the table of docs/segmentation.md, where methods that were not asked for keep theirs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.documents import merge
from benchmarks.segmentation_methods import Method, baselines, colour_walker, model_walker, remembered, walked
from reelmend.segment.datasets import COARSE, DATASETS, Example
from reelmend.segment.models import load_model
from reelmend.segment.run import Options
from reelmend.segment.scores import ClassScores, ScaleScores, matched_iou
from reelmend.segment.seeing import Showing

PAGE = Path(__file__).parents[1] / "docs" / "segmentation.md"
BEGIN = "<!-- table: python -m benchmarks.segmentation -->"
SPLITS = {
    "composed": ("dev", "test"), "bsds500": ("val", "test"), "coco-stuff-27": ("train2017", "val2017"),
    "cityscapes-27": ("train", "val"),
}  # fmt: skip
NAMED = ("coco-stuff-27", "cityscapes-27")
"""Data sets whose regions have classes."""


@dataclass
class Tally:
    """One method on one split."""

    scales: ScaleScores
    own: ScaleScores
    iou: list[list[float]] = field(default_factory=list)
    """Mean matched IoU by picture and scale."""
    own_iou: list[float] = field(default_factory=list)
    classes: list[ClassScores] = field(default_factory=list)
    """By scale, then of the own choice."""
    regions: list[int] = field(default_factory=list)
    seconds: float = 0.0


def methods(options: argparse.Namespace) -> Iterator[Method]:
    yield from baselines()
    walkers: list[tuple[str, Any]] = [("colour walk", remembered(colour_walker))]
    for name in options.models:
        shown = Options(showing=Showing(noise=options.noise, passes=options.passes), side=options.size)
        walkers.append((Path(name).stem, model_walker(load_model(name), shown)))
    for name, walker in walkers:
        for kind in ("attention", "features", "combined"):
            for k in options.walks:
                yield walked(name, walker, kind, options.similarity, k)  # type: ignore[arg-type]


def run(method: Method, examples: Sequence[Example], *, named: bool, lines: bool) -> Tally:
    """Score a method on pictures; `lines` with boundaries, which take longest."""
    tally = Tally(ScaleScores(list(method.scales)), ScaleScores([0.0]))
    tally.classes = [ClassScores(len(COARSE)) for _ in range(len(method.scales) + 1)] if named else []
    for example in examples:
        truths = example.truths()
        image = example.image()
        began = time.perf_counter()
        family, own = method.family(image)
        tally.seconds += (time.perf_counter() - began) / len(examples)
        tally.scales.add(family, truths, lines=lines)
        tally.iou.append([_iou(found, truths) for found in family])
        if own is not None:
            tally.own.add([own], truths, lines=lines)
            tally.own_iou.append(_iou(own, truths))
            tally.regions.append(int(own.max()) + 1)
        for scores, found in zip(tally.classes, [*family, own if own is not None else family[0]], strict=False):
            scores.add(found, truths[0])
    return tally


def _iou(found: NDArray[Any], truths: Sequence[NDArray[Any]]) -> float:
    return float(np.mean([matched_iou(found, truth) for truth in truths]))


def row(method: Method, dev: Tally, test: Tally) -> list[str]:
    """A line of the table: measured on test, its constant chosen on dev."""
    chosen = int(np.mean(dev.iou, axis=0).argmax())
    table = np.array(test.iou)
    best = test.scales.figures()
    constant = table.mean(axis=0)
    at = ScaleScores(
        [0.0], [[one[chosen]] for one in test.scales.pictures], [[one[chosen]] for one in test.scales.lines]
    )
    figures = at.figures()
    cells = [method.name, method.walk, f"{method.scales[chosen]:g}", _percent(constant[chosen])]
    cells += [_percent(np.mean(test.own_iou)) if test.own_iou else "", _percent(constant.max())]
    cells += [f"{figures[name]['data_set']:.2f}" for name in ("covering", "rand_index", "variation_of_information")]
    cells.append(f"{figures['boundary_f']['data_set']:.2f}")
    cells += [f"{best['covering'][one]:.2f}" for one in ("data_set", "picture")]
    cells += [f"{best['boundary_f'][one]:.2f}" for one in ("data_set", "picture")]
    if test.classes:
        for scores in (test.classes[chosen], test.classes[-1]):
            cells += [_percent(made[name]) for made in (scores.per_picture(), scores.per_dataset())
                      for name in ("accuracy", "miou")]  # fmt: skip
    return [*cells, f"{test.seconds:.2f}"]


HEAD = [
    "method", "k", "constant", "mIoU, constant", "mIoU, dynamic", "mIoU, best constant of these pictures", "covering",
    "Rand", "VoI", "boundary F", "covering: data set", "picture", "boundary F: data set", "picture", "s",
]  # fmt: skip
CLASSES = [
    f"{stop}: {name}" for stop in ("constant", "dynamic")
    for name in ("accuracy by picture", "mIoU by picture", "accuracy by data set", "mIoU by data set")
]  # fmt: skip


def _percent(value: Any) -> str:
    return f"{100 * float(value):.1f}"


def table(rows: Sequence[Sequence[str]], named: bool) -> str:
    head = [*HEAD[:-1], *(CLASSES if named else []), HEAD[-1]]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(one)} |" for one in rows)]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("build/segmentation"))
    parser.add_argument("--dataset", choices=tuple(DATASETS), default="composed")
    parser.add_argument("--models", nargs="*", default=[], help="models besides the walk of colours")
    parser.add_argument("--walks", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--similarity", default="cosine", choices=("cosine", "kl", "hidden"))
    parser.add_argument("--noise", type=float, default=0.5)
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--limit", type=int, default=None, help="pictures of each split")
    parser.add_argument("--only", default="", help="methods whose names hold this")
    parser.add_argument("--write", action="store_true", help="put the table into docs/segmentation.md")
    options = parser.parse_args()
    splits = [DATASETS[options.dataset](options.data, one)[: options.limit] for one in SPLITS[options.dataset]]
    named = options.dataset in NAMED
    rows = []
    for method in methods(options):
        if options.only not in method.name:
            continue
        dev, test = (run(method, one, named=named, lines=n == 1) for n, one in enumerate(splits))
        rows.append(row(method, dev, test))
        regions = f", {np.mean(test.regions):.1f} regions" if test.regions else ""
        print(" | ".join(rows[-1]) + regions, flush=True)
    if options.write:
        merge(PAGE, BEGIN, table(rows, named))


if __name__ == "__main__":
    main()
