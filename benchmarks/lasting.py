"""Damage that stays in place: a line scratched along the film and a hair in the gate, over more than fifty frames.

    python -m benchmarks.lasting [--split dev] [--every 3] [--repairers temporal auto] [--strips FILE.png]

Every clip goes to and fro until it is long enough; the same scratch and the same hair lie on each of its frames, and
their masks are known. Told for each repairer, without and with what is known of the neighbours' damage: the column that
is left (the mean over the scratch's rows of repaired minus clean, root mean square over its columns and the frames, in
8-bit codes), and the low-passed PSNR under the scratch and under the hair.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from benchmarks.clips import built
from benchmarks.detection import windows_of
from benchmarks.video import write_ffv1
from reelmend.evaluate.fidelity import decibels, low_passed_error
from reelmend.film import Mask
from reelmend.grain import regrain
from reelmend.media import open_reel
from reelmend.motion.informed import FilledFlows, informed
from reelmend.pipeline.stream import Lazily
from reelmend.repair import grow, make_repairer

LENGTH = 54
"""Frames."""

GROW = 2
SCRATCH_OPACITY, HAIR_OPACITY = 0.8, 0.9


@dataclass(slots=True)
class Clip:
    """A clip with damage that stays."""

    clean: list[np.ndarray]
    hurt: list[np.ndarray]
    scratch: Mask
    hair: Mask


def damaged(folder: Path) -> Clip:
    """The clip's clean frames to and fro, luma, under a bright line of three pixels and a dark hair."""
    with open_reel(folder / "clean.mkv") as reel:
        clean = [frame.planes[0].astype(np.float32) for frame in reel.frames()]
    order = [*range(len(clean)), *range(len(clean) - 2, 0, -1)]
    clean = [clean[order[n % len(order)]] for n in range(LENGTH)]
    height, width = clean[0].shape
    line, hair = np.zeros((2, height, width), np.float32)
    x = round(0.37 * width)
    line[:, x : x + 3] = (0.5, 1.0, 0.5)
    t = np.linspace(0, 1, 60)
    curve = np.stack([width * (0.7 + 0.12 * np.sin(5 * t) * t), height * (1 - 0.45 * t)], axis=1)
    cv2.polylines(hair, [np.rint(curve * 8).astype(np.int32)], False, 1.0, 2, cv2.LINE_AA, 3)
    hurt = []
    for one in clean:
        two = one + SCRATCH_OPACITY * line * (235 - one)
        hurt.append(np.clip(np.rint(two + HAIR_OPACITY * hair * (20 - two)), 0, 255).astype(np.uint8))
    return Clip(clean, hurt, line > 0, hair > 0.1)


def score(clip: Clip, folder: Path, name: str, every: int, knows: bool) -> tuple[float, list[float | None], np.ndarray]:
    """The column that is left, the PSNR under scratch and hair, and the middle frame as repaired."""
    write_ffv1(folder / "film.mkv", [[one] for one in clip.hurt], "gray", Fraction(24))
    mask = clip.scratch | clip.hair
    grown = grow(mask, GROW)
    repairer, flows, known = make_repairer(name), FilledFlows(Lazily()), dict.fromkeys(range(LENGTH), mask)
    columns, squares, shown = [], {"scratch": [], "hair": []}, clip.hurt[0]
    rows = ~(clip.hair & grow(clip.scratch, 8)).any(axis=1)
    for n, window in islice(enumerate(windows_of(folder / "film.mkv")), 1, None, every):
        window = informed(window, known, flows) if knows else window
        repair = repairer.repair(window, grown)
        after = regrain(repair.frame, window.centre.frame, repair.touched, drawn=repair.drawn, seed=0).planes[0]
        away = after.astype(np.float32) - clip.clean[n]
        columns.append(away[rows][:, clip.scratch.any(axis=0)].mean(axis=0))
        lost = low_passed_error(after, clip.clean[n]) ** 2
        squares["scratch"].append(lost[clip.scratch].mean())
        squares["hair"].append(lost[clip.hair].mean())
        shown = after if n <= LENGTH // 2 else shown
    left = float(np.sqrt(np.mean(np.square(columns))))
    return left, [decibels(float(np.mean(one)), 255) for one in squares.values()], shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=Path("build/bench"))
    parser.add_argument("--split", default="dev", choices=["dev", "test"])
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--repairers", nargs="+", default=["temporal", "auto"])
    parser.add_argument("--strips", type=Path)
    options = parser.parse_args()
    print("| repairer | knows neighbours' damage | column left, codes | scratch, dB | hair, dB |")
    print("| --- | --- | --- | --- | --- |")
    clips = [damaged(one) for one in built(options.bench, options.split)]
    before = float(np.sqrt(np.mean([_column(clip) ** 2 for clip in clips])))
    print(f"| none | | {before:.1f} | | |", flush=True)
    rows = []
    with TemporaryDirectory() as name:
        for repairer in options.repairers:
            for knows in (False, True):
                found = [score(clip, Path(name), repairer, options.every, knows) for clip in clips]
                left = float(np.sqrt(np.mean([one[0] ** 2 for one in found])))
                scratch, hair = (np.mean([one[1][n] for one in found]) for n in range(2))
                print(
                    f"| {repairer} | {'yes' if knows else 'no'} | {left:.2f} | {scratch:.1f} | {hair:.1f} |", flush=True
                )
                rows.append([one[2] for one in found])
    if options.strips:
        sheet = []
        for n, clip in enumerate(clips[:3]):
            shown = [clip.hurt[LENGTH // 2], *(row[n] for row in rows), clip.clean[LENGTH // 2]]
            x, y = round(0.37 * clip.scratch.shape[1]), clip.scratch.shape[0] // 2
            sheet.append(np.hstack([np.rint(one[y - 60 : y + 60, x - 60 : x + 60]).astype(np.uint8) for one in shown]))
        cv2.imwrite(str(options.strips), np.repeat(np.repeat(np.vstack(sheet), 2, 0), 2, 1))


def _column(clip: Clip) -> float:
    away = clip.hurt[LENGTH // 2].astype(np.float32) - clip.clean[LENGTH // 2]
    return float(np.sqrt(np.mean(away[:, clip.scratch.any(axis=0)].mean(axis=0) ** 2)))


if __name__ == "__main__":
    main()
