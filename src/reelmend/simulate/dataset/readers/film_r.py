"""FILM-R: damaged scans and the same scans retouched by hand, as same-named files in two folders.

Nobody drew masks there: damage is where the retoucher changed the scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Mask
from reelmend.media.pattern import IMAGE_SUFFIXES
from reelmend.simulate.dataset.classes import FILM_R, Classes
from reelmend.simulate.dataset.pictures import read_picture
from reelmend.simulate.dataset.readers.promise import Labels, Pixels, Reader, Sample

_DAMAGED = ("damaged", "input", "scans", "original")
_RESTORED = ("restored", "target", "gt", "clean")

TOLERANCE = 8 / 255
"""Of full range: what two saves of one picture may differ by without anybody having retouched it. JPEG at quality 90
moves grainy pixels by up to about 6 of 255."""
_NOISE = 4.5
"""Medians of the difference that count as none, where compression or regraining is stronger than the tolerance: about
six standard deviations of Gaussian noise in three channels, of which the strongest counts."""
_CORE = 2.0
"""A retouched place has pixels that differ by this many tolerances; its rim belongs to it down to one."""
_SHIFT = 0.5
"""Pixels by which a pair may be out of register: a shift of one pixel makes every edge of the picture a difference."""
_MOST = 0.5
"""Share of a picture that may differ; above, the pair is no pair."""
_NOISIEST = 0.25
"""Of full range: noise that would hide all but the strongest damage; two different pictures come to more."""


class FilmR(Reader):
    """`path/damaged` and `path/restored` (or `FilmR.pairs(damaged, restored)`), files paired by name without suffix.

    The label map says where the two differ. Both must have one size and lie in register. `meta["restored"]` is the
    restored scan's path and `meta["tolerance"]` the difference, in shares of full range, from which a pixel counts.
    """

    name: ClassVar[str] = "film_r"
    classes: Classes = FILM_R

    def __init__(self, pairs: list[tuple[Path, Path]], tolerance: float = TOLERANCE) -> None:
        self._pairs, self._tolerance = pairs, tolerance

    @classmethod
    def open(cls, path: Path) -> Self:
        if not path.is_dir():
            raise UsageError(f"{path} is not a folder; give the folder that holds damaged/ and restored/")
        damaged, restored = _child(path, _DAMAGED), _child(path, _RESTORED)
        if damaged is None or restored is None:
            raise UsageError(f"{path} has no pair of folders damaged/ and restored/; name its two folders so")
        return cls.pairs(damaged, restored)

    @classmethod
    def pairs(cls, damaged: Path, restored: Path, tolerance: float = TOLERANCE) -> Self:
        """From any two folders. UsageError for a scan without its other half."""
        first, second = _images(damaged), _images(restored)
        for folder, other, lone in (
            (damaged, restored, sorted(first.keys() - second.keys())),
            (restored, damaged, sorted(second.keys() - first.keys())),
        ):
            if lone:
                raise UsageError(f"{lone[0]} of {folder} has no file of its name in {other}; add it or take it away")
        if not first:
            raise UsageError(f"{damaged} holds no images; give the folders of damaged and of restored scans")
        return cls([(first[name], second[name]) for name in sorted(first)], tolerance)

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[Sample]:
        for damaged, restored in self._pairs:
            one, two = read_picture(damaged), read_picture(restored)
            _check_pair(damaged, restored, one, two)
            mask, tolerance = changed(one, two, self._tolerance)
            share = float(mask.mean())
            if share > _MOST or tolerance > max(_NOISIEST, self._tolerance):
                raise UsageError(
                    f"{restored} differs from {damaged} all over the picture; pair scans of one picture, graded alike"
                )
            labels: Labels = mask.astype(np.uint8)
            meta = {"damaged": str(damaged), "restored": str(restored), "tolerance": tolerance}
            yield Sample(damaged.stem, one, labels, FILM_R, meta)


def changed(damaged: Pixels, restored: Pixels, tolerance: float = TOLERANCE) -> tuple[Mask, float]:
    """Where two pictures `(h, w, c)` differ by more than noise, `(h, w)`, and the tolerance that was used.

    Hysteresis: a place counts when some pixel of it differs by twice the tolerance, and then down to the tolerance.
    """
    one, two = unit(damaged), unit(restored)
    if one.shape[2] != two.shape[2]:
        one, two = (picture.mean(axis=2, keepdims=True) for picture in (one, two))
    difference = np.abs(one - two).max(axis=2)
    used = max(tolerance, _NOISE * float(np.median(difference)))
    number, places = cv2.connectedComponents((difference > used).astype(np.uint8), connectivity=8)
    core = np.zeros(number, dtype=bool)
    core[places[difference > _CORE * used]] = True
    core[0] = False
    return np.asarray(core[places]), used


def unit(picture: Pixels) -> NDArray[np.float32]:
    """Code values as shares of full range, 0..1."""
    return np.asarray(picture, dtype=np.float32) / np.float32(np.iinfo(picture.dtype).max)


def _check_pair(damaged: Path, restored: Path, one: Pixels, two: Pixels) -> None:
    if one.shape[:2] != two.shape[:2]:
        raise UsageError(
            f"{restored} is {two.shape[1]} x {two.shape[0]} pixels and {damaged} {one.shape[1]} x {one.shape[0]};"
            " give both at one size"
        )
    if min(one.shape[:2]) < 16:
        return
    first, second = (np.ascontiguousarray(unit(picture).mean(axis=2)) for picture in (one, two))
    (x, y), _ = cv2.phaseCorrelate(first, second, cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F))
    if max(abs(x), abs(y)) <= _SHIFT:
        return
    back = cv2.warpAffine(second, np.array([[1, 0, -x], [0, 1, -y]]), second.shape[::-1])
    # What came in at the edges says nothing.
    rim = [min(side // 3, int(abs(step)) + 2) for side, step in zip(first.shape, (y, x), strict=True)]
    inner = np.s_[rim[0] : -rim[0], rim[1] : -rim[1]]
    # A flat or wholly different pair gives any shift, and undoing it makes things worse.
    if np.abs(first - back)[inner].mean() < 0.8 * np.abs(first - second)[inner].mean():
        raise UsageError(
            f"{restored} is shifted by {x:.1f}, {y:.1f} pixels against {damaged}; bring the pair into register first"
        )


def _child(folder: Path, names: tuple[str, ...]) -> Path | None:
    children = {child.name.lower(): child for child in folder.iterdir() if child.is_dir()}
    return next((children[name] for name in names if name in children), None)


def _images(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the folders of damaged and of restored scans")
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in IMAGE_SUFFIXES]
    found: dict[str, Path] = {}
    for file in files:
        if file.stem in found:
            raise UsageError(f"{folder} holds both {found[file.stem].name} and {file.name}; keep one of them")
        found[file.stem] = file
    return found
