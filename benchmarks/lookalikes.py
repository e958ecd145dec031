"""What looks like one-frame damage and is not: things that fly past, glints, swinging limbs. For training detectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Defect, Ink, Pose
from reelmend.simulate.outlines import GAUGE_WIDTH, Outline

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Limb:
    """An arm or a leg that swings about a joint."""

    x: float
    y: float
    length: float
    """Pixels."""
    width: float
    angle: float
    """Radians, in the first frame."""
    swing: float
    """Radians a frame."""
    level: float
    """Brightness, 0..1."""
    seed: int


def sample_flyers(
    rng: np.random.Generator, pool: list[Outline], height: int, width: int, count: int
) -> list[list[Defect]]:
    """Birds, balls, leaves, snow: outlines like those of dust that keep their course. Lists by frame."""
    frames: list[list[Defect]] = [[] for _ in range(count)]
    # Alone, or a flock that keeps one direction (snow, rain).
    number = int(rng.choice([0, 0, 1, 2, 4, 12]))
    heading, pace = rng.uniform(0, 2 * np.pi), rng.uniform(4, 36) * width / 640
    for _ in range(number):
        outline = pool[int(rng.integers(len(pool)))]
        course = heading + rng.normal() * 0.15 if number > 4 else rng.uniform(0, 2 * np.pi)
        speed = pace * rng.uniform(0.7, 1.3)
        scale = max(width / GAUGE_WIDTH["35mm"] * rng.uniform(0.7, 3.0), 2.5 / max(outline.extent))
        pose = Pose(
            x=float(rng.uniform(-0.3, 1.3) * width),
            y=float(rng.uniform(-0.3, 1.3) * height),
            scale=scale,
            angle=float(rng.uniform(0, 2 * np.pi)),
        )
        ink = Ink(
            polarity="bright" if rng.uniform() < 0.5 else "dark",
            opacity=float(rng.uniform(0.5, 1.0)),
            softness=float(rng.uniform(0.5, 1.6)),
            white=float(rng.uniform(0.8, 1.0)),
            seed=int(rng.integers(2**31)),
        )
        spin, fall = rng.normal() * 0.2, rng.normal() * 0.02 * speed
        for index, frame in enumerate(frames):
            x = pose.x + speed * np.cos(course) * index
            y = pose.y + speed * np.sin(course) * index + fall * index**2
            there = replace(pose, x=float(x), y=float(y), angle=float(pose.angle + spin * index))
            frame.append(Defect(outline.kind, outline, there, ink))
    return frames


def sample_glints(
    rng: np.random.Generator, pool: list[Outline], height: int, width: int, count: int
) -> list[list[Defect]]:
    """Sparkle on water, metal or leaves: bright spots that come and go in one part of the picture. Lists by frame."""
    frames: list[list[Defect]] = [[] for _ in range(count)]
    if rng.uniform() < 0.75:
        return frames
    middle = rng.uniform(0.1, 0.9, 2) * (width, height)
    spread = rng.uniform(0.03, 0.15, 2) * (width, height)
    chance = rng.uniform(0.25, 0.6)
    for _ in range(int(rng.integers(8, 50))):
        outline = pool[int(rng.integers(len(pool)))]
        x, y = rng.normal(middle, spread)
        pose = Pose(
            x=float(x),
            y=float(y),
            scale=max(width / GAUGE_WIDTH["35mm"] * 0.7, 2.5 / max(outline.extent)),
            angle=float(rng.uniform(0, 2 * np.pi)),
        )
        ink = Ink(polarity="bright", opacity=1.0, softness=float(rng.uniform(0.5, 1.2)))
        for frame in frames:
            if rng.uniform() < chance:
                dx, dy = rng.normal(0, 2.0, 2)
                there = replace(pose, x=pose.x + dx, y=pose.y + dy)
                bright = replace(ink, opacity=float(rng.uniform(0.3, 1.0)))
                frame.append(Defect(outline.kind, outline, there, bright))
    return frames


def sample_limbs(rng: np.random.Generator, height: int, width: int) -> list[Limb]:
    """A few limbs in one clip out of three."""
    if rng.uniform() < 0.65:
        return []
    return [
        Limb(
            x=float(rng.uniform(0.1, 0.9) * width),
            y=float(rng.uniform(0.1, 0.9) * height),
            length=float(rng.uniform(0.06, 0.3) * height),
            width=float(rng.uniform(0.008, 0.05) * height),
            angle=float(rng.uniform(0, 2 * np.pi)),
            swing=float(rng.uniform(0.15, 0.9) * rng.choice([-1, 1])),
            level=float(rng.uniform(0.05, 0.95)),
            seed=int(rng.integers(2**31)),
        )
        for _ in range(int(rng.integers(1, 5)))
    ]


def draw_limbs(picture: Image, limbs: list[Limb], index: int) -> Image:
    """The picture `(h, w)`, 0..1, with limbs as they stand in frame `index`, each smeared by its own motion."""
    for limb in limbs:
        rng = np.random.default_rng(limb.seed)
        cover = np.zeros(picture.shape, np.float32)
        steps = 5
        for step in range(steps):
            # The shutter is open for half of the frame's time.
            angle = limb.angle + limb.swing * (index + 0.5 * step / steps)
            end = (limb.x + limb.length * np.cos(angle), limb.y + limb.length * np.sin(angle))
            one = np.zeros(picture.shape, np.uint8)
            ends = [tuple(round(16 * value) for value in point) for point in ((limb.x, limb.y), end)]
            cv2.line(one, ends[0], ends[1], 255, max(2, round(limb.width)), cv2.LINE_AA, 4)
            cover += one.astype(np.float32) / 255 / steps
        cover = cv2.GaussianBlur(cover, (0, 0), 0.7)
        shade = (
            limb.level + 0.1 * cv2.GaussianBlur(rng.standard_normal(picture.shape).astype(np.float32), (0, 0), 3) * 6
        )
        picture = np.asarray(picture * (1 - cover) + np.clip(shade, 0, 1) * cover, np.float32)
    return picture
