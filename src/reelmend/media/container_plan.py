"""Which codec and pixel format an output container gets for a source's pixels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av

from reelmend.errors import UsageError
from reelmend.film import Layout, ReelFacts
from reelmend.media.colour import is_full_range
from reelmend.media.paths import CONTAINERS
from reelmend.media.pixels import PixelFormat, pixel_format


@dataclass(frozen=True, slots=True)
class Plan:
    """How a film is encoded."""

    muxer: str
    codec: str
    fmt: PixelFormat
    """Pixel format handed to the encoder."""
    options: dict[str, str]
    full_range: bool
    """Whether the encoded samples use the full range of codes."""
    exact: bool = False
    """Every sample survives bit by bit."""
    threads: int = 0
    """Encoder threads; 0 = as many as asked for (only where the result does not depend on them)."""
    matrix: str | None = None
    """Matrix to tag when it is not the source's: RGB written as YUV."""
    notes: tuple[str, ...] = field(default=())


_EXACT = {
    # The FFV1 pixel formats that hold a layout bit by bit, where it is not simply the planar name.
    # FFV1 keeps 8-bit RGB as 32-bit words; the unused byte of bgr0 carries nothing.
    ("rgb", 8, False): "bgr0",
    ("rgb", 8, True): "bgra",
    ("rgb", 16, True): "gbrap16le",
    ("gray", 8, True): "ya8",
}
_FFV1 = frozenset((
    "gray", "gray9le", "gray10le", "gray12le", "gray14le", "gray16le", "ya8", "bgr0", "bgra", "gbrp9le",
    "gbrp10le", "gbrp12le", "gbrp14le", "gbrp16le", "gbrap10le", "gbrap12le", "gbrap14le", "gbrap16le",
    "yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "yuva420p", "yuva422p", "yuva444p",
    "yuv420p9le", "yuv422p9le", "yuv444p9le", "yuva420p9le", "yuva422p9le", "yuva444p9le", "yuv420p10le",
    "yuv422p10le", "yuv444p10le", "yuv440p10le", "yuva420p10le", "yuva422p10le", "yuva444p10le",
    "yuv420p12le", "yuv422p12le", "yuv444p12le", "yuv440p12le", "yuva422p12le", "yuva444p12le", "yuv420p14le",
    "yuv422p14le", "yuv444p14le", "yuv420p16le", "yuv422p16le", "yuv444p16le", "yuva420p16le", "yuva422p16le",
    "yuva444p16le",
))  # fmt: skip


def planar_name(layout: Layout) -> str:
    """FFmpeg's little-endian planar name for a layout: `yuv422p10le`, `gbrp16le`, `gray`."""
    digits = "" if layout.bits == 8 else f"{layout.bits}le"
    if layout.family == "gray":
        return ("ya8" if layout.bits == 8 else f"ya{digits}") if layout.alpha else f"gray{digits}"
    if layout.family == "rgb":
        return f"gbr{'a' if layout.alpha else ''}p{digits}"
    sub = {(0, 0): "444", (1, 0): "422", (1, 1): "420", (0, 1): "440", (2, 0): "411", (2, 2): "410"}
    return f"yuv{'a' if layout.alpha else ''}{sub[layout.sub_x, layout.sub_y]}p{digits}"


def ffv1_name(layout: Layout) -> str | None:
    """The FFV1 pixel format that holds a layout bit by bit, None when there is none.

    Semi-planar, packed and big-endian sources go to the planar little-endian format of the same samples (`nv12` to
    `yuv420p`, `p010le` to `yuv420p10le`, `yuyv422` to `yuv422p`, `rgb48be` to `gbrp16le`, `rgb24` to `bgr0`).
    """
    if layout.is_float:
        return None
    name = _EXACT.get((layout.family, layout.bits, layout.alpha)) or planar_name(layout)
    return name if name in _FFV1 else None


def plan_for(output: Path, facts: ReelFacts) -> Plan:
    """The plan for an output file; UsageError for pixels that its container cannot hold."""
    muxer = CONTAINERS[output.suffix.lower()]
    layout = facts.layout
    if layout.is_float:
        raise UsageError(
            f"{output.name}: {facts.pixel_format} pixels are floating point, which no film codec here holds; write an "
            "image sequence instead (a folder name as output)"
        )
    full = is_full_range(facts.colour, layout.family)
    if muxer == "matroska":
        return _ffv1(output, facts, full)
    return _prores(facts, full) if muxer == "mov" else _h26x(facts, full)


def _ffv1(output: Path, facts: ReelFacts, full: bool) -> Plan:
    name = ffv1_name(facts.layout)
    if name is None:
        raise UsageError(
            f"{output.name}: FFV1 does not hold {facts.pixel_format} pixels; write an image sequence instead (a "
            "folder name as output)"
        )
    options = {"level": "3", "slices": str(_slices(name, facts)), "slicecrc": "1", "g": "1"}
    return Plan("matroska", "ffv1", pixel_format(name), options, full, exact=True)


def _slices(name: str, facts: ReelFacts) -> int:
    """How many slices: fixed by size and pixel format alone, for it is part of the stream and threads are not."""
    wanted = 4 if facts.width * facts.height < 1280 * 720 else 16
    for slices in (16, 12, 9, 6, 4, 2):
        if slices > wanted:
            continue
        # The encoder refuses grids whose cuts fall within a chroma sample, at sizes only it knows.
        context = av.CodecContext.create("ffv1", "w")
        context.width, context.height, context.pix_fmt = facts.width, facts.height, name
        context.time_base, context.options = Fraction(1, 24), {"level": "3", "slices": str(slices)}
        try:
            context.open()
        except (av.error.FFmpegError, NotImplementedError):
            continue
        return slices
    return 1


def _prores(facts: ReelFacts, full: bool) -> Plan:
    layout = facts.layout
    notes = []
    if layout.alpha:
        name, profile, label = "yuva444p10le", "4", "ProRes 4444"
    elif layout.family == "rgb" or (layout.family == "yuv" and (layout.sub_x, layout.sub_y) in ((0, 0), (0, 1))):
        name, profile, label = "yuv444p10le", "4", "ProRes 4444"
    else:
        name, profile, label = "yuv422p10le", "3", "ProRes 422 HQ"
    if layout.bits > 10:
        notes.append(f"{label} is encoded from 10 bits, the source has {layout.bits}; .mkv keeps them all")
    if layout.family == "rgb":
        notes.append(f"RGB becomes YUV 4:4:4 (BT.709) in {label}; .mkv keeps RGB")
    if full and layout.family == "yuv":
        notes.append(f"full-range samples are scaled to limited range, which {label} expects; .mkv keeps them")
    options = {"profile": profile, "vendor": "apl0"}
    matrix = "bt709" if layout.family == "rgb" else None
    return Plan("mov", "prores_ks", pixel_format(name), options, False, matrix=matrix, notes=tuple(notes))


def _h26x(facts: ReelFacts, full: bool) -> Plan:
    layout, notes = facts.layout, []
    target = replace(layout, alpha=False)
    if layout.alpha:
        notes.append("MP4 carries no transparency; .mov and .mkv do")
    if layout.family == "rgb":
        target = replace(target, family="yuv", sub_x=1, sub_y=1)
        notes.append("RGB becomes YUV 4:2:0 (BT.709), which players show; .mkv keeps RGB")
        full = False
    elif layout.family == "yuv":
        near = {(0, 1): (0, 0), (2, 0): (1, 0), (2, 2): (1, 1)}.get((layout.sub_x, layout.sub_y))
        if near:
            target = replace(target, sub_x=near[0], sub_y=near[1])
            notes.append("the chroma subsampling has no H.264 or H.265 form and is resampled; .mkv keeps it")
    if target.family == "yuv" and (facts.width % (1 << target.sub_x) or facts.height % (1 << target.sub_y)):
        # The encoders refuse odd sizes with subsampled chroma.
        target = replace(target, sub_x=0, sub_y=0)
    bits = next((b for b in (8, 10, 12) if b >= layout.bits), 12)
    if layout.bits > 12:
        notes.append(f"H.265 ends at 12 bits, the source has {layout.bits}; .mkv keeps them all")
    target = replace(target, bits=bits)
    fmt = pixel_format(planar_name(target))
    matrix = "bt709" if layout.family == "rgb" else None
    if bits > 10 and min(facts.width, facts.height) < 64:
        # x265 corrupts memory when the picture is narrower than one coding tree unit (seen at 33 and 48 columns).
        raise UsageError(f"pictures below 64x64 pixels with {layout.bits} bits cannot be H.265; write .mkv instead")
    if bits <= 10:
        # The same film twice must give the same bytes, whatever the machine's threads and memory. x264 decides by its
        # number of threads, so that is fixed. At sizes that are no multiple of 16 its macroblock tree and its frame
        # threads read memory that nobody has written: with glibc's MALLOC_PERTURB_ the bytes changed, with sliced
        # threads and without the tree they did not (12 runs at each of six sizes).
        fields = {"top": ":tff=1", "bottom": ":bff=1"}.get(facts.field_order, "")
        options = {"crf": "12", "preset": "medium", "x264-params": f"threads=4:sliced-threads=1:mbtree=0{fields}"}
        return Plan("mp4", "libx264", fmt, options, full, threads=4, matrix=matrix, notes=tuple(notes))
    options = {"crf": "12", "preset": "medium", "x265-params": "frame-threads=1:cutree=0:log-level=none"}
    return Plan("mp4", "libx265", fmt, options, full, threads=1, matrix=matrix, notes=tuple(notes))
