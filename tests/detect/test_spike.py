from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from footage import GRAY8, Speck, damaged, dice, pan
from reelmend.detect.promise import Detection
from reelmend.detect.spike import SEED_PROBABILITY, SpikeDetector
from reelmend.film import Frame
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows

SPECKS = [
    Speck(2, 40, 30), Speck(3, 100, 80, 4.0, 12), Speck(4, 70, 50, 2.5), Speck(4, 130, 20, 5.0, 20),
    Speck(5, 60, 90, 6.0, 250), Speck(6, 120, 60, 3.0, 15), Speck(7, 30, 70, 4.0), Speck(8, 90, 30, 3.0, 18),
]  # fmt: skip


def detect(frames: list[Frame], **options: object) -> list[Detection]:
    detector = SpikeDetector(**options)  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool:
        evidence = {
            index: detector.look(future.result()) for index, future in windows(shots(map(picture, frames)), pool)
        }
    return [
        detector.decide(one, tuple(evidence.get(other) for other in detector.needs(one))) for one in evidence.values()
    ]


@pytest.mark.parametrize("grain", [0.0, 2.0, 5.0])
def test_specks_are_found_and_nothing_else(grain: float) -> None:
    frames, truth = damaged(pan(11, 180, 240, grain=grain), SPECKS)
    found = [one.mask for one in detect(frames)]
    for speck in SPECKS:
        assert found[speck.frame][speck.y, speck.x], speck
    assert dice(found, truth) > 0.7
    far = sum(int((one & ~_near(real)).sum()) for one, real in zip(found, truth, strict=True))
    assert far <= 20


def _near(truth: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.dilate(truth.astype(np.uint8), np.ones((7, 7))) > 0


@pytest.mark.parametrize("grain", [0.0, 3.0, 8.0])
def test_clean_film_is_left_alone(grain: float) -> None:
    found = detect(pan(10, 180, 240, grain=grain))
    assert sum(int(one.mask.sum()) for one in found) <= 2e-5 * 10 * 180 * 240


def test_flicker_is_not_damage() -> None:
    frames = pan(10, 180, 240, grain=2)
    for at in range(0, 10, 2):
        frames[at] = frames[at].with_planes((np.clip(frames[at].planes[0] * 0.85, 0, 255).astype(np.uint8),))
    assert sum(int(one.mask.sum()) for one in detect(frames)) < 40


def test_a_ball_that_flies_past_is_not_damage() -> None:
    frames = pan(12, 180, 240, speed=(0.5, 0.0), grain=2)
    balls = [Speck(n, 20 + 18 * n, 40 + 8 * n, 4.0, 235) for n in range(12)]
    flying, where = damaged(frames, balls)
    found = detect(flying)
    # The first and the last frame see one side of its course only.
    touched = [bool((one.mask & real).any()) for one, real in zip(found, where, strict=True)][1:-1]
    assert sum(touched) <= 2


def test_both_polarities_are_told() -> None:
    frames, _ = damaged(pan(7, 180, 240), [Speck(3, 50, 50, 4, 250), Speck(3, 150, 100, 4, 5)])
    blobs = {blob.polarity: blob for blob in detect(frames)[3].blobs}
    assert abs(blobs["bright"].x - 50) < 2
    assert abs(blobs["dark"].y - 100) < 2
    assert all(blob.probability >= SEED_PROBABILITY["standard"] for blob in blobs.values())


def test_strengths_are_ordered() -> None:
    faint = [Speck(n, 30 + 20 * n, 40 + 10 * n, 2.5, 150 + 12 * n) for n in range(1, 9)]
    frames, _ = damaged(pan(10, 180, 240, grain=4), faint)
    area = {name: sum(int(one.mask.sum()) for one in detect(frames, strength=name)) for name in SEED_PROBABILITY}
    assert area["gentle"] <= area["standard"] <= area["strong"]
    assert area["strong"] > 0


def test_blob_limits() -> None:
    frames, _ = damaged(pan(7, 180, 240), [Speck(3, 50, 50, 2.0, 250), Speck(3, 150, 100, 7.0, 5)])
    whole = [int(blob.area) for blob in detect(frames)[3].blobs]
    assert len(whole) == 2
    assert [blob.area for blob in detect(frames, min_blob=60)[3].blobs] == [max(whole)]
    assert [blob.area for blob in detect(frames, max_blob=60)[3].blobs] == [min(whole)]


def test_a_lost_frame_is_left_alone_and_said() -> None:
    frames = pan(9, 180, 240)
    other = pan(1, 180, 240, seed=77)[0]
    frames[4] = frames[4].with_planes(other.planes)
    result = detect(frames)[4]
    assert not result.mask.any()


def test_frames_without_neighbours_are_left_alone_and_said() -> None:
    frames, _ = damaged(pan(1, 180, 240), [Speck(0, 50, 50)])
    result = detect(frames)[0]
    assert not result.mask.any()
    assert result.note == "no different neighbours in its shot"


def test_ends_of_a_shot_use_the_side_there_is() -> None:
    frames, _ = damaged(pan(6, 180, 240), [Speck(0, 60, 60, 4, 250), Speck(5, 150, 90, 4, 5)])
    found = detect(frames)
    assert found[0].mask[60, 60]
    assert found[5].mask[90, 150]


def test_damage_copied_with_its_frame_is_found_in_both() -> None:
    from dataclasses import replace

    frames, _ = damaged(pan(6, 180, 240, speed=(4.0, 1.0)), [Speck(3, 90, 80, 4, 250)])
    doubled = [frames[n] for n in (0, 1, 2, 3, 3, 4, 5)]
    found = detect([replace(frame, index=index) for index, frame in enumerate(doubled)])
    assert found[3].mask[80, 90]
    np.testing.assert_array_equal(found[3].mask, found[4].mask)


def test_a_weaving_gate_edge_is_not_damage() -> None:
    frames = pan(10, 180, 240, speed=(0.0, 0.0), grain=2)
    for at, edge in enumerate((2, 4, 2, 5, 3, 2, 4, 2, 5, 2)):
        plane = frames[at].planes[0].copy()
        plane[:, -edge:] = 12
        plane[:edge] = 14
        frames[at] = frames[at].with_planes((plane,))
    found = detect(frames)
    assert sum(int(one.mask[:, -6:].sum() + one.mask[:6].sum()) for one in found) < 60


def test_tiny_and_flat_pictures() -> None:
    for shape in ((16, 16), (17, 40)):
        frames = [Frame(index, (np.full(shape, 100, np.uint8),), GRAY8) for index in range(4)]
        assert not any(one.mask.any() for one in detect(frames))
