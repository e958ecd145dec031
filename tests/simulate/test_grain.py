from __future__ import annotations

import numpy as np
import pytest

from reelmend.film import Frame, Layout
from reelmend.simulate.grain import BEND, Grain, add_grain, grain_frame, grain_of, noise, response, slope


def test_noise_is_standard_and_correlated_as_told() -> None:
    pattern = noise(np.random.default_rng(0), (300, 400, 3), Grain(0.02, 0.6, 0.4))
    assert pattern.std() == pytest.approx(1, abs=0.01)
    assert pattern.mean() == pytest.approx(0, abs=0.02)
    channels = np.corrcoef(pattern.reshape(-1, 3).T)
    np.testing.assert_allclose(channels[np.triu_indices(3, 1)], 0.4, atol=0.02)


@pytest.mark.parametrize("size", [0.5, 0.8, 1.5])
def test_neighbours_correlate_by_the_size(size: float) -> None:
    pattern = noise(np.random.default_rng(1), (400, 500), Grain(0.02, size))
    taps = np.exp(-0.5 * (np.arange(-8, 9) / size) ** 2)
    wanted = (taps[1:] * taps[:-1]).sum() / (taps**2).sum()
    assert np.corrcoef(pattern[:, 1:].ravel(), pattern[:, :-1].ravel())[0, 1] == pytest.approx(wanted, abs=0.02)


def test_grain_peaks_in_the_mid_tones() -> None:
    assert response(np.float32([0, 0.5, 1])).tolist() == pytest.approx([0.25, 1, 0.25])
    grain = Grain(0.03, 0.5)
    spread = [
        add_grain(np.full((200, 200), level, np.float32), grain, np.random.default_rng(2)).std()
        for level in (0.1, 0.5, 0.9)
    ]
    assert spread[1] == pytest.approx(0.03, rel=0.03)
    assert spread[0] < 0.6 * spread[1] > spread[2]


def test_grain_stays_in_range_and_repeats() -> None:
    picture = np.random.default_rng(3).uniform(0, 1, (50, 60, 3)).astype(np.float32)
    first, second = (add_grain(picture, Grain(0.2), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1


def test_smaller_gauges_and_faster_stock_are_grainier() -> None:
    strengths = [grain_of(gauge, 640).strength for gauge in ("35mm", "16mm", "super8")]
    assert strengths == sorted(strengths)
    assert [round(255 * strength, 1) for strength in strengths] == [3.6, 6.4, 7.6]
    assert grain_of("16mm", 640, granularity=15).strength > grain_of("16mm", 640, granularity=5).strength
    assert grain_of("super8", 1920).size > grain_of("super8", 640).size


def test_selwyns_law_where_grain_is_fine() -> None:
    """Twice the pixel, half the deviation, as long as a pixel is much larger than a clump."""
    assert grain_of("35mm", 100).strength == pytest.approx(2 * grain_of("35mm", 50).strength, rel=0.01)


@pytest.mark.parametrize("full_range", [False, True])
def test_grain_in_a_frames_own_planes_is_that_of_rgb(full_range: bool) -> None:
    """Grain given to R, G and B and converted, against grain given to Y'CbCr: the same seed, the same picture."""
    layout = Layout("yuv", 16)
    black, white = (0, 65535) if full_range else (16 << 8, 235 << 8)
    span = 65535 if full_range else 224 << 8
    gray = np.full((80, 90), 0.5, np.float32)
    luma = np.rint(black + gray * (white - black)).astype(np.uint16)
    chroma = np.full(gray.shape, 32768, np.uint16)
    grain = Grain(0.03, 0.6, 0.4)
    result = grain_frame(
        Frame(0, (luma, chroma, chroma), layout), grain, np.random.default_rng(4), full_range=full_range
    )
    rgb = add_grain(np.repeat(gray[..., None], 3, axis=2), grain, np.random.default_rng(4)).astype(np.float64)
    wanted = rgb @ (0.2126, 0.7152, 0.0722)
    np.testing.assert_allclose((result.planes[0] - float(black)) / (white - black), wanted, atol=1e-4)
    np.testing.assert_allclose((result.planes[1] - 32768.0) / span, (rgb[..., 2] - wanted) / 1.8556, atol=1e-4)
    np.testing.assert_allclose((result.planes[2] - 32768.0) / span, (rgb[..., 0] - wanted) / 1.5748, atol=1e-4)


@pytest.mark.parametrize(
    "layout", [Layout("gray", 10), Layout("rgb", 8, alpha=True), Layout("yuv", 8, sub_x=1, sub_y=1)]
)
def test_grain_reaches_every_colour_plane_and_no_alpha(layout: Layout) -> None:
    shapes = [layout.plane_shape(index, 31, 45) for index in range(len(layout.planes))]
    frame = Frame(0, tuple(np.full(shape, layout.peak // 2, layout.dtype) for shape in shapes), layout)
    result = grain_frame(frame, Grain(0.04), np.random.default_rng(1))
    for index, plane in enumerate(result.planes):
        assert plane.dtype == layout.dtype
        assert (plane != frame.planes[index]).any() == (index < layout.colour_planes)


def test_grain_needs_code_values() -> None:
    layout = Layout("gray", 32, is_float=True)
    with pytest.raises(ValueError, match="integer"):
        grain_frame(Frame(0, (np.zeros((4, 4), np.float32),), layout), Grain(0.1), np.random.default_rng(0))


# From 26 scans of negatives, by brightness: the standard deviation in flat blocks of 16 x 16 pixels against its
# strongest (a factor a scan taken out), and the mean skewness.
SCANS = [
    (0.025, 0.22, 0.24), (0.125, 0.59, 0.19), (0.225, 0.80, 0.13), (0.325, 1.00, 0.05), (0.425, 0.98, 0.02),
    (0.525, 0.77, -0.06), (0.625, 0.62, -0.12), (0.725, 0.36, -0.13), (0.825, 0.21, -0.08), (0.925, 0.13, -0.12),
]  # fmt: skip


def test_the_film_law_is_that_of_scans() -> None:
    levels, strengths, skews = np.array(SCANS, np.float32).T
    assert np.sqrt(np.mean((response(levels, "film") - strengths) ** 2)) < 0.06
    assert np.sqrt(np.mean((response(levels) - strengths) ** 2)) > 0.2
    grain = Grain(0.05, 0.6, law="film", bend=BEND)
    for level, wanted in zip(levels, skews, strict=True):
        # Unclipped at these levels but for the ends.
        shown = add_grain(np.full((400, 400), level, np.float32), grain, np.random.default_rng(5))
        if 0.1 < level < 0.9:
            found = float(((shown - shown.mean()) ** 3).mean() / shown.std() ** 3)
            assert found == pytest.approx(float(wanted), abs=0.12)


@pytest.mark.parametrize("law", ["parabola", "film"])
def test_the_slope_is_the_responses(law: str) -> None:
    levels = np.linspace(0.01, 0.99, 197).astype(np.float64)
    steps = (response(levels + 1e-3, law) - response(levels - 1e-3, law)) / 2e-3
    np.testing.assert_allclose(slope(levels, law), steps, atol=0.03)
    assert np.isfinite(slope(np.float32([0, 1, -1, 2]), law)).all()


@pytest.mark.parametrize("level", [0.15, 0.25, 0.5, 0.7])
def test_bent_grain_is_gaussian_grain_behind_a_tone_curve(level: float) -> None:
    """With `bend` 1, against Gaussian noise sent through the curve itself, found by integrating dv/dx = response."""
    levels = np.linspace(0.002, 0.998, 20001)
    exposure = np.concatenate([[0], np.cumsum(np.diff(levels) / response((levels[1:] + levels[:-1]) / 2, "film"))])
    grain = Grain(0.02, 0.0, law="film", bend=1.0)
    through = np.interp(
        np.interp(level, levels, exposure) + 0.02 * np.random.default_rng(1).standard_normal(400_000), exposure, levels
    )
    shown = add_grain(np.full((700, 700), level, np.float32), grain, np.random.default_rng(2))
    assert shown.std() == pytest.approx(through.std(), rel=0.03)
    skews = [((values - values.mean()) ** 3).mean() / values.std() ** 3 for values in (shown.astype(float), through)]
    assert skews[0] == pytest.approx(skews[1], abs=0.03)
    assert shown.mean() == pytest.approx(level, abs=1e-3)


def test_the_film_law_of_a_gauge() -> None:
    plain, film = grain_of("16mm", 720), grain_of("16mm", 720, law="film")
    assert (plain.law, plain.bend) == ("parabola", 0) and (film.law, film.bend) == ("film", BEND)
    assert film.strength == plain.strength and film.size > plain.size
    # 40 micrometres a pixel, as the scans: neighbours correlate by 0.50.
    pattern = noise(np.random.default_rng(1), (400, 500), grain_of("35mm", 622, law="film"))
    assert np.corrcoef(pattern[:, 1:].ravel(), pattern[:, :-1].ravel())[0, 1] == pytest.approx(0.5, abs=0.03)
    eight = grain_of("8mm", 640)
    assert eight.strength > grain_of("super8", 640).strength
    assert round(255 * eight.strength, 1) == 7.9


def test_bright_grain_rises_with_its_pattern_however_bent() -> None:
    """A pattern's order is kept: a denser clump never prints brighter."""
    grain = Grain(0.08, 0.0, law="film", bend=4.0)
    flat = np.full((300, 300), 0.15, np.float32)
    pattern = noise(np.random.default_rng(3), flat.shape, grain)
    shown = add_grain(flat, grain, np.random.default_rng(3))
    order = np.argsort(pattern.ravel())
    assert (np.diff(shown.ravel()[order]) >= -1e-6).all()


def test_grain_as_the_evaluation_clips_have_it() -> None:
    """Bit for bit: the published scores rest on it."""
    picture = np.linspace(0, 1, 64 * 48 * 3, dtype=np.float32).reshape(48, 64, 3)
    shown = add_grain(picture, grain_of("16mm", 640), np.random.default_rng(11))
    pattern = noise(np.random.default_rng(11), picture.shape, Grain(0.0, grain_of("16mm", 640).size))
    level = np.clip(picture, 0, 1)
    spread = np.asarray(0.25 + 0.75 * 4 * level * (1 - level), dtype=np.float32)
    wanted = np.asarray(np.clip(picture + grain_of("16mm", 640).strength * spread * pattern, 0, 1), dtype=np.float32)
    np.testing.assert_array_equal(shown, wanted)
