"""Names, numbers and arithmetic: patterns, timecode, colour tags, conversions, masks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmend.errors import UsageError
from reelmend.film import Colour, Layout
from reelmend.media import open_mask_reader, open_mask_writer, open_reel
from reelmend.media.colour import MATRIX, PRIMARIES, TRANSFER, colour_from_numbers, luma_weights, numbers
from reelmend.media.container_frames import picture_of, planes_of
from reelmend.media.convert import convert
from reelmend.media.pattern import Pattern, find_run, group_runs, parse_pattern, pattern_of
from reelmend.media.pixels import pixel_format
from reelmend.media.timecode import advance, is_timecode
from tiny_films import film_facts, film_frames, smooth_planes

text = st.text(st.sampled_from("abcXYZ_-. %é"), max_size=8)


@given(prefix=text, number=st.integers(0, 10**8), width=st.integers(0, 9))
def test_a_pattern_reads_what_it_writes(prefix: str, number: int, width: int) -> None:
    pattern = Pattern(prefix, ".dpx", width)
    assert pattern.number(pattern.name(number)) == number
    again = parse_pattern(pattern.printf)
    assert again is not None
    assert again.name(number) == pattern.name(number)
    assert pattern.printf % number == pattern.name(number)


@given(first=st.integers(0, 2000), count=st.integers(2, 1200), width=st.sampled_from([1, 3, 4, 7]))
def test_a_run_is_found_among_its_names(first: int, count: int, width: int) -> None:
    pattern = Pattern("take2_", ".png", width)
    wanted = list(range(first, first + count, max(1, count // 20)))
    runs = group_runs([pattern.name(n) for n in wanted])
    # 7 to 12 without padding has names of two lengths, and is one run.
    assert len(runs) == 1
    [(found, numbers_)] = runs.items()
    assert numbers_ == sorted(wanted)
    assert all(found.name(n) == pattern.name(n) for n in wanted)


@pytest.mark.parametrize(
    ("name", "prefix", "width"),
    [
        ("a_%06d.dpx", "a_", 6),
        ("a_%d.dpx", "a_", 0),
        ("a.####.exr", "a.", 4),
        ("%08d.png", "", 8),
        ("100%%_##.tif", "100%_", 2),
        ("plain.dpx", None, 0),
    ],
)
def test_spellings(name: str, prefix: str | None, width: int) -> None:
    pattern = parse_pattern(name)
    assert (None if pattern is None else (pattern.prefix, pattern.width)) == (
        None if prefix is None else (prefix, width)
    )


def test_the_last_number_counts() -> None:
    assert pattern_of("reel2_scan0100.png") == Pattern("reel2_scan", ".png", 4)
    assert pattern_of("a_0100_v2.dpx") == Pattern("a_0100_v", ".dpx", 0)
    assert pattern_of("picture.png") is None


def test_a_file_of_a_run_opens_it_from_there(tmp_path: Path) -> None:
    for number in range(98, 103):
        (tmp_path / f"s_{number}.png").touch()
    assert find_run(tmp_path / "s_98.png").numbers == (98, 99, 100, 101, 102)
    assert find_run(tmp_path / "s_101.png").numbers == (101, 102)
    assert find_run(tmp_path / "s_%d.png").numbers == (98, 99, 100, 101, 102)
    with pytest.raises(UsageError, match="no file in"):
        find_run(tmp_path / "s_%04d.png")


def test_one_picture_is_a_film_of_one_frame(make_sequence: Callable[..., Path]) -> None:
    folder = make_sequence(name="portrait.png", numbers=[0])
    for source in (folder, folder / "portrait.png"):
        with open_reel(source) as reel:
            assert reel.facts.frames == 1
            assert len(list(reel.frames())) == 1


# Timecode


@pytest.mark.parametrize(
    ("start", "frames", "rate", "end"),
    [
        ("00:00:59;29", 1, Fraction(30000, 1001), "00:01:00;02"),
        ("00:09:59;29", 1, Fraction(30000, 1001), "00:10:00;00"),
        # SMPTE ST 12-1: an hour of drop-frame is 107,892 frames.
        ("00:00:00;00", 107892, Fraction(30000, 1001), "01:00:00;00"),
        ("00:00:00:00", 108000, Fraction(30000, 1001), "01:00:00:00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("23:59:59:23", 1, Fraction(24), "00:00:00:00"),
        ("10:00:00:00", 24 * 61, Fraction(24000, 1001), "10:01:01:00"),
        ("00:00:00:99", 1, Fraction(100), "00:00:01:00"),
    ],
)
def test_timecode(start: str, frames: int, rate: Fraction, end: str) -> None:
    assert advance(start, frames, rate) == end


@given(
    st.integers(0, 3_000_000), st.integers(0, 3_000_000), st.sampled_from([":", ";"]), st.sampled_from([24, 25, 30, 60])
)
def test_timecode_adds_up(first: int, second: int, mark: str, base: int) -> None:
    rate = Fraction(base * 1000, 1001)
    zero = f"00:00:00{mark}00"
    assert advance(advance(zero, first, rate), second, rate) == advance(zero, first + second, rate)
    assert is_timecode(advance(zero, first, rate))
    if mark == ";" and base == 30:
        label = advance(zero, first, rate)
        assert not (label[6:8] == "00" and label[9:] in ("00", "01") and int(label[3:5]) % 10)


def test_no_timecode() -> None:
    assert not is_timecode("soon")
    with pytest.raises(ValueError, match="is not a timecode"):
        advance("soon", 1, Fraction(24))


# Colour


def test_tags_go_through_numbers_and_back() -> None:
    for primaries in (*PRIMARIES.values(), None):
        for transfer in (*TRANSFER.values(), None):
            for matrix in (*MATRIX.values(), None):
                colour = Colour(primaries, transfer, matrix, "full")
                assert colour_from_numbers(*numbers(colour)) == colour
    assert numbers(Colour()) == (2, 2, 2, 0)


@pytest.mark.parametrize(("matrix", "code"), [("bt709", "ITU709"), ("smpte170m", "ITU601")])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10])
def test_yuv_to_rgb_is_what_swscale_computes(matrix: str, code: str, full: bool, bits: int) -> None:
    layout = Layout("yuv", bits)
    planes = smooth_planes(layout, 32, 48, 3)
    rgb = convert(
        planes, layout, Layout("rgb", 16), source_full=full, target_full=True, weights=luma_weights(matrix, 1080)
    )
    picture = picture_of(planes, pixel_format("yuv444p" if bits == 8 else "yuv444p10le"), 32, 48)
    theirs = picture.reformat(format="gbrp16le", src_colorspace=code, src_color_range="JPEG" if full else "MPEG")
    for ours, other in zip(rgb, planes_of(theirs, pixel_format("gbrp16le")), strict=True):
        # swscale calls 255 * 256 white where we call it 65535, and its fixed-point tables are coarse.
        assert np.abs(ours.astype(int) - other).max() < 300


@pytest.mark.parametrize(
    ("matrix", "yuv", "rgb"),
    [
        # 100 % colour bars in 8 bits, as the tables of ITU-R BT.709 and BT.601 give them.
        ("bt709", (63, 102, 240), (255, 0, 0)),
        ("bt709", (173, 42, 26), (0, 255, 0)),
        ("bt709", (32, 240, 118), (0, 0, 255)),
        ("smpte170m", (81, 90, 240), (255, 0, 0)),
        ("smpte170m", (145, 54, 34), (0, 255, 0)),
        ("smpte170m", (41, 240, 110), (0, 0, 255)),
        ("bt709", (235, 128, 128), (255, 255, 255)),
        ("bt709", (16, 128, 128), (0, 0, 0)),
    ],
)
def test_colour_bars(matrix: str, yuv: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    weights = luma_weights(matrix, 1080)
    planes = [np.full((4, 4), value, np.uint8) for value in yuv]
    there = convert(planes, Layout("yuv", 8), Layout("rgb", 8), source_full=False, target_full=True, weights=weights)
    assert all(abs(int(plane[0, 0]) - value) <= 2 for plane, value in zip(there, rgb, strict=True))
    planes = [np.full((4, 4), value, np.uint8) for value in rgb]
    back = convert(planes, Layout("rgb", 8), Layout("yuv", 8), source_full=True, target_full=False, weights=weights)
    assert all(abs(int(plane[0, 0]) - value) <= 1 for plane, value in zip(back, yuv, strict=True))


@given(
    bits=st.sampled_from([8, 10, 12, 16]),
    full=st.booleans(),
    sub=st.sampled_from([(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (2, 2)]),
)
def test_there_and_back(bits: int, full: bool, sub: tuple[int, int]) -> None:
    """To 16 bits without subsampling and back is the same, as far as chroma is smooth."""
    layout, wide = Layout("yuv", bits, sub_x=sub[0], sub_y=sub[1]), Layout("yuv", 16)
    planes = smooth_planes(layout, 18, 26, 1)
    weights = (0.2126, 0.0722)
    there = convert(planes, layout, wide, source_full=full, target_full=full, weights=weights)
    back = convert(there, wide, layout, source_full=full, target_full=full, weights=weights)
    assert np.array_equal(back[0], planes[0])
    if sub == (0, 0):
        assert all(np.array_equal(a, b) for a, b in zip(back, planes, strict=True))
    else:
        for a, b in zip(back[1:], planes[1:], strict=True):
            assert np.abs(a.astype(float) - b).max() < 0.03 * layout.peak


def test_gray_and_alpha() -> None:
    gray, yuv = Layout("gray", 8), Layout("yuv", 10, sub_x=1, alpha=True)
    [plane] = smooth_planes(gray, 8, 12, 0)
    y, u, v, a = convert([plane], gray, yuv, source_full=False, target_full=False, weights=(0.2126, 0.0722))
    assert np.array_equal(y, plane.astype(np.uint16) << 2)
    assert (u == 512).all()
    assert (v == 512).all()
    assert (a == 1023).all()
    assert u.shape == (8, 6)


# Masks


@pytest.mark.parametrize("name", ["masks", "masks.mkv"])
def test_masks_there_and_back(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    masks = [rng.random((21, 34)) > 0.8 for _ in range(7)]

    def run(stop: int | None) -> int:
        with open_mask_writer(
            tmp_path / name, 21, 34, rate=Fraction(24), work=tmp_path / "work", start=5, segment=2
        ) as writer:
            done = writer.done
            for mask in masks[done:stop]:
                writer.write(mask)
            if stop is None:
                writer.finish()
        return done

    assert run(3) == 0
    assert run(None) >= 2
    with open_mask_reader(tmp_path / name, 21, 34) as reader:
        for index in (5, 6, 7, 8, 11, 9, 10):
            assert np.array_equal(reader.mask(index), masks[index - 5])
        if name == "masks":
            assert not reader.mask(0).any()
        else:
            for index, words in ((4, "begins with the mask of frame 5"), (12, "ends before frame 12")):
                with pytest.raises(UsageError, match=words):
                    reader.mask(index)
    if name == "masks":
        assert sorted(p.name for p in (tmp_path / name).iterdir())[0] == "mask_000005.png"
        picture = cv2.imread(str(tmp_path / name / "mask_000006.png"), cv2.IMREAD_UNCHANGED)
        assert picture.dtype == np.uint8
        assert np.array_equal(picture == 255, masks[1])
        assert np.array_equal(picture == 0, ~masks[1])


def test_masks_from_an_image_editor(tmp_path: Path) -> None:
    plain = np.zeros((10, 12), np.uint8)
    plain[2:4, 5] = 255
    for number, picture in enumerate((plain, np.repeat(plain[:, :, None], 3, 2))):
        cv2.imwrite(str(tmp_path / f"mask_{number:06d}.png"), picture)
    with open_mask_reader(tmp_path, 10, 12) as reader:
        for number in range(2):
            assert np.array_equal(reader.mask(number), plain == 255)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("value", "mask_000000.png has the value 254 at column 5, row 2; a mask holds 0 and 255 only"),
        ("size", "is 11x10, the film is 12x10"),
        ("colour", "mask_000000.png has colours"),
        ("bits", "has 16 bits"),
        ("broken", "save the mask again"),
        ("other", "holds no masks"),
    ],
)
def test_bad_masks(change: str, words: str, tmp_path: Path) -> None:
    picture: np.ndarray = np.zeros((10, 12), np.uint8)
    picture[2, 5] = 254 if change == "value" else 255
    if change == "size":
        picture = picture[:, :11]
    if change == "colour":
        picture = np.stack([picture, 255 - picture, picture], -1)
    if change == "bits":
        picture = picture.astype(np.uint16) * 257
    path = tmp_path / ("mask_000000.png" if change != "other" else "masks_0.png")
    cv2.imwrite(str(path), picture)
    if change == "broken":
        path.write_bytes(b"no picture")
    with pytest.raises(UsageError, match=words), open_mask_reader(tmp_path, 10, 12) as reader:
        reader.mask(0)


def test_bad_mask_films(tmp_path: Path, write_film: Callable[..., Path]) -> None:
    gray = Layout("gray", 8)
    path = write_film("noise.mkv", film_frames(gray, 10, 12, 2), film_facts(gray, 10, 12))
    with (
        pytest.raises(UsageError, match=r"noise.mkv, frame 0 has the value \d+"),
        open_mask_reader(path, 10, 12) as reader,
    ):
        reader.mask(0)
    with pytest.raises(UsageError, match="is 12x10, the film is 13x10"):
        open_mask_reader(path, 10, 13)
    colour = write_film("colour.mkv", film_frames(Layout("rgb", 8), 10, 12, 1), film_facts(Layout("rgb", 8), 10, 12))
    with pytest.raises(UsageError, match="is no film of masks"):
        open_mask_reader(colour, 10, 12)
    with pytest.raises(UsageError, match="does not exist"):
        open_mask_reader(tmp_path / "none", 10, 12)
    for name, words in (
        ("m.mp4", "which keep every value"),
        ("mask_%06d.png", "give the folder"),
        ("one.png", "names one image"),
    ):
        with pytest.raises(UsageError, match=words):
            open_mask_writer(tmp_path / name, 10, 12, rate=Fraction(24), work=tmp_path / "w")


def test_importing_the_room_loads_no_library() -> None:
    heavy = "import sys, reelmend.media; print([m for m in ('av', 'OpenImageIO', 'cv2') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", heavy], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
