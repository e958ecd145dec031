"""Evaluation clips: clean footage, shrunk, given grain, then damage of real outlines that is known to the pixel.

    python -m benchmarks.clips --out build/bench

writes `<split>/<name>/clean.mkv`, `damaged.mkv`, `truth.mkv` (gray, 255 = damaged), `classes.mkv` (gray, 1 + the
place in `CLASSES` of what is damaged by what) and `clip.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.video import Planes, from_rgb, read_rgb, write_ffv1
from reelmend.film import Frame, Layout, Mask
from reelmend.media import open_reel
from reelmend.simulate.damage import TRUTH_ALPHA, damage_frame
from reelmend.simulate.defect import Defect
from reelmend.simulate.grain import Grain, add_grain, grain_of
from reelmend.simulate.outlines import Outline, read_scans
from reelmend.simulate.pool import PoolRecipe, draw, expose, sample_defects

LAYOUTS = {
    "gray": Layout("gray", 8),
    "yuv420p": Layout("yuv", 8, sub_x=1, sub_y=1),
    "yuv444p": Layout("yuv", 8),
}

SCANS = {"dev": ("scan_1", "scan_3", "scan_4", "scan_8"), "test": ("scan_5", "scan_6", "scan_7", "scan_10")}
"""No outline is in both splits."""


CLASSES = ("dust", "dirt", "short hair", "long hair")


@dataclass(frozen=True, slots=True)
class ClipRecipe:
    """One clip: where its pictures come from and what happens to them."""

    split: Literal["dev", "test"]
    source: str
    pixel_format: Literal["gray", "yuv420p", "yuv444p"]
    gauge: Literal["35mm", "16mm", "super8"]
    size: tuple[int, int]
    """Width and height after shrinking, at most half the source's."""
    bright: float
    """Share of bright damage: near 1 for dirt printed from a negative, near 0 for dirt on the print itself."""
    first: int = 0
    frames: int = 28

    @property
    def name(self) -> str:
        return Path(self.source).stem[:24]

    @property
    def seed(self) -> int:
        return zlib.crc32(self.source.encode())


COTTONBRO = "pexels-cottonbro-studio-6649832-960x506-25fps.mp4"
SHKRABA = "pexels-antoni-shkraba-8048492-540x960-25fps.mp4"

# fmt: off
CLIPS: tuple[ClipRecipe, ...] = (
    ClipRecipe("dev", "01_dog.mp4", "yuv420p", "35mm", (640, 360), 0.5, first=96),
    ClipRecipe("dev", "02_cups.mp4", "yuv420p", "16mm", (640, 360), 0.2, first=60),
    ClipRecipe("dev", "bedroom.mp4", "yuv444p", "16mm", (480, 270), 0.5, first=120),
    ClipRecipe("dev", "squirrel_no_audio.mp4", "gray", "35mm", (640, 360), 0.9),
    ClipRecipe("dev", "pexels-koolshooters-7322716.mp4", "yuv420p", "super8", (480, 360), 0.3, first=80),
    ClipRecipe("dev", "Seeking_30_480_1050.mp4", "yuv420p", "35mm", (360, 240), 0.5),
    ClipRecipe("dev", "music.mp4", "gray", "16mm", (320, 256), 0.1, first=90),
    ClipRecipe("dev", "book.mkv", "yuv444p", "super8", (320, 240), 0.7, first=10),
    ClipRecipe("test", "03_blocks.mp4", "yuv420p", "35mm", (640, 360), 0.5, first=30),
    ClipRecipe("test", "05_default_juggle.mp4", "yuv420p", "16mm", (640, 360), 0.3, first=100),
    ClipRecipe("test", "cockatoo_yuv420.mp4", "gray", "35mm", (640, 360), 0.8, first=190),
    ClipRecipe("test", "VID_20191220_170832.mp4", "yuv420p", "super8", (640, 360), 0.2, first=6),
    ClipRecipe("test", COTTONBRO, "yuv444p", "16mm", (480, 252), 0.5, first=120),
    ClipRecipe("test", "woman-running.mp4", "yuv420p", "35mm", (256, 256), 0.5, first=10),
    ClipRecipe("test", SHKRABA, "gray", "16mm", (270, 480), 0.1, first=10),
    ClipRecipe("test", "help.mkv", "yuv444p", "super8", (320, 240), 0.6, first=10),
)
# fmt: on


def data_folder() -> Path:
    """Where footage and annotations lie: `REELMEND_DATA`, or `data` in a folder `shared` beside the project."""
    return Path(os.environ.get("REELMEND_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def clean_pictures(recipe: ClipRecipe, data: Path) -> Iterator[NDArray[np.float32]]:
    """The shrunk source, `(h, w, 3)` RGB in 0..1. Shrinking by two or more averages the codec's own errors away."""
    for picture in read_rgb(data / "clean" / "video" / recipe.source, recipe.first, recipe.frames):
        height, width = picture.shape[:2]
        if width < 2 * recipe.size[0] or height < 2 * recipe.size[1]:
            raise ValueError(f"{recipe.source} is {width}x{height}: too small to shrink to {recipe.size}")
        shrunk = cv2.resize(picture.astype(np.float32) / 255, recipe.size, interpolation=cv2.INTER_AREA)
        yield np.asarray(shrunk, dtype=np.float32)


def exposed(picture: NDArray[np.float32], pixel_format: str, grain: Grain | None, rng: np.random.Generator) -> Planes:
    """A picture `(h, w, 3)` RGB in 0..1 as the planes of a clip, with grain; None for none."""
    if pixel_format == "gray":
        # One channel, one grain: averaging three channels' grain would weaken it.
        picture = (picture @ np.array([[0.2126], [0.7152], [0.0722]], dtype=np.float32))[..., 0]
    grainy = picture if grain is None else add_grain(picture, grain, rng)
    if grainy.ndim == 2:
        grainy = np.repeat(grainy[..., None], 3, axis=2)
    return from_rgb(np.rint(grainy * 255).astype(np.uint8), pixel_format)


def build(
    recipe: ClipRecipe, data: Path, pool: Sequence[Outline], out: Path, softness: tuple[float, float] | None = None
) -> Path:
    """Writes one clip into `out/<split>/<name>` and returns that folder. Repeats bit for bit.

    `softness` of the edges of damage, lowest and highest, pixels; None: as `PoolRecipe` has it.
    """
    width, height = recipe.size
    grain_rng, damage_rng = np.random.default_rng(recipe.seed).spawn(2)
    grain = grain_of(recipe.gauge, width)
    damage_recipe = PoolRecipe(gauge=recipe.gauge, bright=recipe.bright)
    if softness is not None:
        damage_recipe = replace(damage_recipe, softness=softness)
    layout = LAYOUTS[recipe.pixel_format]
    clean: list[Planes] = []
    damaged: list[Planes] = []
    truth: list[Planes] = []
    classes: list[Planes] = []
    for index, picture in enumerate(clean_pictures(recipe, data)):
        planes = exposed(picture, recipe.pixel_format, grain, grain_rng)
        defects = sample_defects(damage_rng, pool, height, width, damage_recipe)
        damage = draw(defects, height, width)
        clean.append(planes)
        damaged.append(damage_frame(Frame(index, planes, layout), damage).planes)
        truth.append((damage.truth.astype(np.uint8) * 255,))
        classes.append((classes_of(defects, damage.truth),))
    if len(clean) < recipe.frames:
        raise ValueError(f"{recipe.source} has no {recipe.frames} frames from {recipe.first}")
    folder = out / recipe.split / recipe.name
    rate = Fraction(24)
    write_ffv1(folder / "clean.mkv", clean, recipe.pixel_format, rate)
    write_ffv1(folder / "damaged.mkv", damaged, recipe.pixel_format, rate)
    write_ffv1(folder / "truth.mkv", truth, "gray", rate)
    write_ffv1(folder / "classes.mkv", classes, "gray", rate)
    facts = asdict(recipe) | {
        "name": recipe.name,
        "seed": recipe.seed,
        "truth_alpha": TRUTH_ALPHA,
        "grain": asdict(grain),
        "damage": asdict(damage_recipe),
        "scans": SCANS[recipe.split],
        "damaged_fraction": float(np.mean([plane[0] > 0 for plane in truth])),
    }
    (folder / "clip.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return folder


def classes_of(defects: Sequence[Defect], truth: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Of every true pixel 1 + the place in `CLASSES` of the defect that takes most of its light, else 0."""
    most = np.zeros(truth.shape, np.float32)
    found = np.zeros(truth.shape, np.uint8)
    for defect in defects:
        patch = expose(defect, *truth.shape)
        part = np.s_[patch.top : patch.top + patch.alpha.shape[0], patch.left : patch.left + patch.alpha.shape[1]]
        more = patch.alpha > most[part]
        most[part][more] = patch.alpha[more]
        found[part][more] = 1 + CLASSES.index(defect.kind)
    return np.where(truth, found, np.uint8(0))


def pool_of(split: str, data: Path) -> list[Outline]:
    """The outlines that the clips of a split are damaged with."""
    return [one for one in read_scans(data / "damage" / "annotations", SCANS[split]) if one.kind != "scratch"]


def build_all(data: Path, out: Path, split: str = "all") -> list[Path]:
    """Builds the clips of `dev`, `test` or `all`; the folders, in the order of `CLIPS`."""
    pools = {name: pool_of(name, data) for name in SCANS}
    folders = []
    for recipe in CLIPS:
        if split in ("all", recipe.split):
            folders.append(build(recipe, data, pools[recipe.split], out))
            print(f"{recipe.split:5}{recipe.name:26}{recipe.pixel_format:9}{recipe.gauge:8}{recipe.size}", flush=True)
    return folders


def built(out: Path, split: str, data: Path | None = None) -> list[Path]:
    """Folders of the clips of a split, `dev`, `test` or `all`; built of `data` (unset: `data_folder()`) where one is
    missing."""
    found = [out / recipe.split / recipe.name for recipe in CLIPS if split in ("all", recipe.split)]
    if not all((clip / "clip.json").exists() for clip in found):
        build_all(data or data_folder(), out, split)
    return found


def truth_of(clip: Path) -> list[Mask]:
    """Where each frame of a clip is damaged."""
    with open_reel(clip / "truth.mkv") as reel:
        return [frame.planes[0] > 127 for frame in reel.frames()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the evaluation clips.")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--data", type=Path, default=data_folder(), help="default: REELMEND_DATA or ../shared/data")
    parser.add_argument("--split", choices=("dev", "test", "all"), default="all")
    options = parser.parse_args()
    build_all(options.data, options.out, options.split)


if __name__ == "__main__":
    main()
