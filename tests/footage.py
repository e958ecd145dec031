"""Moving pictures for tests of motion, detection and the whole pipeline, made from noise with a fixed seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.film import Frame, Layout, Mask

GRAY8 = Layout("gray", 8)


def texture(height: int, width: int, seed: int = 0, detail: float = 3.0) -> NDArray[np.float32]:
    """A natural-looking picture: noise at several scales, 40 .. 215 of 255."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for scale in (detail, 3 * detail, 9 * detail):
        layer = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), scale)
        total += layer / layer.std() * scale**0.3
    return np.asarray(np.clip(127 + 38 * total / total.std(), 40, 215), np.float32)


def pan(
    count: int,
    height: int = 120,
    width: int = 160,
    *,
    speed: tuple[float, float] = (1.5, 0.5),
    grain: float = 0.0,
    seed: int = 0,
) -> list[Frame]:
    """A camera that pans over a texture, `speed` pixels a frame (x, y), with white grain of `grain` codes."""
    margin = int(max(abs(speed[0]), abs(speed[1])) * count) + 8
    scene = texture(height + 2 * margin, width + 2 * margin, seed)
    rng = np.random.default_rng(seed + 1)
    frames = []
    for index in range(count):
        shift = np.array([[1, 0, -margin - speed[0] * index], [0, 1, -margin - speed[1] * index]], np.float32)
        view = cv2.warpAffine(scene, shift, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        view = view + grain * rng.standard_normal((height, width)).astype(np.float32)
        frames.append(Frame(index, (np.clip(np.rint(view), 0, 255).astype(np.uint8),), GRAY8))
    return frames


@dataclass(frozen=True)
class Speck:
    """A round spot with a soft edge."""

    frame: int
    x: int
    y: int
    radius: float = 3.0
    value: float = 240.0


def damaged(frames: list[Frame], specks: list[Speck]) -> tuple[list[Frame], list[Mask]]:
    """Frames with specks on the first plane, and where they are (alpha over 0.12)."""
    out, truth = list(frames), [np.zeros((frame.height, frame.width), np.bool_) for frame in frames]
    for speck in specks:
        frame = out[speck.frame]
        ys, xs = np.mgrid[: frame.height, : frame.width]
        alpha = 0.5 - 0.5 * np.tanh((np.hypot(xs - speck.x, ys - speck.y) - speck.radius) / 0.7)
        alpha[alpha < 1 / 512] = 0
        plane = frame.planes[0]
        scale = frame.layout.peak / 255
        mixed = plane * (1 - alpha) + speck.value * scale * alpha
        new = plane.copy()
        new[alpha > 0] = (
            np.rint(mixed[alpha > 0]).astype(plane.dtype) if not frame.layout.is_float else mixed[alpha > 0]
        )
        out[speck.frame] = frame.with_planes((new, *frame.planes[1:]))
        truth[speck.frame] |= alpha > 0.12
    return out, truth


def dice(found: list[Mask], truth: list[Mask]) -> float:
    both = sum(int((a & b).sum()) for a, b in zip(found, truth, strict=True))
    return 2 * both / max(1, sum(int(a.sum()) + int(b.sum()) for a, b in zip(found, truth, strict=True)))
