from __future__ import annotations

import re

import av
import numpy as np
import pytest
from av.video.format import VideoFormat, names
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.errors import UsageError
from reelmend.media.container_frames import picture_of, planes_of
from reelmend.media.pixels import pixel_format
from tiny_films import random_planes


def _known(name: str) -> bool:
    try:
        pixel_format(name)
    except UsageError:
        return False
    return True


KNOWN = sorted(name for name in names if _known(name))
REFUSED = sorted(name for name in names if not _known(name))
WRITABLE = [name for name in KNOWN if pixel_format(name).special in ("", "411")]


def test_every_refused_format_has_no_planar_layout() -> None:
    hardware = {
        "amf",
        "cuda",
        "d3d11",
        "d3d11va_vld",
        "d3d12",
        "drm_prime",
        "dxva2_vld",
        "mediacodec",
        "mmal",
        "ohcodec",
    }
    hardware |= {"opencl", "qsv", "vaapi", "vdpau", "videotoolbox_vld", "vulkan", "xvmc"}
    few_bits = re.compile(r"(rgb|bgr)(4|8|4_byte|444[lb]e|555[lb]e|565[lb]e)|bayer_.*|xyz12[lb]e")
    wide = re.compile(r"(gray32|rgb96|rgba128)[lb]e|gbra?p32[lb]e")
    odd = re.compile(r"ya(f)?32.*")
    left = [
        n for n in REFUSED if n not in hardware and not (few_bits.fullmatch(n) or wide.fullmatch(n) or odd.fullmatch(n))
    ]
    assert left == []
    assert len(KNOWN) > 180


@pytest.mark.parametrize("name", KNOWN)
def test_layout_agrees_with_ffmpeg(name: str) -> None:
    """Depth, subsampling and memory planes against FFmpeg's own description of the format."""
    fmt, theirs = pixel_format(name), VideoFormat(name, 64, 32)
    layout = fmt.layout
    components = list(theirs.components)
    if fmt.special in ("palette", "mono-white", "mono-black"):
        return
    assert {c.bits for c in components} == {layout.bits}
    assert layout.alpha == any(c.is_alpha for c in components)
    assert (layout.family == "rgb") == theirs.is_rgb
    assert len(layout.planes) == len(components)
    if layout.family == "yuv":
        assert layout.plane_shape(1, 32, 64) == (theirs.chroma_height(32), theirs.chroma_width(64))
    if fmt.places:
        # FFmpeg lists components in the order Y U V A or R G B A, as Layout does.
        assert [p.buffer for p in fmt.places] == [c.plane for c in components]
    assert (fmt.word.newbyteorder("=") != fmt.word) == (theirs.is_big_endian and layout.bits > 8)


# Conversions that swscale does without arithmetic or by exact shifts: an independent witness of the memory order.
WITNESSED = [
    ("rgb24", "gbrp"),
    ("bgr24", "gbrp"),
    ("rgba", "gbrap"),
    ("argb", "gbrap"),
    ("abgr", "gbrap"),
    ("bgra", "gbrap"),
    ("0rgb", "gbrp"),
    ("rgb0", "gbrp"),
    ("0bgr", "gbrp"),
    ("bgr0", "gbrp"),
    ("yuyv422", "yuv422p"),
    ("uyvy422", "yuv422p"),
    ("yvyu422", "yuv422p"),
    ("nv12", "yuv420p"),
    ("nv21", "yuv420p"),
    ("nv16", "yuv422p"),
    ("nv24", "yuv444p"),
    ("nv42", "yuv444p"),
    ("p010le", "yuv420p10le"),
    ("p210le", "yuv422p10le"),
    ("p410le", "yuv444p10le"),
    ("p012le", "yuv420p12le"),
    ("gray10be", "gray10le"),
    ("yuv422p10be", "yuv422p10le"),
    ("rgb48be", "gbrp16le"),
    ("rgb48le", "gbrp16le"),
    ("bgr48le", "gbrp16le"),
    ("rgba64le", "gbrap16le"),
    ("bgra64be", "gbrap16le"),
    ("y210le", "yuv422p10le"),
    ("y212le", "yuv422p12le"),
    ("y216le", "yuv422p16le"),
    ("xv30le", "yuv444p10le"),
    ("v30xle", "yuv444p10le"),
    ("xv36le", "yuv444p12le"),
    ("xv48le", "yuv444p16le"),
    ("x2rgb10le", "gbrp10le"),
    ("x2bgr10le", "gbrp10le"),
    ("ayuv", "yuva444p"),
    ("vuya", "yuva444p"),
    ("vuyx", "yuv444p"),
    ("uyva", "yuva444p"),
    ("vyu444", "yuv444p"),
    ("ayuv64le", "yuva444p16le"),
    ("uyyvyy411", "yuv411p"),
    ("monow", "gray"),
    ("monob", "gray"),
    ("pal8", "gbrp"),
    ("ya8", "ya16le"),
    ("gbrp10be", "gbrp10le"),
    ("yuv444p10msble", "yuv444p10le"),
]


@pytest.mark.parametrize(("name", "planar"), WITNESSED)
def test_samples_lie_where_swscale_finds_them(name: str, planar: str) -> None:
    fmt = pixel_format(name)
    if fmt.special and fmt.special != "411":
        # Only FFmpeg writes these: any memory is a picture.
        picture = av.VideoFrame(16, 8, name)
        for plane in picture.planes:
            memory = np.frombuffer(memoryview(plane), np.uint8)
            memory[:] = np.random.default_rng(7).integers(0, 256, memory.size)
        ours = planes_of(picture, fmt)
    else:
        ours = random_planes(fmt.layout, 8, 16, 7)
        picture = picture_of(ours, fmt, 8, 16)
    try:
        converted = picture.reformat(format=planar, threads=1)
    except (ValueError, av.error.FFmpegError) as error:
        pytest.skip(f"swscale does not convert {name}: {error}")
    theirs = planes_of(converted, pixel_format(planar))
    for mine, other in zip(ours, theirs, strict=True):
        if planar == "ya16le":
            other = other >> 8
        assert np.array_equal(mine, other)


@settings(max_examples=120, deadline=None)
@given(name=st.sampled_from(WRITABLE), height=st.integers(1, 9), width=st.integers(1, 17), seed=st.integers(0, 99))
def test_pack_then_unpack_gives_the_same_samples(name: str, height: int, width: int, seed: int) -> None:

    fmt = pixel_format(name)
    planes = random_planes(fmt.layout, height, width, seed)
    again = planes_of(picture_of(planes, fmt, height, width), fmt)
    for before, after in zip(planes, again, strict=True):
        assert after.dtype == fmt.layout.dtype
        assert np.array_equal(before, after)


def test_refusal_names_the_format_and_a_remedy() -> None:
    with pytest.raises(UsageError, match=r"bayer_rggb8 is not supported; convert"):
        pixel_format("bayer_rggb8")
