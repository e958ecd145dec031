"""The look-alikes of a reel: which it has, where and when; any frame can be asked for first."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache

import numpy as np

from reelmend.simulate.lookalikes.promise import Image, LookAlike, Stamp, Thing
from reelmend.simulate.lookalikes.registry import LOOKALIKES
from reelmend.simulate.recipe import Recipe


class Scene:
    """The look-alikes of one reel. The same recipe, seed, size, frame and picture give the same stamps."""

    def __init__(self, recipe: Recipe, seed: int, size: tuple[int, int]) -> None:
        """`size` is the frame's `(height, width)`. Raises KeyError for a look-alike that nobody knows."""
        self.size = size
        self.seed = seed
        self.amounts: dict[str, float] = {}
        """The look-alikes this reel has, and times their usual number."""
        for name, entry in recipe.lookalikes.items():
            LOOKALIKES[name]
            rng = np.random.default_rng([seed, _number(name)])
            if rng.uniform() < entry.chance:
                self.amounts[name] = float(rng.uniform(*entry.amount))
        self._born = lru_cache(maxsize=4 * max(1, len(self.amounts)))(self._sample)

    def things(self, frame: int) -> list[Thing]:
        """The look-alikes that live at a frame, in drawing order."""
        alive = []
        for name in self.amounts:
            block = frame // LOOKALIKES[name].block
            # Nothing lives longer than a block, so what lives now was born in this block or the one before.
            for born in (block - 1, block):
                alive += [thing for thing in self._born(name, born) if thing.lives(frame)]
        return alive

    def stamps(self, frame: int, luma: Image | None = None) -> list[Stamp]:
        """What is to be laid over a frame, bottom first. `luma` is its clean brightness `(h, w)`, 0..1; without it
        look-alikes that need the picture are left out."""
        return [
            stamp
            for thing in self.things(frame)
            for stamp in LOOKALIKES[thing.name].draw(thing, self.size, frame, luma)
        ]

    def _sample(self, name: str, block: int) -> tuple[Thing, ...]:
        look: LookAlike = LOOKALIKES[name]
        rng = np.random.default_rng([self.seed, _number(name), 2 + block])
        mood = int(np.random.default_rng([self.seed, _number(name), 0]).integers(2**31))
        born = look.sample(rng, self.size, look.block, self.amounts[name], mood)
        return tuple(_later(thing, block * look.block) for thing in born)


def _later(thing: Thing, frames: int) -> Thing:
    return replace(thing, first=thing.first + frames)


def _number(name: str) -> int:
    """Of a name, the same on every machine and in every run (Python's own hash is not)."""
    return zlib.crc32(name.encode())
