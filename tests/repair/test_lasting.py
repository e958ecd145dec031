"""Damage that lasts over frames: a neighbour that is damaged too is no witness of what is under it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reelmend.motion.informed import FilledFlows, informed
from reelmend.motion.windows import Window
from reelmend.pipeline.stream import Lazily
from reelmend.repair import FilledBy, SpatialRepairer, TemporalRepairer
from reelmend.repair.patches import NEIGHBOURS, cover, views

from .scenes import HEIGHT, LAYOUTS, WIDTH, frame, moving, psnr, window_of

SCRATCH = np.zeros((HEIGHT, WIDTH), np.bool_)
SCRATCH[:, 60:63] = True


def scratched(
    step: tuple[float, float], layout: str = "gray8", told: bool = True, order: tuple[int, ...] = (0, 1, 2, 3, 4)
) -> tuple[Window, list[np.ndarray]]:
    """Five frames with the same bright line, those of the scene in an order; neighbours' damage known or not."""
    rng = np.random.default_rng(4)
    # Grain: pictures that are the same to the bit would be copies, and no neighbours.
    images = [np.clip(one + rng.normal(0, 0.01, one.shape), 0, 1).astype(np.float32) for one in moving(step)]
    images = [images[n] for n in order]
    hurt = []
    for image in images:
        one = image.copy()
        one[SCRATCH] = 0.95
        hurt.append(one)
    window = window_of([frame(n, one, LAYOUTS[layout]) for n, one in enumerate(hurt)], 2)
    damage = dict.fromkeys(range(5), SCRATCH)
    return informed(window, damage, FilledFlows(Lazily())) if told else window, images


@pytest.mark.parametrize("layout", ["gray8", "yuv420p", "rgb16"])
def test_what_moves_past_a_scratch_is_recovered_from_where_it_is_not_scratched(layout: str) -> None:
    window, images = scratched((4.0, 1.0), layout)
    repair = TemporalRepairer().repair(window, SCRATCH)
    clean = frame(2, images[2], LAYOUTS[layout])
    assert psnr(repair.frame, clean, SCRATCH) > 33, "grain apart as near as can be"
    assert np.mean(repair.filled_by[SCRATCH] == FilledBy.TEMPORAL) > 0.9
    unaware, _ = scratched((4.0, 1.0), layout, told=False)
    assert psnr(TemporalRepairer().repair(unaware, SCRATCH).frame, clean, SCRATCH) < 30, "flow follows the scratch"


@pytest.mark.parametrize("layout", ["gray8", "yuv420p"])
def test_a_scratch_over_a_picture_that_stands_still_is_filled_from_beside_it(layout: str) -> None:
    window, images = scratched((0.0, 0.0), layout)
    clean = frame(2, images[2], LAYOUTS[layout])
    repair = TemporalRepairer().repair(window, SCRATCH)
    assert (repair.filled_by[SCRATCH] == FilledBy.SPATIAL).all() and repair.unsure[SCRATCH].min() == 1
    beside = psnr(SpatialRepairer().repair(window, SCRATCH).frame, clean, SCRATCH)
    assert psnr(repair.frame, clean, SCRATCH) > beside - 1
    unaware, _ = scratched((0.0, 0.0), layout, told=False)
    assert psnr(TemporalRepairer().repair(unaware, SCRATCH).frame, clean, SCRATCH) < 12, "the neighbours show it too"


@pytest.mark.parametrize("layout", ["gray8", "yuv420p"])
def test_a_neighbour_that_repeats_the_centre_with_its_scratch_is_no_witness(layout: str) -> None:
    """Drawn films hold two drawings in turn: what matches best around the damage is damaged as well."""
    window, images = scratched((4.0, 1.0), layout, order=(2, 1, 2, 3, 4))
    assert len(window.neighbours) == 4
    repair = TemporalRepairer().repair(window, SCRATCH)
    clean = frame(2, images[2], LAYOUTS[layout])
    assert psnr(repair.frame, clean, SCRATCH) > 33, "as without it"


def test_knowing_that_nothing_is_damaged_changes_nothing() -> None:
    window, _ = scratched((3.0, 1.0), told=False)
    nothing = np.zeros_like(SCRATCH)
    known = replace(window, before=tuple(replace(one, damage=nothing) for one in window.before))
    a, b = (TemporalRepairer().repair(one, SCRATCH) for one in (window, known))
    np.testing.assert_array_equal(a.frame.planes[0], b.frame.planes[0])
    np.testing.assert_array_equal(a.unsure, b.unsure)


def test_networks_are_shown_the_fill_where_a_neighbour_is_damaged() -> None:
    window, _ = scratched((0.0, 0.0))
    fill = np.full((HEIGHT, WIDTH), 0.25, np.float32)
    (group, *_) = cover(SCRATCH)
    shown = views(window, fill, SCRATCH, SCRATCH.astype(np.float32), group)
    hole = shown[:, 2] > 0
    for n in range(NEIGHBOURS, shown.shape[1]):
        np.testing.assert_array_equal(shown[:, n][hole], shown[:, 0][hole])
    unaware, _ = scratched((0.0, 0.0), told=False)
    blind = views(unaware, fill, SCRATCH, SCRATCH.astype(np.float32), group)
    assert np.abs(blind[:, NEIGHBOURS][hole] - blind[:, 0][hole]).mean() > 0.2
