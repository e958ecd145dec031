"""Clean footage made into windows to train on: what detection would be shown of it, but without damage.

Flows are estimated on damaged copies of the frames, as they are in use, and the clean frames are warped by them: so a
network meets the errors that motion estimation makes where film is dirty. Damage and grain come later, at random.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import ReelMendError, UsageError
from reelmend.film import Frame, Layout, Mask
from reelmend.media import open_reel
from reelmend.motion.luma import luma8
from reelmend.motion.picture import Picture, picture
from reelmend.motion.warp import warp_luma
from reelmend.motion.windows import Window, windows
from reelmend.simulate.damage import Damage, draw
from reelmend.simulate.life import Timeline, choose_reel
from reelmend.simulate.recipe import Recipe

SIDE = 288
"""Pixels of a stored window; training crops are cut from it at random places."""

WIDTHS = (480, 560, 640, 720, 800)
"""Pixels to which footage is shrunk, one for each run: lossy footage must be shrunk, or a network learns its codec."""

LEAST_SHRINK = 1.3

PHOTOGRAPHS = (".jpg", ".jpeg", ".png")

ORDER = (-1, 1, -2, 2)
"""Steps of the neighbours in a stack, after the centre."""

Floats = NDArray[np.float32]

Stack = NDArray[np.uint8]
"""`(5, SIDE, SIDE)` luma: the centre and its four neighbours on its pixels."""


@dataclass(frozen=True, slots=True)
class PackFacts:
    """What a pack was made of; written beside it."""

    windows: dict[str, int]
    """By file name."""
    seed: int
    side: int = SIDE


def sources(given: Sequence[Path]) -> list[Path]:
    """The files named, and those of the folders named, however deep, in order of their names.

    Raises UsageError when something does not exist or there are none.
    """
    found: list[Path] = []
    for path in given:
        if not path.exists():
            raise UsageError(f"{path} does not exist; give clean films and photographs, or folders of them")
        inside = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
        found += inside if path.is_dir() else [path]
    if not found:
        raise UsageError(f"{given[0]}: no footage in it; give clean films and photographs, or folders of them")
    return found


def clean_runs(path: Path, rng: np.random.Generator, length: int) -> Iterator[list[NDArray[np.uint8]]]:
    """Runs of up to `length` frames of luma, each shrunk by a factor of its own, without end: a film is read again.

    Photographs come as runs in which the camera pans and zooms over them. Raises UsageError or MediaError for a file
    that cannot be read.
    """
    if path.suffix.lower() in PHOTOGRAPHS:
        # Not through the reel reader, which takes a picture with a number in its name for one of a sequence.
        still = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if still is None:
            raise UsageError(f"{path}: not a picture")
        while True:
            size = _size(still.shape[1], still.shape[0], rng)
            shrunk = cv2.resize(still, size, interpolation=cv2.INTER_AREA)
            yield panned(np.asarray(shrunk, np.uint8), rng, 5 + 3)
    while True:
        with open_reel(path) as reel:
            yield from _film_runs(reel.frames(), rng, length)


def _film_runs(frames: Iterable[Frame], rng: np.random.Generator, length: int) -> Iterator[list[NDArray[np.uint8]]]:
    run: list[NDArray[np.uint8]] = []
    size, step = (0, 0), 1
    for number, frame in enumerate(frames):
        if not run:
            size, step = _size(frame.width, frame.height, rng), int(rng.choice([1, 1, 2]))
        if number % step == 0:
            run.append(np.asarray(cv2.resize(luma8(frame), size, interpolation=cv2.INTER_AREA), np.uint8))
        if len(run) == length:
            yield run
            run = []
    if len(run) >= 5:
        yield run


def _size(width: int, height: int, rng: np.random.Generator) -> tuple[int, int]:
    smallest = SIDE / min(width, height)
    wanted = float(rng.choice(WIDTHS)) / max(width, height)
    scale = max(min(wanted, 1 / LEAST_SHRINK), min(smallest, 1.0))
    return max(SIDE, round(width * scale)), max(SIDE, round(height * scale))


def panned(still: NDArray[np.uint8], rng: np.random.Generator, length: int) -> list[NDArray[np.uint8]]:
    """A photograph as the frames of a camera that moves over it smoothly, with a hand's tremor."""
    height, width = still.shape
    view_w, view_h = min(width, 480), min(height, 360)
    speed = rng.normal(0, 3.0, 2)
    zoom = rng.normal(0, 0.004)
    turn = rng.normal(0, 0.003)
    tremor = rng.normal(0, 0.6, (length, 2))
    frames = []
    for n in range(length):
        t = n - length / 2
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(np.degrees(turn * t)), float(np.exp(zoom * t)))
        matrix[:, 2] += (view_w / 2 - width / 2, view_h / 2 - height / 2) + speed * t + tremor[n]
        moved = cv2.warpAffine(still, matrix, (view_w, view_h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        frames.append(np.asarray(moved, np.uint8))
    return frames


def stacks(run: Sequence[NDArray[np.uint8]], dirt: Dirt, rng: np.random.Generator, crops: int) -> Iterator[Stack]:
    """`crops` windows of every frame of a run that has two neighbours on either side."""
    dirty = [dirt.over(luma, rng) for luma in run]
    pictures = [picture(Frame(n, (luma,), Layout("gray", 8))) for n, luma in enumerate(dirty)]
    clean = [picture(Frame(n, (luma,), Layout("gray", 8))) for n, luma in enumerate(run)]
    with ThreadPoolExecutor(1) as pool:
        for index, future in windows(((0, one) for one in pictures), pool):
            window = future.result()
            if len(window.before) < 2 or len(window.after) < 2:
                continue
            frames = [run[index], *_neighbours(window, clean)]
            height, width = run[index].shape
            for _ in range(crops):
                top, left = int(rng.integers(height - SIDE + 1)), int(rng.integers(width - SIDE + 1))
                yield np.stack([frame[top : top + SIDE, left : left + SIDE] for frame in frames])


def _neighbours(window: Window, clean: Sequence[Picture]) -> Iterable[NDArray[np.uint8]]:
    # The window of the damaged frames, its pictures swapped for the clean ones: warping is that of detection.
    swapped = replace(window, centre=clean[window.centre.index])
    by_step = {one.step: one for one in window.neighbours}
    for step in ORDER:
        one = by_step[step]
        yield warp_luma(swapped, replace(one, picture=clean[one.picture.index])).luma


class Dirt:
    """Frames of drawn damage to lay over any frame: cut, turned and mirrored they serve many times.

    It need not be new each time, nor persist: detectors are shown other damage, and only the flow meets this.
    """

    SIDE = 960
    FRAMES = 24

    def __init__(self, recipe: Recipe, seed: int) -> None:
        size = (self.SIDE, self.SIDE)
        self._frames = []
        for n in range(self.FRAMES):
            timeline = Timeline(recipe, seed + n, size, choose_reel(recipe, seed + n))
            damage = draw(timeline.alive(0), *size, 0)
            self._frames.append((*lay_neutral(damage), damage.truth))

    def cut(self, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats, Mask]:
        """Gain, lift and mask of damage over a frame of `shape`, up to `SIDE` pixels a side."""
        gain, lift, mask = self._frames[int(rng.integers(self.FRAMES))]
        turn, top, left = int(rng.integers(4)), *(int(rng.integers(self.SIDE - n + 1)) for n in shape)
        part = (slice(top, top + shape[0]), slice(left, left + shape[1]))
        return np.rot90(gain, turn)[part], np.rot90(lift, turn)[part], np.rot90(mask, turn)[part]

    def over(self, luma: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """A frame with grain and damage."""
        gain, lift, _ = self.cut(luma.shape, rng)
        noise = cv2.GaussianBlur(rng.standard_normal(luma.shape, np.float32) * rng.uniform(2, 12), (0, 0), 0.6)
        return np.asarray(np.clip((luma + noise) * gain + lift * 255, 0, 255), np.uint8)


def lay_neutral(damage: Damage) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gain and lift `(h, w)`: of coloured damage, the mean over the channels."""
    parts = (part if part.ndim == 2 else part.mean(axis=0) for part in (damage.gain, damage.lift))
    gain, lift = (np.asarray(part, np.float32) for part in parts)
    return gain, lift


def write_pack(
    files: Sequence[Path],
    out: Path,
    recipe: Recipe,
    *,
    seed: int = 0,
    each: int = 400,
    run: int = 24,
    say: Callable[[str], None] = print,
) -> PackFacts:
    """Write the windows of clean footage as `out` (an array `(n, 5, SIDE, SIDE)` uint8 in NumPy's format).

    `recipe` is the damage that disturbs the flow, `each` the windows of every file, `run` the frames that are shrunk
    alike. What cannot be read is told to `say` and left out. Raises UsageError when nothing could be read.
    """
    counts: dict[str, int] = {}
    dirt = Dirt(recipe, seed)
    raw = out.with_suffix(".part")
    with raw.open("wb") as file:
        for number, path in enumerate(files):
            count = 0
            try:
                for stack in _windows_of(path, dirt, np.random.default_rng([seed, number]), each, run):
                    file.write(stack.tobytes())
                    count += 1
            except ReelMendError as error:
                say(f"left out: {error}")
            if count:
                counts[path.name] = count
    if not counts:
        raw.unlink()
        raise UsageError("none of the footage gave a window; films need five frames and 288 lines or more")
    data = np.memmap(raw, np.uint8, "r", shape=(sum(counts.values()), 5, SIDE, SIDE))
    np.save(out, data)
    raw.unlink()
    facts = PackFacts(counts, seed)
    out.with_suffix(".json").write_text(json.dumps(asdict(facts), indent=2) + "\n", encoding="utf-8")
    return facts


def _windows_of(path: Path, dirt: Dirt, rng: np.random.Generator, most: int, length: int) -> Iterator[Stack]:
    still = path.suffix.lower() in PHOTOGRAPHS
    given = 0
    for run in clean_runs(path, rng, length):
        before = given
        for stack in stacks(run, dirt, rng, 1 if still else 2):
            # Where there is nothing to see (a fade to black) there is nothing to learn.
            if stack[0].std() < 2:
                continue
            yield stack
            given += 1
            if given >= most:
                return
        if given == before:
            return
