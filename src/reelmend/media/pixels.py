"""FFmpeg's pixel formats as planar code values: where each sample lies in memory, said once, used both ways.

The names and memory orders are those of `libavutil/pixfmt.h`. A sample is only ever moved, byte-swapped or shifted
from the high to the low end of its word, so that `pack(unpack(buffers)) == buffers` for every significant bit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.film import Layout, Plane

Buffer = NDArray[np.uint8]
"""One memory plane as bytes `(rows, line size)`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the samples of one plane of a `Layout` lie."""

    buffer: int
    """Memory plane."""
    offset: int = 0
    """First sample, in elements of the format's word."""
    step: int = 1
    """From one sample to the next, in elements."""
    shift: int = 0
    """Bits below the sample within its word."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """A pixel format by its FFmpeg name, with its planar layout and the places of its planes."""

    name: str
    layout: Layout
    word: np.dtype[Any]
    """The element the memory is read as, byte order included."""
    places: tuple[Place, ...]
    """One for each of `layout.planes`."""
    shared: bool = False
    """Several samples share one word, so reading masks and writing combines."""
    special: str = ""
    """`palette`, `mono-white`, `mono-black` or `411`: memory that no regular step describes."""


def unsupported(name: str, where: str = "") -> UsageError:
    prefix = f"{where}: " if where else ""
    return UsageError(
        f"{prefix}pixel format {name} is not supported; convert the film to a planar format such as yuv422p10le or "
        "gbrp16le first"
    )


@lru_cache(maxsize=512)
def pixel_format(name: str) -> PixelFormat:
    """The format called `name`; UsageError for one that has no planar layout (Bayer, XYZ, fewer than 8 bits, "
    "hardware)."""
    found = _planar(name) or _semi_planar(name) or _packed(name)
    if found is None:
        raise unsupported(name)
    return found


_SUBSAMPLING = {"444": (0, 0), "422": (1, 0), "420": (1, 1), "440": (0, 1), "411": (2, 0), "410": (2, 2)}


def _word(bits: int, order: str | None, is_float: bool = False) -> np.dtype[Any]:
    kind = "f" if is_float else "u"
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    return np.dtype(f"{'>' if order == 'be' else '<'}{kind}{size}")


def _planar(name: str) -> PixelFormat | None:
    if match := re.fullmatch(r"yuv(a?)(j?)(4\d\d)p(\d*)(msb)?(le|be)?", name):
        alpha, _, sub, digits, msb, order = match.groups()
        if sub not in _SUBSAMPLING:
            return None
        sub_x, sub_y = _SUBSAMPLING[sub]
        layout = Layout("yuv", int(digits or 8), alpha=bool(alpha), sub_x=sub_x, sub_y=sub_y)
        shift = 16 - layout.bits if msb else 0
        places = tuple(Place(i, shift=shift) for i in range(len(layout.planes)))
        return PixelFormat(name, layout, _word(layout.bits, order), places)
    if match := re.fullmatch(r"gbr(a?)p(f?)(\d*)(msb)?(le|be)?", name):
        alpha, floating, digits, msb, order = match.groups()
        layout = Layout("rgb", int(digits or 8), is_float=bool(floating), alpha=bool(alpha))
        shift = 16 - layout.bits if msb else 0
        # FFmpeg keeps G, B, R, A in memory planes 0 to 3.
        places = tuple(Place(i, shift=shift) for i in (2, 0, 1, 3)[: len(layout.planes)])
        return PixelFormat(name, layout, _word(layout.bits, order, layout.is_float), places)
    if match := re.fullmatch(r"(gray|y8$|ya)(f?)(\d*)(le|be)?", name):
        kind, floating, digits, order = match.groups()
        layout = Layout("gray", int(digits or 8), is_float=bool(floating), alpha=kind == "ya")
        places = (Place(0, 0, 2), Place(0, 1, 2)) if layout.alpha else (Place(0),)
        return PixelFormat(name, layout, _word(layout.bits, order, layout.is_float), places)
    return None


def _semi_planar(name: str) -> PixelFormat | None:
    fixed = {"nv12": "420", "nv21": "420", "nv16": "422", "nv24": "444", "nv42": "444"}
    if name in fixed:
        sub, bits, shift, order, swapped = fixed[name], 8, 0, None, name in ("nv21", "nv42")
    elif match := re.fullmatch(r"nv20(le|be)", name):
        sub, bits, shift, order, swapped = "422", 10, 0, match[1], False
    elif match := re.fullmatch(r"p([024])(10|12|16)(le|be)", name):
        sub, bits, order = {"0": "420", "2": "422", "4": "444"}[match[1]], int(match[2]), match[3]
        shift, swapped = 16 - bits, False
    else:
        return None
    sub_x, sub_y = _SUBSAMPLING[sub]
    first, second = (1, 0) if swapped else (0, 1)
    places = (Place(0, shift=shift), Place(1, first, 2, shift), Place(1, second, 2, shift))
    return PixelFormat(name, Layout("yuv", bits, sub_x=sub_x, sub_y=sub_y), _word(bits, order), places)


def _interleaved(
    name: str, order: str, bits: int, endian: str | None, shift: int = 0, is_float: bool = False
) -> PixelFormat:
    """Words in the given order, `x` for a word without meaning."""
    family = "yuv" if "y" in order else "rgb"
    layout = Layout(family, bits, is_float=is_float, alpha="a" in order)  # type: ignore[arg-type]
    letters = ("yuv" if family == "yuv" else "rgb") + ("a" if layout.alpha else "")
    places = tuple(Place(0, order.index(letter), len(order), shift) for letter in letters)
    return PixelFormat(name, layout, _word(bits, endian, is_float), places)


_PACKED_8 = {
    "rgb24": "rgb", "bgr24": "bgr", "argb": "argb", "rgba": "rgba", "abgr": "abgr", "bgra": "bgra",
    "0rgb": "xrgb", "rgb0": "rgbx", "0bgr": "xbgr", "bgr0": "bgrx",
    "ayuv": "ayuv", "uyva": "uyva", "vuya": "vuya", "vuyx": "vuyx", "vyu444": "vyu",
}  # fmt: skip
_PACKED_422 = {"yuyv422": (0, 1, 3), "yvyu422": (0, 3, 1), "uyvy422": (1, 0, 2)}
_PACKED_WORDS = {
    # One 32-bit word a pixel: shifts of the three samples of 10 bits.
    "x2rgb10": ("rgb", (20, 10, 0)), "x2bgr10": ("rgb", (0, 10, 20)),
    "xv30": ("yuv", (10, 0, 20)), "v30x": ("yuv", (12, 2, 22)),
}  # fmt: skip


def _packed(name: str) -> PixelFormat | None:
    if name in _PACKED_8:
        return _interleaved(name, _PACKED_8[name], 8, None)
    if name in _PACKED_422:
        y, u, v = _PACKED_422[name]
        return PixelFormat(
            name, Layout("yuv", 8, sub_x=1), _word(8, None), (Place(0, y, 2), Place(0, u, 4), Place(0, v, 4))
        )
    if match := re.fullmatch(r"(rgb48|bgr48|rgba64|bgra64)(le|be)", name):
        return _interleaved(name, match[1][:-2], 16, match[2])
    if match := re.fullmatch(r"(rgb|rgba)f(16|32)(le|be)", name):
        return _interleaved(name, match[1], int(match[2]), match[3], is_float=True)
    if match := re.fullmatch(r"y2(10|12|16)(le|be)", name):
        bits, shift = int(match[1]), 16 - int(match[1])
        places = (Place(0, 0, 2, shift), Place(0, 1, 4, shift), Place(0, 3, 4, shift))
        return PixelFormat(name, Layout("yuv", bits, sub_x=1), _word(bits, match[2]), places)
    if match := re.fullmatch(r"xv(36|48)(le|be)", name):
        bits = int(match[1]) // 3
        return _interleaved(name, "uyvx", bits, match[2], 16 - bits)
    if match := re.fullmatch(r"ayuv64(le|be)", name):
        return _interleaved(name, "ayuv", 16, match[1])
    if (match := re.fullmatch(r"(x2rgb10|x2bgr10|xv30|v30x)(le|be)", name)) and match[1] in _PACKED_WORDS:
        family, shifts = _PACKED_WORDS[match[1]]
        layout = Layout(family, 10)  # type: ignore[arg-type]
        return PixelFormat(name, layout, _word(32, match[2]), tuple(Place(0, shift=s) for s in shifts), shared=True)
    special = {
        "pal8": ("palette", Layout("rgb", 8)),
        "monow": ("mono-white", Layout("gray", 8)),
        "monob": ("mono-black", Layout("gray", 8)),
        "uyyvyy411": ("411", Layout("yuv", 8, sub_x=2)),
    }
    if name in special:
        kind, layout = special[name]
        return PixelFormat(name, layout, _word(8, None), (), special=kind)
    return None


def unpack(fmt: PixelFormat, buffers: Sequence[Buffer], height: int, width: int) -> tuple[Plane, ...]:
    """Planes of native-endian code values, each a contiguous copy, from memory planes `(rows, line size)` of bytes."""
    if fmt.special:
        return _unpack_special(fmt, buffers, height, width)
    layout = fmt.layout
    planes = []
    for number, place in enumerate(fmt.places):
        rows, columns = layout.plane_shape(number, height, width)
        words = _words(buffers[place.buffer], fmt.word)
        samples = words[:rows, place.offset :: place.step][:, :columns]
        if place.shift:
            samples = samples >> place.shift
        if fmt.shared:
            samples = samples & ((1 << layout.bits) - 1)
        planes.append(np.array(samples, dtype=layout.dtype, order="C"))
    return tuple(planes)


def pack(fmt: PixelFormat, planes: Sequence[Plane], buffers: Sequence[Buffer]) -> None:
    """Write planes into memory planes `(rows, line size)` of bytes; bytes without meaning become 0."""
    if fmt.special == "411":
        y, u, v = planes
        _pack_411(y, u, v, buffers[0])
        return
    if fmt.special:
        raise UsageError(
            f"pixel format {fmt.name} can only be read; write {'gray' if 'mono' in fmt.special else 'gbrp'} instead"
        )
    if fmt.shared or len(fmt.places) * _samples_per_word(fmt) < len(planes) or "x" in fmt.name or "0" in fmt.name:
        for buffer in buffers:
            buffer[...] = 0
    for number, place in enumerate(fmt.places):
        plane = planes[number]
        words = _words(buffers[place.buffer], fmt.word)
        target = words[: plane.shape[0], place.offset :: place.step][:, : plane.shape[1]]
        if fmt.shared:
            target |= plane.astype(np.uint32) << np.uint32(place.shift)
        elif place.shift:
            target[...] = plane << place.shift
        else:
            target[...] = plane


def _samples_per_word(fmt: PixelFormat) -> int:
    return len(fmt.places) if fmt.shared else 1


def _words(buffer: Buffer, word: np.dtype[Any]) -> NDArray[Any]:
    usable = buffer.shape[1] - buffer.shape[1] % word.itemsize
    return buffer[:, :usable].view(word)


def _unpack_special(fmt: PixelFormat, buffers: Sequence[Buffer], height: int, width: int) -> tuple[Plane, ...]:
    if fmt.special == "palette":
        indices = buffers[0][:height, :width]
        # Palette entries are 32-bit ARGB words in the machine's byte order.
        table = np.ascontiguousarray(buffers[1]).reshape(-1)[:1024].view(np.uint32)
        return tuple(((table >> np.uint32(shift)) & np.uint32(255)).astype(np.uint8)[indices] for shift in (16, 8, 0))
    if fmt.special == "411":
        chroma = -(-width // 4)
        groups = np.ascontiguousarray(buffers[0][:height, : chroma * 6]).reshape(height, chroma, 6)
        y = groups[:, :, [1, 2, 4, 5]].reshape(height, chroma * 4)[:, :width]
        return np.ascontiguousarray(y), groups[:, :, 0].copy(), groups[:, :, 3].copy()
    bits = np.unpackbits(buffers[0][:height], axis=1)[:, :width]
    return ((bits if fmt.special == "mono-black" else 1 - bits) * np.uint8(255),)


def _pack_411(y: Plane, u: Plane, v: Plane, buffer: Buffer) -> None:
    height, width = y.shape
    chroma = u.shape[1]
    wide = np.zeros((height, chroma * 4), np.uint8)
    wide[:, :width] = y
    groups = np.empty((height, chroma, 6), np.uint8)
    groups[:, :, [1, 2, 4, 5]] = wide.reshape(height, chroma, 4)
    groups[:, :, 0], groups[:, :, 3] = u, v
    flat = groups.reshape(height, chroma * 6)
    columns = min(flat.shape[1], buffer.shape[1])
    buffer[:height, :columns] = flat[:, :columns]
