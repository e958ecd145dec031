"""Scans simulated for the realism report, each from a fit that never saw the real scan it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.fit.fit import BLOBS, fit_statistics
from reelmend.simulate.fit.outlined import outlined
from reelmend.simulate.kinds.blob import blob_model
from reelmend.simulate.kinds.fibre import FibreModel
from reelmend.simulate.outlines import KINDS as ANNOTATED
from reelmend.simulate.outlines import SCAN_SIZE, Outline, annotation_unit, read_placed
from reelmend.simulate.outlines import Kind as AnnotatedKind
from reelmend.simulate.space import SQUARE_MICROMETRES, sample_places, sample_reel_factor
from reelmend.simulate.statistics import Statistics

Floats = NDArray[np.float64]

LAYOUTS = 6
"""Simulated layouts for each scan: places are cheap, and cells are few."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One kind of damage on one scan, and what was simulated in its place."""

    name: str
    real: list[Outline]
    simulated: list[Outline]
    """As many, annotated the same way."""
    places: Floats
    """Of the real ones, `(n, 2)`, micrometres."""
    drawn: list[Floats]
    """Simulated layouts of a scan as dirty as the fit says scans are."""
    drawn_alike: list[Floats]
    """Simulated layouts of a scan with as many defects as the real one, on average."""


def simulate_scans(annotations: Sequence[Path], seed: int, jobs: int) -> dict[str, list[Scan]]:
    """Every scan by kind, each simulated from a fit to all others. The same arguments give the same scans.

    `jobs` processes share the work.
    """
    paths = sorted((Path(path) for path in annotations), key=lambda path: path.stem)
    tasks = [(paths, number, seed) for number in range(len(paths))]
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            done = list(pool.map(_one_scan, tasks))
    else:
        done = [_one_scan(task) for task in tasks]
    return {kind: [scan[kind] for scan in done if kind in scan] for kind in ANNOTATED}


def simulate_outline(statistics: Statistics, kind: AnnotatedKind, rng: np.random.Generator, unit: float) -> Outline:
    """A shape of the kind, outlined as the annotators would have on a grid of `unit` micrometres."""
    if kind in BLOBS:
        return blob_model(statistics.kinds[kind]).sample(rng, kind, unit)
    # The model itself, not the kind: a kind turns scratches as film runs in a camera, the scans lie as they lie.
    return outlined(statistics.kinds[kind].built(FibreModel).sample(rng), rng, kind, unit)


def _one_scan(task: tuple[Sequence[Path], int, int]) -> dict[str, Scan]:
    import cv2

    cv2.setNumThreads(1)
    paths, number, seed = task
    path = paths[number]
    statistics = fit_statistics(paths, leave_out=(path.stem,))
    placed = read_placed(path)
    unit = annotation_unit(path)
    scans: dict[str, Scan] = {}
    for index, kind in enumerate(ANNOTATED):
        if kind not in statistics.kinds:
            continue
        rng = np.random.default_rng([seed, number, index])
        own = [one for one in placed if one.outline.kind == kind]
        expected = statistics.kinds[kind].count.per_mm2 * SCAN_SIZE[0] * SCAN_SIZE[1] / SQUARE_MICROMETRES
        alike = len(own) / expected
        scans[kind] = Scan(
            name=path.stem,
            real=[one.outline for one in own],
            simulated=[simulate_outline(statistics, kind, rng, unit) for _ in own],
            places=np.array([(one.x, one.y) for one in own], dtype=np.float64).reshape(-1, 2),
            drawn=[
                sample_places(rng, statistics, kind, *SCAN_SIZE, reel_factor=sample_reel_factor(rng, statistics, kind))
                for _ in range(LAYOUTS)
            ],
            drawn_alike=[sample_places(rng, statistics, kind, *SCAN_SIZE, reel_factor=alike) for _ in range(LAYOUTS)],
        )
    return scans
