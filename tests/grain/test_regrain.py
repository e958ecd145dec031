"""Regrain: the promised statistics inside the mask, and nothing else changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from grain_footage import (
    GRAY8,
    LAYOUTS,
    clean_planes,
    frame,
    grain_planes,
    picture,
    radial_spectrum,
    repaired_frame,
    sample_mask,
    shifted,
    specks,
    strength,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.errors import UsageError
from reelmend.film import Frame, Layout
from reelmend.grain import measure, regrain

FILLS = ("smooth", "mean of two", "warped mean of two")


def case(
    layout: Layout, fill: str, seed: int, size: float = 0.7, sigma: float = 0.02, shape=(256, 384), radius=(8, 13)
):
    """Scan, repaired frame, mask, clean planes in code values."""
    rng = np.random.default_rng(seed)
    height, width = shape
    clean = clean_planes(layout, height, width)

    def grain():
        return grain_planes(layout, height, width, sigma, size, rng, together=0.5)

    scan = frame(layout, [c + g for c, g in zip(clean, grain(), strict=True)], index=seed)
    mask = specks(height, width, 22, rng, radius)
    if fill == "smooth":
        values = clean
    else:
        one, two = grain(), grain()
        if fill.startswith("warped"):
            one, two = [shifted(g, 0.3, 0.6) for g in one], [shifted(g, 0.5, 0.2) for g in two]
        values = [c + (a + b) / 2 for c, a, b in zip(clean, one, two, strict=True)]
    return scan, repaired_frame(scan, values, mask), mask, [c * layout.peak for c in clean]


def relative(image: Frame, plane: int, clean: np.ndarray, sigma: float) -> np.ndarray:
    """Grain of a plane over its known local strength: unit variance where grain is right."""
    layout = image.layout
    sub_x, sub_y = layout.subsampling(plane)
    level = picture(image.height, image.width)[:: 1 << sub_y, :: 1 << sub_x]
    return (image.planes[plane].astype(np.float64) - clean) / (strength(level, sigma) * layout.peak)


def around(inside: np.ndarray) -> np.ndarray:
    return (cv2.dilate(inside.astype(np.uint8), np.ones((41, 41))) > 0) & ~inside


def patches(values: np.ndarray, inside: np.ndarray, side: int = 10, most: int = 800) -> np.ndarray:
    fits = cv2.erode(inside.astype(np.uint8), np.ones((side, side)), anchor=(0, 0), borderValue=0)
    rows, columns = np.nonzero(fits[: -side + 1, : -side + 1])
    picked = np.random.default_rng(0).permutation(len(rows))[:most]
    return np.stack([values[y : y + side, x : x + side] for y, x in zip(rows[picked], columns[picked], strict=True)])


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", ["gray8", "gray16", "yuv420p8", "yuv422p10", "yuv444p16", "rgb10", "rgb-half"])
def test_variance_is_that_of_the_surroundings(name, fill):
    layout = LAYOUTS[name]
    before, after = [], []
    for seed in range(3):
        scan, repaired, mask, clean = case(layout, fill, seed)
        result = regrain(repaired, scan, mask, seed=1)
        for plane in range(layout.colour_planes):
            inside = sample_mask(mask, layout, plane)
            values = [relative(each, plane, clean[plane], 0.02) for each in (scan, repaired, result)]
            outside = (values[0][around(inside)] ** 2).mean()
            before.append((values[1][inside] ** 2).mean() / outside)
            after.append((values[2][inside] ** 2).mean() / outside)
    assert np.mean(before) < 0.55
    assert np.mean(after) == pytest.approx(1, abs=0.1)
    # One frame's holes hold so few grains that their own variance scatters.
    assert np.abs(np.array(after) - 1).max() < 0.3


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("size", [0.0, 0.7, 1.0])
def test_spectrum_is_that_of_the_surroundings(size, fill):
    rings = {"scan": [], "repaired": [], "result": []}
    for seed in range(10):
        scan, repaired, mask, clean = case(LAYOUTS["gray16"], fill, seed, size)
        result = regrain(repaired, scan, mask, seed=2)
        near = around(mask)
        for key, image, where in (("scan", scan, near), ("repaired", repaired, mask), ("result", result, mask)):
            rings[key].append(radial_spectrum(patches(relative(image, 0, clean[0], 0.02), where), bins=4))
    ratio = np.mean(rings["result"], axis=0) / np.mean(rings["scan"], axis=0)
    plain = np.mean(rings["repaired"], axis=0) / np.mean(rings["scan"], axis=0)
    assert plain.mean() < 0.55
    assert ratio == pytest.approx(np.ones(4), abs=0.15)


@pytest.mark.parametrize("size", [1.5, 2.0])
def test_coarse_grain_keeps_its_variance(size):
    after = []
    for seed in range(6):
        scan, repaired, mask, clean = case(LAYOUTS["gray16"], "smooth", seed, size, shape=(360, 480))
        result = regrain(repaired, scan, mask, seed=2)
        values = [relative(each, 0, clean[0], 0.02) for each in (scan, result)]
        after.append((values[1][mask] ** 2).mean() / (values[0][around(mask)] ** 2).mean())
    assert np.mean(after) == pytest.approx(1, abs=0.15)


def test_given_shares_are_honoured():
    """Told that all grain is kept nothing is added; told none, all of it."""
    scan, repaired, mask, clean = case(GRAY8, "smooth", 4)
    kept = np.ones(mask.shape, np.float32)
    none = regrain(repaired, scan, mask, seed=1, retained=0 * kept)
    half = regrain(repaired, scan, mask, seed=1, retained=0.5 * kept)
    variance = [(relative(each, 0, clean[0], 0.02)[mask] ** 2).mean() for each in (none, half)]
    assert variance[0] == pytest.approx(1, abs=0.2)
    assert variance[1] == pytest.approx(0.5, abs=0.12)
    # A feathered rim that is all scan has all its grain.
    still = regrain(repaired, scan, mask, seed=1, retained=0 * kept, alpha=0 * kept)
    assert np.array_equal(still.planes[0], repaired.planes[0])


def with_drawn_grain(layout: Layout, seed: int, strength_drawn: float) -> tuple[Frame, Frame, np.ndarray, np.ndarray]:
    """Scan, repaired frame, mask, and where in it brightness was drawn with grain of a strength: right of the middle.
    Left of it, and in colour, the repair is smooth."""
    scan, repaired, mask, _ = case(layout, "smooth", seed, shape=(256, 512))
    drawn = mask.copy()
    drawn[:, :256] = False
    rng = np.random.default_rng(seed + 100)
    height, width = mask.shape
    clean = clean_planes(layout, height, width)
    grains = grain_planes(layout, height, width, 0.02 * strength_drawn, 0.7, rng, together=0.5)
    planes = list(repaired.planes)
    planes[0] = repaired_frame(scan, [clean[0] + grains[0], *clean[1:]], drawn).planes[0]
    planes[0] = np.where(drawn, planes[0], repaired.planes[0])
    return scan, repaired.with_planes(tuple(planes)), mask, drawn


def test_what_was_drawn_keeps_its_own_grain_and_the_rest_is_given_some():
    layout = LAYOUTS["yuv420p8"]
    scan, repaired, mask, drawn = with_drawn_grain(layout, 11, 1.0)
    result = regrain(repaired, scan, mask, drawn=drawn, seed=1)
    assert np.array_equal(result.planes[0][drawn], repaired.planes[0][drawn])
    other = mask & ~drawn
    clean = clean_planes(layout, *mask.shape)[0] * layout.peak
    assert (relative(result, 0, clean, 0.02)[other] ** 2).mean() == pytest.approx(1, abs=0.2)
    # Only brightness was drawn: colour there has lost its grain like everywhere.
    coloured = sample_mask(drawn, layout, 1)
    assert (result.planes[1] != repaired.planes[1])[coloured].mean() > 0.2


def test_drawn_grain_that_plainly_lacks_is_topped_up():
    layout = GRAY8
    scan, repaired, mask, drawn = with_drawn_grain(layout, 12, 0.4)
    result = regrain(repaired, scan, mask, drawn=drawn, seed=1)
    clean = clean_planes(layout, *mask.shape)[0] * layout.peak
    before, after = ((relative(each, 0, clean, 0.02)[drawn] ** 2).mean() for each in (repaired, result))
    assert before < 0.3
    assert after == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("name", LAYOUTS)
def test_outside_is_bit_identical(name):
    layout = LAYOUTS[name]
    scan, repaired, mask, _ = case(layout, "smooth", 5, shape=(130, 203), radius=(3, 7))
    before = [plane.copy() for plane in repaired.planes]
    result = regrain(repaired, scan, mask, seed=3)
    for plane in range(len(layout.planes)):
        assert result.planes[plane].dtype == scan.planes[plane].dtype
        inside = sample_mask(mask, layout, plane)
        assert np.array_equal(result.planes[plane][~inside], scan.planes[plane][~inside])
        assert np.array_equal(repaired.planes[plane], before[plane])
        changed = (result.planes[plane] != repaired.planes[plane])[inside].mean()
        assert changed == 0 if layout.planes[plane] == "A" else changed > 0.5


def test_grain_of_gray_scanned_as_rgb_stays_gray():
    scan, repaired, mask, _ = case(GRAY8, "smooth", 6)
    rgb = [Frame(1, each.planes * 3, LAYOUTS["rgb8"]) for each in (scan, repaired)]
    result = regrain(rgb[1], rgb[0], mask, seed=1)
    assert not np.array_equal(result.planes[0], rgb[1].planes[0])
    assert np.array_equal(result.planes[0], result.planes[1]) and np.array_equal(result.planes[0], result.planes[2])


def test_channels_go_together_as_in_the_scan():
    found = []
    for seed in range(4):
        scan, repaired, mask, clean = case(LAYOUTS["rgb10"], "smooth", seed)
        result = regrain(repaired, scan, mask, seed=1)
        red, blue = (relative(result, plane, clean[plane], 0.02)[mask] for plane in (0, 2))
        found.append(np.corrcoef(red, blue)[0, 1])
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("name", ["gray8", "yuv420p8", "rgb10", "gray16", "rgb-half"])
def test_clean_sources_get_nothing(name):
    layout = LAYOUTS[name]
    scan, repaired, mask, _ = case(layout, "smooth", 1, sigma=0.0)
    spoiled = repaired.with_planes(
        tuple(np.where(mask, p[0, 0], p) if p.shape == mask.shape else p for p in scan.planes)
    )
    assert regrain(spoiled, scan, mask, seed=1) is spoiled


def test_drawings_and_eight_bits_in_sixteen_get_nothing():
    rng = np.random.default_rng(0)
    drawing = np.full((200, 300), 200, np.uint8)
    for _ in range(25):
        cv2.circle(drawing, (int(rng.integers(300)), int(rng.integers(200))), 20, int(rng.integers(256)), -1)
    shading = (picture(200, 300) * 255).astype(np.uint8)
    mask = specks(200, 300, 12, rng)
    for values, layout in (
        (drawing, GRAY8),
        (shading, GRAY8),
        (drawing.astype(np.uint16) * 257, LAYOUTS["gray16"]),
        (shading.astype(np.uint16) * 257, LAYOUTS["gray16"]),
    ):
        scan = Frame(0, (values,), layout)
        result = regrain(scan, scan, mask, seed=1, retained=np.zeros(mask.shape, np.float32))
        assert np.array_equal(result.planes[0], values)


def test_fine_texture_is_not_taken_for_grain():
    """Most of the frame is fine texture of one brightness; a flat rest elsewhere says how strong grain is."""
    rng = np.random.default_rng(3)
    height, width = 256, 384
    level = np.where(np.arange(width) < 300, 0.4, 0.6) * np.ones((height, 1))
    texture = 12 * cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 0.6) * (level < 0.5)
    grain = 2.5 * rng.standard_normal((height, width))
    clean = level * 255 + texture
    scan = frame(GRAY8, [(clean + grain) / 255])
    mask = specks(height, width, 20, rng)
    mask[:, 290:] = False
    repaired = repaired_frame(scan, [clean / 255], mask)
    result = regrain(repaired, scan, mask, seed=1, retained=np.zeros(mask.shape, np.float32))
    added = (result.planes[0].astype(np.float64) - repaired.planes[0])[mask]
    assert 1.8 < added.std() < 3.5


def test_clipped_white_gets_no_grain():
    """Where the scan is clipped there is no grain, whatever the rest of the frame has."""
    scan, repaired, mask, _ = case(GRAY8, "smooth", 2, shape=(256, 384))
    white = np.zeros(mask.shape, bool)
    white[:, 220:] = True
    scan, repaired = (f.with_planes((np.where(white, np.uint8(255), f.planes[0]),)) for f in (scan, repaired))
    result = regrain(repaired, scan, mask, seed=1)
    deep = white & mask
    deep[:, :250] = False
    assert deep.sum() > 500
    lost = 255.0 - result.planes[0][deep]
    assert np.sqrt((lost**2).mean()) < 1.5
    assert (result.planes[0] != repaired.planes[0])[mask & ~white].mean() > 0.5


def test_codes_stay_within_the_scale():
    layout = LAYOUTS["rgb10"]
    rng = np.random.default_rng(0)
    for level in (0.01, 0.99):
        planes = [np.full((128, 160), level) + 0.03 * rng.standard_normal((128, 160)) for _ in range(3)]
        scan = frame(layout, planes)
        mask = specks(128, 160, 10, rng)
        repaired = repaired_frame(scan, [np.full((128, 160), level)] * 3, mask)
        result = regrain(repaired, scan, mask, seed=1, retained=np.zeros(mask.shape, np.float32))
        inside = result.planes[0][mask]
        assert inside.max() <= 1023 and len(np.unique(inside)) > 5
        assert abs(float(inside.mean()) - level * 1023) < 15


def test_noise_follows_from_seed_and_frame_and_place_alone():
    scan, repaired, mask, _ = case(LAYOUTS["yuv420p8"], "smooth", 3)
    profile = measure(scan, mask)
    share = np.zeros(mask.shape, np.float32)

    def go(image=scan, where=mask, seed=9):
        fixed = replace(repaired, index=image.index)
        return regrain(fixed, image, where, seed=seed, retained=share, profile=profile)

    first = go()
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: go(), range(8)):
            assert all(np.array_equal(a, b) for a, b in zip(first.planes, again.planes, strict=True))
    assert not np.array_equal(go(seed=10).planes[0], first.planes[0])
    assert not np.array_equal(go(image=replace(scan, index=99)).planes[0], first.planes[0])
    # Repairing the left half alone gives the left half the noise it had among all.
    left = mask.copy()
    left[:, 150:] = False
    alone = go(where=left).planes[0].astype(int) - repaired.planes[0]
    among = first.planes[0].astype(int) - repaired.planes[0]
    left[:, 100:] = False
    assert np.corrcoef(alone[left], among[left])[0, 1] > 0.98


def test_sizes_that_do_not_fit_are_refused():
    scan, repaired, mask, _ = case(GRAY8, "smooth", 1, shape=(64, 80))
    with pytest.raises(UsageError, match="80x64 and its mask 79x64"):
        regrain(repaired, scan, mask[:, 1:], seed=1)
    with pytest.raises(UsageError, match="differ"):
        regrain(Frame(1, (scan.planes[0],), Layout("gray", 7)), scan, mask, seed=1)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    name=st.sampled_from(sorted(LAYOUTS)),
    kind=st.sampled_from(["empty", "full", "border", "random", "one"]),
    seed=st.integers(-(2**63), 2**63),
)
def test_any_size_and_mask(height, width, name, kind, seed):
    layout = LAYOUTS[name]
    rng = np.random.default_rng(abs(seed))
    scan = frame(layout, [rng.random(layout.plane_shape(p, height, width)) for p in range(len(layout.planes))])
    mask = np.zeros((height, width), bool)
    if kind == "full":
        mask[:] = True
    elif kind == "border":
        mask[0] = mask[:, -1] = True
    elif kind == "random":
        mask = rng.random((height, width)) < 0.1
    elif kind == "one":
        mask[rng.integers(height), rng.integers(width)] = True
    smooth = [np.full(plane.shape, 0.5) for plane in scan.planes]
    repaired = repaired_frame(scan, smooth, mask)
    result = regrain(repaired, scan, mask, seed=seed)
    for plane in range(len(layout.planes)):
        inside = sample_mask(mask, layout, plane)
        assert np.array_equal(result.planes[plane][~inside], scan.planes[plane][~inside])
        assert np.isfinite(result.planes[plane].astype(np.float64)).all()


def test_values_that_are_no_numbers_do_no_harm():
    layout = LAYOUTS["rgb-half"]
    _, repaired, mask, _ = case(layout, "smooth", 1)
    planes = [plane.copy() for plane in repaired.planes]
    planes[1][40:60, 40:60] = np.nan
    planes[0][100, 100] = np.inf
    spoiled = repaired.with_planes(tuple(planes))
    result = regrain(spoiled, spoiled, mask, seed=1)
    good = np.isfinite(planes[1])
    assert np.isfinite(result.planes[1][good]).all()
    assert (result.planes[1] != spoiled.planes[1])[mask & good].mean() > 0.9
