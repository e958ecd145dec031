"""The frames with most damage, kept as pictures on disk so that memory stays bounded and a resumed run has them."""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Colour, Frame, Mask
from reelmend.report.picture import Box, crop, display_white, overlay_rgba, to_rgb8
from reelmend.report.record import FrameRecord

LIMIT = 12
"""Frames kept."""
WIDEST, TALLEST = 1120, 840
"""Size of a picture on the page, pixels: two fit side by side on a wide screen, one fills a laptop's."""
DETAILS = 3
"""Close-ups of one frame."""
PICTURE = re.compile(r"(\d{6,})-(before\.jpg|after\.jpg|overlay\.png|detail\d\.jpg)")
TINT = (60, 200, 232)
"""The page's accent colour, RGB."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The files that show one frame."""

    index: int
    before: Path
    after: Path
    overlay: Path
    details: tuple[Path, ...]
    """Close-ups of the largest blobs, before and after side by side."""


class WorstFrames:
    """The `LIMIT` frames with the largest damaged share, their pictures as files in a folder.

    Which frames are kept depends on the records alone, so replaying the journal of an interrupted run leads to the
    same frames as running through.
    """

    def __init__(self, folder: Path, colour: Colour, aspect: float = 1.0) -> None:
        self.folder, self.colour, self.aspect = folder, colour, aspect
        self._heap: list[tuple[float, int]] = []

    def replay(self, record: FrameRecord) -> None:
        """Take a record whose pictures an earlier run has written."""
        self._admit(record)

    def tidy(self) -> None:
        """Remove the pictures of frames that are not among the worst of the records so far."""
        kept = {-negative for _, negative in self._heap}
        for file in self.folder.glob("*-*"):
            if (name := PICTURE.fullmatch(file.name)) and int(name[1]) not in kept:
                file.unlink(missing_ok=True)

    def offer(self, record: FrameRecord, before: Frame, after: Frame, mask: Mask, unsure: Mask) -> None:
        """Keep pictures of this frame if it is among the worst so far, and drop those of the frame it displaces."""
        if not self._admit(record):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        size = self._size(before)
        white = display_white(before)
        stem = f"{record.index:06d}"
        _save(self.folder / f"{stem}-before.jpg", to_rgb8(before, self.colour, size, white))
        _save(self.folder / f"{stem}-after.jpg", to_rgb8(after, self.colour, size, white))
        _save(self.folder / f"{stem}-overlay.png", overlay_rgba(mask, unsure, size, TINT))
        for number, box in enumerate(largest_blobs(mask, DETAILS)):
            pair = [to_rgb8(crop(frame, box), self._tagged(before), None, white) for frame in (before, after)]
            gap = np.full((pair[0].shape[0], 4, 3), 28, np.uint8)
            _save(self.folder / f"{stem}-detail{number}.jpg", np.hstack([pair[0], gap, pair[1]]))

    def kept(self) -> list[Pictures]:
        """The pictures at hand, worst frame first."""
        result = []
        for _, negative in sorted(self._heap, reverse=True):
            stem = f"{-negative:06d}"
            files = [self.folder / f"{stem}-{name}" for name in ("before.jpg", "after.jpg", "overlay.png")]
            if all(file.is_file() for file in files):
                details = tuple(sorted(self.folder.glob(f"{stem}-detail*.jpg")))
                result.append(Pictures(-negative, files[0], files[1], files[2], details))
        return result

    def _admit(self, record: FrameRecord) -> bool:
        """True if the record is among the worst so far; of equals the earlier frame stays, copies show nothing new."""
        if record.damaged <= 0 or record.copy_of is not None:
            return False
        # Rounded as in the journal, so that a replayed record and a fresh one compare alike.
        entry = (round(record.damaged, 7), -record.index)
        if len(self._heap) < LIMIT:
            heapq.heappush(self._heap, entry)
            return True
        out = heapq.heappushpop(self._heap, entry)
        if out == entry:
            return False
        for file in self.folder.glob(f"{-out[1]:06d}-*"):
            file.unlink(missing_ok=True)
        return True

    def _size(self, frame: Frame) -> tuple[int, int]:
        width = frame.width * self.aspect
        scale = min(1.0, WIDEST / width, TALLEST / frame.height)
        return max(1, round(width * scale)), max(1, round(frame.height * scale))

    def _tagged(self, frame: Frame) -> Colour:
        """The tags with the matrix spelled out, so that a crop's small height does not choose another."""
        if self.colour.matrix or frame.layout.family != "yuv":
            return self.colour
        return replace(self.colour, matrix="bt709" if frame.height >= 720 else "smpte170m")


def largest_blobs(mask: Mask, count: int) -> list[Box]:
    """Square boxes around the largest blobs, one size for all, that do not show the same place twice."""
    import cv2

    height, width = mask.shape
    total, _, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if total < 2:
        return []
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")
    extent = int(max(stats[order[0], cv2.CC_STAT_WIDTH], stats[order[0], cv2.CC_STAT_HEIGHT]))
    side = min(int(np.clip(2 * extent, 72, 220)), height, width)
    boxes: list[Box] = []
    for label in order:
        x, y = centres[label]
        top = int(np.clip(round(y) - side // 2, 0, height - side))
        left = int(np.clip(round(x) - side // 2, 0, width - side))
        if all(abs(top - box[0]) >= side // 2 or abs(left - box[1]) >= side // 2 for box in boxes):
            boxes.append((top, left, top + side, left + side))
        if len(boxes) == count:
            break
    return boxes


def _save(path: Path, picture: NDArray[Any]) -> None:
    """Write an RGB or RGBA picture; JPEG at quality 88, PNG where the name says so."""
    import cv2

    swapped = cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    settings = [cv2.IMWRITE_JPEG_QUALITY, 88] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 4]
    done, data = cv2.imencode(path.suffix, swapped, settings)
    if not done:
        raise ValueError(f"cannot encode {path.name}")
    path.write_bytes(data.tobytes())
