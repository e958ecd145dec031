"""Does a file hold all the bytes that its own headers announce? Cheap checks that no decoder does."""

from __future__ import annotations

import zlib
from pathlib import Path

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def missing_bytes(path: Path) -> int:
    """Bytes that a Matroska, MP4/MOV or AVI file announces and does not have; 0 when whole or unknown."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(b"\x1aE\xdf\xa3"):
            end = _matroska_end(head)
        elif head[:4] == b"RIFF":
            end = int.from_bytes(head[4:8], "little") + 8
        elif head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            end = 0
            while end < size:
                file.seek(end)
                atom = file.read(16)
                length = int.from_bytes(atom[:4], "big")
                if length == 1:
                    length = int.from_bytes(atom[8:16], "big")
                if length < 8:
                    # 0 means "to the end of the file"; anything else is no atom, and the demuxer's affair.
                    return 0
                end += length
        else:
            return 0
    return max(end - size, 0)


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """An EBML variable-length size (RFC 8794, 4): `(value, bytes used)`; value -1 when unknown."""
    if at >= len(data) or data[at] == 0:
        return -1, 1
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big") & ((1 << (7 * length)) - 1)
    return (-1 if value == (1 << (7 * length)) - 1 else value), length


def _matroska_end(head: bytes) -> int:
    header, used = _vint(head, 4)
    at = 4 + used + header
    if header < 0 or head[at : at + 4] != b"\x18S\x80g":
        return 0
    segment, used = _vint(head, at + 4)
    return at + 4 + used + segment if segment >= 0 else 0


def ffv1_slices_intact(packet: bytes) -> bool:
    """True when every slice of an FFV1 version 3 packet carries a matching checksum (RFC 9043, 4.9).

    FFmpeg's decoder conceals a damaged slice without telling. Each slice ends with its size (3 bytes), an error
    status (1) and a CRC (4) that makes the CRC-32 (polynomial 0x04C11DB7, not reflected, starting at 0) of the whole
    slice 0. `zlib.crc32` is the reflected form, so the bits of every byte are turned round first.
    """
    end = len(packet)
    while end > 0:
        if end < 8:
            return False
        start = end - 8 - int.from_bytes(packet[end - 8 : end - 5], "big")
        if start < 0 or zlib.crc32(packet[start:end].translate(_REVERSED), 0xFFFFFFFF) != 0xFFFFFFFF:
            return False
        end = start
    return True
