"""Everything that is said of found masks against true ones, gathered frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.evaluate.annotations import Annotated
from reelmend.evaluate.bootstrap import Interval, Resampling, Statistic, intervals, quotient
from reelmend.evaluate.boundary import TOLERANCE, BoundaryCounts, boundary_counts
from reelmend.evaluate.classes import ClassCounts, count_classes
from reelmend.evaluate.masks import (
    SIZE_BINS,
    BlobCounts,
    Counts,
    blob_precision,
    blob_recall,
    count,
    mean_of_defined,
)
from reelmend.film import Mask

RATIOS = ("precision", "recall", "accuracy", "dice", "iou")


@dataclass(frozen=True, slots=True)
class FrameCounts:
    """What one frame adds."""

    frame: int
    pixels: Counts
    outline: BoundaryCounts
    recalled: BlobCounts
    precise: BlobCounts

    def row(self) -> list[int]:
        """The columns that `STATISTICS` read."""
        pixels, outline = self.pixels, self.outline
        return [
            pixels.hits, pixels.false_alarms, pixels.misses, pixels.clean,
            outline.found_near, outline.found, outline.truth_near, outline.truth,
            sum(self.recalled.matched), sum(self.recalled.total),
            sum(self.precise.matched), sum(self.precise.total),
        ]  # fmt: skip

    def figures(self) -> dict[str, float | None]:
        """The frame's ratios by name."""
        return {
            **self.pixels.figures(),
            "boundary_f": self.outline.f_score,
            "blob_recall": self.recalled.share,
            "blob_precision": self.precise.share,
            "false_alarm_area": self.pixels.false_alarm_area,
        }


@dataclass(slots=True)
class Detection:
    """Gathers frames; memory grows by a few numbers a frame."""

    tolerance: float = TOLERANCE
    """Of the boundary F-score, pixels."""
    frames: list[FrameCounts] = field(default_factory=list)
    classes: dict[str, ClassCounts] | None = None
    """None as long as no defects were given."""
    uncovered: int = 0
    """True pixels that no listed defect covers."""

    def add(self, frame: int, found: Mask, truth: Mask, defects: Iterable[Annotated] | None = None) -> FrameCounts:
        """One frame: its number, two boolean masks `(h, w)`, and its defects where they are listed."""
        made = FrameCounts(
            frame,
            count(found, truth),
            boundary_counts(found, truth, self.tolerance),
            blob_recall(found, truth),
            blob_precision(found, truth),
        )
        if defects is not None:
            classes, uncovered = count_classes(found, truth, defects)
            gathered = self.classes = self.classes or {}
            for name, counts in classes.items():
                gathered[name] = gathered.get(name, ClassCounts()) + counts
            self.uncovered += uncovered
        self.frames.append(made)
        return made

    def result(self, how: Resampling | None = None) -> dict[str, Any]:
        """All figures as plain values: pooled, mean of frames, intervals, clean frames, classes, every frame."""
        how = how or Resampling()
        pixels = sum((each.pixels for each in self.frames), Counts())
        outline = sum((each.outline for each in self.frames), BoundaryCounts())
        empty = BlobCounts(SIZE_BINS, (0,) * len(SIZE_BINS), (0,) * len(SIZE_BINS))
        recalled = sum((each.recalled for each in self.frames), empty)
        precise = sum((each.precise for each in self.frames), empty)
        whole = FrameCounts(-1, pixels, outline, recalled, precise)
        clean = [each.pixels for each in self.frames if not each.pixels.hits + each.pixels.misses]
        per_frame = [each.figures() for each in self.frames]
        rows = [each.row() for each in self.frames]
        result: dict[str, Any] = {
            "frames": len(self.frames),
            "pooled": {**whole.figures(), **_counts(pixels)},
            "intervals": plain_intervals(intervals(rows, STATISTICS, how) if rows else {}),
            "bootstrap": how.to_dict(),
            "mean": {name: mean_of_defined(each[name] for each in per_frame) for name in whole.figures()},
            "boundary": {**outline.figures(), "tolerance": self.tolerance},
            "blobs": {"recall": _blobs(recalled), "precision": _blobs(precise)},
            "clean_frames": {
                "frames": len(clean),
                "false_alarm_area": sum(clean, Counts()).false_alarm_area,
            },
        }
        if self.classes is not None:
            result["classes"] = {
                name: {
                    **each.pixels.figures(),
                    "defects": each.defects,
                    "defects_found": each.found,
                    "defect_recall": each.defect_recall,
                    "pixels": each.pixels.hits + each.pixels.misses,
                }
                for name, each in sorted(self.classes.items())
            }
            result["pixels_without_class"] = self.uncovered
        result["per_frame"] = [
            {"frame": each.frame, **figures, **_counts(each.pixels)}
            for each, figures in zip(self.frames, per_frame, strict=True)
        ]
        return result


def plain_intervals(found: dict[str, Interval | None]) -> dict[str, Any]:
    """Intervals as plain values."""
    return {
        name: None if each is None else {"low": each.low, "high": each.high, "defined": each.defined}
        for name, each in found.items()
    }


def _counts(pixels: Counts) -> dict[str, int]:
    names = ("hits", "false_alarms", "misses", "clean")
    return {name: getattr(pixels, name) for name in names}


def _blobs(counts: BlobCounts) -> dict[str, Any]:
    bins = [
        {"from": edge, "found": part, "blobs": whole, "share": counts.by_size[edge]}
        for edge, part, whole in zip(counts.edges, counts.matched, counts.total, strict=True)
    ]
    return {"share": counts.share, "by_size": bins}


def _boundary_f(t: NDArray[np.float64]) -> NDArray[np.float64]:
    precision, recall = quotient(t[:, 4], t[:, 5]), quotient(t[:, 6], t[:, 7])
    # One empty mask makes 0, two make nothing, as in `BoundaryCounts.f_score`.
    both = np.nan_to_num(precision) + np.nan_to_num(recall)
    harmonic = np.divide(
        2 * np.nan_to_num(precision) * np.nan_to_num(recall), both, out=np.zeros_like(both), where=both > 0
    )
    return np.where(np.isnan(precision) & np.isnan(recall), np.nan, harmonic)


STATISTICS: dict[str, Statistic] = {
    "precision": lambda t: quotient(t[:, 0], t[:, 0] + t[:, 1]),
    "recall": lambda t: quotient(t[:, 0], t[:, 0] + t[:, 2]),
    "accuracy": lambda t: quotient(t[:, 0] + t[:, 3], t[:, :4].sum(axis=1)),
    "dice": lambda t: quotient(2 * t[:, 0], 2 * t[:, 0] + t[:, 1] + t[:, 2]),
    "iou": lambda t: quotient(t[:, 0], t[:, :3].sum(axis=1)),
    "boundary_f": _boundary_f,
    "blob_recall": lambda t: quotient(t[:, 8], t[:, 9]),
    "blob_precision": lambda t: quotient(t[:, 10], t[:, 11]),
    "false_alarm_area": lambda t: 1e6 * quotient(t[:, 1], t[:, 1] + t[:, 3]),
}
"""The pooled figures as functions of summed rows, for bootstrap intervals."""
