"""Regions by number: nothing is invented where a person forbids it, nothing else changes, damage is counted by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.film import Layout, Mask
from reelmend.motion.windows import Window
from reelmend.repair.grow import footprint_touches
from reelmend.repair.promise import FilledBy, Repair
from reelmend.repair.regions import GuardedRepairer, Regions, parse_protect
from reelmend.repair.temporal import TemporalRepairer

from .scenes import HEIGHT, LAYOUTS, WIDTH, scene


class Inventor:
    """Fills the left half of a mask from neighbours and draws the right one."""

    name = "inventor"

    def repair(self, window: Window, mask: Mask) -> Repair:
        made = TemporalRepairer().repair(window, mask)
        drawn = mask & (np.arange(WIDTH) >= 25)
        planes = list(made.frame.planes)
        for index in range(made.frame.layout.colour_planes):
            where = footprint_touches(drawn, *made.frame.layout.subsampling(index))
            planes[index] = np.where(where, made.frame.layout.dtype.type(1), planes[index])
        origin = np.where(drawn, np.uint8(FilledBy.DIFFUSION), made.filled_by)
        return Repair(made.frame.with_planes(tuple(planes)), np.where(drawn, 0, made.unsure), origin)


@pytest.fixture
def mask() -> Mask:
    out = np.zeros((HEIGHT, WIDTH), bool)
    out[20:30, 20:30] = True
    out[40:50, 60:70] = True
    return out


@pytest.fixture
def labels() -> np.ndarray:
    """Region 3 is the left half of the frame, 700 the right one."""
    return np.where(np.arange(WIDTH) < WIDTH // 2, np.uint16(3), np.uint16(700)) * np.ones((HEIGHT, 1), np.uint16)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_in_protected_regions_nothing_is_invented_and_elsewhere_nothing_changes(
    layout: Layout, mask: Mask, labels: np.ndarray
) -> None:
    window, _ = scene(layout, mask)
    free = Inventor().repair(window, mask)
    plain = TemporalRepairer().repair(window, mask)
    made = GuardedRepairer(Inventor(), Regions(labels, frozenset({3}))).repair(window, mask)
    left = labels == 3
    assert (free.filled_by[left & mask] == FilledBy.DIFFUSION).any()
    assert (made.filled_by[left] <= FilledBy.SPATIAL).all()
    np.testing.assert_array_equal(made.filled_by[~left], free.filled_by[~left])
    np.testing.assert_array_equal(made.unsure[left], plain.unsure[left])
    for index in range(layout.colour_planes):
        touched = footprint_touches(left & (free.filled_by == FilledBy.DIFFUSION), *layout.subsampling(index))
        np.testing.assert_array_equal(made.frame.planes[index][touched], plain.frame.planes[index][touched])
        np.testing.assert_array_equal(made.frame.planes[index][~touched], free.frame.planes[index][~touched])


def test_where_nothing_is_protected_the_work_is_the_same(mask: Mask, labels: np.ndarray) -> None:
    window, _ = scene(LAYOUTS["gray8"], mask)
    made = GuardedRepairer(TemporalRepairer(), Regions(labels, frozenset({3, 700}))).repair(window, mask)
    again = TemporalRepairer().repair(window, mask)
    for one, other in zip(made.frame.planes, again.frame.planes, strict=True):
        np.testing.assert_array_equal(one, other)


def test_damage_is_counted_by_region(mask: Mask, labels: np.ndarray) -> None:
    regions = Regions(labels)
    half = HEIGHT * WIDTH / 2
    inside = int((mask & (labels == 3)).sum())
    assert regions.damage(mask) == {"3": inside / half, "700": (mask.sum() - inside) / half} | (
        {} if inside < mask.sum() else {"700": 0}
    )
    assert regions.damage(mask & (labels == 3)).keys() == {"3"}


def test_label_maps_are_read_scaled_and_checked(tmp_path: Path, labels: np.ndarray) -> None:
    path = tmp_path / "labels.png"
    cv2.imwrite(str(path), labels)
    read = Regions.read(path, frozenset({700}))
    np.testing.assert_array_equal(read.labels, labels)
    half = replace(read, labels=np.ascontiguousarray(labels[::2, ::2]))
    # Nearest: only at the border may a pixel go to the other side.
    assert np.count_nonzero(half.fitted(HEIGHT, WIDTH).labels != labels) <= HEIGHT
    assert half.fitted(HEIGHT, WIDTH).protected == {700}
    with pytest.raises(UsageError, match="another shape"):
        read.fitted(HEIGHT, WIDTH // 2)
    with pytest.raises(UsageError, match="holds no region 5"):
        Regions.read(path, frozenset({5}))
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    for wrong in (path, tmp_path / "none.png"):
        with pytest.raises(UsageError, match="no label map"):
            Regions.read(wrong)


def test_numbers_of_regions_are_listed() -> None:
    assert parse_protect("faces.png:2,5-7") == (Path("faces.png"), frozenset({2, 5, 6, 7}))
    assert parse_protect("C:/a.png:0") == (Path("C:/a.png"), frozenset({0}))
    for wrong in ("faces.png", "faces.png:", ":3", "faces.png:a", "faces.png:7-5", "faces.png:70000", "f.png:-1"):
        with pytest.raises(UsageError, match="LABELMAP:IDS"):
            parse_protect(wrong)
