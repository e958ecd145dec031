"""Colour tags: the numbers of ITU-T H.273 and FFmpeg's names for them (`libavutil/pixdesc.c`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from reelmend.film import Colour

PRIMARIES: Mapping[int, str] = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFER: Mapping[int, str] = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
MATRIX: Mapping[int, str] = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp", 15: "ipt-c2",
    16: "ycgco-re", 17: "ycgco-ro",
}  # fmt: skip
RANGE: Mapping[int, str] = {1: "limited", 2: "full"}
UNTAGGED = 2
"""H.273 value for "unspecified" primaries, transfer and matrix."""

WEIGHTS: Mapping[str, tuple[float, float]] = {
    # Kr, Kb of ITU-R BT.601, BT.709, BT.2020, SMPTE 240M and FCC.
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020nc": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}


def colour_from_numbers(primaries: int, transfer: int, matrix: int, range_: int) -> Colour:
    """Tags from FFmpeg's numbers; unspecified and unknown ones become None."""
    span = cast(Literal["limited", "full"] | None, RANGE.get(range_))
    return Colour(PRIMARIES.get(primaries), TRANSFER.get(transfer), MATRIX.get(matrix), span)


def numbers(colour: Colour) -> tuple[int, int, int, int]:
    """`(primaries, transfer, matrix, range)` for FFmpeg; 2 = unspecified, 0 for an unspecified range."""
    return (
        _number(PRIMARIES, colour.primaries, UNTAGGED),
        _number(TRANSFER, colour.transfer, UNTAGGED),
        _number(MATRIX, colour.matrix, UNTAGGED),
        _number(RANGE, colour.range, 0),
    )


def merge(first: Colour, second: Colour) -> Colour:
    """The first's tags, the second's where the first has none."""
    return Colour(
        first.primaries or second.primaries,
        first.transfer or second.transfer,
        first.matrix or second.matrix,
        first.range or second.range,
    )


def is_full_range(colour: Colour, family: str) -> bool:
    """Whether samples use all codes. Untagged gray and RGB do, untagged YUV does not, as FFmpeg has it."""
    return colour.range == "full" or (colour.range is None and family != "yuv")


def luma_weights(matrix: str | None, height: int) -> tuple[float, float]:
    """`(Kr, Kb)` of a matrix; untagged pictures are BT.601 up to 576 lines and BT.709 above, as players assume."""
    if matrix is not None and matrix in WEIGHTS:
        return WEIGHTS[matrix]
    return WEIGHTS["smpte170m"] if height <= 576 else WEIGHTS["bt709"]


def _number(table: Mapping[int, str], name: str | None, missing: int) -> int:
    return next((number for number, known in table.items() if known == name), missing)
