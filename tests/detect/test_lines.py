"""Line scratches: what keeps its place on the film while the camera moves is one, what moves with the scene is none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footage import pan
from reelmend.detect import lines
from reelmend.detect.promise import Blob, Detection
from reelmend.film import Frame
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows

HEIGHT, WIDTH = 192, 256
WHERE = 150
"""Column of the line."""


def film(speed: float, *, with_scene: bool = False, codes: int = 40, rows: slice = slice(None)) -> list[Frame]:
    """A calm scene that moves aside by so many pixels a frame, and a line three columns wide, on the film or in it."""
    frames = []
    for n, frame in enumerate(pan(6, HEIGHT, WIDTH, speed=(speed, 0.0), grain=2.0)):
        luma = frame.planes[0].astype(np.int16) // 4 + 96
        # The scene moves to the left.
        x = WHERE - round(speed * n) if with_scene else WHERE
        luma[rows, x - 1 : x + 2] += codes
        frames.append(replace(frame, planes=(np.clip(luma, 0, 255).astype(np.uint8), *frame.planes[1:])))
    return frames


def judged(frames: list[Frame], index: int = 2) -> list[lines.LineScratch]:
    with ThreadPoolExecutor(2) as pool:
        seen = [lines.look(future.result()) for _, future in windows(shots(map(picture, frames)), pool)]
    return lines.judge(seen[index], [seen[n] if 0 <= n < len(seen) else None for n in lines.wanted(seen[index])])


def scratches(frames: list[Frame], strength: str = "standard") -> list[lines.LineScratch]:
    return [one for one in judged(frames) if one.probability >= lines.LIKELY[strength]]


@pytest.mark.parametrize("codes", [40, -40])
def test_a_line_on_moving_film_is_found_where_it_is(codes: int) -> None:
    (found,) = scratches(film(2.0, codes=codes))
    assert found.path.sign == np.sign(codes)
    mask = lines.drawn(found, (HEIGHT, WIDTH))
    assert mask[:, WHERE - 1 : WHERE + 2].mean() > 0.8
    assert mask[:, : WHERE - 3].sum() + mask[:, WHERE + 4 :].sum() == 0


def test_a_line_of_the_scene_is_none() -> None:
    paths = judged(film(2.0, with_scene=True))
    assert any(abs(one.path.x.mean() - (WHERE - 4)) < 2 for one in paths)
    assert not scratches(film(2.0, with_scene=True), "strong")


def test_where_nothing_moves_nothing_is_a_scratch() -> None:
    # Copies are one exposure, so the line's film has grain of its own in every frame.
    assert judged(film(0.0))
    assert not scratches(film(0.0), "strong")


def test_a_line_that_breaks_off_is_marked_as_far_as_it_goes() -> None:
    (found,) = scratches(film(2.0, rows=slice(0, 112)))
    mask = lines.drawn(found, (HEIGHT, WIDTH))
    assert mask[:112, WHERE].mean() > 0.85 and mask[130:].sum() < 3 * 20


def test_the_edge_of_the_gate_is_none() -> None:
    frames = []
    for frame in pan(6, HEIGHT, WIDTH, speed=(2.0, 0.0), grain=2.0):
        luma = frame.planes[0].copy()
        luma[:, 5:8] = 250
        frames.append(replace(frame, planes=(luma, *frame.planes[1:])))
    assert not any(one.path.x.mean() < 20 for one in judged(frames))
    assert not scratches(frames, "strong")


def test_large_scans_are_marked_at_their_own_size() -> None:
    (found,) = scratches(film(2.0))
    mask = lines.drawn(found, (2 * HEIGHT, 2 * WIDTH))
    assert mask[:, 2 * WHERE - 2 : 2 * WHERE + 4].mean() > 0.8
    assert mask.sum() == 4 * lines.drawn(found, (HEIGHT, WIDTH)).sum()


def test_scratches_join_what_was_found() -> None:
    (found,) = scratches(film(2.0))
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[10:14, 20:24] = mask[50:54, WHERE - 6 : WHERE] = True
    blobs = Blob(21.5, 11.5, 16, 0.8, "dark"), Blob(146.5, 51.5, 24, 0.8, "dark")
    before = Detection(np.where(mask, np.float32(0.8), np.float32(0)), mask, blobs)
    after = lines.added(before, [found], "standard")
    np.testing.assert_array_equal(after.mask, mask | lines.drawn(found, mask.shape))
    assert (after.damage >= before.damage).all() and after.damage[150, WHERE] == np.float32(found.probability)
    assert [(one.polarity, one.area) for one in after.blobs if one.x < 30] == [("dark", 16)]
    assert [one.polarity for one in after.blobs if one.x > 30] == ["bright"]
    # Less than the strength asks for, or larger than is wanted: nothing changes.
    assert lines.added(before, [replace(found, probability=0.5)], "standard") is before
    assert lines.added(before, [found], "standard", 100) is before


def test_no_neighbours_no_lines() -> None:
    (window,) = _windows(film(2.0)[:1])
    seen = lines.look(window)
    assert seen.paths and not seen.neighbours
    assert all(one.probability <= lines.GONE for one in lines.judge(seen, [None] * len(lines.wanted(seen))))


def _windows(frames: list[Frame]) -> list[lines.Window]:
    with ThreadPoolExecutor(2) as pool:
        return [future.result() for _, future in windows(shots(map(picture, frames)), pool)]


@settings(max_examples=30, deadline=None)
@given(st.floats(-4, 4), st.floats(-2, 2), st.floats(-2, 2), st.integers(0, 2**32 - 1))
def test_the_cameras_motion_is_that_of_most_of_the_scene(level: float, across: float, down: float, seed: int) -> None:
    height, width = 90, 120
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    flow = np.zeros((height, width, 2), np.float32)
    flow[..., 0] = level + across * x / width + down * y / height
    # Something crosses a quarter of the frame.
    flow[20:65, 30:90, 0] += np.float32(np.random.default_rng(seed).uniform(3, 9))
    fit = lines.camera_motion(flow, 2 * width)
    np.testing.assert_allclose(fit, [2 * level, 2 * across, 2 * down], atol=0.15)
