"""The header of a DPX file (SMPTE ST 268), kept byte by byte around new picture data.

OpenImageIO reads and writes the picture bits exactly but leaves out header fields that it has no name for, and turns
"undefined" into numbers. So the picture data that it wrote is put between the source's own header and tail.
"""

from __future__ import annotations

import struct
from pathlib import Path


def endian(path: Path) -> str:
    """`big` or `little`, as the magic number says."""
    with path.open("rb") as file:
        return "little" if file.read(4) == b"XPDS" else "big"


def graft_header(source: Path, written: Path, width: int, height: int) -> bool:
    """Give `written` the header of `source`; False (and `written` unchanged) when their picture data differ in form."""
    with source.open("rb") as file:
        old = file.read()
    new = written.read_bytes()
    first, second = _form(old), _form(new)
    if first is None or second is None or first[1:] != second[1:]:
        return False
    descriptor, bits, packing = first[2], first[3], first[4]
    size = _data_size(width, height, descriptor, bits, packing)
    if size is None or len(old) < first[0] + size or len(new) < second[0] + size:
        return False
    start, end = first[0], first[0] + size
    with written.open("wb") as file:
        file.write(old[:start])
        file.write(new[second[0] : second[0] + size])
        file.write(old[end:])
    return True


def _form(data: bytes) -> tuple[int, bytes, int, int, int, int] | None:
    """`(offset of the picture, magic, descriptor, bits, packing, encoding)` of a one-element image without padding."""
    magic = data[:4]
    if magic not in (b"SDPX", b"XPDS") or len(data) < 2048:
        return None
    order = ">" if magic == b"SDPX" else "<"
    offset = struct.unpack_from(order + "I", data, 4)[0]
    elements = struct.unpack_from(order + "H", data, 770)[0]
    # Image element 0 begins at 780; descriptor at +20, bit size +23, packing +24, encoding +26, data offset +28.
    descriptor, bits = data[800], data[803]
    packing, encoding, begins, line_padding = struct.unpack_from(order + "HHII", data, 804)
    if elements != 1 or encoding != 0 or line_padding not in (0, 0xFFFFFFFF):
        return None
    if begins not in (0, 0xFFFFFFFF):
        offset = begins
    return offset, magic, descriptor, bits, packing, encoding


def _data_size(width: int, height: int, descriptor: int, bits: int, packing: int) -> int | None:
    """Bytes of the picture data; lines end on 32-bit words."""
    channels = {6: 1, 50: 3, 51: 4, 52: 4}.get(descriptor)
    if channels is None:
        return None
    samples = width * channels
    if bits == 10 and packing in (1, 2):
        words = -(-samples // 3)
    elif bits == 12 and packing in (1, 2):
        words = -(-samples * 16 // 32)
    elif bits in (8, 16) or packing == 0:
        words = -(-samples * bits // 32)
    else:
        return None
    return words * 4 * height


def set_name(written: Path, name: str) -> None:
    """Put the final file name where the writer has put its temporary one (100 bytes from 36 on)."""
    with written.open("r+b") as file:
        file.seek(36)
        file.write(name.encode("utf-8", "replace")[:99].ljust(100, b"\0"))
