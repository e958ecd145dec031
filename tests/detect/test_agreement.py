"""Whether neighbours agree decides what doubtful finds are: damage, or something that moved."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from reelmend.detect import agreement as module
from reelmend.detect.agreement import Agreement, agreement
from reelmend.detect.evidence import LearnedEvidence
from reelmend.detect.labels import Labels
from reelmend.detect.learned import FRINGE, LearnedDetector
from reelmend.detect.promise import Detection
from reelmend.film import Mask
from small_networks import network

HEIGHT, WIDTH = 120, 640
MIDDLE = (60, 320)
Places = tuple[tuple[int, int] | None, ...]


def stack_with(*places: tuple[int, int] | None, radius: int = 8) -> NDArray[np.float32]:
    """Pictures with grain and a dark disc at a place of each; None: without."""
    rng = np.random.default_rng(1)
    frames = []
    for place in places:
        one = np.full((HEIGHT, WIDTH), 0.6, np.float32)
        if place is not None:
            cv2.circle(one, place[::-1], radius, 0.4, -1)
        frames.append(one + rng.normal(0, 0.01, one.shape))
    return np.asarray(frames, np.float32)


def disc(radius: int = 8, place: tuple[int, int] = MIDDLE, scale: int = 1) -> Mask:
    mask = np.zeros((scale * HEIGHT, scale * WIDTH), np.uint8)
    cv2.circle(mask, (scale * place[1], scale * place[0]), scale * radius, 1, -1)
    return mask.astype(np.bool_)


def even(value: float) -> NDArray[np.float32]:
    return np.full((HEIGHT, WIDTH), value, np.float32)


DUST: Places = (MIDDLE, None, None, None, None)
HAND: Places = (MIDDLE, (60, 310), (61, 331), (60, 300), (62, 341))
"""It moves by ten pixels a frame: most of where it is now no neighbour shows."""


def test_neighbours_agree_about_dust() -> None:
    asked = agreement(stack_with(*DUST))
    np.testing.assert_array_equal(asked.agreed(Labels(disc())), disc())
    left = disc()
    asked.clear_disputed(Labels(left), even(0.8))
    np.testing.assert_array_equal(left, disc())


def test_neighbours_disagree_about_what_moves() -> None:
    asked = agreement(stack_with(*HAND))
    assert not asked.agreed(Labels(disc())).any()
    left = disc()
    asked.clear_disputed(Labels(left), even(0.8))
    assert not left.any()


def test_what_the_damage_map_is_sure_of_stays() -> None:
    damage = even(0.8)
    damage[MIDDLE] = module.SURE + 0.01
    left = disc()
    agreement(stack_with(*HAND)).clear_disputed(Labels(left), damage)
    np.testing.assert_array_equal(left, disc())


def test_what_is_small_stays() -> None:
    asked = agreement(stack_with(*HAND))
    for side, stays in ((3, True), (4, False)):
        left = np.zeros((HEIGHT, WIDTH), np.bool_)
        left[58 : 58 + side, 313 : 313 + side] = True
        assert (left.sum() < module.SMALL) == stays
        asked.clear_disputed(Labels(left), even(0.8))
        assert left.any() == stays


def test_each_blob_is_judged_by_itself() -> None:
    stack, speck = stack_with(*HAND), disc(8, (30, 30))
    cv2.circle(stack[0], (30, 30), 8, 0.4, -1)
    asked = agreement(stack)
    np.testing.assert_array_equal(asked.agreed(Labels(disc() | speck)), speck)
    assert not asked.agreed(Labels(np.zeros_like(speck))).any()


@pytest.mark.parametrize("places", [DUST, HAND])
def test_a_larger_picture_is_judged_alike(places: Places) -> None:
    small = agreement(stack_with(*places))
    large = small.enlarged((3 * HEIGHT, 3 * WIDTH))
    assert large.agreed(Labels(disc(scale=3))).any() == small.agreed(Labels(disc())).any() == (places is DUST)
    assert small.enlarged((HEIGHT, WIDTH)) is small


@pytest.mark.parametrize("scale", [2, 4, 6])
def test_wide_pictures_are_judged_like_others(scale: int) -> None:
    """Specks too, of which every third pixel shows nothing."""
    among, off = even(0.0), even(0.0)
    off[disc()] = 0.2
    among[:, 340:] = 0.5
    shape = (scale * HEIGHT, scale * WIDTH)
    asked = Agreement(among, off).enlarged(shape)
    speck = np.zeros(shape, np.bool_)
    speck[60 * scale + 1, 320 * scale + 1] = True
    far = disc(place=(60, 320), scale=scale)
    assert asked.agreed(Labels(speck)).any()
    assert asked.agreed(Labels(far)).any()
    among[:, 329:] = 0.5
    assert not Agreement(among, off).enlarged(shape).agreed(Labels(far)).any()


@pytest.mark.parametrize("others", [2, 3])
def test_two_neighbours_are_enough(others: int) -> None:
    assert agreement(stack_with(*DUST[: 1 + others])).agreed(Labels(disc())).any()
    assert not agreement(stack_with(*HAND[: 1 + others])).agreed(Labels(disc())).any()


def decided(probability: float, asked: Agreement | None, strength: str = "standard") -> Detection:
    """What a detector makes of a disc to which its network gives a probability."""
    detector = LearnedDetector("spikes", strength, network=network(5), apart=True)
    damage = np.where(disc(), np.float32(probability), np.float32(0))
    nothing = np.zeros(damage.shape, np.bool_)
    return detector.decide(LearnedEvidence(damage, nothing, detector.network, agreement=asked), ())


def test_what_neighbours_agree_about_is_decided_one_strength_stronger() -> None:
    points = network(5).card.operating_points
    unsure, sure = points.strong + 0.01, points.standard + 0.01
    assert unsure < points.standard
    assert sure < module.SURE
    dust, hand = agreement(stack_with(*DUST)), agreement(stack_with(*HAND))
    found = decided(unsure, dust)
    np.testing.assert_array_equal(found.mask, disc())
    assert found.blobs[0].probability == pytest.approx(unsure)
    assert not decided(unsure, None).mask.any()
    assert not decided(unsure, hand).mask.any()
    assert not decided(unsure, dust, "gentle").mask.any()
    assert decided(sure, None).mask.any()
    assert not decided(sure, hand).mask.any()


def test_outlines_are_no_wider_than_usual() -> None:
    detector = LearnedDetector("spikes", network=network(5), apart=True)
    points = detector.network.card.operating_points
    rim = FRINGE * points.strong + 0.01
    assert rim < FRINGE * points.standard
    damage = np.where(disc(11), np.float32(rim), np.float32(0))
    damage[disc(8)] = points.strong + 0.01
    evidence = LearnedEvidence(damage, np.zeros(damage.shape, np.bool_), detector.network)
    found = detector.decide(replace(evidence, agreement=agreement(stack_with(*DUST))), ())
    np.testing.assert_array_equal(found.mask, disc(8))


def test_what_is_around_counts_too() -> None:
    """What stands out beside something that moves may have moved with it."""
    stack = stack_with(MIDDLE, None, None, None, None, radius=4)
    for at, one in enumerate(stack[1:]):
        one[:, 330 + 2 * at : 333 + 2 * at] = 0.0
    asked = agreement(stack)
    assert not asked.agreed(Labels(disc(4))).any()
