"""What a container says about its film, and what its first frame adds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av

from reelmend.film import Colour, ReelFacts, StreamFacts
from reelmend.media.colour import colour_from_numbers, merge
from reelmend.media.pixels import pixel_format, unsupported
from reelmend.media.timecode import is_timecode

SIDE_DATA_KINDS = ("audio", "subtitle", "data", "attachment")
_NO_PIXELS = ("cuda", "vaapi", "qsv", "videotoolbox_vld", "vulkan", "d3d11", "drm_prime")
_FIELD_ORDER: dict[int, Literal["progressive", "top", "bottom"]] = {
    1: "progressive",
    2: "top",
    3: "bottom",
    4: "top",
    5: "bottom",
}
"""AVFieldOrder: TT and TB show the top field first."""


def film_stream(container: Any) -> Any | None:
    """The stream with the film: the first that is moving picture, not cover art."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def gather_facts(path: Path, container: Any, stream: Any, first: Any | None, missing: int) -> ReelFacts:
    """Facts from the container, the stream and the first decoded frame (None when it cannot be decoded)."""
    context = stream.codec_context
    name = first.format.name if first is not None else context.pix_fmt
    if name is None or name in _NO_PIXELS:
        raise unsupported(str(name), path.name)
    layout = _layout(path, name)
    rate = _rate(stream)
    notes = _notes(path, stream, first, name, missing)
    colour = _colour(context, first, name)
    field_order = _field_order(context, first)
    if field_order not in ("progressive",):
        order = {"top": "top field first", "bottom": "bottom field first"}.get(field_order, "field order unknown")
        notes.append(f"interlaced ({order}): fields are restored as they lie in the frame, not taken apart")
    return ReelFacts(
        path=path,
        kind="container",
        format=_format(container, path),
        codec=context.codec.canonical_name,
        pixel_format=name,
        layout=layout,
        width=first.width if first is not None else context.width,
        height=first.height if first is not None else context.height,
        rate=rate,
        time_base=stream.time_base or 1 / rate,
        frames=stream.frames if _trusted_count(container, stream, missing) else None,
        frames_about=_about(container, stream, rate),
        sample_aspect=_aspect(stream, context),
        colour=colour,
        timecode=_timecode(container, stream),
        field_order=field_order,
        rotation=int(first.rotation) if first is not None else 0,
        streams=tuple(_stream_facts(s) for s in container.streams if s.index != stream.index),
        metadata=dict(container.metadata),
        notes=tuple(notes),
    )


def _layout(path: Path, name: str) -> Any:
    from reelmend.errors import UsageError

    try:
        return pixel_format(name).layout
    except UsageError:
        raise unsupported(name, path.name) from None


def _rate(stream: Any) -> Fraction:
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return Fraction(24)


def _aspect(stream: Any, context: Any) -> Fraction:
    return Fraction(stream.sample_aspect_ratio or context.sample_aspect_ratio or 1)


def _format(container: Any, path: Path) -> str:
    names = container.format.name.split(",")
    if "mp4" in names:
        brand = container.metadata.get("major_brand", "").strip()
        return "mov" if brand == "qt" or (not brand and path.suffix.lower() == ".mov") else "mp4"
    if "matroska" in names:
        return "webm" if path.suffix.lower() == ".webm" else "matroska"
    return str(names[0])


def _trusted_count(container: Any, stream: Any, missing: int) -> bool:
    """MP4 and MOV list every frame; other containers only remember a number that an edit may have made wrong."""
    return bool(stream.frames) and "mp4" in container.format.name.split(",") and not missing


def _about(container: Any, stream: Any, rate: Fraction) -> int | None:
    if stream.frames:
        return int(stream.frames)
    if stream.duration and stream.time_base:
        return round(Fraction(stream.duration) * Fraction(stream.time_base) * rate)
    duration = _clock(stream.metadata.get("DURATION", ""))
    if duration is None and container.duration:
        duration = Fraction(container.duration, av.time_base)
    return round(duration * rate) if duration else None


def _clock(text: str) -> Fraction | None:
    try:
        hours, minutes, seconds = text.split(":")
        return (int(hours) * 60 + int(minutes)) * 60 + Fraction(seconds)
    except ValueError:
        return None


def _colour(context: Any, first: Any | None, name: str) -> Colour:
    tags = colour_from_numbers(context.color_primaries, context.color_trc, context.colorspace, context.color_range)
    if first is not None:
        of_frame = colour_from_numbers(first.color_primaries, first.color_trc, first.colorspace, first.color_range)
        tags = merge(tags, of_frame)
    if name.startswith("yuvj"):
        # The format's own name says full range.
        tags = merge(Colour(range="full"), tags)
    return tags


def _field_order(context: Any, first: Any | None) -> Literal["progressive", "top", "bottom", "unknown"]:
    order = _FIELD_ORDER.get(int(context.field_order))
    if order in ("top", "bottom"):
        return order
    if first is not None and first.interlaced_frame:
        return "unknown"
    return "progressive"


def _timecode(container: Any, stream: Any) -> str | None:
    places = [stream.metadata, container.metadata, *(s.metadata for s in container.streams if s.type == "data")]
    for metadata in places:
        for key, value in metadata.items():
            if key.lower() == "timecode" and is_timecode(value):
                return str(value).strip()
    return None


def _stream_facts(stream: Any) -> StreamFacts:
    context = stream.codec_context
    codec, detail = "unknown", ""
    if context is not None:
        codec = context.codec.canonical_name
        if stream.type == "audio":
            detail = f"{context.sample_rate} Hz, {context.layout.name}"
    elif stream.type == "attachment":
        codec, detail = stream.metadata.get("mimetype", "unknown"), stream.metadata.get("filename", "")
    kind = stream.type if stream.type in (*SIDE_DATA_KINDS, "video") else "data"
    return StreamFacts(int(stream.index), cast(Any, kind), codec, stream.metadata.get("language"), detail)


def _notes(path: Path, stream: Any, first: Any | None, name: str, missing: int) -> list[str]:
    notes = []
    if missing:
        notes.append(f"{path.name} is cut short: {missing} bytes that its header announces are missing")
    if name == "pal8":
        notes.append("colours come from a palette and are written as plain RGB")
    if name in ("monow", "monob"):
        notes.append("one-bit pixels are written as 8-bit gray, 0 and 255")
    if first is not None and first.rotation:
        notes.append(
            f"players turn the picture by {int(first.rotation)} degrees; the tag is kept, the picture is not turned"
        )
    kinds = {getattr(side.type, "name", str(side.type)) for side in first.side_data} if first is not None else set()
    if kinds & {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}:
        notes.append("HDR mastering metadata is present")
    if first is None:
        notes.append("the first frame cannot be decoded")
    return notes
