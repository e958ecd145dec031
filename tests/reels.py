"""Tiny damaged reels on disk, in any layout, and what a test asks of a run over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from footage import Speck, damaged, pan
from reelmend.film import Frame, Layout, Mask
from reelmend.media import open_mask_reader, open_reel, open_writer
from reelmend.repair.grow import footprint_touches, grow
from tiny_films import film_facts

HEIGHT, WIDTH = 97, 131
"""Odd, so that chroma footprints are cut off at the edge."""
GRAY8 = Layout("gray", 8)


def specks(count: int) -> list[Speck]:
    """Dark and bright specks, one on every third frame, the ends of the reel among them."""
    return [
        Speck(n, 20 + 37 * n % (WIDTH - 40), 20 + 23 * n % (HEIGHT - 40), 3 + n % 2, (245, 10)[n // 3 % 2])
        for n in range(0, count, 3)
    ]


def scan(count: int, seed: int = 0, grain: float = 2.0) -> list[Frame]:
    """Gray frames of a pan with specks."""
    return damaged(pan(count, HEIGHT, WIDTH, seed=seed, grain=grain), specks(count))[0]


def long_reel() -> list[Frame]:
    """38 frames: a shot with every fifth frame printed twice, a title that stands still for 14 frames, a third shot."""
    moving = scan(10, seed=1)
    pulled = [frame for n, frame in enumerate(moving) for frame in [frame] * (2 if n % 4 == 3 else 1)]
    title = damaged(pan(1, HEIGHT, WIDTH, seed=2), [])[0] * 14
    return numbered([*pulled, *title, *scan(12, seed=3)])


def numbered(frames: Sequence[Frame]) -> list[Frame]:
    return [replace(frame, index=n, pts=n, duration=1) for n, frame in enumerate(frames)]


def in_layout(frames: Sequence[Frame], layout: Layout) -> list[Frame]:
    """Gray 8-bit frames in another layout; chroma and colour follow the picture, alpha is a ramp."""
    return numbered([Frame(frame.index, _planes(frame, layout), layout) for frame in frames])


def _planes(frame: Frame, layout: Layout) -> tuple[np.ndarray, ...]:
    image = frame.planes[0].astype(np.float32) / 255
    planes = []
    for number, name in enumerate(layout.planes):
        rows, columns = layout.plane_shape(number, *image.shape)
        values = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
        if name == "A":
            values = np.linspace(0, 1, rows * columns, dtype=np.float32).reshape(rows, columns)
        elif name in "UV":
            values = 0.5 + (0.3 if name == "U" else -0.2) * (values - 0.5)
        elif name in "GB":
            values = values * (0.95 if name == "G" else 0.9)
        planes.append((values if layout.is_float else np.rint(values * layout.peak)).astype(layout.dtype))
    return tuple(planes)


def write_reel(path: Path, frames: Sequence[Frame]) -> Path:
    """Write frames to a lossless film or, for a pattern, a sequence; returns the path."""
    frames = numbered(frames)
    facts = film_facts(frames[0].layout, frames[0].height, frames[0].width, frames=len(frames))
    work = path.parent / "writing"
    if "%" in path.name:
        path.parent.mkdir()
        work = path.parent.parent / "writing"
    with open_writer(path, facts, source=None, work=work, threads=1) as writer:
        for frame in frames:
            writer.write(frame)
        writer.finish()
    return path


def read(path: Path, **options: Any) -> list[Frame]:
    with open_reel(path, threads=1, **options) as reel:
        return list(reel.frames())


def read_masks(path: Path, first: int, count: int, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> list[Mask]:
    with open_mask_reader(path, *shape) as reader:
        return [reader.mask(index) for index in range(first, first + count)]


def check_outside(before: Sequence[Frame], after: Sequence[Frame], masks: Sequence[Mask], px: int) -> int:
    """Assert that nothing changed outside the grown masks nor in alpha; the number of samples changed inside."""
    changed = 0
    assert len(before) == len(after) == len(masks)
    for old, new, mask in zip(before, after, masks, strict=True):
        assert (new.layout, new.index) == (old.layout, old.index)
        grown = grow(mask, px)
        for number, (was, now) in enumerate(zip(old.planes, new.planes, strict=True)):
            assert was.dtype == now.dtype
            differs = was.view(f"u{was.itemsize}") != now.view(f"u{now.itemsize}")
            if number >= old.layout.colour_planes:
                assert not differs.any(), f"alpha of frame {old.index} changed"
                continue
            may = footprint_touches(grown, *old.layout.subsampling(number))
            assert not (differs & ~may).any(), f"frame {old.index}, plane {number} changed outside the grown mask"
            changed += int(differs.sum())
    return changed


def digest(path: Path) -> dict[str, str]:
    """Checksums of a file, or of every file in a folder by name."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}


def report_frames(report: Path) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads((report / "report.json").read_text(encoding="utf-8"))["frames"]
    return frames


def leavings(folder: Path) -> list[Path]:
    """Folders of unfinished work."""
    return sorted(folder.glob(".*.reelmend"))
