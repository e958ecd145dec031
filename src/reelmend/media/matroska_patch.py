"""Facts of the film track that the muxer's interface does not take, put into a finished Matroska file.

PyAV cannot set a stream's pixel aspect, so the track is muxed with a long name as a place holder, and the track header
is rebuilt within the same number of bytes: name out, display size in, the rest filled with a Void element. Elements as
in RFC 9559.
"""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path

from reelmend.errors import MediaError

PLACE_HOLDER = "." * 120
"""Track name that makes room for what is put in its place."""

_SEGMENT, _TRACKS, _CRC, _VOID = b"\x18S\x80g", b"\x16T\xaek", b"\xbf", b"\xec"
_ENTRY, _TYPE, _NAME, _VIDEO = b"\xae", b"\x83", b"\x53\x6e", b"\xe0"
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"

_Element = tuple[bytes, bytes, bytes]
"""Identity, header (identity and size as written) and data."""


def set_display(path: Path, width: int, height: int, aspect: Fraction, name: str | None) -> None:
    """Give the first film track of `path` the pixel aspect `aspect` and its real name."""
    with path.open("r+b") as file:
        head = file.read(1 << 20)
        at = _find_tracks(head)
        if at is None:
            raise MediaError(f"{path} has no track header where one was written")
        start, end = at
        children = _children(head[start:end])
        body = b"".join(
            header + (_patched(data, width, height, aspect, name) if identity == _ENTRY else data)
            for identity, header, data in children
            if identity != _CRC
        )
        if children and children[0][0] == _CRC:
            body = children[0][1] + zlib.crc32(body).to_bytes(4, "little") + body
        if len(body) != end - start:
            raise MediaError(f"{path}: the track header has no room for the pixel aspect")
        file.seek(start)
        file.write(body)


def _find_tracks(head: bytes) -> tuple[int, int] | None:
    _, start, length = _element(head, 0)
    at = start + length
    identity, at, _ = _element(head, at)
    if identity != _SEGMENT:
        return None
    while at < len(head) - 12:
        identity, start, length = _element(head, at)
        if identity == _TRACKS:
            return start, start + length
        at = start + length
    return None


def _patched(entry: bytes, width: int, height: int, aspect: Fraction, name: str | None) -> bytes:
    children = _children(entry)
    if not any(i == _TYPE and int.from_bytes(d, "big") == 1 for i, _, d in children):
        return entry
    shown = width * aspect
    unit, across, down = (
        (0, int(shown), height)
        if shown.denominator == 1
        else (3, (shown / height).numerator, (shown / height).denominator)
    )
    display = [(_DISPLAY_WIDTH, _number(across)), (_DISPLAY_HEIGHT, _number(down)), (_DISPLAY_UNIT, _number(unit))]
    drop = {_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT}
    parts = []
    for identity, header, data in children:
        if identity == _NAME:
            if name:
                parts.append(_join(_NAME, name.encode()))
        elif identity == _VIDEO:
            kept = b"".join(h + d for i, h, d in _children(data) if i not in drop)
            parts.append(_join(_VIDEO, kept + b"".join(_join(i, d) for i, d in display)))
        else:
            parts.append(header + data)
    body = b"".join(parts)
    spare = len(entry) - len(body)
    # The smallest Void with an eight-byte size takes nine bytes.
    return (
        body + _VOID + (0x0100000000000000 | (spare - 9)).to_bytes(8, "big") + bytes(spare - 9) if spare >= 9 else body
    )


def _children(data: bytes) -> list[_Element]:
    found, at = [], 0
    while at < len(data):
        identity, start, length = _element(data, at)
        found.append((identity, data[at:start], data[start : start + length]))
        at = start + length
    return found


def _element(data: bytes, at: int) -> tuple[bytes, int, int]:
    """`(identity, start of its data, length)`."""
    size = 9 - data[at].bit_length()
    identity = data[at : at + size]
    at += size
    size = 9 - data[at].bit_length()
    length = int.from_bytes(data[at : at + size], "big") & ((1 << (7 * size)) - 1)
    return identity, at + size, length


def _join(identity: bytes, data: bytes) -> bytes:
    size = next(n for n in range(1, 9) if len(data) < (1 << (7 * n)) - 1)
    return identity + ((1 << (7 * size)) | len(data)).to_bytes(size, "big") + data


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
