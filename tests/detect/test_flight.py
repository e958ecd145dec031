"""What keeps its course is no dust, and where several things do it snows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from footage import Speck, damaged, pan
from reelmend.detect.flight import Flight, flight
from reelmend.detect.labels import Labels
from reelmend.detect.learned import LearnedDetector
from reelmend.detect.promise import Detection
from reelmend.detect.spike import SpikeDetector, SpikeEvidence
from reelmend.film import Frame, Mask
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import Window, windows
from small_networks import network

HEIGHT, WIDTH, COUNT = 240, 320, 7
MIDDLE = 3


def places(number: int, seed: int = 3) -> NDArray[np.intp]:
    """Places well apart."""
    rng = np.random.default_rng(seed)
    cells = rng.permutation([(x, y) for x in range(30, WIDTH - 30, 26) for y in range(50, HEIGHT - 50, 26)])[:number]
    return np.asarray(cells + rng.integers(-3, 4, cells.shape), np.intp)


def falling(number: int, speed: tuple[int, int] = (4, 9), value: float = 235.0) -> list[Speck]:
    """Flakes that sink; in the frame of the middle beside the places of dust."""
    return [
        Speck(n, int(x + 13 + speed[0] * (n - MIDDLE)), int(y + speed[1] * (n - MIDDLE)), 2.5, value)
        for n in range(COUNT)
        for x, y in places(number)
    ]


def lying(number: int, value: float = 235.0) -> list[Speck]:
    """Dust: in each frame elsewhere."""
    return [
        Speck(n, int(x), int(y), 2.5, value)
        for n in range(COUNT)
        for x, y in places(number, seed=3 if n == MIDDLE else 9 + n)
    ]


def film(specks: list[Speck]) -> tuple[list[Window], Mask]:
    frames, masks = damaged(pan(COUNT, HEIGHT, WIDTH, grain=1.5), specks)
    return windows_of(frames), masks[MIDDLE]


def windows_of(frames: list[Frame]) -> list[Window]:
    with ThreadPoolExecutor(1) as pool:
        return [window.result() for _, window in windows(shots(map(picture, frames)), pool)]


def seen(film_windows: list[Window]) -> tuple[SpikeEvidence, list[SpikeEvidence]]:
    """What the classical detector sees in the middle, and in the frames beside it."""
    spike = SpikeDetector()
    evidence = spike.look(film_windows[MIDDLE])
    return evidence, [spike.look(film_windows[n]) for n in spike.needs(evidence)]


def flown(specks: list[Speck]) -> tuple[Flight, Mask]:
    film_windows, mask = film(specks)
    evidence, beside = seen(film_windows)
    return flight(evidence, (beside[0].blobs, beside[1].blobs), mask, mask), mask


def test_what_falls_flies_and_it_snows() -> None:
    found, mask = flown(falling(12))
    assert np.count_nonzero(found.flying) > 0.7 * np.count_nonzero(mask)
    assert list(found.flakes) == [True]
    left = mask.copy()
    found.clear(Labels(left), mask)
    assert not left.any()


@pytest.mark.parametrize("number", [3, 12, 40])
def test_dust_does_not(number: int) -> None:
    found, mask = flown(lying(number))
    assert not found.flakes
    left = mask.copy()
    found.clear(Labels(left), mask)
    assert np.count_nonzero(left) > 0.95 * np.count_nonzero(mask)


def test_dirt_that_sticks_to_the_film_does_not_fly() -> None:
    """The picture pans on under it, so it stands out from its neighbours, in which it lies where it lay."""
    stuck = [Speck(n, int(x), int(y), 2.5) for n in range(COUNT) for x, y in places(12)]
    frames, masks = damaged(pan(COUNT, HEIGHT, WIDTH, speed=(14.0, 3.0), grain=1.5), stuck)
    evidence, beside = seen(windows_of(frames))
    assert evidence.blobs and evidence.blobs.count >= 6
    found = flight(evidence, (beside[0].blobs, beside[1].blobs), masks[MIDDLE], masks[MIDDLE])
    assert not found.flying.any() and not found.flakes


def test_dirt_in_snow_is_found() -> None:
    """What is dark, or far larger than a flake, is none."""
    found, mask = flown(falling(12))
    dirt, clump = np.zeros_like(mask), np.zeros_like(mask)
    dirt[6:11, 6:11], clump[HEIGHT - 30 : HEIGHT - 8, 20:50] = True, True
    left = mask | dirt | clump
    found.clear(Labels(left), mask | clump)
    np.testing.assert_array_equal(left, dirt | clump)


def test_one_bird_flies_and_makes_no_snow() -> None:
    specks = [*falling(1), *lying(12, value=20.0)]
    found, mask = flown(specks)
    bird, everything = film(falling(1))[1], mask.copy()
    assert found.flying[bird].mean() > 0.7 and not found.flakes
    found.clear(Labels(everything), np.zeros_like(mask))
    assert not everything[bird].any() and np.count_nonzero(everything) > 0.8 * np.count_nonzero(mask & ~bird)


def test_one_that_nearly_keeps_its_course_may_be_dust() -> None:
    """Not quite half-way: among several it flies, alone it does not."""

    def astray(specks: list[Speck]) -> list[Speck]:
        return [replace(one, x=one.x + 1) if one.frame == MIDDLE + 1 else one for one in specks]

    several, mask = flown(astray(falling(12)))
    assert np.count_nonzero(several.flying) > 0.5 * np.count_nonzero(mask) and several.flakes
    alone, _ = flown([*astray(falling(1)), *lying(12, value=20.0)])
    assert not alone.flying.any() and not alone.flakes


def test_a_larger_picture() -> None:
    found, mask = flown(falling(12))
    large = found.enlarged((2 * HEIGHT, 2 * WIDTH))
    np.testing.assert_array_equal(large.flying[::2, ::2], found.flying)
    assert large.flakes == {True: 4 * found.flakes[True]}
    left = np.repeat(np.repeat(mask, 2, axis=0), 2, axis=1)
    large.clear(Labels(left), left)
    assert not left.any()
    assert found.enlarged((HEIGHT, WIDTH)) is found


def decided(specks: list[Speck]) -> tuple[Detection, Mask]:
    """By a network that takes whatever is in no neighbour, asked beside the classical detector."""
    detector = LearnedDetector("spikes", network=network(5), second=SpikeDetector(), apart=True)
    film_windows, mask = film(specks)
    evidence = [detector.look(window) for window in film_windows]
    others = tuple(evidence[n] if 0 <= n < COUNT else None for n in detector.needs(evidence[MIDDLE]))
    return detector.decide(evidence[MIDDLE], others), mask


def test_detectors_leave_snow_and_take_dust() -> None:
    dust, mask = decided(lying(12))
    assert np.count_nonzero(dust.mask & mask) > 0.5 * np.count_nonzero(mask)
    snow, mask = decided(falling(12))
    assert not (snow.mask & mask).any()
