"""Pictures beside the figures: overlays of the frames that are most wrong, close-ups of the repairs that are worst."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Mask

KEPT = 8
"""Pictures of a result unless asked for more."""

CLOSE_UP = (120, 160)
"""Rows and columns of a close-up, pixels of the film."""

ENLARGED = 2
GAP = 6


class Worst:
    """Keeps the pictures of the worst frames as PNG bytes; a frame with no fault at all is not kept."""

    def __init__(self, limit: int = KEPT) -> None:
        self.limit = limit
        self._heap: list[tuple[float, int, bytes]] = []

    def wants(self, fault: float) -> bool:
        """Whether a frame with so much fault would be kept."""
        return fault > 0 and self.limit > 0 and (len(self._heap) < self.limit or fault > self._heap[0][0])

    def offer(self, fault: float, frame: int, picture: NDArray[np.uint8]) -> None:
        """Keep an RGB picture `(h, w, 3)`; of equal faults the earlier frames stay."""
        if not self.wants(fault):
            return
        done, data = cv2.imencode(".png", picture[..., ::-1])
        if not done:
            raise ValueError(f"a picture of {picture.shape} cannot be written as PNG")
        heapq.heappush(self._heap, (fault, -frame, data.tobytes()))
        if len(self._heap) > self.limit:
            heapq.heappop(self._heap)

    def write(self, folder: Path, stem: str) -> list[dict[str, Any]]:
        """Write `<stem>_000123.png` into a folder, worst first: `[{"file", "frame"}, ...]`."""
        made = []
        for _, frame, data in sorted(self._heap, reverse=True):
            name = f"{stem}_{-frame:06d}.png"
            (folder / name).write_bytes(data)
            made.append({"file": name, "frame": -frame})
        return made


def side_by_side(pictures: list[NDArray[np.uint8]], error: NDArray[Any], mask: Mask) -> NDArray[np.uint8]:
    """Close-ups of RGB pictures of one frame, left to right, around the place inside `mask` where `error` is largest.

    `error` `(h, w)` is blurred first, so that a region counts and not a pixel. Enlarged pixel by pixel.
    """
    spread = cv2.GaussianBlur(np.where(mask, error, 0).astype(np.float32), (0, 0), 3)
    row, column = np.unravel_index(int(np.argmax(spread)), spread.shape)
    height, width = mask.shape
    rows, columns = min(CLOSE_UP[0], height), min(CLOSE_UP[1], width)
    top = min(max(0, int(row) - rows // 2), height - rows)
    left = min(max(0, int(column) - columns // 2), width - columns)
    parts = []
    for picture in pictures:
        part = picture[top : top + rows, left : left + columns]
        parts += [part.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)]
        parts += [np.full((rows * ENLARGED, GAP, 3), 29, np.uint8)]
    return np.hstack(parts[:-1])


def make_folder(folder: Path, inputs: list[Path]) -> Path:
    """A folder for results, made where it is missing. Raises UsageError for one that is an input or cannot be made."""
    if any(folder.resolve() == path.resolve() for path in inputs):
        raise UsageError(f"{folder} is what is measured; choose another folder for the results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror}); choose another folder") from None
    return folder
