"""Damaged crops kept on disk: a processor that trains has no time to damage every crop afresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reelmend.train.feed import Crops, Feed
from reelmend.train.order import Order

_SIZE = 16
"""Crops made at a time."""

_ORDER = 8


class CachedFeed:
    """Crops of a feed, made once; turned, mirrored and reversed in time anew whenever they are shown."""

    def __init__(self, feed: Feed, folder: Path, count: int, facts: dict[str, Any], seed: int) -> None:
        """`facts` says what the crops depend on: a cache made of others is made again."""
        folder.mkdir(parents=True, exist_ok=True)
        self._seed = seed
        stacks, truths, about = folder / "stacks.npy", folder / "truths.npy", folder / "cache.json"
        wanted = json.dumps(facts | {"count": count}, sort_keys=True, default=str)
        if not about.exists() or about.read_text() != wanted:
            about.unlink(missing_ok=True)
            _fill(feed, stacks, truths, count)
            about.write_text(wanted)
        self._stacks, self._truths = np.load(stacks, mmap_mode="r"), np.load(truths, mmap_mode="r")
        self._order = Order(count, seed, _ORDER)

    def batch(self, number: int, size: int) -> Crops:
        rng = np.random.default_rng([self._seed, 7, number])
        stacks, truths = [], []
        for n in range(size):
            index = self._order[number * size + n]
            stack, truth = self._stacks[index], np.unpackbits(self._truths[index], axis=-1)
            turn = int(rng.integers(4))
            stack, truth = (np.rot90(one, turn, axes=(1, 2)) for one in (stack, truth))
            if rng.integers(2):
                stack, truth = stack[:, :, ::-1], truth[:, :, ::-1]
            if len(stack) == 5 and rng.integers(2):
                stack = stack[[0, 2, 1, 4, 3]]
            elif len(stack) == 3 and rng.integers(2):
                stack = stack[[0, 2, 1]]
            stacks.append(stack)
            truths.append(truth)
        pictures, answers = torch.from_numpy(np.stack(stacks)), torch.from_numpy(np.stack(truths)).float()
        return Crops(pictures.float().div_(255), answers[:, :1], answers[:, 1:])


def _fill(feed: Feed, stacks: Path, truths: Path, count: int) -> None:
    first = feed.batch(0, _SIZE)
    _, frames, height, width = first.stack.shape
    kept = np.lib.format.open_memmap(stacks, "w+", np.uint8, (count, frames, height, width))
    true = np.lib.format.open_memmap(truths, "w+", np.uint8, (count, 2, height, -(-width // 8)))
    for number in range(-(-count // _SIZE)):
        crops = feed.batch(number, _SIZE)
        start, end = number * _SIZE, min((number + 1) * _SIZE, count)
        kept[start:end] = (crops.stack[: end - start] * 255).round_().to(torch.uint8).cpu().numpy()
        bits = torch.cat([crops.truth, crops.judged], dim=1)[: end - start].cpu().numpy() > 0.5
        true[start:end] = np.packbits(bits, axis=-1)
    kept.flush()
    true.flush()
