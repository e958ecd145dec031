"""Large blotches: what is in one frame only and too large to have flown is one; limbs, balls and fast pans are none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footage import pan
from reelmend.detect import blotches, make_detector
from reelmend.detect.blotches import BlotchEvidence, Thing
from reelmend.detect.promise import Detection
from reelmend.film import Frame, Mask
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.stack import stack_of
from reelmend.motion.windows import Window, windows

HEIGHT, WIDTH = 270, 480
MIDDLE = 3
"""The frame that is damaged, of seven."""

Luma = NDArray[np.int16]


def film(
    change: Callable[[int, Luma], None] = lambda n, luma: None, speed: float = 1.0, height: int = HEIGHT,
    width: int = WIDTH,
) -> list[Frame]:  # fmt: skip
    """A calm scene, 64 to 160, in motion, with grain, each frame changed."""
    frames = []
    for n, frame in enumerate(pan(7, height, width, speed=(speed, 0.0), grain=2.0)):
        luma = (frame.planes[0].astype(np.float32) * 0.375 + 64).round().astype(np.int16)
        change(n, luma)
        frames.append(replace(frame, planes=(np.clip(luma, 0, 255).astype(np.uint8), *frame.planes[1:])))
    return frames


def disc(x: float, y: float, radius: float, height: int = HEIGHT, width: int = WIDTH) -> Mask:
    ys, xs = np.mgrid[:height, :width]
    return np.asarray(np.hypot(xs - x, ys - y) <= radius)


def once(where: Mask, codes: int) -> Callable[[int, Luma], None]:
    """A mottled blotch in the middle frame."""
    mottle = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 1, where.shape).astype(np.float32), (0, 0), 2)

    def change(n: int, luma: Luma) -> None:
        if n == MIDDLE:
            luma[where] += (codes * (1 + 0.5 * mottle / mottle.std()))[where].astype(np.int16)

    return change


def seen(frames: list[Frame]) -> list[tuple[Window, BlotchEvidence | None]]:
    with ThreadPoolExecutor(2) as pool:
        made = [future.result() for _, future in windows(shots(map(picture, frames)), pool)]
    stacks = [stack_of(window, 5) for window in made]
    return [
        (window, None if stack is None else blotches.look(window, stack))
        for window, stack in zip(made, stacks, strict=True)
    ]


def nothing(frame: Frame) -> Detection:
    luma = frame.planes[0]
    return Detection(np.zeros(luma.shape, np.float32), np.zeros(luma.shape, np.bool_), ())


def marked(
    frames: list[Frame], index: int = MIDDLE, strength: str = "standard", most: int = 1 << 30
) -> Detection:  # fmt: skip
    evidence = dict(enumerate(one for _, one in seen(frames)))
    own = evidence[index]
    assert own is not None
    others = [evidence.get(n) for n in blotches.wanted(own)]
    return blotches.added(nothing(frames[index]), own, others, strength, most)


@pytest.mark.parametrize(("codes", "polarity"), [(60, "bright"), (-50, "dark")])
def test_a_blotch_of_one_frame_is_found_as_it_lies(codes: int, polarity: str) -> None:
    where = disc(200, 130, 34)
    found = marked(film(once(where, codes)))
    (blob,) = found.blobs
    assert blob.polarity == polarity
    assert blob.probability == pytest.approx(blotches.PROBABILITY)
    assert np.hypot(blob.x - 200, blob.y - 130) < 4
    assert (found.mask & where).sum() / (found.mask | where).sum() > 0.8
    assert (found.damage[found.mask] == np.float32(blotches.PROBABILITY)).all()


def test_film_without_blotches_has_none() -> None:
    frames = film()
    for index in range(1, len(frames) - 1):
        assert not marked(frames, index, "strong").mask.any()


def test_ends_of_a_shot_say_nothing() -> None:
    evidence = [one for _, one in seen(film())]
    assert evidence[0] is None and evidence[-1] is None
    assert all(one is not None for one in evidence[1:-1])


def test_what_stays_is_none() -> None:
    def stays(n: int, luma: Luma) -> None:
        if 2 <= n <= 4:
            luma[disc(200, 130, 34)] += 60

    assert not marked(film(stays), strength="strong").mask.any()


def test_a_limb_is_none() -> None:
    def swings(n: int, luma: Luma) -> None:
        x = 60 + 34 * n
        luma[60:220, x : x + 26] = 30

    frames = film(swings)
    for index in range(1, len(frames) - 1):
        assert not marked(frames, index).mask.any()


def test_a_ball_in_flight_is_none() -> None:
    def flies(n: int, luma: Luma) -> None:
        luma[disc(50 + 55 * n, 60 + 20 * n, 13)] = 230

    frames = film(flies)
    evidence = seen(frames)[MIDDLE][1]
    assert evidence is not None
    assert evidence.blotches, "a test of nothing: it does not stand out"
    assert not marked(frames).mask.any()


def test_a_fast_pan_has_none() -> None:
    frames = film(once(disc(240, 130, 34), 60), speed=24.0)
    assert not marked(frames, strength="strong").mask.any()


def test_scans_are_looked_at_small_and_marked_large() -> None:
    height, width = 810, 1440
    where = disc(600, 390, 100, height, width)
    found = marked(film(once(where, 60), speed=3.0, height=height, width=width))
    assert found.mask.shape == (height, width)
    assert (found.mask & where).sum() / (found.mask | where).sum() > 0.8


def test_what_is_larger_than_may_be_is_left() -> None:
    frames = film(once(disc(200, 130, 34), 60))
    assert not marked(frames, most=1000).mask.any()


def test_what_others_have_outlined_keeps_their_outline() -> None:
    where = disc(200, 130, 34)
    frames = film(once(where, 60))
    evidence = seen(frames)[MIDDLE][1]
    assert evidence is not None
    for known, changes in ((disc(200, 130, 30), False), (disc(200, 130, 14), True)):
        before = replace(nothing(frames[MIDDLE]), mask=known)
        after = blotches.added(before, evidence, (), "standard", 1 << 30)
        assert np.array_equal(after.mask, known) is not changes


def test_a_gentler_strength_takes_no_more() -> None:
    frames = film(once(disc(200, 130, 34), 14), speed=2.0)
    masks = [marked(frames, strength=one).mask for one in ("gentle", "standard", "strong")]
    assert not (masks[0] & ~masks[1]).any() and not (masks[1] & ~masks[2]).any()


def test_neighbours_are_asked_only_where_there_is_something() -> None:
    calm, damaged = (seen(frames)[MIDDLE][1] for frames in (film(), film(once(disc(200, 130, 34), 60))))
    assert calm is not None and damaged is not None
    assert blotches.wanted(calm) == ()
    assert sorted(blotches.wanted(damaged)) == [1, 2, 4, 5]


places = st.floats(0, 600)
steps = st.floats(-80, 80)


@settings(deadline=None)
@given(places, places, steps, steps, st.sampled_from([(-1, 1), (1, 2), (-1, -2)]))
def test_whatever_goes_on_in_line_flies(x: float, y: float, dx: float, dy: float, at: tuple[int, int]) -> None:
    beside = {n: [Thing(x + n * dx, y + n * dy, 300)] for n in at}
    assert blotches.flies(Thing(x, y, 250), beside)
    assert not blotches.flies(Thing(x, y, 250), {at[0]: beside[at[0]]})
    assert not blotches.flies(Thing(x, y, 3000), beside)


def test_detectors_find_them_beside_what_networks_find() -> None:
    where = disc(200, 130, 34)
    frames = film(once(where, 60))
    with ThreadPoolExecutor(2) as pool:
        made = [future.result() for _, future in windows(shots(map(picture, frames)), pool)]
    detector = make_detector("fast", device="cpu")
    evidence = [detector.look(window) for window in made]
    asked = [evidence[n] if 0 <= n < len(evidence) else None for n in detector.needs(evidence[MIDDLE])]
    found = detector.decide(evidence[MIDDLE], tuple(asked))
    assert (found.mask & where).sum() / (found.mask | where).sum() > 0.75
