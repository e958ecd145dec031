"""Clean footage made into holes to train repair on: what a repairer would be shown of damage, and what was under it.

Everything is as in use: flows are estimated on damaged frames, neighbours are damaged themselves, mostly with masks
of their own, the mask is grown, the fill is that of the temporal repairer. The truth keeps its grain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import ReelMendError, UsageError
from reelmend.film import Frame, Layout
from reelmend.motion.informed import FilledFlows, informed
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows
from reelmend.repair.grow import grow
from reelmend.repair.patches import SIDE, VIEWS, Patches, Place, cover, views
from reelmend.repair.temporal import TemporalRepairer
from reelmend.simulate.grain import BEND, Grain, add_grain
from reelmend.simulate.recipe import Recipe
from reelmend.train.windows import PHOTOGRAPHS, Dirt, clean_runs

PLANES = ("truth", *VIEWS)
"""Of a hole in a pack, `(9, SIDE, SIDE)` uint8."""

GROWN = (1, 2, 2, 3, 4)
"""Pixels by which masks are grown, at random."""

LASTING = 0.2
"""Share of runs over which some damage lies still: neighbours then show it too."""

KNOWN = 0.8
"""Share of runs of which the masks of all frames are known, as where damage was found; repair does without too."""

STRONGEST = 14
"""Codes of 255: standard deviation of grain at most, where it is strongest; it follows brightness as film's does."""

SIZES = (0.4, 0.9)
"""Of grain, pixels: `Grain.size`."""

MOST = 10
"""Holes of one frame."""


def holes(run: Sequence[NDArray[np.uint8]], dirt: Dirt, rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Holes `(9, SIDE, SIDE)` of every frame of a run of luma, planes as in `PLANES`."""
    shape = run[0].shape
    lasting = dirt.cut(shape, rng) if rng.random() < LASTING else None
    flicker = rng.uniform(0, 0.03) if rng.random() < 0.3 else 0.0
    grain = Grain(rng.uniform(1, STRONGEST) / 255, rng.uniform(*SIZES), law="film", bend=BEND)
    clean, dirty, masks = [], [], []
    for luma in run:
        light = np.float32((1 + flicker * rng.standard_normal()) / 255)
        grainy = 255 * add_grain(np.clip(luma * light, 0, 1), grain, rng)
        gain, lift, mask = dirt.cut(shape, rng)
        if lasting is not None:
            gain, lift, mask = gain * lasting[0], lift + lasting[1], mask | lasting[2]
        clean.append(np.rint(grainy).astype(np.uint8))
        dirty.append(np.clip(np.rint(grainy * gain + lift * 255), 0, 255).astype(np.uint8))
        masks.append(np.ascontiguousarray(mask, np.bool_))
    pictures = [picture(Frame(n, (luma,), Layout("gray", 8))) for n, luma in enumerate(dirty)]
    known = dict(enumerate(masks)) if rng.random() < KNOWN else {}
    with ThreadPoolExecutor(1) as pool:
        flows = FilledFlows(pool)
        for index, future in windows(((0, one) for one in pictures), pool):
            window = informed(future.result(), known, flows)
            mask = grow(masks[index], int(rng.choice(GROWN)))
            if not mask.any() or not window.neighbours:
                continue
            repair = TemporalRepairer().repair(window, mask)
            places = _some(cover(mask, (SIDE,))[0].places, mask.shape, rng)
            fill = np.asarray(repair.frame.planes[0] / np.float32(255), np.float32)
            shown = views(window, fill, mask, repair.unsure, Patches(SIDE, places))
            for (top, left), patch in zip(places, shown, strict=True):
                part = (slice(top, top + SIDE), slice(left, left + SIDE))
                hole = np.concatenate([clean[index][part][None], np.rint(patch * 255)])
                yield hole.astype(np.uint8)


def _some(places: list[Place], shape: tuple[int, ...], rng: np.random.Generator) -> list[Place]:
    """Some of the patches, moved a little: damage is not always in the middle."""
    few = [places[n] for n in rng.permutation(len(places))[:MOST]]
    moved = [(y + int(rng.integers(-8, 9)), x + int(rng.integers(-8, 9))) for y, x in few]
    return [(min(max(y, 0), shape[0] - SIDE), min(max(x, 0), shape[1] - SIDE)) for y, x in moved]


def write_holes(
    files: Sequence[Path],
    out: Path,
    recipe: Recipe,
    *,
    seed: int = 0,
    each: int = 2000,
    run: int = 16,
    say: Callable[[str], None] = print,
) -> dict[str, int]:
    """Write the holes of clean footage as `out`, an array `(n, 9, SIDE, SIDE)` uint8; how many, by file name.

    `recipe` is the damage, `each` the holes of every film (a tenth of it of a photograph), `run` the frames shrunk
    alike. What cannot be read is told to `say` and left out. Raises UsageError when nothing could be read.
    """
    counts: dict[str, int] = {}
    dirt = Dirt(recipe, seed)
    raw = out.with_suffix(".part")
    with raw.open("wb") as file:
        for number, path in enumerate(files):
            most = each if path.suffix.lower() not in PHOTOGRAPHS else max(1, each // 10)
            count = 0
            try:
                for hole in _holes_of(path, dirt, np.random.default_rng([seed, number]), most, run):
                    file.write(hole.tobytes())
                    count += 1
            except ReelMendError as error:
                say(f"left out: {error}")
            if count:
                counts[path.name] = count
    if not counts:
        raw.unlink()
        raise UsageError("none of the footage gave a hole; films need two frames and 288 lines or more")
    np.save(out, np.memmap(raw, np.uint8, "r", shape=(sum(counts.values()), len(PLANES), SIDE, SIDE)))
    raw.unlink()
    facts = {"windows": counts, "seed": seed, "side": SIDE, "planes": PLANES}
    out.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return counts


def _holes_of(path: Path, dirt: Dirt, rng: np.random.Generator, most: int, length: int) -> Iterator[NDArray[np.uint8]]:
    given = 0
    for run in clean_runs(path, rng, length):
        before = given
        for hole in holes(run, dirt, rng):
            yield hole
            given += 1
            if given >= most:
                return
        if given == before:
            return


def check_planes(array: NDArray[np.uint8]) -> bool:
    """Whether an array has the shape of a pack of holes."""
    return array.ndim == 4 and array.shape[1:] == (len(PLANES), SIDE, SIDE) and array.dtype == np.uint8
