"""Mould: fungus grew in the gelatine, from a few spores outwards in branching threads, and ate rosettes into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reelmend.simulate.defect import Cover, Pose
from reelmend.simulate.kinds.strokes import Pieces, draw_strokes
from reelmend.simulate.statistics import Statistics

STEPS = 36
"""Steps that a thread takes from the middle to the rim."""


@dataclass(frozen=True, slots=True)
class Mould:
    """A colony: one rosette for each spore. Lengths in micrometres."""

    spores: tuple[tuple[float, float, float], ...]
    """x, y and radius of each rosette."""
    threads: int
    """That leave each spore."""
    branching: float
    """Branches of a thread from the middle to the rim."""
    wander: float
    """Standard deviation of a thread's turning at each step, radians."""
    width: float
    """Of a thread near the spore; it thins outwards."""
    density: float
    """Coverage of the threads, 0..1."""
    seed: int
    """Of the growth."""


class MouldKind:
    name: ClassVar[str] = "mould"
    spans: ClassVar[bool] = False

    def sample(self, rng: np.random.Generator, statistics: Statistics) -> Mould:
        radius = float(np.exp(rng.uniform(np.log(300), np.log(2000))))
        spores = [(0.0, 0.0, radius)]
        for _ in range(int(rng.integers(0, 5))):
            x, y = rng.normal(0, 1.3 * radius, 2)
            spores.append((float(x), float(y), radius * float(rng.uniform(0.25, 0.9))))
        return Mould(
            spores=tuple(spores),
            threads=int(rng.integers(5, 14)),
            branching=float(rng.uniform(1.5, 4.0)),
            wander=float(rng.uniform(0.06, 0.22)),
            width=float(rng.uniform(12, 35)),
            density=float(rng.uniform(0.4, 1.0)),
            seed=int(rng.integers(2**31)),
        )

    def draw(self, shape: Mould, pose: Pose, canvas: tuple[int, int], age: int = 0) -> Cover:
        rng = np.random.default_rng(shape.seed)
        grown = [_rosette(shape, x, y, radius, rng) for x, y, radius in shape.spores]
        return draw_strokes(grown, pose, canvas)


def _rosette(shape: Mould, x: float, y: float, radius: float, rng: np.random.Generator) -> Pieces:
    """Threads step outwards together; each may fork at each step, and starve."""
    most = 12 * shape.threads
    turn = 2 * np.pi * (np.arange(shape.threads) + rng.uniform(-0.4, 0.4, shape.threads)) / shape.threads
    place = np.tile((x, y), (shape.threads, 1)).astype(np.float64)
    reach = radius * rng.uniform(0.5, 1.0, shape.threads)
    gone = np.zeros(shape.threads)
    pieces: list[Pieces] = []
    step = radius / STEPS
    for nth in range(STEPS):
        out = np.arctan2(place[:, 1] - y, place[:, 0] - x) if nth > 2 else turn
        # Threads grow towards fresh gelatine, away from the middle.
        turn = turn + rng.normal(0, shape.wander, len(turn)) + 0.05 * np.sin(out - turn)
        after = place + step * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        thin = 1 - gone / (reach + step)
        wide = shape.width * (0.35 + 0.65 * thin)
        level = shape.density * np.clip(0.35 + 0.65 * thin, 0, 1)
        pieces.append(np.column_stack([place, after, wide, wide, level, level]))
        place, gone = after, gone + step
        alive = gone < reach
        fork = alive & (rng.uniform(size=len(turn)) < shape.branching / STEPS)
        side = rng.choice((-1.0, 1.0), len(turn)) * rng.uniform(0.35, 0.9, len(turn))
        turn = np.concatenate([turn[alive], (turn + side)[fork]])[:most]
        place = np.concatenate([place[alive], place[fork]])[:most]
        gone, reach = (np.concatenate([part[alive], part[fork]])[:most] for part in (gone, reach))
        if len(turn) == 0:
            break
    return np.concatenate(pieces)
