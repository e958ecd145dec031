"""The figures of one restored clip against its truth, and those of many clips together.

Pictures are measured on their first plane (luma, or gray), 8-bit code values; chroma has a figure of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.video import Planes, read_planes
from reelmend.evaluate.fidelity import decibels, low_passed_error
from reelmend.evaluate.grain import GrainPair, fine_energy, flat_picture
from reelmend.evaluate.masks import BlobCounts, Counts, blob_precision, blob_recall, count, mean_of_defined
from reelmend.film import Mask
from reelmend.repair import grow

PEAK = 255.0
CHANGED = 2
"""Code values: a sample that moved by more was changed for the eye too."""

VISIBLE = 3
"""Code values: damage that moved luma by less is not to be seen, and missing it is no fault."""

ERRORS = ("inside", "inside_low_passed", "outside", "chroma_inside")


@dataclass(slots=True)
class Sums:
    """What adds up over the frames of a clip."""

    squared: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ERRORS, 0.0))
    samples: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ERRORS, 0))
    mask: Counts = field(default_factory=Counts)
    visible: Counts = field(default_factory=Counts)
    """As `mask`, with the invisible damage left out of the judgement."""
    frames: list[Counts] = field(default_factory=list)
    recalled: BlobCounts | None = None
    precise: BlobCounts | None = None
    changed: int = 0
    """Clean pixels changed, clean = outside the truth grown as the tool grows its mask."""
    clean: int = 0
    changed_strict: int = 0
    """The same outside the truth itself."""
    clean_strict: int = 0
    fine_before: float = 0.0
    fine_after: float = 0.0
    grain: GrainPair = field(default_factory=GrainPair)

    def add_error(self, name: str, squared: NDArray[Any]) -> None:
        self.squared[name] += float(squared.sum())
        self.samples[name] += squared.size


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """The three films of an evaluation clip."""

    folder: Path

    @property
    def clean(self) -> Path:
        return self.folder / "clean.mkv"

    @property
    def damaged(self) -> Path:
        return self.folder / "damaged.mkv"

    @property
    def truth(self) -> Path:
        return self.folder / "truth.mkv"


def measure(clip: ClipFiles, film: Path, masks: Path | None, grow_px: int) -> Sums:
    """Everything there is to say of a restored clip. Without `masks`, the changed pixels count as the mask.

    Raises ValueError when the film does not have the clip's frames.
    """
    sums = Sums()
    found_frames: Iterable[Planes | None] = read_planes(masks) if masks else ()
    streams = zip_longest(
        read_planes(clip.clean), read_planes(clip.damaged), read_planes(clip.truth), read_planes(film)
    )
    for index, ((clean, damaged, truth, result), found) in enumerate(_beside(streams, found_frames, masks is not None)):
        if clean is None or result is None or len(clean) != len(result) or clean[0].shape != result[0].shape:
            raise ValueError(f"{film}: frame {index} is missing or of another form than {clip.clean}")
        mask = found[0] > 127 if found is not None else _moved(result[0], damaged[0]) > CHANGED
        _add_frame(sums, clean, damaged, truth[0] > 127, result, mask, grow_px)
    return sums


def _beside(streams: Iterable[Any], masks: Iterable[Any], there: bool) -> Iterable[tuple[Any, Any]]:
    """Each frame with its mask, None where the tool gives none."""
    return zip(streams, masks, strict=True) if there else ((frame, None) for frame in streams)


def _add_frame(
    sums: Sums, clean: Planes, damaged: Planes, truth: Mask, result: Planes, mask: Mask, grow_px: int
) -> None:
    error = result[0].astype(np.float64) - clean[0]
    sums.add_error("inside", error[truth] ** 2)
    sums.add_error("outside", error[~truth] ** 2)
    sums.add_error("inside_low_passed", low_passed_error(result[0], clean[0])[truth] ** 2)
    for plane in range(1, len(clean)):
        step_y, step_x = (whole // part for whole, part in zip(truth.shape, clean[plane].shape, strict=True))
        covered = truth[::step_y, ::step_x][: clean[plane].shape[0], : clean[plane].shape[1]]
        difference = result[plane].astype(np.float64) - clean[plane]
        sums.add_error("chroma_inside", difference[covered] ** 2)
    counts = count(mask, truth)
    sums.mask += counts
    sums.frames.append(counts)
    visible = ~truth | (_moved(damaged[0], clean[0]) >= VISIBLE)
    sums.visible += count(mask, truth, visible)
    recalled, precise = blob_recall(mask, truth), blob_precision(mask, truth)
    sums.recalled = recalled if sums.recalled is None else sums.recalled + recalled
    sums.precise = precise if sums.precise is None else sums.precise + precise
    changed, outside = _moved(result[0], damaged[0]) > CHANGED, ~grow(truth, grow_px)
    sums.changed += int(np.count_nonzero(changed & outside))
    sums.clean += int(np.count_nonzero(outside))
    sums.changed_strict += int(np.count_nonzero(changed & ~truth))
    sums.clean_strict += int(np.count_nonzero(~truth))
    # A wide berth: the high-pass must not see the specks themselves.
    far = ~grow(truth, 8)
    sums.fine_before += fine_energy(damaged[0], far) or 0.0
    sums.fine_after += fine_energy(result[0], far) or 0.0
    # Damage that was left would pass for grain, inside and around: only what was found and repaired is judged.
    repaired = mask & truth
    sums.grain.add(result[0], repaired, judged=flat_picture(clean[0]) & (repaired | ~grow(truth, 2)))


def _moved(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int16]:
    return np.abs(one.astype(np.int16) - other)


def figures(sums: Sums) -> dict[str, Any]:
    """The sums as ratios and decibels; None where something is undefined."""
    squared = {name: sums.squared[name] / sums.samples[name] if sums.samples[name] else None for name in ERRORS}
    result: dict[str, Any] = {f"psnr_{name}": decibels(value, PEAK) for name, value in squared.items()}
    result |= sums.mask.figures()
    result["dice_per_frame"] = mean_of_defined([each.dice for each in sums.frames])
    result["recall_visible"] = sums.visible.recall
    result["dice_visible"] = sums.visible.dice
    result["changed_per_million"] = 1e6 * sums.changed / sums.clean
    result["changed_per_million_strict"] = 1e6 * sums.changed_strict / sums.clean_strict
    result["grain_kept_outside"] = sums.fine_after / sums.fine_before if sums.fine_before else None
    result["grain_inside_variance"] = sums.grain.variance_ratio
    result["grain_inside_spectrum_db"] = sums.grain.spectrum_distance
    if sums.recalled is not None and sums.precise is not None:
        result["blob_recall"], result["blob_precision"] = sums.recalled.share, sums.precise.share
        result["blob_recall_by_size"] = {str(size): share for size, share in sums.recalled.by_size.items()}
    return result


def together(clips: Sequence[Sums]) -> dict[str, Any]:
    """Figures of all clips pooled (`pooled`: every pixel weighs alike) and averaged (`mean`: every clip does)."""
    pool = Sums()
    for each in clips:
        for name in ERRORS:
            pool.squared[name] += each.squared[name]
            pool.samples[name] += each.samples[name]
        pool.mask += each.mask
        pool.visible += each.visible
        pool.frames += each.frames
        pool.grain.merge(each.grain)
        for name in ("changed", "clean", "changed_strict", "clean_strict", "fine_before", "fine_after"):
            setattr(pool, name, getattr(pool, name) + getattr(each, name))
        if each.recalled is not None and each.precise is not None:
            pool.recalled = each.recalled if pool.recalled is None else pool.recalled + each.recalled
            pool.precise = each.precise if pool.precise is None else pool.precise + each.precise
    pooled = figures(pool)
    single = [figures(each) for each in clips]
    names = [name for name, value in single[0].items() if not isinstance(value, dict)]
    return {"pooled": pooled, "mean": {name: mean_of_defined([each[name] for each in single]) for name in names}}
