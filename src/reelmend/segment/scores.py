"""How well regions agree with those that people drew, or that were composed: the measures of the field.

Segments without names are matched with classes by the Hungarian method, within each picture or once for all pictures
of a data set; figures of the two are not comparable. The measures of BSDS500 (Arbelaez, Maire, Fowlkes and Malik 2011)
need no names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]

IGNORED = -1
"""Label of truth that is not judged."""

TOLERANCE = 0.0075
"""Share of the diagonal within which two boundaries are one: that of the BSDS benchmark."""


def contingency(found: Labels, truth: Labels) -> NDArray[np.int64]:
    """Pixels by found and true label `(found, truth)`; those of truth that is ignored are left out.

    Raises ValueError for shapes that differ.
    """
    if found.shape != truth.shape:
        raise ValueError(f"labels of {found.shape} cannot be judged by truth of {truth.shape}")
    judged = truth != IGNORED
    one, other = found[judged].astype(np.int64), truth[judged].astype(np.int64)
    if not len(one):
        return np.zeros((1, 1), np.int64)
    shape = (int(one.max()) + 1, int(other.max()) + 1)
    return np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape)


def matched(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """The true label of every found one, so that most pixels agree, each taken once at most; -1 for those left over."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    names = np.full(len(table), -1, np.int64)
    names[rows] = columns
    return names


@dataclass(slots=True)
class ClassScores:
    """Pixel accuracy and mean IoU over the pictures of a data set."""

    classes: int
    """Classes of the data set."""
    tables: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, found: Labels, truth: Labels) -> None:
        """Count one picture; truth 0..classes - 1, or `IGNORED`."""
        table = contingency(found, truth)
        wide = np.zeros((len(table), self.classes), np.int64)
        wide[:, : table.shape[1]] = table
        self.tables.append(wide)

    def per_picture(self) -> dict[str, float]:
        """Segments named within each picture: what unsupervised methods without training report."""
        total = np.zeros((self.classes + 1, self.classes), np.int64)
        for table in self.tables:
            total += self._named(table, matched(table))
        return _ratios(total)

    def per_dataset(self) -> dict[str, float]:
        """Segments named once for all pictures: number 3 is the same class everywhere, as clustered features are."""
        rows = max(len(table) for table in self.tables)
        total = np.zeros((rows, self.classes), np.int64)
        for table in self.tables:
            total[: len(table)] += table
        return _ratios(self._named(total, matched(total)))

    def _named(self, table: NDArray[np.int64], names: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pixels by given and true class; the last row is of segments without a name."""
        out = np.zeros((self.classes + 1, self.classes), np.int64)
        np.add.at(out, names, table)
        return out


def _ratios(named: NDArray[np.int64]) -> dict[str, float]:
    hits = np.diagonal(named).astype(float)
    union = named[:-1].sum(axis=1) + named.sum(axis=0) - hits
    there = named.sum(axis=0) > 0
    return {
        "accuracy": float(hits.sum() / max(1, named.sum())),
        "miou": float((hits[there] / union[there]).mean()) if there.any() else 0.0,
    }


def matched_iou(found: Labels, truth: Labels) -> float:
    """Mean over the true regions of one picture of the IoU with the segment matched to each; 0 where none is."""
    from scipy.optimize import linear_sum_assignment

    table = contingency(found, truth).astype(float)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    iou = table / np.maximum(union, 1)
    rows, columns = linear_sum_assignment(iou, maximize=True)
    there = table.sum(axis=0) > 0
    return float(iou[rows, columns].sum() / max(1, there.sum()))


def covering(found: Labels, truth: Labels) -> float:
    """Segmentation covering of the truth: of each true region the best IoU of a segment, weighted by its size."""
    table = contingency(found, truth).astype(float)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    best = (table / np.maximum(union, 1)).max(axis=0)
    sizes = table.sum(axis=0)
    return float((best * sizes).sum() / max(1.0, sizes.sum()))


def rand_index(found: Labels, truths: Sequence[Labels]) -> float:
    """Probabilistic Rand index (Unnikrishnan et al. 2007): the share of pairs of pixels that are together, or apart,
    in both; mean over people."""
    values = []
    for truth in truths:
        table = contingency(found, truth).astype(float)
        total = table.sum()
        pairs = total * (total - 1) / 2
        both = (table * (table - 1)).sum() / 2
        one, other = ((sizes * (sizes - 1)).sum() / 2 for sizes in (table.sum(axis=1), table.sum(axis=0)))
        values.append((pairs + 2 * both - one - other) / pairs if pairs else 1.0)
    return float(np.mean(values))


def variation_of_information(found: Labels, truth: Labels) -> float:
    """H(found | truth) + H(truth | found) (Meila 2005), bits; 0 is perfect."""
    table = contingency(found, truth).astype(float)
    chances = table / max(1.0, table.sum())
    one, other = chances.sum(axis=1, keepdims=True), chances.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = chances * (np.log2(chances / one) + np.log2(chances / other))
    return float(-np.nansum(terms)) + 0.0


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Boundary pixels found and true, and how many of each are matched; adds up over pictures."""

    found: int = 0
    found_matched: int = 0
    true: int = 0
    true_matched: int = 0

    def __add__(self, other: Boundaries) -> Boundaries:
        return Boundaries(
            self.found + other.found,
            self.found_matched + other.found_matched,
            self.true + other.true,
            self.true_matched + other.true_matched,
        )

    @property
    def f_score(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is no boundary at all."""
        if not self.found and not self.true:
            return 1.0
        precision = self.found_matched / max(1, self.found)
        recall = self.true_matched / max(1, self.true)
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundaries(found: Labels, truths: Sequence[Labels], tolerance: float = TOLERANCE) -> Boundaries:
    """Boundary pixels of a segmentation against those of people, one to one within `tolerance` of the diagonal.

    As in BSDS, a found pixel is right when anybody's boundary matches it, and recall counts everybody's. Pixels are
    paired by a matching of the greatest number; the benchmark's own code takes the nearest among nearly as many.
    """
    reach = tolerance * float(np.hypot(*found.shape))
    own = np.argwhere(edges(found))
    right = np.zeros(len(own), bool)
    true = true_matched = 0
    for truth in truths:
        theirs = np.argwhere(edges(truth))
        pairs = _paired(own, theirs, reach)
        right |= pairs >= 0
        true += len(theirs)
        true_matched += int((pairs >= 0).sum())
    return Boundaries(len(own), int(right.sum()), true, true_matched)


def edges(labels: Labels) -> NDArray[np.bool_]:
    """Pixels `(h, w)` whose label differs from that to the right or below: lines one pixel wide."""
    out = np.zeros(labels.shape, bool)
    out[:-1] |= labels[:-1] != labels[1:]
    out[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return out


def _paired(one: NDArray[np.int64], other: NDArray[np.int64], reach: float) -> NDArray[np.int64]:
    """For each of `one` `(n, 2)` the number of its own of `other` `(m, 2)` within `reach`, or -1."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching
    from scipy.spatial import cKDTree

    if not len(one) or not len(other):
        return np.full(len(one), -1)
    near = cKDTree(one).query_ball_tree(cKDTree(other), reach)
    lengths = np.array([len(few) for few in near])
    places = np.concatenate([np.asarray(few, np.int64) for few in near]) if lengths.sum() else np.zeros(0, np.int64)
    start = np.concatenate([[0], np.cumsum(lengths)])
    graph = csr_array((np.ones(len(places), np.int8), places, start), shape=(len(one), len(other)))
    return np.asarray(maximum_bipartite_matching(graph, perm_type="column"), np.int64)


@dataclass(slots=True)
class ScaleScores:
    """BSDS measures of families of segmentations: the best scale for a whole data set, and for each picture.

    Scales are whatever goes from coarse to fine the same way in all pictures, such as thresholds.
    """

    scales: list[float]
    pictures: list[list[dict[str, float]]] = field(default_factory=list)
    lines: list[list[Boundaries]] = field(default_factory=list)

    def add(self, family: Sequence[Labels], truths: Sequence[Labels], *, lines: bool = True) -> None:
        """Score one picture: a segmentation for each scale against every person's."""
        if len(family) != len(self.scales):
            raise ValueError(f"{len(family)} segmentations for {len(self.scales)} scales")
        self.pictures.append([figures(found, truths) for found in family])
        self.lines.append([boundaries(found, truths) if lines else Boundaries() for found in family])

    def figures(self) -> dict[str, dict[str, float]]:
        """By measure: `data_set`, the mean at the one best scale, `picture`, the mean of each picture's best."""
        out = {}
        for name, best in (("covering", max), ("rand_index", max), ("variation_of_information", min)):
            table = np.array([[one[name] for one in family] for family in self.pictures])
            out[name] = {"data_set": float(best(table.mean(axis=0))), "picture": float(_each(table, best))}
        sums = [sum((family[n] for family in self.lines), Boundaries()) for n in range(len(self.scales))]
        chosen = [max(family, key=lambda one: one.f_score) for family in self.lines]
        out["boundary_f"] = {
            "data_set": max(one.f_score for one in sums),
            "picture": sum(chosen, Boundaries()).f_score,
        }
        return out


def figures(found: Labels, truths: Sequence[Labels]) -> dict[str, float]:
    """Covering, Rand index and variation of information of one segmentation; means over people."""
    return {
        "covering": float(np.mean([covering(found, truth) for truth in truths])),
        "rand_index": rand_index(found, truths),
        "variation_of_information": float(np.mean([variation_of_information(found, truth) for truth in truths])),
    }


def _each(table: NDArray[np.float64], best: object) -> np.float64:
    return (table.max(axis=1) if best is max else table.min(axis=1)).mean()
