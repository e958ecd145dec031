"""A hierarchy as files: label maps, the tree, an overlay."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import MediaError, UsageError
from reelmend.segment.hierarchy import Hierarchy, Labels

PALETTE_SIZE = 256
"""Colours of an indexed PNG; regions beyond begin again at the first."""

GOLDEN = 0.618034
"""Turns of the colour circle from a region to the next: neighbours in number are far apart in hue."""

COVER = 0.5
"""Share of the colour in an overlay."""


def palette() -> NDArray[np.uint8]:
    """`(PALETTE_SIZE, 3)` red, green, blue: hues by the golden section, lightness in turns."""
    number = np.arange(PALETTE_SIZE)
    hue = (number * GOLDEN) % 1.0 * 180
    planes = np.stack([hue, np.full(PALETTE_SIZE, 190.0), 255 - 70 * (number % 3 == 1) - 120 * (number % 3 == 2)], 1)
    colours = cv2.cvtColor(planes[None].astype(np.uint8), cv2.COLOR_HSV2RGB)[0]
    return np.asarray(colours, np.uint8)


def read_picture(path: Path) -> NDArray[np.generic]:
    """A picture `(h, w, 3)` red, green, blue in its own depth. Raises UsageError for what is none."""
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give a picture.")
    found = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if found is None:
        raise UsageError(f"{path} is no picture that can be read; give a PNG, JPEG or TIFF.")
    return np.ascontiguousarray(found[..., ::-1])


def overlay(picture: NDArray[np.float32], labels: Labels) -> NDArray[np.uint8]:
    """The picture `(h, w, 3)`, 0..1, under the colours of its regions, their borders in white; 8-bit."""
    colours = palette()[labels % PALETTE_SIZE].astype(np.float32)
    mixed = picture * 255 * (1 - COVER) + colours * COVER
    border = np.zeros(labels.shape, bool)
    border[1:] |= labels[1:] != labels[:-1]
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    mixed[border] = 255
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one partition go: beside the label map, by its name."""

    labels: Path

    @property
    def indexed(self) -> Path:
        """The label map in colours that any viewer shows."""
        return self.labels.with_suffix(".palette.png")

    @property
    def overlay(self) -> Path:
        return self.labels.with_suffix(".overlay.png")

    @property
    def tree(self) -> Path:
        return self.labels.with_suffix(".json")

    def level(self, level: int) -> Places:
        """Those of one level of the hierarchy."""
        return Places(self.labels.with_name(f"{self.labels.stem}.level{level:02d}.png"))


def write_labels(path: Path, labels: Labels) -> None:
    """Write a label map as a 16-bit gray PNG of indices. Raises MediaError where it cannot be written."""
    _save(path, np.asarray(labels, np.uint16))


def write_indexed(path: Path, labels: Labels) -> None:
    """Write a label map as an 8-bit PNG with a palette; OpenCV writes none."""
    indices = np.asarray(labels % PALETTE_SIZE, np.uint8)
    height, width = indices.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1).tobytes()
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette().tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    ]
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    try:
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    except OSError as error:
        raise MediaError(f"{path}: cannot write it ({error.strerror}).") from error


def write_overlay(path: Path, picture: NDArray[np.float32], labels: Labels) -> None:
    """Write `overlay` as a PNG."""
    _save(path, overlay(picture, labels)[..., ::-1])


def as_json(hierarchy: Hierarchy) -> dict[str, Any]:
    """The tree: every region with its size, how easily it is left, the cost of its cut and its parts."""
    regions = {node.number: label for label, node in enumerate(hierarchy.regions)}
    total = hierarchy.grid[0] * hierarchy.grid[1]
    nodes = [
        {
            "number": node.number,
            "parent": node.parent,
            "level": node.level,
            "share": round(len(node.members) / total, 6),
            "leaving": _rounded(node.leaving),
            "cost": _rounded(node.cost),
            "children": list(node.children) if node.children else None,
            "region": regions.get(node.number),
            "members": node.members.tolist() if node.children is None else None,
        }
        for node in hierarchy.nodes
    ]
    return {
        "grid": list(hierarchy.grid),
        "threshold": _rounded(hierarchy.threshold),
        "regions": len(regions),
        "made_with": hierarchy.facts,
        "nodes": nodes,
    }


def write_tree(path: Path, hierarchy: Hierarchy, more: Mapping[str, Any] | None = None) -> None:
    """Write `as_json`, and what else there is to say. Raises MediaError where it cannot be written."""
    try:
        path.write_text(json.dumps({**(more or {}), **as_json(hierarchy)}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise MediaError(f"{path}: cannot write it ({error.strerror}).") from error


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _save(path: Path, picture: NDArray[np.generic]) -> None:
    coded, data = cv2.imencode(".png", np.ascontiguousarray(picture))
    if not coded:
        raise MediaError(f"{path}: the picture cannot be coded as PNG.")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise MediaError(f"{path}: cannot write it ({error.strerror}).") from error
