"""Packs as one row of entries, and the order in which training meets them: another in every epoch, the same in every
run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Order:
    """Which of `count` entries comes at a place of an endless row in which every epoch holds each of them once."""

    def __init__(self, count: int, seed: int, stream: int, *, shuffled: bool = True) -> None:
        """`stream` keeps apart what is drawn from the same seed; not `shuffled`: as they lie."""
        self._count, self._seed, self._shuffled = count, (seed, stream), shuffled
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def __getitem__(self, place: int) -> int:
        epoch, place = divmod(place, self._count)
        if not self._shuffled:
            return place
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([*self._seed, epoch]).permutation(self._count)
        return int(self._order[place])


class Entries:
    """The entries of several packs, counted through."""

    def __init__(self, packs: Sequence[NDArray[np.uint8]]) -> None:
        self._packs = packs
        self._ends = np.cumsum([len(pack) for pack in packs])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        pack = int(np.searchsorted(self._ends, index, side="right"))
        return np.asarray(self._packs[pack][index - (self._ends[pack - 1] if pack else 0)])
