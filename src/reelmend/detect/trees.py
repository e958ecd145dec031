"""Boosted decision trees over blob features, run with numpy alone.

Trained by `python -m benchmarks.fit_spike` (gradient boosting, Friedman 2001) on simulated damage; the file holds the
trees as flat arrays and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Trees:
    """A sum of small trees. Arrays are `(trees, nodes)`; node 0 is the root, a leaf points at itself."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """`feature`, `threshold`, `left`, `right`, `value`, and the scalars `base` and `depth`."""
        count, nodes = arrays["feature"].shape
        self.count, self.depth = int(count), int(arrays["depth"])
        self._base = float(arrays["base"])
        # All trees in one list of nodes; the children of node n stand at 2 n (not above the threshold) and 2 n + 1.
        self._roots = np.arange(count, dtype=np.int32) * nodes
        first = self._roots[:, None]
        self._children = np.stack([arrays["left"] + first, arrays["right"] + first], axis=-1).astype(np.int32).ravel()
        self._feature = arrays["feature"].astype(np.int32).ravel()
        self._threshold = arrays["threshold"].astype(np.float32).ravel()
        self._value = arrays["value"].astype(np.float32).ravel()

    def probability(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of damage of each row of a `(n, features)` table, float32 `(n,)`."""
        rows, columns = table.shape
        cells = np.ascontiguousarray(table).ravel()
        start = np.repeat(np.arange(rows, dtype=np.int32) * columns, self.count)
        node = np.tile(self._roots, rows)
        for _ in range(self.depth):
            above = cells.take(start + self._feature.take(node)) > self._threshold.take(node)
            node = self._children.take(2 * node + above)
        score = self._base + self._value.take(node).reshape(rows, self.count).sum(axis=1, dtype=np.float64)
        return np.asarray(1 / (1 + np.exp(-score)), np.float32)


@cache
def load_trees(name: str = "spike") -> Trees:
    """The trees shipped under `weights/NAME.npz`."""
    with as_file(files("reelmend") / "weights" / f"{name}.npz") as path, np.load(path) as data:
        return Trees(data)
