"""Polygons to pixels, against geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.simulate.outlines import polygon_area
from reelmend.simulate.procedural import flake
from reelmend.simulate.raster import rasterise


def test_pixels_are_covered_by_their_exact_share() -> None:
    box = np.array([(1.25, 2.5), (4.5, 2.5), (4.5, 5.0), (1.25, 5.0)])
    for polygon in (box, box[::-1]):
        np.testing.assert_allclose(rasterise(polygon, 7, 6)[3], [0, 0.75, 1, 1, 0.5, 0])
        np.testing.assert_allclose(rasterise(polygon, 7, 6)[2], [0, 0.375, 0.5, 0.5, 0.25, 0])
    triangle = np.array([(1.0, 1.0), (9.0, 1.0), (1.0, 5.0)])
    assert rasterise(triangle, 8, 12).sum() == pytest.approx(16, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**20))
def test_rasterising_keeps_the_area(seed: int) -> None:
    polygon = flake(np.random.default_rng(seed), 9.0, 0.25) + 12.3
    assert rasterise(polygon, 25, 25).sum() == pytest.approx(polygon_area(polygon), rel=0.02)
