from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reelmend.film import Colour, Frame, Layout
from reelmend.simulate.lookalikes import LOOKALIKES, Borrowed, LookAlike, Scene, Stamp, Sway, Thing, lay_over
from reelmend.simulate.lookalikes.brush import disc, motion_kernel, stroke
from reelmend.simulate.lookalikes.glints import highlight_near
from reelmend.simulate.lookalikes.promise import lens
from reelmend.simulate.recipe import Entry, Lookalike, Recipe
from reelmend.simulate.simulation import Simulation

SIZE = (180, 320)
every_look = pytest.mark.parametrize("look", LOOKALIKES.values(), ids=LOOKALIKES)


def sampled(look: LookAlike, seed: int = 5, amount: float = 1.0) -> list[Thing]:
    """Some things of a look-alike."""
    return list(look.sample(np.random.default_rng(seed), (360, 640), look.block, amount, seed))[:40] or sampled(
        look, seed + 1, amount
    )


def scene_of(look: LookAlike, seed: int = 3, size: tuple[int, int] = SIZE, amount: float = 1.0) -> Scene:
    return Scene(Recipe(lookalikes={look.name: Lookalike(chance=1, amount=(amount, amount))}), seed=seed, size=size)


def sparkling(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A dim picture with a bright corner every 20 pixels."""
    luma = np.full(size, 0.3, np.float32)
    luma[5::20, 5::20] = luma[6::20, 5::20] = luma[5::20, 6::20] = luma[6::20, 6::20] = 1.0
    return luma


def same(first: list[Stamp], second: list[Stamp]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a.alpha, b.alpha) and replace(a, alpha=b.alpha) == b for a, b in zip(first, second, strict=True)
    )


def test_names_are_keys_and_the_ones_asked_for_are_there() -> None:
    assert all(look.name == name for name, look in LOOKALIKES.items())
    wanted = "glints rain snow birds insects stars catchlights wires bokeh limbs titles embers foliage"
    assert set(LOOKALIKES) == set(wanted.split())


@every_look
def test_the_same_numbers_give_the_same_things(look: LookAlike) -> None:
    first, second = sampled(look), sampled(look)
    assert first == second
    assert sampled(look, 6) != first
    for thing in first[:5]:
        assert same(look.render(thing, 2.0, 1, (0.2, 0.7)), look.render(thing, 2.0, 1, (0.2, 0.7)))


@every_look
def test_lives_fit_their_block(look: LookAlike) -> None:
    for thing in sampled(look):
        assert thing.name == look.name
        assert 0 <= thing.first < look.block
        assert 1 <= thing.frames <= look.block
        assert 0 < thing.opacity <= 1
        assert all(0 <= part <= 1 for part in np.atleast_1d(thing.colour))
        if look.persistent:
            assert np.hypot(*thing.velocity) < 1 and thing.frames >= look.block / 3


@every_look
@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_alpha_is_in_range_and_fades_out_within_its_patch(look: LookAlike, scale: float) -> None:
    seen = 0.0
    for thing in sampled(look)[:12]:
        for stamp in look.render(thing, scale, age=min(1, thing.frames - 1)):
            alpha = stamp.alpha
            assert alpha.dtype == np.float32 and alpha.ndim == 2
            assert alpha.min() >= 0 and alpha.max() <= 1
            assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) < 0.008
            seen = max(seen, float(alpha.max()))
    assert seen > 0.05


@every_look
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_nothing_is_sharper_than_the_lens(look: LookAlike, scale: float) -> None:
    """An edge blurred by a Gaussian of standard deviation s rises by 0.4 / s a pixel at most."""
    for thing in sampled(look)[:12]:
        for stamp in look.render(thing, scale):
            steps = max(np.abs(np.diff(stamp.alpha, axis=axis)).max(initial=0) for axis in (0, 1))
            assert steps <= 1.08 * 0.399 / lens(scale)


@every_look
def test_size_follows_the_picture(look: LookAlike) -> None:
    """Twice the picture, four times the area under alpha."""
    for thing in sampled(look)[:8]:
        small, large = (sum(float(s.alpha.sum()) for s in look.render(thing, scale)) for scale in (2.0, 4.0))
        assert large == pytest.approx(4 * small, rel=0.12)


@every_look
def test_parts_of_a_pixel_are_kept(look: LookAlike) -> None:
    thing = sampled(look)[0]
    for here, there in zip(look.render(thing, 1.0, 0, (0.5, 0.5)), look.render(thing, 1.0, 0, (0.9, 0.2)), strict=True):
        if look.name != "titles":  # text is set on whole pixels
            assert centre(there) - centre(here) == pytest.approx([0.4, -0.3], abs=0.2)


@pytest.mark.parametrize("name", ["stars", "bokeh", "rain", "snow", "insects", "embers", "foliage"])
def test_things_are_drawn_where_they_are_said_to_be(name: str) -> None:
    look, canvas = LOOKALIKES[name], (1080, 1920)
    checked = 0
    for thing in sampled(look):
        for frame in range(thing.first, min(thing.first + 3, thing.first + thing.frames)):
            place = np.array(thing.place(frame)) * 3
            for stamp in look.draw(thing, canvas, frame):
                # The middle of a crooked way lies beside its chord.
                assert np.abs(centre(stamp) - place).max() <= 0.5 + 0.15 * max(stamp.alpha.shape)
                checked += 1
    assert checked > 10


def centre(stamp: Stamp) -> np.ndarray:
    """Of the mass under alpha: x and y in pixels."""
    rows, columns = np.indices(stamp.alpha.shape) + 0.5
    mass = stamp.alpha.sum()
    return np.array([stamp.left + (columns * stamp.alpha).sum() / mass, stamp.top + (rows * stamp.alpha).sum() / mass])


@every_look
def test_draws_only_while_alive(look: LookAlike) -> None:
    luma = sparkling((360, 640))
    for thing in sampled(look)[:10]:
        assert look.draw(thing, (360, 640), thing.first - 1, luma) == []
        assert look.draw(thing, (360, 640), thing.first + thing.frames, luma) == []


@every_look
def test_a_scene_can_be_asked_for_any_frame_first(look: LookAlike) -> None:
    luma = sparkling()
    forward = scene_of(look)
    backward = scene_of(look)
    frames = [0, 1, look.block - 1, look.block, 3 * look.block + 7]
    walked = [forward.stamps(frame, luma) for frame in frames]
    for frame, stamps in reversed(list(zip(frames, walked, strict=True))):
        assert same(backward.stamps(frame, luma), stamps)


@every_look
def test_as_many_are_seen_as_stated(look: LookAlike) -> None:
    """On average over scenes, from the first frame on and across blocks."""
    counts = [len(scene_of(look, seed).things(frame)) for seed in range(12) for frame in (0, look.block + 5)]
    assert np.mean(counts) == pytest.approx(look.crowd, rel=0.75)
    twice = [len(scene_of(look, seed, amount=3).things(frame)) for seed in range(6) for frame in (0, look.block + 5)]
    assert np.mean(twice) > 1.6 * np.mean(counts)


@pytest.mark.parametrize("name", ["rain", "snow"])
def test_weather_falls_the_same_way_in_every_block(name: str) -> None:
    scene = scene_of(LOOKALIKES[name])
    slopes = [
        np.median([thing.velocity[0] / thing.velocity[1] for thing in scene.things(frame)]) for frame in (0, 300, 900)
    ]
    assert np.ptp(slopes) < 0.06
    assert all(thing.velocity[1] > 0 for thing in scene.things(0))
    # What is near is larger and faster.
    things = scene.things(0)
    widths, speeds = np.array([(thing.patch.width, thing.velocity[1]) for thing in things]).T
    assert np.corrcoef(np.log(widths), np.log(speeds))[0, 1] > 0.4


def test_the_recipe_decides_which_a_reel_has() -> None:
    recipe = Recipe(lookalikes={name: Lookalike(chance=0.5) for name in LOOKALIKES})
    had = np.array([[name in Scene(recipe, seed, SIZE).amounts for name in LOOKALIKES] for seed in range(60)])
    assert had.mean() == pytest.approx(0.5, abs=0.06)
    assert had.mean(axis=0).min() > 0.25
    assert Scene(Recipe(), 0, SIZE).stamps(0) == []
    with pytest.raises(KeyError):
        Scene(Recipe(lookalikes={"unicorns": Lookalike()}), 0, SIZE)


def test_glints_sit_on_highlights_and_nowhere_else() -> None:
    look = LOOKALIKES["glints"]
    scene = scene_of(look, amount=4)
    luma = sparkling()
    stamps = [stamp for frame in range(20) for stamp in scene.stamps(frame, luma)]
    assert len(stamps) > 50
    for stamp in stamps:
        x, y = centre(stamp)
        assert min(abs(x - 6) % 20, 20 - abs(x - 6) % 20) < 2
        assert min(abs(y - 6) % 20, 20 - abs(y - 6) % 20) < 2
    assert all(scene.stamps(frame, np.full(SIZE, 0.3, np.float32)) == [] for frame in range(20))
    assert all(scene.stamps(frame, np.full(SIZE, 0.9, np.float32)) == [] for frame in range(20))
    assert all(scene.stamps(frame) == [] for frame in range(20))


def test_a_glint_follows_its_highlight() -> None:
    for x in (100, 104, 109):
        luma = np.full(SIZE, 0.3, np.float32)
        luma[80:84, x : x + 4] = 0.9
        found = highlight_near(luma, 2 * 105.0, 2 * 84.0)
        assert found is not None
        assert found == pytest.approx((2 * (x + 2.0), 2 * 82.0), abs=2.5)


def test_titles_come_and_go_with_a_cut() -> None:
    look = LOOKALIKES["titles"]
    thing = sampled(look)[0]
    frames = [look.draw(thing, SIZE, frame) for frame in (thing.first, thing.first + thing.frames - 1)]
    assert frames[0] and same(*frames)


def test_eyes_blink() -> None:
    look = LOOKALIKES["catchlights"]
    thing = sampled(look)[0]
    shut = [not look.draw(thing, (360, 640), frame) for frame in range(thing.first, thing.first + thing.frames)]
    assert 0 < np.mean(shut) < 0.25
    assert np.abs(np.diff(np.array(shut, int))).sum() <= 6


# Laying over ----------------------------------------------------------------------------------------------------

LAYOUTS = [
    Layout("gray", 8),
    Layout("gray", 10),
    Layout("yuv", 8, sub_x=1, sub_y=1),
    Layout("yuv", 10, sub_x=1),
    Layout("yuv", 12),
    Layout("rgb", 8, alpha=True),
    Layout("rgb", 16),
    Layout("rgb", 16, is_float=True),
]


def frame_of(layout: Layout, height: int = 41, width: int = 53) -> Frame:
    rng = np.random.default_rng(1)
    planes = []
    for index in range(len(layout.planes)):
        shape = layout.plane_shape(index, height, width)
        planes.append((rng.uniform(0.2, 0.7, shape) * layout.peak).astype(layout.dtype))
    return Frame(0, tuple(planes), layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_no_stamp_reaches_keep_their_values(layout: Layout) -> None:
    frame = frame_of(layout)
    alpha, top, left = disc(5, 1.0)
    result = lay_over(frame, [Stamp(alpha, (1.0, 0.1, 0.2), top + 20, left + 30)])
    for index, (before, after) in enumerate(zip(frame.planes, result.planes, strict=True)):
        assert after.dtype == before.dtype
        sub_x, sub_y = layout.subsampling(index)
        reach_y, reach_x = 12 >> sub_y, 12 >> sub_x
        changed = np.argwhere(before != after)
        if index >= layout.colour_planes:
            assert len(changed) == 0
        else:
            assert len(changed) > 5
            assert np.abs(changed - (20 >> sub_y, 30 >> sub_x)).max(axis=0) == pytest.approx(
                (reach_y - 3, reach_x - 3), abs=4
            )
    assert lay_over(frame, []) is frame
    assert lay_over(frame, [Stamp(alpha, 1.0, 500, 3), Stamp(np.float32(alpha * 0.001), 1.0, 3, 3)]) is frame


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_opaque_stamps_leave_their_colour(layout: Layout, full_range: bool) -> None:
    red, green, blue = 0.9, 0.4, 0.2
    frame = frame_of(layout)
    result = lay_over(frame, [Stamp(np.ones((41, 53), np.float32), (red, green, blue), 0, 0)], full_range)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    if layout.family == "rgb":
        wanted = [value * layout.peak for value in (red, green, blue)]
    else:
        step = 2 ** (layout.bits - 8)
        low, span = (0, layout.peak) if full_range else (16 * step, 219 * step)
        chroma = layout.peak if full_range else 224 * step
        wanted = [low + luma * span]
        wanted += [128 * step + (part - luma) / top * chroma for part, top in ((blue, 1.8556), (red, 1.5748))]
    for plane, value in zip(frame.planes[: layout.colour_planes], wanted, strict=False):
        index = next(i for i, p in enumerate(frame.planes) if p is plane)
        np.testing.assert_allclose(result.planes[index].astype(float), value, atol=0.51 if layout.peak > 1 else 1e-3)


def test_stamps_are_composited_in_order() -> None:
    layout = Layout("gray", 16)
    frame = Frame(0, (np.full((4, 4), 10000, np.uint16),), layout)
    half = np.full((4, 4), 0.5, np.float32)
    result = lay_over(frame, [Stamp(half, 1.0, 0, 0), Stamp(half, 0.0, 0, 0)], full_range=True)
    assert result.planes[0][0, 0] == pytest.approx((10000 / 2 + 65535 / 2) / 2, abs=1)


def test_colours_follow_the_matrix_of_the_film() -> None:
    frame = frame_of(Layout("yuv", 8))
    ones = np.ones((41, 53), np.float32)
    for weights in ((0.299, 0.114), (0.2627, 0.0593)):
        result = lay_over(frame, [Stamp(ones, (1.0, 0.0, 0.0), 0, 0)], weights=weights)
        # Pure red has the largest Cr there is, whatever the matrix.
        assert [int(plane[0, 0]) for plane in result.planes][::2] == [round(16 + 219 * weights[0]), 240]


def test_look_alikes_are_in_the_clean_film_and_never_in_the_mask() -> None:
    layout = Layout("yuv", 8, sub_x=1, sub_y=1)
    y = np.rint(30 + 150 * sparkling()).astype(np.uint8)
    c = np.full((90, 160), 128, np.uint8)
    frame = Frame(7, (y, c, c), layout)
    entry = Lookalike(chance=1, amount=(3, 3))
    plain = Recipe(damage={"emulsion loss": Entry(per_frame=(12, 12))}, amount=(1, 1))
    full = plain.model_copy(update={"lookalikes": dict.fromkeys(LOOKALIKES, entry)})
    without, with_them, alone = (
        Simulation(recipe, 5, SIZE, Colour()).frame(frame)
        for recipe in (plain, full, Recipe(lookalikes=full.lookalikes))
    )
    assert without.truth.any()
    np.testing.assert_array_equal(with_them.truth, without.truth)
    assert with_them.annotations == without.annotations
    assert not alone.truth.any() and alone.annotations == []
    assert (alone.clean.planes[0] != frame.planes[0]).mean() > 0.05
    np.testing.assert_array_equal(alone.frame.planes[0], alone.clean.planes[0])


def test_borrowed_content_is_the_pictures_own() -> None:
    layout = Layout("yuv", 8, sub_x=1, sub_y=1)
    frame = frame_of(layout, 40, 60)
    stamp = Stamp(np.ones((10, 10), np.float32), 0.5, 4, 6, Borrowed(20, 10))
    result = lay_over(frame, [stamp])
    np.testing.assert_array_equal(result.planes[0][4:14, 6:16], frame.planes[0][14:24, 26:36])
    np.testing.assert_array_equal(result.planes[1][2:7, 3:8], frame.planes[1][7:12, 13:18])
    darker = lay_over(frame, [replace(stamp, borrowed=Borrowed(20, 10, gain=0.5))]).planes[0][4:14, 6:16]
    np.testing.assert_allclose(darker, 16 + 0.5 * (frame.planes[0][14:24, 26:36].astype(float) - 16), atol=0.51)
    smeared = lay_over(frame, [replace(stamp, borrowed=Borrowed(20, 10, smear=(12.0, 0.0)))])
    assert smeared.planes[0][4:14, 6:16].std() < 0.6 * frame.planes[0].std()


# Drawing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0.3, 0.9, 1.4, 4.0, 12.0])
def test_discs_have_their_area(radius: float) -> None:
    assert disc(radius, 0.8)[0].sum() == pytest.approx(np.pi * radius**2, rel=0.08)


@pytest.mark.parametrize(("width", "rel"), [(0.3, 0.06), (1.0, 0.06), (4.0, 0.06)])
def test_strokes_have_their_area(width: float, rel: float) -> None:
    line = np.array([(3.0, 5.0), (60.0, 33.0)])
    length = np.hypot(57, 28)
    # A line's ends are round.
    area = stroke(line, width, 0.7)[0].sum()
    assert area == pytest.approx(length * width + np.pi * width**2 / 4, rel=rel)


def test_motion_blur_kernels() -> None:
    kernel = motion_kernel((8.0, 0.0))
    assert kernel.sum() == pytest.approx(1) and kernel.shape[0] % 2 == 1
    rows, columns = np.nonzero(kernel > 0.02)
    assert np.ptp(columns) == pytest.approx(8, abs=1) and np.ptp(rows) <= 1
    assert motion_kernel((0.1, 0.0)).shape == (1, 1)


def test_sway_comes_back() -> None:
    thing = Thing("rain", 10, 20, (0.0, 0.0), None, sway=Sway(3, 2, period=12, phase=1))
    assert thing.place(0) == pytest.approx(thing.place(12))
    xs = [thing.place(frame)[0] for frame in range(12)]
    assert max(xs) - min(xs) == pytest.approx(6, rel=0.05)
