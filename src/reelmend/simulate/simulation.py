"""Clean frames become film, and film is damaged: one frame at a time, in any order."""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reelmend.film import Colour, Frame, Mask, ReelFacts
from reelmend.media.colour import is_full_range, luma_weights
from reelmend.simulate.annotations import annotate
from reelmend.simulate.damage import damage_frame, lay, patches
from reelmend.simulate.defect import Defect
from reelmend.simulate.grain import Grain, grain_frame, grain_of, grain_step, noise
from reelmend.simulate.life import STICKS, Timeline, pose_at, recipe_statistics
from reelmend.simulate.lookalikes import Scene, lay_over
from reelmend.simulate.picture import Picture, blur, compress, fade, move
from reelmend.simulate.planes import change_rgb, rgb_of
from reelmend.simulate.recipe import FITTED, Recipe

GATE = ("gate hair",)
"""Kinds that are caught in the gate and do not move with the film."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One frame of a simulated reel."""

    frame: Frame
    """As it would be scanned."""
    clean: Frame
    """The same film, with its grain and its shaky, faded picture, but without damage."""
    truth: Mask
    """Where damage took more than `TRUTH_ALPHA` of the picture."""
    annotations: list[dict[str, Any]]
    """The defects that show, see `annotations.annotate`."""


class Simulation:
    """What a recipe and a seed make of a reel of one size. The same arguments give the same frames, in any order and
    from several threads."""

    def __init__(self, recipe: Recipe, seed: int, size: tuple[int, int], colour: Colour, family: str = "yuv") -> None:
        """`size` is the frames' `(height, width)`, `colour` the reel's tags, `family` that of its layout.

        Raises UsageError for statistics that cannot be read, KeyError for kinds that nobody knows.
        """
        gauge = recipe.gauge[int(_rng(seed, "gauge").integers(len(recipe.gauge)))]
        self.recipe = recipe.model_copy(update={"gauge": (gauge,)})
        """The recipe with the gauge that was picked."""
        self.seed, self.size, self.gauge = seed, size, gauge
        self._full = is_full_range(colour, family)
        self._weights = luma_weights(colour.matrix, size[0])
        self._grain = _grain(self.recipe, seed, size[1])
        self._picture = Picture.of(recipe.picture, _number(seed, "picture"), gauge, size[1])
        self._alone = threading.Lock()
        """The timeline keeps what was born lately, which threads must not do at once."""
        self._scene = Scene(self.recipe, seed, size)
        statistics = recipe_statistics(recipe) if any(name in FITTED for name in recipe.damage) else None
        self._timeline = Timeline(self.recipe, seed, size, statistics=statistics)

    @classmethod
    def like(cls, recipe: Recipe, seed: int, facts: ReelFacts) -> Simulation:
        """For the reel of these facts."""
        return cls(recipe, seed, (facts.height, facts.width), facts.colour, facts.layout.family)

    def frame(self, frame: Frame) -> Simulated:
        """A clean frame as this film would have it; `frame.index` says which of the reel's it is.

        Raises ValueError for a frame of another size.
        """
        if (frame.height, frame.width) != self.size:
            raise ValueError(f"a frame of {frame.height} x {frame.width} in a film of {self.size[0]} x {self.size[1]}")
        clean = self._as_film(frame)
        height, width = self.size
        drawn = list(patches(self.defects(frame.index), height, width, frame.index))
        damage = lay((patch for _, patch in drawn), height, width)
        damaged = damage_frame(clean, damage, full_range=self._full, weights=self._weights)
        notes = [annotate(defect, patch, frame.index) for defect, patch in drawn]
        return Simulated(
            self._after(damaged), self._after(clean), damage.truth, [note for note in notes if note is not None]
        )

    def defects(self, index: int) -> list[Defect]:
        """The defects of a frame, where they lie in it: what lies on the film weaves with it."""
        x, y = self._picture.shift(index)
        with self._alone:
            alive = self._timeline.alive(index)
        placed = []
        for defect in alive:
            pose = pose_at(defect, index)
            if not in_gate(defect):
                pose = replace(pose, x=pose.x + x, y=pose.y + y)
            placed.append(replace(defect, pose=pose))
        return placed

    def _as_film(self, frame: Frame) -> Frame:
        """The scene is photographed (look-alikes), runs through a gate (weave, flicker), has grain, and fades."""
        index, full = frame.index, self._full
        if self._scene.amounts:
            luma = rgb_of(frame, full, self._weights)
            frame = lay_over(frame, self._scene.stamps(index, _luma(luma, self._weights)), full)
        frame = move(frame, self._picture.shift(index), self._picture.gain(index), full_range=full)
        if self._grain is not None:
            frame = _grained(frame, self._grain, _rng(self.seed, "grain", index), full)
        return fade(frame, self._picture.fading, full_range=full, weights=self._weights)

    def _after(self, frame: Frame) -> Frame:
        return compress(blur(frame, self._picture.blur), self._picture.compression)


def in_gate(defect: Defect) -> bool:
    """Whether a defect is held by the gate, and stays while the film weaves: hairs, and dirt that sticks."""
    return defect.kind in GATE or (defect.kind in STICKS and defect.frames > 1 and defect.every == 1)


def _grain(recipe: Recipe, seed: int, width: int) -> Grain | None:
    if recipe.grain is None:
        return None
    rng = _rng(seed, "stock")
    granularity, correlation = (
        float(rng.uniform(*span)) for span in (recipe.grain.granularity, recipe.grain.correlation)
    )
    return grain_of(recipe.gauge[0], width, granularity, correlation, law="film")


def _grained(frame: Frame, grain: Grain, rng: np.random.Generator, full: bool) -> Frame:
    if not frame.layout.is_float:
        return grain_frame(frame, grain, rng, full_range=full)
    before = rgb_of(frame, full)
    pattern = np.moveaxis(noise(rng, (*before.shape[1:], len(before)), grain), -1, 0)
    return change_rgb(frame, before, before + grain_step(before, grain, pattern), full)


def _luma(rgb: Any, weights: tuple[float, float]) -> Any:
    if len(rgb) == 1:
        return np.clip(rgb[0], 0, 1)
    return np.clip(weights[0] * rgb[0] + (1 - sum(weights)) * rgb[1] + weights[1] * rgb[2], 0, 1)


def _rng(seed: int, purpose: str, frame: int = 0) -> np.random.Generator:
    """Of one purpose and one frame, so that none has to wait for another's numbers."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), frame])


def _number(seed: int, purpose: str) -> int:
    return int(_rng(seed, purpose).integers(2**63))
