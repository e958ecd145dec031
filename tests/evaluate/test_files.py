"""Files side by side, and one sentence for each way in which they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.evaluate.small import FRAMES, HEIGHT, WIDTH, truth, write_film, write_masks

from reelmend.errors import UsageError
from reelmend.evaluate.files import DamageMaps, Digest, MaskFilm, common_frames, frames_together, need_masks
from reelmend.film import Layout
from reelmend.media import open_mask_writer, open_reel
from tiny_films import film_facts, film_frames

GRAY = Layout("gray", 8)


def mask_film(path: Path, first: int = 0) -> Path:
    from fractions import Fraction

    work = path.parent / "work"
    with open_mask_writer(path, HEIGHT, WIDTH, rate=Fraction(24), work=work, start=first) as writer:
        for number in range(FRAMES):
            writer.write(truth(number))
        writer.finish()
    return path


def test_a_folder_and_a_film_of_the_same_masks_are_the_same(room: Path, tmp_path: Path) -> None:
    film = mask_film(tmp_path / "masks.mkv")
    with MaskFilm(room / "truth") as one, MaskFilm(film) as other:
        assert common_frames(one, other) == list(range(FRAMES))
        for number in range(FRAMES):
            np.testing.assert_array_equal(one.mask(number), truth(number))
            np.testing.assert_array_equal(other.mask(number), truth(number))
        assert one.digest.text() == other.digest.text()


def test_a_film_of_masks_knows_its_first_frame(room: Path, tmp_path: Path) -> None:
    shifted = write_masks(tmp_path / "shifted", [truth(n) for n in range(FRAMES)], first=2)
    with MaskFilm(mask_film(tmp_path / "masks.mkv", first=2)) as one, MaskFilm(shifted) as other:
        assert common_frames(one, other) == [2, 3, 4, 5]
        assert common_frames(one, other, 3, 2) == [3, 4]
        np.testing.assert_array_equal(one.mask(4), truth(2))


def test_a_missing_frame_is_named(room: Path, tmp_path: Path) -> None:
    gap = write_masks(tmp_path / "gap", [truth(n) for n in range(FRAMES)])
    (gap / "mask_000001.png").unlink()
    with MaskFilm(gap) as found, MaskFilm(room / "truth") as true:
        with pytest.raises(UsageError, match=r"gap has 3 frames from 0 to 3 .* frame 1 is missing from .*gap"):
            common_frames(found, true)
        with pytest.raises(UsageError, match=r"frame 1 is missing from .*gap"):
            common_frames(true, found)
        assert common_frames(found, true, start=2) == [2, 3]
        with pytest.raises(UsageError, match="none of those asked for"):
            common_frames(found, true, start=9)
        with pytest.raises(UsageError, match="frame 1 is missing; give a mask for every frame"):
            need_masks(found, 1)


def test_sizes_that_differ_are_told(room: Path, tmp_path: Path) -> None:
    small = write_masks(tmp_path / "small", [truth(n)[1:] for n in range(FRAMES)])
    said = f"{WIDTH}x{HEIGHT - 1} and .* is {WIDTH}x{HEIGHT}"
    with MaskFilm(small) as found, MaskFilm(room / "truth") as true, pytest.raises(UsageError, match=said):
        common_frames(found, true)


def test_values_between_are_told(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "soft", [truth(0)])
    picture = truth(0).astype(np.uint8) * 255
    picture[7, 9] = 128
    cv2.imwrite(str(folder / "mask_000000.png"), picture)
    with MaskFilm(folder) as film, pytest.raises(UsageError, match="value 128 at column 9, row 7"):
        film.mask(0)


@pytest.mark.parametrize(("make", "said"), [(Path.mkdir, "holds no masks"), (None, "does not exist")])
def test_no_masks_are_told(tmp_path: Path, make: Callable[[Path], None] | None, said: str) -> None:
    path = tmp_path / "none"
    if make:
        make(path)
    with pytest.raises(UsageError, match=said):
        MaskFilm(path)


def test_a_broken_first_mask_is_told(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "broken", [truth(0)])
    (folder / "mask_000000.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match="save the mask again"):
        MaskFilm(folder)


def maps_of(path: Path, numbers: list[int] | None = None) -> list[tuple[int, np.ndarray]]:
    with DamageMaps(path) as film:
        return list(film.maps(list(film.numbers) if numbers is None else numbers))


@pytest.mark.parametrize(("kind", "peak"), [(np.uint8, 255), (np.uint16, 65535)])
def test_maps_of_8_and_16_bits_are_shares_of_full_scale(tmp_path: Path, kind: Any, peak: int) -> None:
    (tmp_path / "maps").mkdir()
    plane = np.random.default_rng(0).integers(0, peak + 1, (20, 30)).astype(kind)
    for number in (3, 4):
        cv2.imwrite(str(tmp_path / "maps" / f"p_{number:04d}.png"), plane)
    made = maps_of(tmp_path / "maps")
    assert [number for number, _ in made] == [3, 4]
    np.testing.assert_allclose(made[0][1], plane / peak, rtol=1e-6)
    assert [number for number, _ in maps_of(tmp_path / "maps", [4])] == [4]


def test_maps_as_a_film_and_in_floating_point(write_film: Callable[..., Path]) -> None:
    layout = Layout("gray", 16)
    frames = film_frames(layout, 20, 30, 3)
    made = maps_of(write_film("maps.mkv", frames, film_facts(layout, 20, 30)))
    np.testing.assert_allclose(made[2][1], frames[2].planes[0] / 65535, rtol=1e-6)
    layout = Layout("gray", 32, is_float=True)
    frames = film_frames(layout, 20, 30, 2)
    made = maps_of(write_film("map_%04d.exr", frames, film_facts(layout, 20, 30)).parent / "map_%04d.exr")
    np.testing.assert_array_equal(made[1][1], frames[1].planes[0])


def test_maps_with_colour_or_beyond_one_are_told(tmp_path: Path, write_film: Callable[..., Path]) -> None:
    (tmp_path / "colour").mkdir()
    cv2.imwrite(str(tmp_path / "colour" / "p_0000.png"), np.dstack([np.full((20, 30), n, np.uint8) for n in range(3)]))
    with pytest.raises(UsageError, match="frame 0 has colours"):
        maps_of(tmp_path / "colour")
    yuv = Layout("yuv", 8)
    with pytest.raises(UsageError, match="damage maps are gray"):
        DamageMaps(write_film("yuv.mkv", film_frames(yuv, 20, 30, 2), film_facts(yuv, 20, 30)))
    layout = Layout("gray", 32, is_float=True)
    frame = film_frames(layout, 20, 30, 1)[0]
    beyond = frame.with_planes((frame.planes[0] + np.float32(0.5),))
    write_film("map_%04d.exr", [beyond], film_facts(layout, 20, 30))
    with pytest.raises(UsageError, match="beyond 0 to 1"):
        maps_of(tmp_path / "map_%04d.exr")


def together(*paths: Path) -> list[tuple[int, ...]]:
    reels = [open_reel(path) for path in paths]
    return [tuple(frame.index for frame in frames) for frames in frames_together(reels)]


def test_films_side_by_side(room: Path, tmp_path: Path) -> None:
    assert together(room / "clean", room / "damaged") == [(n, n) for n in range(FRAMES)]
    short = write_film(tmp_path / "short", [np.zeros((HEIGHT, WIDTH), np.uint8)] * 2)
    with pytest.raises(UsageError, match=r"4 frames and .*short has 2; give films of one length"):
        together(room / "clean", short)
    narrow = write_film(tmp_path / "narrow", [np.zeros((HEIGHT, WIDTH - 1), np.uint8)] * FRAMES)
    with pytest.raises(UsageError, match="films of one size"):
        together(room / "clean", narrow)
    colour = write_film(tmp_path / "colour", [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * FRAMES)
    with pytest.raises(UsageError, match="one family of pixels"):
        together(room / "clean", colour)


def test_films_that_do_not_count_their_frames_are_told_at_their_end(room: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    short = write_film(tmp_path / "short", [np.zeros((HEIGHT, WIDTH), np.uint8)] * 2)
    reels = [open_reel(path) for path in (room / "clean", short)]
    for reel in reels:
        reel.facts = replace(reel.facts, frames=None)
    with pytest.raises(UsageError, match=r"short ends before frame 2 and .*clean goes on"):
        list(frames_together(reels))


def test_a_digest_is_of_samples_in_their_place() -> None:
    def digest(*parts: tuple[int, np.ndarray]) -> str:
        made = Digest()
        for number, plane in parts:
            made.add(number, plane)
        return made.text()

    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert digest((0, plane)) == digest((0, np.asfortranarray(plane)))
    others = [(1, plane), (0, plane.T), (0, plane.astype(np.uint16)), (0, plane + 1)]
    assert len({digest((0, plane)), *(digest(other) for other in others)}) == 5
