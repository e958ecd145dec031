"""Damage through time: which defects a frame of a reel has, and where they lie in it.

Nothing is carried from frame to frame. The defects that are born on a frame come from a generator of their own, seeded
by reel, kind and frame, so any frame can be asked for first, on any machine, and is the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.defect import Defect, Pose
from reelmend.simulate.inks import sample_ink
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.kinds.line_scratch import on_gauge
from reelmend.simulate.outlines import GAUGE_WIDTH
from reelmend.simulate.recipe import FITTED, Entry, Recipe
from reelmend.simulate.space import sample_places, sample_reel_factor
from reelmend.simulate.statistics import SHIPPED, Statistics

STICKS = frozenset({"dust", "dirt", "short hair", "long hair"})
"""Kinds that a scanner or a projector's gate may hold for several frames; a scratch is in the film."""

ALONG_FILM = frozenset({*FITTED, "cinch mark"})
"""Kinds whose shapes are sampled in the direction that they have on film, so they are not turned again."""

EDGEWARD: Mapping[str, float] = {"emulsion loss": 0.5}
"""Share of a kind's defects that lies in the outer tenth at the left or right, where moisture gets in first."""

BEFORE = 1 << 40
"""Added to frame numbers in seeds: defects of a reel's first frames were born before it began."""

LEVER = 2000.0
"""Micrometres from a hair's root at which its swing is as large as its wandering."""

PERIODS = (3.0, 40.0)
"""Frames: shortest and longest period of wandering."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KindChoice:
    """What one reel draws of an entry."""

    entry: Entry
    rate: float
    """Times the fitted count (fitted kinds), or new defects a frame; the reel's `amount` is in it."""
    reel_factor: float = 1.0
    """How this reel differs from others of its recipe, for a fitted kind."""


@dataclass(frozen=True, slots=True)
class ReelChoice:
    """What one reel draws of its recipe."""

    gauge: str
    amount: float
    kinds: Mapping[str, KindChoice] = field(default_factory=dict)
    """Only those that this reel has."""


def choose_reel(recipe: Recipe, seed: int, statistics: Statistics | None = None) -> ReelChoice:
    """Everything that is drawn once for a reel. `seed` is 0 or more; `statistics` are the recipe's unless given.

    Each kind has its own generator: adding a kind to a recipe leaves the others as they were.
    Raises UsageError for statistics that cannot be read, KeyError for a kind that they lack.
    """
    rng = np.random.default_rng([seed, _key("reel")])
    gauge = recipe.gauge[int(rng.integers(len(recipe.gauge)))]
    amount = _log_uniform(rng, *recipe.amount)
    kinds: dict[str, KindChoice] = {}
    for name, entry in recipe.damage.items():
        own = np.random.default_rng([seed, _key("reel"), _key(name)])
        if own.uniform() >= entry.chance:
            continue
        if name in FITTED:
            statistics = statistics or recipe_statistics(recipe)
            factor = sample_reel_factor(own, statistics, name)
            kinds[name] = KindChoice(entry, float(own.uniform(*entry.times)) * amount, factor)
        else:
            kinds[name] = KindChoice(entry, float(own.uniform(*entry.per_frame)) * amount)
    return ReelChoice(gauge, amount, kinds)


def recipe_statistics(recipe: Recipe) -> Statistics:
    """The statistics that a recipe names, read once. Raises UsageError when they cannot be read."""
    path = Path(recipe.statistics) if recipe.statistics else SHIPPED
    try:
        written = path.stat().st_mtime_ns
    except OSError:
        written = 0
    return _statistics(path, written)


@lru_cache(maxsize=4)
def _statistics(path: Path, written: int) -> Statistics:
    """Checking all its numbers takes longer than drawing a training sample. `written` tells a new file apart."""
    return Statistics.load(path)


class Timeline:
    """The damage of one reel, frame by frame, in any order."""

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        size: tuple[int, int],
        reel: ReelChoice | None = None,
        statistics: Statistics | None = None,
    ) -> None:
        """`size` is the frame's `(height, width)` in pixels; its width spans the gauge's aperture.

        `reel` and `statistics` are those of recipe and seed unless given. Raises UsageError for statistics that
        cannot be read, KeyError for a kind that nobody knows.
        """
        self.reel = reel or choose_reel(recipe, seed, statistics)
        self._recipe, self._seed, self._size = recipe, seed, size
        self._scale = size[1] / GAUGE_WIDTH[self.reel.gauge]
        unknown = [name for name in self.reel.kinds if name not in KINDS]
        if unknown:
            raise KeyError(f"no kind of damage is called {unknown[0]}")
        needed = any(name in FITTED for name in self.reel.kinds)
        self._statistics = statistics or (recipe_statistics(recipe) if needed else _none())
        self._longest = {name: self._longest_life(name, choice) for name, choice in self.reel.kinds.items()}
        self._born: dict[tuple[str, int], tuple[Defect, ...]] = {}
        self._kept = 2 * sum(self._longest.values()) + 64

    def alive(self, frame: int) -> list[Defect]:
        """The defects that show on a frame, whichever frames were asked for before; kinds in the recipe's order."""
        return [
            defect
            for name in self.reel.kinds
            for first in range(frame - self._longest[name] + 1, frame + 1)
            for defect in self._births(name, first)
            if frame - first < defect.frames and (frame - first) % defect.every == 0
        ]

    def _births(self, name: str, frame: int) -> tuple[Defect, ...]:
        key = (name, frame)
        if key not in self._born:
            if len(self._born) >= self._kept:
                del self._born[next(iter(self._born))]
            self._born[key] = self._bear(name, frame)
        return self._born[key]

    def _bear(self, name: str, frame: int) -> tuple[Defect, ...]:
        rng = np.random.default_rng([self._seed, _key(name), BEFORE + frame])
        places = self._places(rng, name)
        return tuple(self._defect(rng, name, frame, nth, x, y) for nth, (x, y) in enumerate(places.tolist()))

    def _places(self, rng: np.random.Generator, name: str) -> Floats:
        """Where a frame's new defects lie, pixels, `(n, 2)`."""
        choice = self.reel.kinds[name]
        height, width = self._size
        if name in FITTED:
            # The fit counts what a frame shows; what lives longer is born less often.
            times = choice.rate / self._mean_life(name, choice)
            film = (width / self._scale, height / self._scale)
            found = sample_places(rng, self._statistics, name, *film, times=times, reel_factor=choice.reel_factor)
            return np.asarray(found * self._scale)
        count = int(rng.poisson(choice.rate))
        places = rng.uniform((0, 0), (width, height), (count, 2))
        edgeward = rng.uniform(size=count) < EDGEWARD.get(name, 0.0)
        outer = 0.1 * places[:, 0]
        outer = np.where(rng.uniform(size=count) < 0.5, outer, width - outer)
        places[:, 0] = np.where(edgeward, outer, places[:, 0])
        return places

    def _defect(self, rng: np.random.Generator, name: str, frame: int, nth: int, x: float, y: float) -> Defect:
        kind, entry = KINDS[name], self.reel.kinds[name].entry
        shape = on_gauge(kind.sample(rng, self._statistics), self.reel.gauge)
        turned = not kind.spans and name not in ALONG_FILM
        angle, mirrored = float(rng.uniform(0, 2 * np.pi)), bool(rng.integers(2))
        scale = self._scale if kind.spans else max(self._scale, self._recipe.smallest / _extent(shape))
        order = list(self.reel.kinds).index(name)
        return Defect(
            kind=name,
            shape=shape,
            pose=Pose(x, y, scale, angle if turned else 0.0, mirrored and turned),
            ink=sample_ink(rng, entry),
            first=frame,
            frames=self._life(rng, name, entry),
            every=int(rng.integers(entry.every[0], entry.every[1] + 1)),
            wobble=float(rng.uniform(*entry.wobble)),
            number=((frame + max(self._longest.values())) * len(self.reel.kinds) + order) * 65536 + nth,
        )

    def _sticks(self, name: str) -> float:
        return self._recipe.sticking.chance if name in STICKS else 0.0

    def _longest_life(self, name: str, choice: KindChoice) -> int:
        return max(choice.entry.frames[1], self._recipe.sticking.frames[1] if self._sticks(name) > 0 else 1)

    def _life(self, rng: np.random.Generator, name: str, entry: Entry) -> int:
        sticks = bool(rng.uniform() < self._sticks(name))
        return sample_life(rng, self._recipe.sticking.frames if sticks else entry.frames)

    def _mean_life(self, name: str, choice: KindChoice) -> float:
        sticks = self._sticks(name)
        return (1 - sticks) * mean_life(choice.entry.frames) + sticks * mean_life(self._recipe.sticking.frames)


def sample_life(rng: np.random.Generator, frames: tuple[int, int]) -> int:
    """A life in whole frames, log-uniform between the lowest and the highest."""
    low, high = frames
    return min(int(_log_uniform(rng, low, high + 1)), high)


def mean_life(frames: tuple[int, int]) -> float:
    """The mean of `sample_life`, frames."""
    low, high = frames
    lives = np.arange(low, high + 1)
    return float((lives * np.log1p(1 / lives)).sum() / np.log((high + 1) / low))


def pose_at(defect: Defect, frame: int) -> Pose:
    """Where a defect lies on a frame: its own pose, and its wandering where it wobbles.

    Slow smooth noise whose standard deviation along x and along y is `wobble`; it swings with it about its origin, as
    a hair does about its root. The frames before and after need not be known.
    """
    if defect.wobble <= 0:
        return defect.pose
    across, down, swing = _wandering(defect.ink.seed, frame) * defect.wobble
    pose = defect.pose
    return replace(
        pose,
        x=pose.x + float(across) * pose.scale,
        y=pose.y + float(down) * pose.scale,
        angle=pose.angle + float(swing) / LEVER,
    )


def _wandering(seed: int, frame: int) -> Floats:
    """Three independent noises of unit variance at a frame: sums of waves of random periods and phases."""
    rng = np.random.default_rng([seed, _key("wobble")])
    waves = 8
    period = np.exp(rng.uniform(np.log(PERIODS[0]), np.log(PERIODS[1]), (3, waves)))
    phase = rng.uniform(0, 2 * np.pi, (3, waves))
    return np.asarray(np.sqrt(2 / waves) * np.cos(2 * np.pi * frame / period + phase).sum(axis=1))


def _extent(shape: Any) -> float:
    """The larger side of a shape, micrometres, where it tells; others are never too small to see."""
    extent = getattr(shape, "extent", None)
    return float(max(extent)) if extent is not None else float("inf")


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    if low <= 0:
        # No logarithm starts from nothing.
        return float(rng.uniform(low, high))
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _key(name: str) -> int:
    return zlib.crc32(name.encode())


def _none() -> Statistics:
    """Statistics of no kind, for recipes that need none."""
    return Statistics.model_construct(format=1, scans=[], film_mm2=1.0, kinds={})
