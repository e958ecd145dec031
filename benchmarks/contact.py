"""Contact sheets of real film: what was found and mended, and what stood out and was left.

    python -m benchmarks.contact SOURCE ... --out docs/pictures [--frames N] [--strength standard]

One JPEG a source, `NAME.jpg`: the frame with the most damage; then the largest finds, each before | mask | after; then
the strongest candidates that were left alone, each in the frame before | the frame | the frame after. Crops are at
twice the size; mask pixels are pink, candidates ringed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import reelmend
from reelmend.detect.candidates import find_candidates
from reelmend.evaluate.overlay import overlay
from reelmend.film import Frame, Mask, ReelFacts
from reelmend.media import open_mask_reader
from reelmend.motion.cuts import shots
from reelmend.motion.picture import picture
from reelmend.motion.windows import windows
from reelmend.report.picture import to_rgb8

Rgb = NDArray[np.uint8]
CROP, SCALE = 64, 2
SHOWN, A_FRAME = 10, 2
"""Places of each kind on a sheet, and at most of one frame."""
GAP, LABEL = 6, 16
RING = (255, 160, 0)
LARGEST_FILE = 250_000


@dataclass(frozen=True, slots=True)
class Place:
    frame: int
    x: int
    y: int
    size: float
    """Area times contrast: what catches the eye."""
    radius: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contact", description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--strength", default="standard")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for source in options.sources:
        with tempfile.TemporaryDirectory() as folder:
            sheet, told = contact_sheet(source, Path(folder), options.frames, options.strength)
        target = options.out / f"{source.stem}.jpg"
        write_jpeg(target, sheet)
        print(f"{target}: {told}", flush=True)


def contact_sheet(source: Path, folder: Path, frames: int | None, strength: str) -> tuple[Rgb, str]:
    film = folder / ("film.mkv" if source.is_file() else "film")
    masks = folder / "masks"
    summary = reelmend.restore(source, film, masks=masks, frames=frames, strength=strength)
    with reelmend.open_reel(source) as reel, reelmend.open_reel(film) as mended:
        facts = reel.facts
        before, after = list(reel.frames(0, frames)), list(mended.frames())
    with open_mask_reader(masks, facts.height, facts.width) as reader:
        marks = [reader.mask(index) for index in range(len(before))]
    kept, left = chosen(found(before, after, marks)), chosen(rejected(before, marks))
    rows = [whole(facts, before, after, marks)]
    rows += [heading("found: before | mask | after"), *pairs(mended_tile(facts, p, before, after, marks) for p in kept)]
    rows += [heading("left: frame before | frame | frame after"), *pairs(left_tile(facts, p, before) for p in left)]
    told = f"{summary.frames} frames, {summary.blobs} places, {1e6 * summary.damaged_fraction:.0f} pixels per million"
    return stacked([row for row in rows if row is not None]), told


def found(before: Sequence[Frame], after: Sequence[Frame], marks: Sequence[Mask]) -> Iterator[Place]:
    for old, new, mask in zip(before, after, marks, strict=True):
        change = np.abs(old.planes[0].astype(np.float32) - new.planes[0]) / old.layout.peak
        count, labels, boxes, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
        sums = np.bincount(labels.ravel(), change.ravel(), count)
        for n in range(1, count):
            x, y = (round(float(value)) for value in centres[n])
            yield Place(old.index, x, y, float(sums[n]), int(max(boxes[n][2:4])) // 2)


def rejected(before: Sequence[Frame], marks: Sequence[Mask]) -> Iterator[Place]:
    """Candidates of the spike test that no mask touches."""
    with ThreadPoolExecutor(2) as pool:
        for index, future in windows(shots(map(picture, before)), pool):
            candidates = find_candidates(future.result())
            if candidates is None or not candidates.count:
                continue
            width = before[index].width
            sums = np.bincount(candidates.blob, np.abs(candidates.spike), candidates.count)
            hit = np.bincount(candidates.blob, marks[index].ravel()[candidates.where], candidates.count) > 0
            for n in np.argsort(sums * ~hit)[::-1][: 4 * A_FRAME]:
                ys, xs = np.divmod(candidates.where[candidates.blob == n], width)
                reach = int(max(np.ptp(xs), np.ptp(ys))) // 2
                if reach > CROP // 2 - 6:
                    # Not a place but half a picture: a lost frame, a jump of the splice.
                    continue
                yield Place(index, round(float(xs.mean())), round(float(ys.mean())), float(sums[n]), reach)


def chosen(places: Iterator[Place]) -> list[Place]:
    taken: Counter[int] = Counter()
    out: list[Place] = []
    for place in sorted(places, key=lambda one: -one.size):
        if taken[place.frame] < A_FRAME and len(out) < SHOWN:
            taken[place.frame] += 1
            out.append(place)
    return out


def whole(facts: ReelFacts, before: Sequence[Frame], after: Sequence[Frame], marks: Sequence[Mask]) -> Rgb:
    worst = max(range(len(marks)), key=lambda n: int(marks[n].sum()))
    shown = [to_rgb8(one, facts.colour) for one in (before[worst], after[worst])]
    # Rings, because specks are hardly seen on a picture this small.
    ringed = shown[0].copy()
    count, _, boxes, centres = cv2.connectedComponentsWithStats(marks[worst].view(np.uint8), connectivity=8)
    for n in range(1, count):
        x, y = (round(float(value)) for value in centres[n])
        cv2.circle(ringed, (x, y), 5 + int(max(boxes[n][2:4])) // 2, (255, 60, 160), 1, cv2.LINE_AA)
    width = 2 * CROP * SCALE
    size = (width, round(width * facts.height / facts.width / float(facts.sample_aspect)))
    row = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (shown[0], ringed, shown[1])]
    return labelled(beside(row), f"frame {before[worst].index}: before | found | after")


def mended_tile(
    facts: ReelFacts, place: Place, before: Sequence[Frame], after: Sequence[Frame], marks: Sequence[Mask]
) -> Rgb:
    old, new = (to_rgb8(one[place.frame], facts.colour) for one in (before, after))
    views = [crop(one, place.x, place.y) for one in (old, overlay(old, marks[place.frame]), new)]
    return labelled(beside(views), f"frame {place.frame}")


def left_tile(facts: ReelFacts, place: Place, before: Sequence[Frame]) -> Rgb:
    last = len(before) - 1
    around = [before[max(0, min(last, place.frame + step))] for step in (-1, 0, 1)]
    views = [crop(to_rgb8(one, facts.colour), place.x, place.y) for one in around]
    middle = CROP * SCALE // 2
    cv2.circle(views[1], (middle, middle), min(middle - 2, SCALE * (place.radius + 4)), RING, 1, cv2.LINE_AA)
    return labelled(beside(views), f"frame {place.frame}")


def crop(view: Rgb, x: int, y: int, side: int = CROP, scale: int = SCALE) -> Rgb:
    """A square of `side` pixels around a place, `scale` times as large, white beyond the picture."""
    half = side // 2
    padded = np.pad(view, ((half, half), (half, half), (0, 0)), constant_values=255)
    part = padded[y : y + side, x : x + side]
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST), np.uint8)


def beside(views: Sequence[Rgb]) -> Rgb:
    line = np.full((views[0].shape[0], 2, 3), 255, np.uint8)
    return np.hstack([part for view in views for part in (view, line)][:-1])


def labelled(view: Rgb, text: str) -> Rgb:
    head = np.full((LABEL, view.shape[1], 3), 255, np.uint8)
    cv2.putText(head, text, (2, LABEL - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([head, view])


def heading(text: str) -> Rgb:
    return labelled(np.full((2, 400, 3), 90, np.uint8), text)


def pairs(tiles: Iterator[Rgb]) -> list[Rgb]:
    every = list(tiles)
    gap = [np.full((one.shape[0], GAP, 3), 255, np.uint8) for one in every[:1]]
    return [np.hstack([every[n], *gap, *every[n + 1 : n + 2]]) for n in range(0, len(every), 2)]


def stacked(rows: Sequence[Rgb]) -> Rgb:
    width = max(row.shape[1] for row in rows) + 2 * GAP
    return np.vstack(
        [np.pad(row, ((GAP, 0), (GAP, width - GAP - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    )


def write_jpeg(target: Path, sheet: Rgb) -> None:
    """As good as fits into `LARGEST_FILE` bytes."""
    for quality in (90, 80, 70, 60, 50):
        done, data = cv2.imencode(".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and data.size <= LARGEST_FILE:
            break
    target.write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
