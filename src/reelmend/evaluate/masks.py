"""How well a mask finds the true damage, by pixels and by blobs; a ratio without a denominator is None."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from reelmend.film import Mask

FOUND_SHARE = 0.25
"""A blob counts as found when at least this share of its pixels is covered.

A quarter, because masks are grown before repair: a quarter of a speck of three pixels' radius, grown by two, covers
the speck. Fewer would let an accidental touch count; more would call specks missed that repair does remove."""

SIZE_BINS = (1, 5, 13, 41, 151)
"""Lower edges of the blob size bins, pixels: about 1 to 2, 3, 5 and 10 pixels across, and what is larger."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Pixels by what was found and what is true; counts of frames add up to the counts of a clip."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    clean: int = 0
    """Pixels rightly left alone."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.misses + other.misses,
            self.clean + other.clean,
        )

    @property
    def precision(self) -> float | None:
        """Share of the found pixels that are damaged; None when nothing was found."""
        return ratio(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float | None:
        """Share of the damaged pixels that were found; None when nothing is damaged."""
        return ratio(self.hits, self.hits + self.misses)

    @property
    def accuracy(self) -> float | None:
        """Share of all pixels that were judged rightly; None for no pixels."""
        return ratio(self.hits + self.clean, self.hits + self.clean + self.false_alarms + self.misses)

    @property
    def dice(self) -> float | None:
        """Twice the hits over found plus damaged pixels; None when nothing was found and nothing is damaged."""
        return ratio(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)

    @property
    def iou(self) -> float | None:
        """Hits over the union of found and damaged pixels; None when both are empty."""
        return ratio(self.hits, self.hits + self.false_alarms + self.misses)

    @property
    def false_alarm_area(self) -> float | None:
        """Clean pixels called damage, per million clean pixels; None when nothing is clean.

        On clean film, where nothing is damaged, this is all that a mask does: how much picture it puts at risk.
        """
        rate = ratio(self.false_alarms, self.false_alarms + self.clean)
        return None if rate is None else 1e6 * rate

    def figures(self) -> dict[str, float | None]:
        """The five ratios by name."""
        return {name: getattr(self, name) for name in ("precision", "recall", "accuracy", "dice", "iou")}


def count(found: Mask, truth: Mask, judged: Mask | None = None) -> Counts:
    """Pixel counts of a mask against the truth, both boolean and of one shape.

    Only pixels of `judged` count when it is given: the rest is neither right nor wrong. Raises ValueError when
    shapes differ or a mask is not boolean.
    """
    check(found, truth)
    if judged is not None:
        check(found, judged)
        found, truth = found[judged], truth[judged]
    hits = int(np.count_nonzero(found & truth))
    found_pixels, true_pixels = int(np.count_nonzero(found)), int(np.count_nonzero(truth))
    return Counts(hits, found_pixels - hits, true_pixels - hits, found.size - found_pixels - true_pixels + hits)


def pooled(found: Iterable[Mask], truth: Iterable[Mask]) -> Counts:
    """Counts of all frames together: frames with more damage weigh more."""
    return sum((count(one, other) for one, other in zip(found, truth, strict=True)), Counts())


def per_frame(found: Iterable[Mask], truth: Iterable[Mask]) -> dict[str, float | None]:
    """Mean of each ratio over the frames for which it is defined; None where it is for none."""
    counts = [count(one, other) for one, other in zip(found, truth, strict=True)]
    return {name: mean_of_defined([each.figures()[name] for each in counts]) for name in Counts().figures()}


def mean_of_defined(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are not None; None when there is none."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


@dataclass(frozen=True, slots=True)
class BlobCounts:
    """Blobs (8-connected components) found of those there are, in each size bin."""

    edges: tuple[int, ...]
    """Smallest size in each bin, pixels; a bin ends where the next begins, the last is open."""
    matched: tuple[int, ...]
    total: tuple[int, ...]

    def __add__(self, other: BlobCounts) -> BlobCounts:
        if self.edges != other.edges:
            raise ValueError("blob counts of different size bins cannot be added")
        return BlobCounts(
            self.edges,
            tuple(a + b for a, b in zip(self.matched, other.matched, strict=True)),
            tuple(a + b for a, b in zip(self.total, other.total, strict=True)),
        )

    @property
    def share(self) -> float | None:
        """Over all sizes; None when there are no blobs."""
        return ratio(sum(self.matched), sum(self.total))

    @property
    def by_size(self) -> dict[int, float | None]:
        """Share in each bin, by the bin's smallest size."""
        return {
            edge: ratio(part, whole) for edge, part, whole in zip(self.edges, self.matched, self.total, strict=True)
        }


def blob_recall(
    found: Mask, truth: Mask, edges: Sequence[int] = SIZE_BINS, found_share: float = FOUND_SHARE
) -> BlobCounts:
    """True blobs of which at least `found_share` of the pixels are in `found`, by the size of the true blob."""
    return _covered(truth, found, edges, found_share)


def blob_precision(
    found: Mask, truth: Mask, edges: Sequence[int] = SIZE_BINS, found_share: float = FOUND_SHARE
) -> BlobCounts:
    """Found blobs of which at least `found_share` of the pixels are damaged, by the size of the found blob."""
    return _covered(found, truth, edges, found_share)


def _covered(blobs: Mask, cover: Mask, edges: Sequence[int], share: float) -> BlobCounts:
    check(blobs, cover)
    if not edges or edges[0] > 1 or any(a >= b for a, b in itertools.pairwise(edges)):
        raise ValueError("size bins rise from 1: smaller blobs would fall out of the count")
    number, labels = cv2.connectedComponents(blobs.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel(), minlength=number)[1:]
    covered = np.bincount(labels[cover], minlength=number)[1:]
    bins = np.digitize(sizes, edges) - 1
    matched = np.bincount(bins[covered >= share * sizes], minlength=len(edges))
    total = np.bincount(bins, minlength=len(edges))
    return BlobCounts(tuple(edges), tuple(matched.tolist()), tuple(total.tolist()))


def check(mask: Mask, other: Mask) -> None:
    """Raises ValueError unless both masks are boolean and of one shape."""
    if mask.dtype != np.bool_ or other.dtype != np.bool_:
        raise ValueError(f"masks are boolean, not {mask.dtype} and {other.dtype}")
    if mask.shape != other.shape:
        raise ValueError(f"masks of {mask.shape} and {other.shape} cannot be compared")


def ratio(part: int, whole: int) -> float | None:
    """`part / whole`; None when there is no whole."""
    return part / whole if whole else None
