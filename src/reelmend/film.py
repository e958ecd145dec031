"""The frozen types that every room shares: what a frame, a reel and a shot are.

A frame keeps the source's own planes and code values. Nothing here converts a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
"""One plane of samples `(rows, columns)`: uint8, uint16, float16 or float32, native code values."""

Mask = NDArray[np.bool_]
"""What repair may change, `(h, w)`, True = damage."""

DamageMap = NDArray[np.float32]
"""Per-pixel probability of damage `(h, w)`, 0..1, 1 = damaged."""

Family = Literal["gray", "yuv", "rgb"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a frame's samples are arranged: planar, at native depth."""

    family: Family
    bits: int
    """Significant bits a sample: 8 to 16 for integers, 16 or 32 for half and float."""
    is_float: bool = False
    alpha: bool = False
    """A last plane carries alpha; it is never repaired."""
    sub_x: int = 0
    """Base-2 logarithm of horizontal chroma subsampling (1 for 4:2:2 and 4:2:0)."""
    sub_y: int = 0
    """Base-2 logarithm of vertical chroma subsampling (1 for 4:2:0)."""

    @property
    def planes(self) -> tuple[str, ...]:
        """Plane names in storage order, for example `("Y", "U", "V")`, `("R", "G", "B", "A")`."""
        names = {"gray": ("Y",), "yuv": ("Y", "U", "V"), "rgb": ("R", "G", "B")}[self.family]
        return (*names, "A") if self.alpha else names

    @property
    def colour_planes(self) -> int:
        """Number of planes that carry picture, alpha left out."""
        return len(self.planes) - self.alpha

    @property
    def dtype(self) -> np.dtype[Any]:
        if self.is_float:
            return np.dtype(np.float16 if self.bits == 16 else np.float32)
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)

    @property
    def peak(self) -> float:
        """The code value of full scale: `2**bits - 1`, or 1.0 for floating point."""
        return 1.0 if self.is_float else float(2**self.bits - 1)

    def subsampling(self, plane: int) -> tuple[int, int]:
        """`(sub_x, sub_y)` of a plane: only U and V are ever subsampled."""
        return (self.sub_x, self.sub_y) if self.family == "yuv" and plane in (1, 2) else (0, 0)

    def plane_shape(self, plane: int, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of a plane of a `height` x `width` frame (odd sizes round up, as in FFmpeg)."""
        sub_x, sub_y = self.subsampling(plane)
        return -(-height >> sub_y), -(-width >> sub_x)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a reel: planes and code values exactly as decoded, with its place in time."""

    index: int
    """Frame number counted from 0 at the start of the reel."""
    planes: tuple[Plane, ...]
    """One array a plane, in the order of `layout.planes`. Never written to: stages replace planes."""
    layout: Layout
    pts: int | None = None
    """Presentation time in units of `ReelFacts.time_base`."""
    duration: int | None = None
    """In units of `ReelFacts.time_base`."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the writer needs to keep and no stage reads: image headers, side data."""
    fault: str | None = None
    """Why this frame stands in for one that could not be read (`--on-error hold`)."""

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])

    def with_planes(self, planes: tuple[Plane, ...]) -> Frame:
        return replace(self, planes=planes)


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour tags by their FFmpeg names (ITU-T H.273), for example `bt709`; None = not tagged."""

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: Literal["limited", "full"] | None = None


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A stream that travels beside the picture and is copied, never re-encoded."""

    index: int
    kind: Literal["audio", "subtitle", "data", "attachment", "video"]
    codec: str
    language: str | None = None
    detail: str = ""
    """For people: `48000 Hz, stereo`."""


@dataclass(frozen=True, slots=True)
class ReelFacts:
    """What is known of an opened source before a frame is decoded."""

    path: Path
    kind: Literal["container", "sequence"]
    format: str
    """Container or image format by its short name: `matroska`, `mov`, `dpx`, `png`."""
    codec: str
    """Codec by its FFmpeg name, or the image format's compression."""
    pixel_format: str
    """The source's own name for its pixels: `yuv422p10le`, `uint10 rgb`."""
    layout: Layout
    width: int
    height: int
    rate: Fraction
    """Frames a second; nominal where the source's rate varies."""
    time_base: Fraction
    """Seconds a unit of `Frame.pts`."""
    frames: int | None
    """Number of frames; None where only reading to the end tells."""
    sample_aspect: Fraction = Fraction(1)
    colour: Colour = Colour()
    timecode: str | None = None
    """Of the first frame, `01:00:00:00`, `;` before the frames for drop-frame."""
    field_order: Literal["progressive", "top", "bottom", "unknown"] = "progressive"
    rotation: int = 0
    """Degrees that a player turns the picture; kept, never applied."""
    first_number: int = 0
    """The number in the first file's name (sequences)."""
    pattern: str | None = None
    """File name pattern of a sequence, printf style: `name_%06d.dpx`."""
    streams: tuple[StreamFacts, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    frames_about: int | None = None
    """The number of frames that the header suggests, good enough for a progress bar; `frames` is the trusted one."""
    notes: tuple[str, ...] = ()
    """What a person should know: a hold in place of a gap, interlaced material."""
