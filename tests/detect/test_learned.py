"""The learned detector around a network, here a plain rule: what it is shown, what becomes of its map."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footage import Speck, damaged, pan
from reelmend.detect.learned import LARGE_AT_ENDS, LARGEST_SHARE_AT_ENDS, LOST_SHARE, LearnedDetector, learned
from reelmend.detect.promise import Detection
from reelmend.errors import UsageError
from reelmend.film import Frame
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.stack import middle_of, stack_of
from reelmend.motion.windows import Window, windows
from small_networks import network, published


def look(frames: list[Frame]) -> list[Window]:
    with ThreadPoolExecutor(2) as pool:
        return [future.result() for _, future in windows(shots(map(picture, frames)), pool)]


def detect(frames: list[Frame], still: bool = True, shown: int = 5, **options: object) -> list[Detection]:
    detector = LearnedDetector(
        "spikes",
        network=network(shown),
        still=network(1) if still and shown > 1 else None,
        **options,  # type: ignore[arg-type]
    )
    evidence = [detector.look(window) for window in look(frames)]
    assert all(detector.needs(one) == () for one in evidence)
    return [detector.decide(one, ()) for one in evidence]


def test_the_stack_is_the_centre_and_its_neighbours_on_its_pixels() -> None:
    frames = pan(5, 90, 122, speed=(3.0, 1.0))
    window = look(frames)[2]
    stack = stack_of(window, 5)
    assert stack is not None
    assert stack.shape == (5, 90, 122)
    assert stack.dtype == np.float32
    np.testing.assert_allclose(stack[0] * 255, frames[2].planes[0], atol=1e-3)
    # All show the same scene: warped onto the centre they are nearly alike, unwarped not.
    inner = np.s_[15:-15, 15:-15]
    for n, other in enumerate((1, 3, 0, 4), 1):
        warped = np.abs(stack[n] - stack[0])[inner].mean()
        assert warped < np.abs(frames[other].planes[0] / 255 - stack[0])[inner].mean() / 3
    three = stack_of(window, 3)
    assert three is not None
    np.testing.assert_array_equal(three, stack[:3])


@pytest.mark.parametrize(("apart", "kept"), [(True, False), (False, True)])
def test_what_is_large_is_left_alone_where_all_neighbours_are_on_one_side(apart: bool, kept: bool) -> None:
    """It may be coming into the picture; a detector without these rules takes it."""
    frames = pan(5, 180, 240, speed=(2.0, 0.0))
    side = 16
    assert side**2 > max(LARGEST_SHARE_AT_ENDS * 180 * 240, LARGE_AT_ENDS)
    for n, left in ((2, 40), (4, 150)):
        plane = frames[n].planes[0].copy()
        plane[80 : 80 + side, left : left + side] = 5
        plane[30:33, left : left + 3] = 5
        frames[n] = frames[n].with_planes((plane,))
    detector = LearnedDetector("spikes", network=network(5), apart=apart)
    seen = [detector.look(window) for window in look(frames)]
    masks = [
        detector.decide(one, tuple(seen[n] if 0 <= n < 5 else None for n in detector.needs(one))).mask for one in seen
    ]
    assert masks[2][88, 48]
    assert masks[4][88, 158] == kept
    assert masks[4][31, 151]


@pytest.mark.parametrize(
    ("index", "same"), [(0, (0, 1, 1, 2, 2)), (1, (0, 1, 2, 3, 3)), (5, (0, 1, 1, 2, 2)), (3, (0, 1, 2, 3, 4))]
)
def test_at_the_ends_of_a_shot_the_other_side_stands_in(index: int, same: tuple[int, ...]) -> None:
    stack = stack_of(look(pan(6, 90, 122, speed=(3.0, 1.0), grain=2.0))[index], 5)
    assert stack is not None
    for a in range(5):
        for b in range(a):
            assert np.array_equal(stack[a], stack[b]) == (same[a] == same[b]), (a, b)


@pytest.mark.parametrize("frames", [2, 3, 5])
def test_the_middle_of_a_stack_is_its_neighbours_median(frames: int) -> None:
    stack = np.random.default_rng(1).random((frames, 7, 9), np.float32)
    np.testing.assert_allclose(middle_of(stack), np.median(stack[1:], axis=0), rtol=1e-6)


def test_a_frame_alone_has_no_stack_but_of_itself() -> None:
    window = look(pan(1, 40, 60))[0]
    assert stack_of(window, 5) is None
    alone = stack_of(window, 1)
    assert alone is not None
    assert alone.shape == (1, 40, 60)
    with pytest.raises(ValueError, match="without neighbours"):
        middle_of(alone)


def test_damage_is_found_at_the_ends_of_a_shot_too() -> None:
    specks = [Speck(0, 60, 60, 4, 250), Speck(3, 90, 40, 4, 5), Speck(5, 150, 90, 4, 5)]
    frames, truth = damaged(pan(6, 180, 240), specks)
    found = detect(frames)
    for speck in specks:
        one = found[speck.frame]
        assert one.mask[speck.y, speck.x]
        assert (one.mask & truth[speck.frame]).sum() > 0.6 * truth[speck.frame].sum()
        (blob,) = (blob for blob in one.blobs if abs(blob.x - speck.x) < 2 and abs(blob.y - speck.y) < 2)
        assert blob.polarity == ("bright" if speck.value > 128 else "dark")
        assert 0.5 <= blob.probability <= 1


def test_a_frame_alone_is_shown_to_the_network_for_stills() -> None:
    frames, truth = damaged(pan(1, 180, 240), [Speck(0, 50, 50, 4, 250), Speck(0, 90, 90, 4, 5)])
    (found,) = detect(frames)
    assert found.note is None
    assert (found.mask & truth[0]).sum() > 0.5 * truth[0].sum()
    assert sorted(blob.polarity for blob in found.blobs) == ["bright", "dark"]
    (left,) = detect(frames, still=False)
    assert not left.mask.any()
    assert left.note == "no different neighbours in its shot"


def test_a_network_for_stills_looks_at_every_frame_by_itself() -> None:
    frames, truth = damaged(pan(4, 180, 240), [Speck(2, 50, 50, 4, 250)])
    found = detect(frames, shown=1)
    assert (found[2].mask & truth[2]).sum() > 0.5 * truth[2].sum()
    assert all(one.note is None for one in found)


def test_the_network_beside_must_be_one_for_stills() -> None:
    with pytest.raises(ValueError, match="no network for stills"):
        LearnedDetector("spikes", network=network(5), still=network(5))


def test_strengths_are_the_cards_operating_points() -> None:
    faint = [Speck(n, 30 + 20 * n, 40 + 10 * n, 3.5, 150 + 12 * n) for n in range(1, 9)]
    frames, _ = damaged(pan(10, 180, 240), faint)
    area = {}
    for strength, seed in (("gentle", 0.8), ("standard", 0.5), ("strong", 0.3)):
        found = detect(frames, strength=strength)
        area[strength] = sum(int(one.mask.sum()) for one in found)
        for one in found:
            assert all(blob.probability >= seed for blob in one.blobs)
    assert area["gentle"] < area["standard"] < area["strong"]


def test_blob_limits() -> None:
    frames, _ = damaged(pan(7, 180, 240), [Speck(3, 50, 50, 2.0, 250), Speck(3, 150, 100, 7.0, 5)])
    whole = sorted(blob.area for blob in detect(frames)[3].blobs)
    assert len(whole) == 2
    assert [blob.area for blob in detect(frames, min_blob=60)[3].blobs] == whole[1:]
    assert [blob.area for blob in detect(frames, max_blob=60)[3].blobs] == whole[:1]


def test_a_lost_frame_is_left_alone_and_said() -> None:
    frames = pan(7, 90, 122)
    plane = frames[3].planes[0].copy()
    plane[::3, ::2] = 255
    frames[3] = frames[3].with_planes((plane,))
    found = detect(frames, strength="gentle", max_blob=1_000_000, min_blob=1)[3]
    assert (found.damage >= 0.8).mean() > LOST_SHARE["gentle"]
    assert not found.mask.any()
    assert found.note is not None
    assert "left alone" in found.note


def test_the_promise_is_kept_by_a_real_network(tmp_path: Path) -> None:
    """Shapes, types, ranges, masks inside maps, and no dependence on threads or order."""
    published(tmp_path, called="window")
    published(tmp_path, frames=1, called="still")
    detector = learned(
        str(tmp_path / "window.json"), "standard", device="cpu", threads=1, still=str(tmp_path / "still.json")
    )
    frames, _ = damaged(pan(5, 90, 122, grain=3), [Speck(3, 50, 50, 4, 250)])
    for made in (look(frames), look(frames[:1]), look([tiny(n) for n in range(3)])):
        with ThreadPoolExecutor(2) as pool:
            together = list(pool.map(detector.look, made))
        for window, evidence in reversed(list(zip(made, together, strict=True))):
            others = tuple(together[n] if 0 <= n < len(together) else None for n in detector.needs(evidence))
            first, second = detector.decide(evidence, others), detector.decide(detector.look(window), others)
            assert first.damage.shape == first.mask.shape == window.centre.luma.shape
            assert first.damage.dtype == np.float32
            assert first.mask.dtype == np.bool_
            assert 0 <= first.damage.min() <= first.damage.max() <= 1
            assert (first.damage[first.mask] > 0).all()
            np.testing.assert_allclose(first.damage, second.damage, atol=1e-6)


def tiny(index: int) -> Frame:
    frame = pan(1, 16, 16, seed=index)[0]
    return replace(frame, index=index)


def test_an_unknown_network_is_said() -> None:
    with pytest.raises(UsageError, match="no network is called nobody"):
        learned("nobody")
