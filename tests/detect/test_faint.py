"""Film of little grain is looked at twice: what contrast is raised to, and what of a second look is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from footage import pan
from reelmend.detect import faint
from reelmend.detect.agreement import Agreement
from reelmend.detect.evidence import LearnedEvidence
from reelmend.detect.learned import LearnedDetector
from reelmend.detect.promise import Blob, Detection
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows
from small_networks import network


def stack(grain: float, height: int = 96, width: int = 128) -> NDArray[np.float32]:
    """Five frames of a slope, with grain of so many codes."""
    rng = np.random.default_rng(3)
    slope = np.linspace(0.2, 0.7, width, dtype=np.float32)
    return (slope + rng.normal(0, grain / 255, (5, height, width))).astype(np.float32)


def expected(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.median(frames[1:], axis=0), np.float32)


@pytest.mark.parametrize("grain", [4.0, 8.0])
def test_film_with_grain_is_looked_at_once(grain: float) -> None:
    frames = stack(grain)
    assert faint.raised(frames, expected(frames)) is None


@pytest.mark.parametrize(("grain", "gain"), [(0.0, faint.MOST), (0.5, faint.MOST), (2.0, 3.0 / (2.0 * 1.25**0.5))])
def test_contrast_is_raised_to_known_grain(grain: float, gain: float) -> None:
    frames = stack(grain)
    frames[0, 40:43, 60:63] += 12 / 255
    found = faint.raised(frames, expected(frames))
    assert found is not None
    lifted, where = found
    assert where.all()
    assert lifted.shape == frames.shape
    assert lifted.min() >= 0
    assert lifted.max() <= 1
    before, after = (float((one[0] - one[1])[40:43, 60:63].mean()) for one in (frames, lifted))
    # The median of four frames has noise of its own, which the measure sees too.
    assert after / before == pytest.approx(gain, rel=0.08)


def test_nothing_clips_in_the_lights_and_shadows() -> None:
    for level in (0.02, 0.98):
        frames = np.full((5, 64, 64), level, np.float32)
        frames[0, 30:33, 30:33] += 0.02 if level > 0.5 else -0.02
        found = faint.raised(frames, expected(frames))
        assert found is not None
        lifted, _ = found
        assert abs(float(lifted[0, 31, 31] - lifted[1, 31, 31])) == pytest.approx(0.02 * faint.MOST, rel=0.01)


def test_frames_of_a_few_pixels_are_no_trouble() -> None:
    frames = np.full((5, 3, 5), 0.4, np.float32)
    found = faint.raised(frames, expected(frames))
    assert found is not None
    assert found[0].shape == frames.shape
    assert found[1].shape == frames.shape[1:]


def test_a_calm_sky_is_looked_at_again_and_what_moves_below_it_is_not() -> None:
    frames = np.full((5, 192, 256), 0.6, np.float32)
    frames += np.random.default_rng(2).normal(0, 1 / 255, frames.shape).astype(np.float32)
    frames[:, 64:] += np.random.default_rng(3).normal(0, 12 / 255, frames[:, 64:].shape).astype(np.float32)
    found = faint.raised(frames, expected(frames))
    assert found is not None
    lifted, where = found
    assert where[:32].all()
    assert not where[96:].any()
    # What was not raised is as it was, but for the light around it.
    before, after = (float(np.std(one[0, 112:] - one[1, 112:])) for one in (frames, lifted))
    assert after == pytest.approx(before, rel=1e-3)
    before, after = (float(np.std(one[0, :32] - one[1, :32])) for one in (frames, lifted))
    assert after == pytest.approx(before * faint.MOST, rel=0.02)


def test_where_there_is_fine_detail_contrast_stays() -> None:
    """Of grass that is followed well the differences are as small as a sky's; the eye sees no faint speck there."""
    rng = np.random.default_rng(4)
    grass = np.repeat(np.repeat(rng.uniform(0.2, 0.8, (96, 128)).astype(np.float32), 2, 0), 2, 1)
    frames = np.stack([grass] * 5) + rng.normal(0, 1 / 255, (5, 192, 256)).astype(np.float32)
    frames[0, :, 128:] += rng.normal(0, 12 / 255, (192, 128)).astype(np.float32)
    frames[0, 96:] += rng.normal(0, 12 / 255, (96, 256)).astype(np.float32)
    assert faint.raised(frames, expected(frames)) is None


def test_a_network_is_shown_no_more_than_it_needs() -> None:
    where = np.zeros((200, 300), np.bool_)
    where[90:100, 5] = where[95, 40] = True
    rows, columns = faint.box_of(where)
    assert (rows.start, rows.stop) == (90 - faint.MARGIN, 100 + faint.MARGIN)
    assert (columns.start, columns.stop) == (0, 41 + faint.MARGIN)
    inside = np.zeros_like(where)
    inside[rows, columns] = True
    assert inside[where].all()


def found(*boxes: tuple[int, int, int], note: str | None = None) -> Detection:
    """Squares: left, top, side."""
    mask = np.zeros((120, 640), np.bool_)
    for left, top, side in boxes:
        mask[top : top + side, left : left + side] = True
    blobs = tuple(Blob(left + side / 2, top + side / 2, side * side, 0.9, "dark") for left, top, side in boxes)
    return Detection(mask.astype(np.float32), mask, blobs, note)


def test_only_what_is_small_and_new_is_added() -> None:
    first, again = found((10, 10, 3)), found((9, 9, 4), (100, 50, 4), (300, 50, 6))
    both = faint.added(first, again, None)
    assert len(both.blobs) == 2
    assert both.mask[51, 101]
    assert not both.mask[52, 302]
    # The outline of what both found is that of the first look.
    np.testing.assert_array_equal(both.mask[:20, :20], first.mask[:20, :20])


def test_what_is_large_is_added_where_the_neighbours_agree() -> None:
    first, again = found((10, 10, 3)), found((100, 50, 7), (300, 50, 7))
    among, off = np.full((120, 640), 0.01, np.float32), np.full((120, 640), 0.08, np.float32)
    among[:, 250:350] = 0.05
    both = faint.added(first, again, Agreement(among, off))
    assert both.mask[52, 102]
    assert not both.mask[52, 302]


def test_a_second_look_that_gives_up_changes_nothing() -> None:
    first = found((10, 10, 3))
    assert faint.added(first, found((100, 50, 4), note="too much of it looks damaged"), None) is first


def test_a_faint_speck_is_found_on_clean_film() -> None:
    """The plain rule that stands for a network here wants 32 codes; the speck has 31 at most, and 46 when raised."""
    frames = pan(5, 180, 240, speed=(2.0, 0.0))
    plane = frames[2].planes[0].copy()
    plane[90:93, 120:123] -= 31
    frames[2] = frames[2].with_planes((plane,))
    with ThreadPoolExecutor(2) as pool:
        looked = [one.result() for _, one in windows(shots(map(picture, frames)), pool)]
    masks = {}
    for apart in (False, True):
        detector = LearnedDetector("spikes", network=network(5), apart=apart)
        seen = [detector.look(window) for window in looked]
        assert all((one.raised is not None) == apart for one in seen)
        middle = seen[2]
        masks[apart] = detector.decide(
            middle, tuple(seen[n] if 0 <= n < 5 else None for n in detector.needs(middle))
        ).mask
    assert not masks[False].any()
    assert masks[True][90:93, 120:123].all()
    assert masks[True].sum() <= 9


@pytest.mark.parametrize(("strength", "point", "taken"), [("standard", "strong", True), ("gentle", "strong", False)])
def test_the_second_look_decides_one_strength_stronger(strength: str, point: str, taken: bool) -> None:
    net = network(5)
    points = net.card.operating_points
    assert points.strong < points.standard < points.gentle
    detector = LearnedDetector("spikes", strength, network=net, apart=True)
    raised = np.zeros((180, 240), np.float32)
    raised[90:93, 120:123] = getattr(points, point) + 0.01
    nothing = np.zeros_like(raised)
    evidence = LearnedEvidence(nothing, np.zeros(raised.shape, np.bool_), net, raised=raised)
    assert detector.decide(evidence, ()).mask.any() == taken
    # A first look is not so easily convinced.
    assert not detector.decide(replace(evidence, damage=raised, raised=None), ()).mask.any()
