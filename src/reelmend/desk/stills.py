"""Single frames of a reel, as they come and as pictures for a screen: any of them, soon, in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.desk.proxies import WIDTH, Proxies
from reelmend.errors import UsageError
from reelmend.film import Frame, ReelFacts
from reelmend.media import open_reel
from reelmend.report.picture import display_white, to_rgb8

FRAMES_KEPT, PICTURES_KEPT = 192 << 20, 96 << 20
"""Bytes."""

NEAR = 24
"""Frames ahead of the decoder up to which reading on is sooner than seeking."""

JPEG_QUALITY = 92

Kept = TypeVar("Kept")


class Shelf(Generic[Kept]):
    """Things by key, the least recently used given up when they are too much together."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._things: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Kept | None:
        with self._lock:
            if key not in self._things:
                return None
            self._things.move_to_end(key)
            return self._things[key][0]

    def put(self, key: Hashable, thing: Kept, size: int) -> None:
        with self._lock:
            if key in self._things:
                self._held -= self._things.pop(key)[1]
            self._things[key] = (thing, size)
            self._held += size
            while self._held > self._most and len(self._things) > 1:
                self._held -= self._things.popitem(last=False)[1][1]

    @property
    def held(self) -> int:
        """Bytes."""
        return self._held


class Stills:
    """Frames of one reel by number. Any thread may ask; one decodes."""

    def __init__(self, source: Path, proxies: Proxies | None = None) -> None:
        """Small pictures of a wide reel are kept in `proxies`. Raises as `open_reel`."""
        self._reel = open_reel(source, gaps="hold", on_error="hold")
        self._proxies = proxies if self._reel.facts.width > WIDTH else None
        self._lock = threading.Lock()
        self._frames: Shelf[Frame] = Shelf(FRAMES_KEPT)
        self._pictures: Shelf[bytes] = Shelf(PICTURES_KEPT)
        self._stream: Iterator[Frame] | None = None
        self._next = 0
        self._white: float | None = None

    @property
    def facts(self) -> ReelFacts:
        return self._reel.facts

    def close(self) -> None:
        with self._lock:
            self._stream = None
            self._reel.close()

    def frame(self, number: int) -> Frame:
        """A frame by its number. Raises UsageError for one beyond the reel, MediaError for one that cannot be read."""
        if number < 0:
            raise UsageError(f"frames are counted from 0; there is no frame {number}")
        kept = self._frames.get(number)
        if kept is not None:
            return kept
        with self._lock:
            kept = self._frames.get(number)
            return kept if kept is not None else self._decoded(number)

    def _decoded(self, number: int) -> Frame:
        if self._stream is None or not self._next <= number <= self._next + NEAR:
            self._stream, self._next = self._reel.frames(number), number
        for frame in self._stream:
            self._next = frame.index + 1
            self._frames.put(frame.index, frame, sum(plane.nbytes for plane in frame.planes))
            if frame.index == number:
                return frame
        self._stream = None
        raise UsageError(f"there is no frame {number}: the reel ends before it")

    def picture(self, number: int, width: int | None = None) -> bytes:
        """A frame as a JPEG in sRGB, shrunk to `width` pixels where that is less than its own."""
        whole = self.facts.width
        wide = whole if width is None else max(16, min(width, whole))
        kept = self._pictures.get((number, wide))
        if kept is None:
            kept = self._proxied(number) if wide == WIDTH and self._proxies else jpeg(self._shown(number, wide))
            self._pictures.put((number, wide), kept, len(kept))
        return kept

    @property
    def proxy_width(self) -> int | None:
        """Width of the pictures that come soonest, pixels; None where that is the reel's own."""
        return WIDTH if self._proxies else None

    def _proxied(self, number: int) -> bytes:
        assert self._proxies is not None
        kept = self._proxies.get(number)
        if kept is None:
            kept = jpeg(self._shown(number, WIDTH))
            self._proxies.put(number, kept)
        return kept

    def _shown(self, number: int, width: int) -> NDArray[np.uint8]:
        frame = self.frame(number)
        if self._white is None:
            # The first frame's, so that a proxy made another day looks the same.
            self._white = display_white(self.frame(0) if frame.layout.is_float else frame)
        return self.rgb(frame, width)

    def rgb(self, frame: Frame, width: int | None = None) -> NDArray[np.uint8]:
        """A frame of this reel for the screen, `(h, w, 3)`, the same white for all of them."""
        wide = width or frame.width
        size = (wide, max(1, round(frame.height * wide / frame.width))) if wide != frame.width else None
        return to_rgb8(frame, self.facts.colour, size, self._white)


def jpeg(rgb: NDArray[Any]) -> bytes:
    """A picture `(h, w, 3)` or `(h, w)` of 8 bits as a JPEG file."""
    given = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if rgb.ndim == 3 else rgb
    return cv2.imencode(".jpg", given, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def png(plane: NDArray[Any]) -> bytes:
    """A plane of 8 bits as a PNG file: masks, origins."""
    return cv2.imencode(".png", plane, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
