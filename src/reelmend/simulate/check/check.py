"""The realism report: what `reelmend simulate check` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.simulate.check.classifier import Judgement, judge
from reelmend.simulate.check.simulated import Scan, simulate_scans
from reelmend.simulate.check.tests import Comparison, cell_counts, compare, nearest
from reelmend.simulate.fit.measure import measure_all
from reelmend.simulate.outlines import KINDS as ANNOTATED
from reelmend.simulate.outlines import SCAN_SIZE, Outline

Floats = NDArray[np.float64]

SHAPE = ("area", "length", "width", "elongation", "roughness", "orientation")
"""Statistics of a shape that are compared; `fit.measure.Measures` says what they are."""

FEWEST = 16
"""Shapes of a kind on all scans together for a classifier to be trained."""


@dataclass(frozen=True, slots=True)
class KindCheck:
    """How one kind of damage fared."""

    kind: str
    comparisons: tuple[Comparison, ...]
    judgement: Judgement | None
    """None where there are too few shapes, or only one scan has them."""
    counts: tuple[tuple[str, int, float, float], ...]
    """By scan: its name, its real number of defects, and the 5 and 95 % of the numbers simulated without it."""
    samples: dict[str, tuple[Floats, Floats]]
    """The real and the simulated values of every statistic compared."""
    real: tuple[Outline, ...]
    simulated: tuple[Outline, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of `check`."""

    kinds: tuple[KindCheck, ...]
    scans: tuple[str, ...]
    seed: int
    report: Path
    """The page, self-contained."""
    numbers: Path
    """The same numbers as JSON."""
    table: Path
    """And as Markdown."""

    def accuracy(self, kind: str) -> float:
        """Of the better classifier, 0.5 = it cannot tell. Raises KeyError where none was trained."""
        for one in self.kinds:
            if one.kind == kind and one.judgement is not None:
                return one.judgement.best.value
        raise KeyError(kind)


def check(annotations: Sequence[Path], out: Path, *, seed: int = 0, jobs: int = 2) -> CheckResult:
    """Compares simulated damage with annotated scans, leaving one scan out of the fit at a time.

    Writes `index.html`, `check.json` and `check.md` into the folder `out`, which is made where it is missing. The
    same annotations and seed give the same numbers. Raises UsageError for fewer than three annotation files, for
    files that are not annotations, and when `out` cannot be written.
    """
    from reelmend.simulate.check.report import write_report

    paths = [Path(path) for path in annotations]
    if len(paths) < 3:
        raise UsageError(
            f"the check leaves one scan out of the fit and tests on it, so it needs three annotation files at least; "
            f"there {'is' if len(paths) == 1 else 'are'} {len(paths)}"
        )
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: cannot be made a folder ({error.strerror}); choose another place") from error
    found = simulate_scans(paths, seed, jobs)
    kinds = tuple(check_kind(kind, found[kind], seed) for kind in ANNOTATED if any(scan.real for scan in found[kind]))
    return write_report(kinds, tuple(sorted(path.stem for path in paths)), seed, out)


def check_kind(kind: str, scans: Sequence[Scan], seed: int) -> KindCheck:
    """All comparisons of one kind, and its classifiers."""
    with_shapes = [scan for scan in scans if scan.real]
    real, simulated = (
        {scan.name: measure_all(getattr(scan, side)) for scan in with_shapes} for side in ("real", "simulated")
    )
    values: dict[str, tuple[dict[str, Floats], dict[str, Floats]]] = {
        name: tuple({scan: measures[name] for scan, measures in side.items()} for side in (real, simulated))  # type: ignore[misc]
        for name in SHAPE
    }
    values["count per cell"] = (
        {scan.name: cell_counts(scan.places, *SCAN_SIZE) for scan in scans},
        {scan.name: _cells(scan.drawn) for scan in scans},
    )
    values["count per cell, given the scan's number"] = (
        values["count per cell"][0],
        {scan.name: _cells(scan.drawn_alike) for scan in scans},
    )
    values["nearest neighbour distance, given the scan's number"] = (
        {scan.name: nearest(scan.places) for scan in scans},
        {scan.name: np.concatenate([nearest(places) for places in scan.drawn_alike]) for scan in scans},
    )
    comparisons = [compare(name, *sides) for name, sides in values.items()]
    shapes = [
        (scan.name, one, other) for scan in with_shapes for one, other in zip(scan.real, scan.simulated, strict=True)
    ]
    judgement = None
    if len(shapes) >= FEWEST and len(with_shapes) > 1:
        judgement = judge(
            kind, [one for _, one, _ in shapes], [other for *_, other in shapes], [name for name, *_ in shapes], seed
        )
    return KindCheck(
        kind=kind,
        comparisons=tuple(found for found in comparisons if found is not None),
        judgement=judgement,
        counts=tuple(
            (scan.name, len(scan.real), *np.quantile([len(places) for places in scan.drawn], [0.05, 0.95]).tolist())
            for scan in scans
        ),
        samples={name: (_all(sides[0]), _all(sides[1])) for name, sides in values.items()},
        real=tuple(one for _, one, _ in shapes),
        simulated=tuple(other for *_, other in shapes),
    )


def _cells(layouts: Sequence[Floats]) -> Floats:
    return np.concatenate([cell_counts(places, *SCAN_SIZE) for places in layouts])


def _all(values: dict[str, Floats]) -> Floats:
    return np.concatenate(list(values.values()))
