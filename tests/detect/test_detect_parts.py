from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from reelmend.detect.features import FEATURES
from reelmend.detect.light import noise_by_brightness
from reelmend.detect.refine import Limits, refine
from reelmend.detect.trees import load_trees


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.sampled_from([0, 0.3, 0.6, 0.9])
    ),
    st.integers(1, 6),
    st.integers(1, 40),
)
def test_refine_is_hysteresis_with_size_limits(damage: np.ndarray, smallest: int, more: int) -> None:
    limits = Limits(0.85, 0.5, smallest, smallest + more)
    labels, count = ndimage.label(damage >= 0.5, np.ones((3, 3)))
    expected = np.zeros(damage.shape, bool)
    for blob in range(1, count + 1):
        part = labels == blob
        if smallest <= part.sum() <= smallest + more and (damage[part] >= 0.85).any():
            expected |= part
    np.testing.assert_array_equal(refine(damage, limits), expected)


def test_refine_refuses_limits_that_contradict() -> None:
    with pytest.raises(ValueError, match="exceeds"):
        refine(np.zeros((4, 4), np.float32), Limits(0.4, 0.5, 1, 9))


@pytest.mark.parametrize("sigma", [1.5, 3.0, 8.0])
def test_noise_is_measured_through_damage(sigma: float) -> None:
    rng = np.random.default_rng(0)
    behind = np.full((360, 640), 120, np.uint8)
    centre = np.clip(np.rint(behind + sigma * rng.standard_normal(behind.shape)), 0, 255).astype(np.uint8)
    # A frame with 5 % damage: the median moves by about as much.
    centre[:18] = 250
    measured = noise_by_brightness(centre, behind)
    assert measured.shape == (256,)
    assert measured[120] == pytest.approx(sigma, rel=0.15)


def test_noise_follows_brightness() -> None:
    rng = np.random.default_rng(0)
    behind = np.repeat(np.array([40, 200], np.uint8), 320)[None].repeat(360, axis=0)
    spread = np.where(behind == 40, 2.0, 6.0)
    centre = np.clip(np.rint(behind + spread * rng.standard_normal(behind.shape)), 0, 255).astype(np.uint8)
    measured = noise_by_brightness(centre, behind)
    assert measured[40] == pytest.approx(2.0, rel=0.25)
    assert measured[200] == pytest.approx(6.0, rel=0.25)


def test_trees_walk_to_the_leaf_a_plain_loop_finds() -> None:
    with np.load(files("reelmend") / "weights" / "spike.npz") as data:  # type: ignore[arg-type]
        raw = dict(data)
    rng = np.random.default_rng(0)
    table = rng.normal(2, 3, (40, len(FEATURES))).astype(np.float32)
    expected = []
    for row in table:
        score = float(raw["base"])
        for tree in range(len(raw["feature"])):
            node = 0
            while raw["left"][tree, node] != node:
                below = row[raw["feature"][tree, node]] <= raw["threshold"][tree, node]
                node = raw["left"][tree, node] if below else raw["right"][tree, node]
            score += float(raw["value"][tree, node])
        expected.append(1 / (1 + np.exp(-score)))
    np.testing.assert_allclose(load_trees().probability(table), expected, rtol=1e-5)


def test_trees_of_no_rows() -> None:
    assert load_trees().probability(np.zeros((0, len(FEATURES)), np.float32)).shape == (0,)


@pytest.mark.parametrize("name", ["recurrence", "trail", "consistency", "disagreement", "texture"])
def test_what_speaks_against_damage_never_speaks_for_it(name: str) -> None:
    rng = np.random.default_rng(1)
    table = np.abs(rng.normal(2, 3, (60, len(FEATURES)))).astype(np.float32)
    more = table.copy()
    more[:, FEATURES.index(name)] += 2
    assert (load_trees().probability(more) <= load_trees().probability(table) + 1e-6).all()


def test_weights_are_those_of_their_card() -> None:
    folder = files("reelmend") / "weights"
    card = json.loads((folder / "spike.json").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256((folder / "spike.npz").read_bytes()).hexdigest()
    assert card["architecture"]["features"] == list(FEATURES)
    assert load_trees().count == card["architecture"]["trees"]
