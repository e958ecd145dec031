"""Pictures of what a detector finds: simulated damage in yellow, green and red, real film with its mask in pink.

    python -m benchmarks.overlays [--detector fast] [--strength standard] [--out docs/pictures]
    python -m benchmarks.overlays --film SOURCE FRAME ... --out FOLDER

Writes `detection-simulated.jpg` (yellow hit, green false alarm, red miss; evaluation clips of the `test` split) and
`detection-film.jpg`: each frame beside the same frame with what was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import data_folder
from benchmarks.detection import detections, windows_of
from reelmend.detect import make_detector
from reelmend.detect.promise import Detector
from reelmend.evaluate.overlay import overlay
from reelmend.film import Mask
from reelmend.media import open_reel

SIMULATED = (("03_blocks", 12), ("05_default_juggle", 9), ("cockatoo_yuv420", 15), ("VID_20191220_170832", 20))
REAL = (("train_robbery_1903", 12), ("train_robbery_1903", 40), ("market_street_1906", 20), ("market_street_1906", 37))
"""Film that is in the public domain by age."""

CUT = (320, 240)
"""Width and height shown of a simulated frame, from its middle, at twice the size: specks are a few pixels across."""
GAP = 4


def shown(luma: NDArray[np.uint8], found: Mask, truth: Mask | None, cut: tuple[int, int] | None) -> NDArray[np.uint8]:
    """A frame beside its overlay."""
    height, width = luma.shape
    cut = cut or (width, height)
    top, left = max(0, (height - cut[1]) // 2), max(0, (width - cut[0]) // 2)
    window = (slice(top, top + cut[1]), slice(left, left + cut[0]))
    plain = np.repeat(luma[window][..., None], 3, axis=2)
    dimmed = np.asarray(luma[window] * 0.7, np.uint8)
    marked = overlay(dimmed, found[window], None if truth is None else truth[window], 1.0)
    pair = [cv2.resize(one, (640, 640 * cut[1] // cut[0]), interpolation=cv2.INTER_NEAREST) for one in (plain, marked)]
    return np.hstack([pair[0], np.full((len(pair[0]), GAP, 3), 255, np.uint8), pair[1]])


def film_row(detector: Detector, source: Path, number: int) -> NDArray[np.uint8]:
    """One frame of real film."""
    luma = next(window.centre.luma for window in windows_of(source) if window.centre.index == number)
    return shown(luma, detections(detector, source)[number].mask, None, None)


def simulated_row(detector: Detector, clip: Path, number: int) -> NDArray[np.uint8]:
    """One frame of an evaluation clip."""
    with open_reel(clip / "truth.mkv") as reel:
        truth = next(iter(reel.frames(number, 1))).planes[0] > 127
    luma = next(window.centre.luma for window in windows_of(clip / "damaged.mkv") if window.centre.index == number)
    return shown(luma, detections(detector, clip / "damaged.mkv")[number].mask, truth, CUT)


def sheet(rows: Sequence[NDArray[np.uint8]], path: Path) -> None:
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, GAP), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(padded)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 74])
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default="fast")
    parser.add_argument("--strength", default="standard")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--clips", type=Path, default=Path("build/bench/test"))
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--film", nargs=2, action="append", metavar=("SOURCE", "FRAME"), default=[])
    options = parser.parse_args()
    detector = make_detector(options.detector, options.strength, threads=2)
    if options.film:
        sheet([film_row(detector, Path(source), int(n)) for source, n in options.film], options.out / "film.jpg")
        return
    simulated = [simulated_row(detector, options.clips / name, number) for name, number in SIMULATED]
    sheet(simulated, options.out / "detection-simulated.jpg")
    real = [film_row(detector, options.data / "film" / name, number) for name, number in REAL]
    sheet(real, options.out / "detection-film.jpg")


if __name__ == "__main__":
    main()
