"""What every detector promises, and how they are chosen by name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from footage import Speck, damaged, pan
from reelmend.detect import DETECTORS, choose_detector, make_detector
from reelmend.errors import UsageError
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows


def test_auto_is_a_learned_one() -> None:
    assert choose_detector("auto", "cpu") == make_detector(device="cpu").name == "fast"
    assert choose_detector("auto", "cuda") == "best"
    assert choose_detector("spike", "cuda") == "spike"


def test_an_unknown_detector_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no detector wizard; known are auto, fast"):
        make_detector("wizard")


@pytest.mark.parametrize("size", [(90, 122), (90, 1500)], ids=["small", "larger than motion is computed on"])
@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_keeps_the_promise(name: str, size: tuple[int, int]) -> None:
    """The conformance suite: shapes, types, ranges, masks inside maps, and no dependence on threads or order."""
    frames, _ = damaged(pan(7, *size, grain=3), [Speck(3, 50, 50, 4, 250)])
    detector = make_detector(name)
    assert detector.name == name
    with ThreadPoolExecutor(2) as pool:
        made = [future.result() for _, future in windows(shots(map(picture, frames)), pool)]
        together = list(pool.map(detector.look, made))
    alone = {window.centre.index: detector.look(window) for window in reversed(made)}
    for index, evidence in enumerate(together):
        assert all(abs(other - index) <= 6 for other in detector.needs(evidence))
        first = detector.decide(evidence, tuple(together[other] for other in detector.needs(evidence)))
        second = detector.decide(alone[index], tuple(alone.get(other) for other in detector.needs(alone[index])))
        assert first.damage.shape == first.mask.shape == size
        assert first.damage.dtype == np.float32
        assert first.mask.dtype == np.bool_
        assert 0 <= first.damage.min() <= first.damage.max() <= 1
        assert (first.damage[first.mask] > 0).all()
        np.testing.assert_array_equal(first.damage, second.damage)
        np.testing.assert_array_equal(first.mask, second.mask)
