"""Batches of damaged windows: the clean ones of a pack, turned, mirrored, cut, and damaged on the training device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.errors import UsageError
from reelmend.simulate.batch import Batch, Simulator
from reelmend.train.order import Entries, Order
from reelmend.train.recipe import Data

TIME_ORDER = (3, 1, 0, 2, 4)
"""Places in a stack (centre, -1, +1, -2, +2) in the order of time."""

PLACE_IN_TIME = (2, 1, 3, 0, 4)
"""Back again."""

ENDS = ((0, 2, 2, 4, 4), (0, 1, 1, 3, 3), (0, 1, 2, 4, 4), (0, 1, 2, 3, 3), (0, 1, 2, 1, 2))
"""Stacks at the ends of shots: nothing before, nothing after, one before, one after, one on either side."""

_ORDER = 1 << 20

SEEN = 4 / 255
"""Share of full scale that damage must move a pixel to be seen at all; fine grain is as strong."""


@dataclass(frozen=True, slots=True)
class Crops:
    """A batch to train on."""

    stack: Tensor
    """`(b, frames, h, w)` float32 0..1, centre first."""
    truth: Tensor
    """`(b, 1, h, w)` float32, 1 = damaged."""
    judged: Tensor
    """`(b, 1, h, w)` float32, 0 where damage cannot be seen (bright on white, say): neither answer is wrong there."""


class Feed:
    """Batch number n is always the same, whatever was asked for before: that is what makes a resumed run exact."""

    def __init__(
        self,
        packs: Sequence[Path],
        data: Data,
        simulator: Simulator,
        frames: int,
        seed: int,
        negatives: Sequence[Path] = (),
    ) -> None:
        """`frames` of each window, 1 to 5, are given. `negatives` are packs of windows that stay undamaged.

        Raises UsageError when a pack is missing or is none.
        """
        self._negatives = [window for path in negatives for window in open_pack(path)]
        opened = [open_pack(path) for path in packs]
        self._side, self._windows = opened[0].shape[-1], Entries(opened)
        self._order = Order(len(self._windows), seed, _ORDER)
        self._data, self._frames, self._seed = data, frames, seed
        self._simulator, self._device = simulator, simulator.device

    def __len__(self) -> int:
        return len(self._windows)

    def batch(self, number: int, size: int, *, undamaged: bool = False) -> Crops:
        """The batch of a number: windows in an order that changes every epoch.

        `undamaged`: the same windows with their grain, motion and look-alikes, but before the damage.
        """
        rng = np.random.default_rng([self._seed, number])
        picked = [self._order[number * size + n] for n in range(size)]
        crop = self._data.crop
        clips = np.empty((size, 5, crop, crop), np.uint8)
        bare = np.zeros(size, np.bool_)
        for n, index in enumerate(picked):
            top, left = rng.integers(self._side - crop + 1, size=2)
            window = self._windows[index]
            if self._negatives and rng.random() < self._data.negatives:
                bare[n], window = True, self._negatives[int(rng.integers(len(self._negatives)))]
            window = window[:, top : top + crop, left : left + crop]
            window = np.rot90(window, int(rng.integers(4)), axes=(1, 2))
            clips[n] = window[:, :, ::-1] if rng.integers(2) else window
            if rng.integers(2):
                clips[n] = clips[n][[0, 2, 1, 4, 3]]
        clean = torch.from_numpy(clips).to(self._device, non_blocking=True).float().div_(255)
        negative = torch.from_numpy(rng.random(size) < 0.25).to(self._device)
        gain = torch.from_numpy(rng.uniform(0.6, 1.1, size).astype(np.float32)).to(self._device)
        clean = torch.where(negative[:, None, None, None], 1 - clean, clean) * gain[:, None, None, None]
        clean = clean.clamp_(0, 1)
        if self._frames == 1:
            made = self._simulator.batch(clean[:, :1, None], number)
            made = _undamaged(made, bare | undamaged)
            return Crops(made.damaged[:, :, 0], *_judged(made, 0))
        made = self._simulator.batch(clean[:, TIME_ORDER, None], number)
        made = _undamaged(made, bare | undamaged)
        stack = made.damaged[:, PLACE_IN_TIME, 0]
        return Crops(self._without_some(stack, rng)[:, : self._frames].contiguous(), *_judged(made, 2))

    def _without_some(self, stack: Tensor, rng: np.random.Generator) -> Tensor:
        """Neighbours missing on one side are replaced by those of the other, as in use (`motion/stack.py`)."""
        chance = rng.random(len(stack))
        orders = np.tile(np.arange(5), (len(stack), 1))
        share = self._data.dropped / len(ENDS)
        for n, order in enumerate(ENDS):
            orders[(chance >= n * share) & (chance < (n + 1) * share)] = order
        index = torch.from_numpy(orders).to(stack.device)[:, :, None, None].expand_as(stack)
        return torch.gather(stack, 1, index)


def _undamaged(made: Batch, which: NDArray[np.bool_]) -> Batch:
    """The batch without the damage of some of its windows."""
    if not which.any():
        return made
    whole = torch.from_numpy(which).to(made.mask.device)[:, None, None, None, None]
    return replace(made, damaged=torch.where(whole, made.clean, made.damaged), mask=made.mask & ~whole)


def _judged(made: Batch, frame: int) -> tuple[Tensor, Tensor]:
    truth = made.mask[:, frame].float()
    moved = (made.damaged[:, frame] - made.clean[:, frame]).abs()
    return truth, ((truth < 0.5) | (moved >= SEEN)).float()


def open_pack(path: Path) -> np.ndarray:
    """The windows of a pack, read as they are needed. Raises UsageError when it is missing or no pack."""
    try:
        data = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path}: not a pack of windows; make one with reelmend train pack") from error
    if data.ndim != 4 or data.shape[1] != 5 or data.dtype != np.uint8:
        raise UsageError(f"{path}: not a pack of windows but {data.dtype} of {data.shape}")
    return data
