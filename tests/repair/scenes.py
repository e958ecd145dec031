"""Small moving scenes that are known to the sample, in any layout, and windows on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout, Mask
from reelmend.motion.picture import picture
from reelmend.motion.windows import Window, windows

HEIGHT, WIDTH = 101, 130
"""Odd and not a multiple of a cell, so that every edge case of subsampling and padding is met."""

LAYOUTS = {
    "gray8": Layout("gray", 8),
    "gray10": Layout("gray", 10),
    "gray-float": Layout("gray", 32, is_float=True),
    "yuv420p": Layout("yuv", 8, sub_x=1, sub_y=1),
    "yuv422p10": Layout("yuv", 10, sub_x=1),
    "yuv444p16": Layout("yuv", 16),
    "yuv411p": Layout("yuv", 8, sub_x=2),
    "yuva420p10": Layout("yuv", 10, alpha=True, sub_x=1, sub_y=1),
    "rgb16": Layout("rgb", 16),
    "rgb-half-alpha": Layout("rgb", 16, is_float=True, alpha=True),
    "rgb-float": Layout("rgb", 32, is_float=True),
}

Floats = NDArray[np.float32]


def texture(height: int = 200, width: int = 260, seed: int = 0, size: float = 2.0) -> Floats:
    """Smooth noise in 0.2..0.8."""
    noise = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), size)
    return np.clip(0.5 + 0.13 * smooth / smooth.std(), 0.2, 0.8).astype(np.float32)


def moving(step: tuple[float, float], count: int = 5, seed: int = 0) -> list[Floats]:
    """Pictures `(HEIGHT, WIDTH)` of one texture that moves by `step` (right, down) pixels a frame."""
    field = texture(seed=seed)
    out = []
    for n in range(count):
        shift = np.array([[1, 0, n * step[0] - 40], [0, 1, n * step[1] - 40]], np.float32)
        out.append(cv2.warpAffine(field, shift, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC))
    return out


def frame(index: int, image: Floats, layout: Layout) -> Frame:
    """The image in every plane of a layout, chroma at its own size, alpha a ramp."""
    planes = []
    for number, name in enumerate(layout.planes):
        rows, columns = layout.plane_shape(number, *image.shape)
        values = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
        if name == "A":
            values = np.linspace(0, 1, rows * columns, dtype=np.float32).reshape(rows, columns)
        if not layout.is_float:
            values = np.rint(np.clip(values, 0, 1) * layout.peak)
        planes.append(values.astype(layout.dtype))
    return Frame(index, tuple(planes), layout)


def window_of(frames: Sequence[Frame], at: int) -> Window:
    """The window of the `at`-th frame of one shot."""
    with ThreadPoolExecutor(1) as pool:
        return [future.result() for _, future in windows(((0, picture(one)) for one in frames), pool)][at]


def scene(
    layout: Layout, mask: Mask, change: Callable[[int, Floats], Floats] = lambda n, image: image
) -> tuple[Window, Frame]:
    """A window whose centre (frame 2 of 5) is damaged in `mask`, and the undamaged centre. `change` edits pictures."""
    images = [change(n, image.copy()) for n, image in enumerate(moving((2.0, 1.0)))]
    clean = frame(2, images[2], layout)
    hurt = images[2].copy()
    hurt[mask] = 0.97
    frames = [frame(n, hurt if n == 2 else image, layout) for n, image in enumerate(images)]
    return window_of(frames, 2), clean


def specks(*boxes: tuple[int, int, int, int]) -> Mask:
    """A mask of rectangles `(top, bottom, left, right)`."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for top, bottom, left, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


MASKS = {
    "specks": specks((50, 57, 60, 68), (20, 24, 90, 93), (70, 72, 20, 45)),
    "borders": specks((0, 4, 0, 5), (HEIGHT - 3, HEIGHT, WIDTH - 4, WIDTH), (40, 50, WIDTH - 1, WIDTH)),
    "one pixel": specks((33, 34, 77, 78)),
    "all": np.ones((HEIGHT, WIDTH), bool),
    "none": np.zeros((HEIGHT, WIDTH), bool),
}


def psnr(result: Frame, truth: Frame, mask: Mask, plane: int = 0) -> float:
    """Inside the mask, of a plane of the mask's size, dB of full scale."""
    error = (result.planes[plane].astype(np.float64) - truth.planes[plane].astype(np.float64))[mask]
    return float(20 * np.log10(result.layout.peak / max(np.sqrt((error**2).mean()), 1e-9)))
