"""All statistics of damage from annotation files: what `reelmend simulate fit` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reelmend.errors import UsageError
from reelmend.simulate.fit.blobs import fit_blobs
from reelmend.simulate.fit.counts import fit_count
from reelmend.simulate.fit.space import fit_space
from reelmend.simulate.outlines import KINDS, SCAN_SIZE, Placed, annotation_unit, read_placed
from reelmend.simulate.outlines import Kind as AnnotatedKind
from reelmend.simulate.space import SQUARE_MICROMETRES
from reelmend.simulate.statistics import KindStatistics, Statistics

BLOBS = ("dust", "dirt")
"""Kinds whose shape is a flake; the others are fibres."""

FEWEST = 8
"""Outlines from which a shape is fitted; a kind with fewer is left out."""


def fit_statistics(paths: Sequence[Path], leave_out: Sequence[str] = ()) -> Statistics:
    """Statistics of the annotated scans in `paths`, but for those whose names (without suffix) are in `leave_out`.

    The same files give the same numbers. Raises UsageError for files that are missing or are no annotations, for two
    of one name, and when nothing is left to fit.
    """
    paths = sorted((Path(path) for path in paths), key=lambda path: path.stem)
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"two annotation files are named {twice}; give each scan once")
    unknown = [name for name in leave_out if name not in names]
    if unknown:
        raise UsageError(f"{unknown[0]} is to be left out but is not among the annotations; known: {', '.join(names)}")
    scans = {path: read_placed(path) for path in paths if path.stem not in leave_out}
    kinds: dict[str, KindStatistics] = {}
    for kind in KINDS:
        found = _fit_kind(kind, scans)
        if found is not None:
            kinds[kind] = found
    if not kinds:
        raise UsageError(f"no kind of damage has {FEWEST} outlines in the annotations; give more scans")
    return Statistics(
        scans=[path.stem for path in scans],
        film_mm2=len(scans) * scan_mm2(),
        kinds=kinds,
    )


def scan_mm2() -> float:
    """Film on one annotated scan, square millimetres."""
    return SCAN_SIZE[0] * SCAN_SIZE[1] / SQUARE_MICROMETRES


def _fit_kind(kind: AnnotatedKind, scans: Mapping[Path, Sequence[Placed]]) -> KindStatistics | None:
    own = {path: [placed for placed in all_kinds if placed.outline.kind == kind] for path, all_kinds in scans.items()}
    outlines = [placed.outline for placed_on in own.values() for placed in placed_on]
    if len(outlines) < FEWEST:
        return None
    shape: Mapping[str, Any]
    if kind in BLOBS:
        units = [annotation_unit(path) for path, placed_on in own.items() for _ in placed_on]
        shape = fit_blobs(outlines, units)
    else:
        # Imported on use: fibres are fitted by themselves, too.
        from reelmend.simulate.fit.fibres import fit_fibres

        shape = fit_fibres(outlines)
    return KindStatistics(
        count=fit_count([len(placed_on) for placed_on in own.values()], [scan_mm2()] * len(own)),
        space=fit_space([np.array([(one.x, one.y) for one in placed_on]).reshape(-1, 2) for placed_on in own.values()]),
        shape=dict(shape),
    )
