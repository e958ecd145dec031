"""One image file to planes of code values and back, through OpenImageIO, with every header field carried along."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from reelmend.errors import MediaError, UsageError
from reelmend.film import Layout, Plane

oiio.attribute("threads", 1)

_NATIVE = {"uint8": ("u", 8), "uint16": ("u", 16), "half": ("f", 16), "float": ("f", 32)}
_PNG_LEVEL = 3
"""Effort of PNG's compression, 1 to 9: on a grainy 1080p picture 6 took 0.40 s, 3 took 0.27 s for 2 % more bytes."""
_DATED = ("tiff", "openexr")
"""Formats that get today's date from the library unless told otherwise."""
_LOSSY_EXR = ("b44", "b44a", "dwaa", "dwab")


@dataclass(frozen=True, slots=True)
class Header:
    """What an image file says besides its picture; travels in `Frame.meta["image"]`."""

    path: Path
    format: str
    """OpenImageIO's name of the format: `dpx`, `tiff`, `openexr`, `png`, `jpeg`."""
    spec: Any
    """The file's whole ImageSpec."""
    picture: tuple[int, ...]
    """Channel of each plane."""
    extra: Any = None
    """Channels that are no picture (depth, identifiers), `(h, w, n)` float32."""


def _open(path: Path) -> Any:
    raw = oiio.ImageSpec()
    # Nothing is converted: no YCbCr to RGB, no multiplication with alpha.
    raw.attribute("oiio:RawColor", 1)
    raw.attribute("oiio:UnassociatedAlpha", 1)
    image = oiio.ImageInput.open(str(path), raw)
    if image is None:
        reason = " ".join(oiio.geterror().split()).rstrip(".")
        if "Subsampled channels" in reason:
            raise UsageError(
                f"{path}: EXR with subsampled chroma is not supported; convert it to plain R, G, B channels"
            )
        raise MediaError(f"{path} cannot be opened as an image ({reason or 'unknown format'})")
    return image


def read_header(path: Path) -> tuple[Header, Layout]:
    """Header and layout without the picture. MediaError for a broken file, UsageError for pixels that are no film."""
    image = _open(path)
    try:
        return _header(path, image)
    finally:
        image.close()


def read_image(path: Path) -> tuple[tuple[Plane, ...], Layout, Header]:
    """Planes of native code values (10-bit DPX gives 0..1023 in uint16), their layout, and the header."""
    image = _open(path)
    try:
        header, layout = _header(path, image)
        pixels = image.read_image(0, 0, 0, header.spec.nchannels, _buffer_type(header.spec))
        if pixels is None:
            reason = " ".join(image.geterror().split()).rstrip(".")
            raise MediaError(f"{path} cannot be read ({reason or 'damaged'})")
    finally:
        image.close()
    pixels = np.asarray(pixels).reshape(header.spec.height, header.spec.width, -1)
    planes = tuple(_to_codes(pixels[:, :, channel], layout) for channel in header.picture)
    others = [c for c in range(pixels.shape[2]) if c not in header.picture]
    if others:
        header = Header(
            header.path, header.format, header.spec, header.picture, np.ascontiguousarray(pixels[:, :, others])
        )
    for plane in planes:
        plane.flags.writeable = False
    return planes, layout, header


def in_colour(planes: tuple[Plane, ...], header: Header) -> tuple[tuple[Plane, ...], Header]:
    """A gray picture as the RGB (or RGBA) picture that it stands for, no code value changed.

    Programs that save PNGs and JPEGs drop the colour of a picture that happens to have none, frame by frame.
    """
    names = ["R", "G", "B", "A"][: 2 + len(planes)]
    spec = oiio.ImageSpec(header.spec)
    spec.nchannels, spec.channelnames = len(names), names
    spec.alpha_channel = 3 if "A" in names else -1
    channels = tuple(range(len(names)))
    return (*planes[:1] * 3, *planes[1:]), Header(header.path, header.format, spec, channels)


def _header(path: Path, image: Any) -> tuple[Header, Layout]:
    spec = oiio.ImageSpec(image.spec())
    name = image.format_name()
    if spec.deep or spec.depth > 1:
        raise UsageError(f"{path} holds deep or volume data, which is not a picture; flatten it first")
    if "Cb" in spec.get_string_attribute("dpx:ImageDescriptor"):
        raise UsageError(f"{path} is a YCbCr DPX, which is not supported; convert it to RGB DPX or to a .mov")
    picture, family, alpha = _channels(path, spec)
    kind = str(spec.format)
    formats = {str(f) for f in spec.channelformats}
    if formats and not formats <= {"half", "float"}:
        raise UsageError(
            f"{path} mixes channel types ({', '.join(sorted(formats))}); keep whole-number channels in a file of "
            "their own"
        )
    if formats:
        kinds = {str(spec.channelformats[c]) for c in picture}
        if len(kinds) > 1:
            raise UsageError(f"{path} has picture channels of different types; convert them to one")
        kind = kinds.pop()
    if kind not in _NATIVE:
        raise UsageError(f"{path} has {kind} samples; convert it to 8 or 16 bits, half or float")
    number, bits = _NATIVE[kind]
    if kind == "uint16":
        stored = spec.get_int_attribute("oiio:BitsPerSample", 16)
        bits = stored if 8 < stored < 16 else 16
    return Header(path, name, spec, picture), Layout(family, bits, number == "f", alpha)  # type: ignore[arg-type]


def _channels(path: Path, spec: Any) -> tuple[tuple[int, ...], str, bool]:
    names = [name.lower() for name in spec.channelnames]
    alpha = spec.alpha_channel if spec.alpha_channel >= 0 else (names.index("a") if "a" in names else -1)
    if all(letter in names for letter in "rgb"):
        picture, family = tuple(names.index(letter) for letter in "rgb"), "rgb"
    elif "y" in names and not {"ry", "by", "c", "m", "k"} & set(names):
        picture, family = (names.index("y"),), "gray"
    elif spec.nchannels - (alpha >= 0) == 1:
        picture, family = (0 if alpha != 0 else 1,), "gray"
    else:
        raise UsageError(
            f"{path} has the channels {', '.join(spec.channelnames)} and no R, G, B or Y; rename or extract them"
        )
    return (*picture, alpha) if alpha >= 0 else picture, family, alpha >= 0


def _buffer_type(spec: Any) -> str:
    return "float" if spec.channelformats else str(spec.format)


def _to_codes(samples: Any, layout: Layout) -> Plane:
    if not layout.is_float and 8 < layout.bits < 16:
        # OpenImageIO spreads 10 to 14 bits over 16 by repeating the high bits; the code value is on top.
        samples = samples >> (16 - layout.bits)
    return np.array(samples, dtype=layout.dtype, order="C")


def _from_codes(plane: Plane, layout: Layout) -> Any:
    if not layout.is_float and 8 < layout.bits < 16:
        wide = plane.astype(np.uint16)
        return (wide << (16 - layout.bits)) | (wide >> (2 * layout.bits - 16))
    return plane


def write_image(
    path: Path, planes: Sequence[Plane], layout: Layout, spec: Any, picture: Sequence[int], extra: Any = None
) -> None:
    """Write planes into the channels `picture` of an image described by `spec`; OSError when that fails."""
    height, width = planes[0].shape
    dtype = np.float32 if spec.channelformats else _from_codes(planes[0][:1], layout).dtype
    pixels = np.empty((height, width, spec.nchannels), dtype)
    for plane, channel in zip(planes, picture, strict=True):
        pixels[:, :, channel] = _from_codes(plane, layout)
    others = [c for c in range(spec.nchannels) if c not in picture]
    if others:
        pixels[:, :, others] = extra
    out = oiio.ImageOutput.create(str(path))
    if out is None:
        raise UsageError(f"{path.suffix} images cannot be written ({oiio.geterror()}); choose .dpx, .tif, .exr or .png")
    if path.suffix.lower() in (".jpg", ".jpeg"):
        _reserve(path, pixels.nbytes + (1 << 16))
    ok = out.open(str(path), spec) and out.write_image(pixels)
    reason = out.geterror() if not ok else ""
    # A full disk may show only when the last bytes go out.
    ok = out.close() and ok
    if not ok or not _has_its_end(path):
        raise OSError(reason or out.geterror() or "the image library gives no reason")


def _reserve(path: Path, size: int) -> None:
    """Find out whether the disk takes `size` bytes: libjpeg ends the whole process when it does not."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.write(bytes(size))


def _has_its_end(path: Path) -> bool:
    """Whether a PNG or JPEG closes as it must: their libraries do not notice a full disk."""
    suffix = path.suffix.lower()
    ends = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9"}.get(suffix)
    if ends is None:
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(ends)))
        return file.read() == ends


def cloned_spec(header: Header) -> tuple[Any, list[str]]:
    """A spec that writes the same kind of file, and sentences on what changes.

    The date in the header is the source's: without one, none is written, so that the same picture gives the same bytes.
    """
    spec = oiio.ImageSpec(header.spec)
    notes = []
    if header.format in _DATED and not spec.get_string_attribute("DateTime"):
        spec.attribute("DateTime", "")
    compression = spec.get_string_attribute("compression")
    if header.format == "openexr":
        lossy_float = compression.startswith("pxr24") and "float" in {
            str(spec.format),
            *(str(f) for f in spec.channelformats),
        }
        if compression.split(":")[0] in _LOSSY_EXR or lossy_float:
            spec.attribute("compression", "zip")
            notes.append(f"{compression} compression would change every pixel again; ZIP keeps them")
    if header.format == "tiff" and compression in ("jpeg", "ojpeg"):
        spec.attribute("compression", "zip")
        notes.append("JPEG compression would change every pixel again; ZIP keeps them")
    if header.format == "png":
        spec.attribute("png:compressionLevel", _PNG_LEVEL)
    if header.format == "jpeg":
        spec.attribute("compression", "jpeg:100")
        spec.attribute("jpeg:subsampling", "4:4:4")
        notes.append(
            "JPEG changes pixels everywhere a little, even at quality 100; a pattern such as name_%06d.png keeps them"
        )
    if spec.get_int_attribute("oiio:subimages", 1) > 1:
        notes.append(f"{header.path.name} has several parts; only the first is kept")
    return spec, notes


def new_spec(suffix: str, layout: Layout, height: int, width: int) -> tuple[Any, tuple[int, ...]]:
    """A plain spec for a file of another format than the source's."""
    kind = ("half" if layout.bits == 16 else "float") if layout.is_float else "uint8" if layout.bits == 8 else "uint16"
    names = list(layout.planes)
    spec = oiio.ImageSpec(width, height, len(names), kind)
    spec.channelnames = names
    if layout.alpha:
        spec.alpha_channel = len(names) - 1
        spec.attribute("oiio:UnassociatedAlpha", 1)
    if not layout.is_float:
        spec.attribute("oiio:BitsPerSample", layout.bits)
    # Without one, the library would write today's.
    spec.attribute("DateTime", "")
    if suffix in (".tif", ".tiff"):
        spec.attribute("compression", "zip")
    if suffix == ".png":
        spec.attribute("png:compressionLevel", _PNG_LEVEL)
    if suffix in (".jpg", ".jpeg"):
        spec.attribute("compression", "jpeg:100")
        spec.attribute("jpeg:subsampling", "4:4:4")
    if suffix == ".dpx":
        # The writer would put the library's name and version here.
        spec.attribute("Software", "ReelMend")
    return spec, tuple(range(len(names)))


_RATES = [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)] + [
    Fraction(n) for n in (12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 100, 120)
]


def rate_of(header: Header) -> Fraction | None:
    """Frames a second by the header (DPX film or television header, EXR `FramesPerSecond`), None when unsaid."""
    spec = header.spec
    rational = spec.getattribute("FramesPerSecond")
    if isinstance(rational, (tuple, list)) and len(rational) == 2 and rational[1]:
        return Fraction(int(rational[0]), int(rational[1]))
    for name in ("dpx:FrameRate", "dpx:TemporalFrameRate"):
        value = spec.get_float_attribute(name, 0.0)
        if 1 <= value <= 1000 and np.isfinite(value):
            near = min(_RATES, key=lambda rate: abs(float(rate) - value))
            return near if abs(float(near) - value) < 0.002 else Fraction(value).limit_denominator(1001)
    return None


def timecode_of(header: Header) -> str | None:
    """Timecode by the header (SMPTE ST 12-1 binary-coded decimal), None when unsaid or undefined."""
    words = header.spec.getattribute("smpte:TimeCode")
    if not isinstance(words, (tuple, list)) or len(words) != 2:
        return None
    word = int(words[0])
    fields = [
        (word >> shift & 15) + 10 * (word >> (shift + 4) & tens) for shift, tens in ((24, 3), (16, 7), (8, 7), (0, 3))
    ]
    hours, minutes, seconds, frames = fields
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if word & 64 else ':'}{frames:02d}"


def set_timecode(spec: Any, timecode: str) -> None:
    """Put a timecode where DPX and EXR keep it."""
    hours, minutes, seconds, frames = (int(timecode[at : at + 2]) for at in (0, 3, 6, 9))
    word = 0
    for value, shift in ((hours, 24), (minutes, 16), (seconds, 8), (frames, 0)):
        word |= (value // 10 << 4 | value % 10) << shift
    if timecode[8] == ";":
        word |= 64
    spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), (word, 0))
