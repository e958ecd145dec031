"""Large scans: shrunken windows, and what both looks found as one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from footage import pan
from reelmend.detect.learned import LearnedDetector
from reelmend.detect.promise import Blob, Detection
from reelmend.detect.scales import enlarged, joined, shrunken
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import Window, windows
from reelmend.runtime import Network
from small_networks import network


def look(height: int, width: int) -> list[Window]:
    with ThreadPoolExecutor(2) as pool:
        pictures = map(picture, pan(5, height, width, speed=(4.0, 0.0), grain=2.0))
        return [future.result() for _, future in windows(shots(pictures), pool)]


def found(mask: np.ndarray, probability: float, polarity: str = "dark") -> Detection:
    count, _, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    blobs = tuple(Blob(*centres[n], int(stats[n, 4]), probability, polarity) for n in range(1, count))
    return Detection(np.where(mask, np.float32(probability), np.float32(0)), mask, blobs)


def test_a_window_as_small_as_its_motion() -> None:
    window = look(80, 1900)[2]
    damage = np.zeros((80, 1900), np.bool_)
    damage[40, 1000] = True
    window = replace(window, before=(replace(window.before[0], damage=damage), *window.before[1:]))
    small = shrunken(window)
    assert small is not None and small.centre.luma.shape == (40, 950) and small.centre.factor == 1
    assert small.centre.luma is window.centre.small and small.after[0].flow is window.after[0].flow
    known = small.before[0].damage
    assert known is not None and np.argwhere(known).tolist() == [[20, 500]]
    assert shrunken(look(80, 1000)[2]) is None


def test_what_one_look_found_is_added_and_outlines_stand() -> None:
    fine_mask, coarse_mask = np.zeros((40, 80), np.bool_), np.zeros((20, 40), np.bool_)
    fine_mask[10:14, 10:14] = True
    coarse_mask[5:8, 5:7] = True
    coarse_mask[10:16, 20:30] = True
    both = joined(found(fine_mask, 0.9, "bright"), found(coarse_mask, 0.7))
    # The first was found in the scan too: its outline is the scan's. The other is new.
    np.testing.assert_array_equal(both.mask[:20, :20], fine_mask[:20, :20])
    assert both.mask[20:32, 40:60].mean() > 0.9 and both.mask.sum() < 16 + 12 * 20 + 10
    first, second = both.blobs
    assert (first.area, first.polarity, first.probability) == (16, "bright", np.float32(0.9))
    assert (second.polarity, second.probability) == ("dark", np.float32(0.7))
    assert abs(second.x - 49.5) < 1 and abs(second.y - 25.5) < 1
    assert (both.damage[both.mask] > 0).all() and (both.damage >= found(fine_mask, 0.9).damage).all()
    nothing = found(np.zeros((20, 40), np.bool_), 0.7)
    alone = found(fine_mask, 0.9)
    assert joined(alone, nothing) is alone


def test_an_opinion_on_the_scans_own_pixels() -> None:
    damage = np.zeros((3, 4), np.float32)
    damage[1, 2] = 0.8
    whole, places = enlarged(damage, np.array([6]), (6, 8))
    assert (whole[2:4, 4:6] == np.float32(0.8)).all() and np.count_nonzero(whole) == 4
    assert places.tolist() == [20, 21, 28, 29]
    same, here = enlarged(damage, np.array([6]), (3, 4))
    assert same is damage and here.tolist() == [6]


def test_what_only_shows_in_the_shrunken_picture_is_found() -> None:
    @dataclass
    class SmallOnly:
        """An engine that knows damage only in small pictures."""

        name: str = "small"

        def run(self, stacks: np.ndarray) -> np.ndarray:
            made = np.zeros((len(stacks), 1, *stacks.shape[2:]), np.float32)
            if stacks.shape[-1] < 1000:
                made[..., 15:25, 400:420] = 0.9
            return made

    for options, least in (({}, 700), ({"max_blob": 300}, 0)):
        detector = LearnedDetector("small", network=Network(network(5).card, SmallOnly()), **options)  # type: ignore[arg-type]
        done = detector.decide(detector.look(look(80, 1900)[2]), ())
        assert done.mask.sum() >= least and done.mask.sum() <= least * 1.3
        assert done.damage.shape == (80, 1900) and len(done.blobs) == (least > 0)
