"""Single pictures in and out for datasets: any image that films are made of, PNGs out."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.errors import MediaError, ReelMendError, UsageError

_GAMMA = 1 / 2.4
"""From linear light (half and float images) to something near film density, as `motion.luma` does it."""

_EFFORT = 3
"""Of PNG's compression, as for sequences: higher costs time and saves 2 %."""


def read_picture(path: Path) -> NDArray[Any]:
    """An image file as `(h, w, c)` uint8 or uint16 over the whole range, c = 1 or 3 in the order red, green, blue.

    Alpha is dropped; 10 and 12 bits are scaled to 16. Raises UsageError for a file that is missing or no image.
    """
    from reelmend.media.sequence_image import read_image

    if not path.is_file():
        raise UsageError(f"{path} does not exist; check the name")
    try:
        planes, layout, _ = read_image(path)
    except ReelMendError as error:
        raise UsageError(f"{error}; use another copy") from None
    stack = np.stack(planes[: layout.colour_planes], axis=-1)
    if layout.is_float:
        shown = np.clip(np.nan_to_num(stack.astype(np.float32)), 0, 1) ** _GAMMA
        return np.asarray(np.rint(shown * 65535), dtype=np.uint16)
    if layout.bits in (8, 16):
        return stack
    return np.asarray(np.rint(stack * np.float64(65535 / layout.peak)), dtype=np.uint16)


def write_png(path: Path, picture: NDArray[Any]) -> None:
    """`(h, w)`, or `(h, w, c)` in the order red, green, blue; whole or not at all. The same pixels give the same bytes.

    Raises MediaError when the disk refuses.
    """
    stored = picture[..., ::-1] if picture.ndim == 3 and picture.shape[2] == 3 else picture
    done, data = cv2.imencode(".png", np.ascontiguousarray(stored), [cv2.IMWRITE_PNG_COMPRESSION, _EFFORT])
    if not done:
        raise ValueError(f"not a picture for PNG: {picture.shape} {picture.dtype}")
    write_whole(path, data.tobytes())


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there with all its bytes or not at all. Raises MediaError when the disk refuses."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise MediaError(
            f"{path} could not be written ({error.strerror}); make room and run the same command again to go on"
        ) from None


def decode(data: bytes) -> NDArray[Any] | None:
    """An encoded image of 8 or 16 bits as `(h, w, c)`, red first, alpha dropped; None for bytes that are none."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        return None
    if picture.ndim == 2:
        return np.asarray(picture[..., None])
    if picture.shape[2] == 2:
        return np.asarray(picture[..., :1])
    return np.asarray(np.ascontiguousarray(picture[..., 2::-1]))


def decode_labels(data: bytes) -> NDArray[np.uint8] | None:
    """An encoded image of label numbers, `(h, w)`; None for bytes that are none, or whose channels differ.

    OpenCV turns the numbers of a palette into colours, so a palette's header is rewritten as a gray picture's.
    """
    picture = decode(_without_palette(data))
    if picture is None or picture.dtype != np.uint8 or (picture != picture[..., :1]).any():
        return None
    return np.ascontiguousarray(picture[..., 0])


def _without_palette(data: bytes) -> bytes:
    signature, depth, colour = 8, 24, 25
    if data[:signature] != b"\x89PNG\r\n\x1a\n" or len(data) < 33 or (data[depth], data[colour]) != (8, 3):
        return data
    header = bytearray(data[12:29])
    header[13] = 0
    kept = [data[:12], bytes(header), struct.pack(">I", zlib.crc32(header))]
    at = 33
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        end = at + 12 + length
        if data[at + 4 : at + 8] not in (b"PLTE", b"tRNS"):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)
