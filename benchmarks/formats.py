"""Every film and format sample at hand, restored: does it work, and is the outside the source's, bit for bit?

    python -m benchmarks.formats FOLDER ... [--frames 24] [--out build/formats]

Each FOLDER holds films and images of any kind; a folder of numbered images within counts as one film. Sequences are
restored into their own format, films into `.mkv`; a few also go to `.mov`, `.mp4` and to images. Prints a Markdown
table and writes `formats.md` beside the films.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from reelmend import open_reel
from reelmend.errors import ReelMendError
from reelmend.media import open_mask_reader
from reelmend.media.pattern import IMAGE_SUFFIXES
from reelmend.repair.grow import footprint_touches, grow

GROW = 2
LIMIT = 240
"""Seconds for one film."""
LOSSY_TOO = (".mov", ".mp4")


@dataclass(frozen=True, slots=True)
class Row:
    source: str
    pixels: str
    output: str
    identical: str
    note: str

    def __str__(self) -> str:
        return f"| {self.source} | {self.pixels} | {self.output} | {self.identical} | {self.note} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.formats", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path("build/formats"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["| source | pixels | output | identical outside | note |", "|---|---|---|---|---|"]
    print("\n".join(lines))
    for source in (one for folder in options.folders for one in sources(folder)):
        for output in outputs(source):
            row = tried(source, options.out / f"{source.stem}{output}", options.frames)
            lines.append(str(row))
            print(row, flush=True)
    (options.out / "formats.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def sources(folder: Path) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    if sum(entry.suffix.lower() in IMAGE_SUFFIXES for entry in entries) > 8:
        yield folder
        return
    for entry in entries:
        if entry.is_dir():
            yield from sources(entry)
        elif entry.suffix.lower() in (*IMAGE_SUFFIXES, ".mkv", ".mov", ".mp4", ".webm", ".mxf", ".avi"):
            yield entry


def outputs(source: Path) -> list[str]:
    """What is added to the source's name: an empty text is a folder of its own image format."""
    if source.is_dir() or source.suffix.lower() in IMAGE_SUFFIXES:
        return ["", ".mkv"]
    return [".mkv", *LOSSY_TOO, "_%05d.tif"]


def tried(source: Path, output: Path, frames: int) -> Row:
    try:
        with open_reel(source) as reel:
            pixels = f"{reel.facts.pixel_format} {reel.facts.width}x{reel.facts.height}"
    except ReelMendError as error:
        return Row(source.name, "", output.suffix or "folder", "", f"refused: {error}")
    place = output if "%" not in output.name else output.with_name(output.stem.split("_%")[0] + "_images") / output.name
    masks = output.with_name(f"{output.name.replace('%', '')}.masks")
    for old in (output, masks, place.parent if "%" in output.name else place):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "reelmend", "restore", str(source), str(place), "--masks", str(masks)]
    command += ["--frames", str(frames), "--quiet"]
    kind = output.suffix or "folder"
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return Row(source.name, pixels, kind, "", f"FAILED: not done after {LIMIT} s")
    said = " / ".join(run.stderr.strip().splitlines())
    if run.returncode:
        clear = run.returncode in (1, 2) and len(run.stderr.strip().splitlines()) == 1
        return Row(source.name, pixels, kind, "", f"{'refused' if clear else 'FAILED'}: {said}")
    identical, note = compared(source, place, masks, frames)
    return Row(source.name, pixels, kind, identical, f"{note}{'; said: ' + said if said else ''}")


def compared(source: Path, place: Path, masks: Path, count: int) -> tuple[str, str]:
    """Whether the outside is identical, and how much was found."""
    outside = changed = frames = damaged = 0
    with open_reel(source) as one, open_reel(place) as other:
        if one.facts.layout != other.facts.layout:
            return "converted", f"became {other.facts.pixel_format}"
        with open_mask_reader(masks, one.facts.height, one.facts.width) as marks:
            for before, after in zip(islice(one.frames(), count), other.frames(), strict=True):
                mask = marks.mask(before.index)
                damaged += int(mask.sum())
                frames += 1
                grown = grow(mask, GROW)
                for plane in range(before.layout.colour_planes):
                    a, b = before.planes[plane], after.planes[plane]
                    differs = a.view(f"u{a.itemsize}") != b.view(f"u{b.itemsize}")
                    may = footprint_touches(grown, *before.layout.subsampling(plane))
                    outside += int(np.count_nonzero(differs & ~may))
                    changed += int(np.count_nonzero(differs & may))
        share = 1e6 * damaged / (frames * one.facts.height * one.facts.width)
    told = f"{frames} frames, {share:.0f} damaged pixels per million, {changed} samples changed"
    lossy = "no, lossy codec" if place.suffix in LOSSY_TOO else "no"
    return lossy if outside else "yes", told


if __name__ == "__main__":
    main()
