"""Boosted decision trees over blob features, run with numpy alone.

Trained by `python -m benchmarks.fit_spike` (gradient boosting, Friedman 2001) on simulated damage; the file holds the
trees as flat arrays and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """A sum of small trees. Arrays are `(trees, nodes)`; node 0 is the root, a leaf points at itself."""

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    value: NDArray[np.float32]
    base: float
    depth: int

    def probability(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of damage of each row of a `(n, features)` table, float32 `(n,)`."""
        rows = np.arange(len(table))[:, None]
        trees = np.arange(len(self.feature))[None]
        node = np.zeros((len(table), len(self.feature)), np.int16)
        for _ in range(self.depth):
            goes_left = table[rows, self.feature[trees, node]] <= self.threshold[trees, node]
            node = np.where(goes_left, self.left[trees, node], self.right[trees, node])
        score = self.base + self.value[trees, node].sum(axis=1, dtype=np.float64)
        return np.asarray(1 / (1 + np.exp(-score)), np.float32)


@cache
def load_trees(name: str = "spike") -> Trees:
    """The trees shipped under `weights/NAME.npz`."""
    with as_file(files("reelmend") / "weights" / f"{name}.npz") as path, np.load(path) as data:
        return Trees(
            data["feature"],
            data["threshold"],
            data["left"],
            data["right"],
            data["value"],
            float(data["base"]),
            int(data["depth"]),
        )
