"""Frames and facts of tiny films, for tests of every room."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from reelmend.film import Frame, Layout, Plane, ReelFacts


def random_planes(layout: Layout, height: int, width: int, seed: int) -> tuple[Plane, ...]:
    """Noise over the whole range of codes (0..1 for floating point)."""
    rng = np.random.default_rng(seed)
    planes = []
    for number in range(len(layout.planes)):
        shape = layout.plane_shape(number, height, width)
        if layout.is_float:
            planes.append(rng.random(shape).astype(layout.dtype))
        else:
            planes.append(rng.integers(0, int(layout.peak) + 1, shape).astype(layout.dtype))
    return tuple(planes)


def smooth_planes(layout: Layout, height: int, width: int, seed: int) -> tuple[Plane, ...]:
    """Gradients that move with `seed`, for codecs that lose a little."""
    planes = []
    for number in range(len(layout.planes)):
        rows, columns = layout.plane_shape(number, height, width)
        wave = 0.5 + 0.2 * np.sin(np.arange(columns) / columns * 3 + seed * 0.3 + number) * np.ones((rows, 1))
        wave = wave + 0.2 * np.cos(np.arange(rows) / rows * 2)[:, None]
        planes.append((wave * layout.peak).astype(layout.dtype))
    return tuple(planes)


def film_facts(layout: Layout, height: int, width: int, **changes: Any) -> ReelFacts:
    """Facts of a film that exists only in memory."""
    from reelmend.media.container_plan import planar_name

    values: dict[str, Any] = {
        "path": Path("memory"),
        "kind": "container",
        "format": "matroska",
        "codec": "ffv1",
        "pixel_format": "float" if layout.is_float else planar_name(layout),
        "layout": layout,
        "width": width,
        "height": height,
        "rate": Fraction(24),
        "time_base": Fraction(1, 24),
        "frames": None,
    }
    return ReelFacts(**(values | changes))


def film_frames(
    layout: Layout, height: int, width: int, count: int, make: Callable[..., tuple[Plane, ...]] = random_planes
) -> list[Frame]:
    return [Frame(i, make(layout, height, width, i), layout, i, 1) for i in range(count)]
