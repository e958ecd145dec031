"""Recursive Normalised Cuts: a tree of regions, and which of its regions are taken.

Every region is cut where that costs least, the cheapest cut of all regions first, and its parts again. A partition is
the tree cut off at a threshold: a region stays whole where the cut of it, or of a region it lies in, costs more. That
threshold is either given (`constant`), or the picture's own (`dynamic`, see `own_threshold`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelmend.segment.cuts import bipartition, cost

Stop = Literal["constant", "dynamic"]

Labels = NDArray[np.int32]

NEVER = 1.0
"""NCut of a random half of nodes that are all alike: what costs as much is no cut."""

MOST = 48
"""Regions of a tree that is grown on; pictures have fewer."""


@dataclass(slots=True, eq=False)
class Node:
    """A region, and the cheapest cut of it."""

    number: int
    """Place in the tree, the whole picture is 0."""
    members: NDArray[np.int64]
    """Numbers of its nodes, rising."""
    level: int = 0
    """Cuts that made it."""
    parent: int | None = None
    cost: float | None = None
    """NCut of its cheapest cut; None where it is too small to cut."""
    effective: float = np.inf
    """The dearest cut on the way from the whole picture to its parts: the threshold from which on it is cut."""
    leaving: float = 0.0
    """Chance that the walk inside leaves it in its next step."""
    further: float = NEVER
    """NCut of its cheapest cut in that walk, at most `NEVER`; that where nothing would cut it."""
    children: tuple[int, int] | None = None


@dataclass(slots=True)
class Hierarchy:
    """The tree of a picture's regions and the partition that was asked for."""

    nodes: list[Node]
    grid: tuple[int, int]
    """Rows and columns of nodes."""
    threshold: float = 0.0
    """NCut above which nothing was cut."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The model and the options it was made with."""
    labels: Labels | None = None
    """`(h, w)` of the picture, 0.. by region, where pixels were asked for."""
    level_labels: list[Labels] = field(default_factory=list)
    """The same by level, from the whole picture to the partition."""

    @property
    def regions(self) -> list[Node]:
        """Those of the partition, in the order of the tree."""
        return self.at(self.threshold)

    def at(self, threshold: float) -> list[Node]:
        """The regions that are left when nothing dearer than `threshold` is cut."""
        return list(self._below(0, lambda node: node.effective <= threshold))

    def level(self, level: int) -> list[Node]:
        """The regions after at most `level` cuts each, none dearer than the threshold."""
        return list(self._below(0, lambda node: node.level < level and node.effective <= self.threshold))

    @property
    def depth(self) -> int:
        """Cuts that made the region of the partition that took most."""
        return max(node.level for node in self.regions)

    def node_labels(self, regions: list[Node]) -> Labels:
        """Regions by nodes `(rows, columns)`, numbered in their order."""
        flat = np.zeros(self.grid[0] * self.grid[1], np.int32)
        for number, node in enumerate(regions):
            flat[node.members] = number
        return flat.reshape(self.grid)

    def _below(self, number: int, cut: Callable[[Node], bool]) -> Iterator[Node]:
        node = self.nodes[number]
        if node.children is None or not cut(node):
            yield node
            return
        for child in node.children:
            yield from self._below(child, cut)


def grow(
    affinity: Tensor,
    grid: tuple[int, int],
    *,
    walk: Tensor | None = None,
    least: int = 1,
    most: int = MOST,
    never: float = NEVER,
) -> Hierarchy:
    """The tree of a symmetric affinity `(n, n)` of the nodes of a grid, cut as long as a cut costs less than `never`.

    No region has fewer than `least` nodes, no partition more than `most` regions. `walk` `(n, n)` is the flow of one
    step, by which the tree is judged (`balance`); None for the affinity itself.
    """
    volume = (affinity if walk is None else walk).sum(dim=1).double()
    root = Node(0, np.arange(len(affinity)))
    tree = Hierarchy([root], grid)
    waiting: list[tuple[float, int, Tensor, Tensor, Tensor | None]] = []

    def consider(node: Node, way: float, inside: Tensor, steps: Tensor | None) -> None:
        """Find the cheapest cut of a region, given the affinity and the walk between its nodes."""
        within = inside if steps is None else steps
        own = float(volume[torch.from_numpy(node.members).to(volume.device)].sum())
        stays = float(within.sum(dim=1).double().sum())
        node.leaving = max(0.0, 1 - stays / own) if own > 0 and node.parent is not None else 0.0
        split = bipartition(inside, least)
        if split is None:
            return
        node.cost = split.cost
        node.effective = max(way, split.cost)
        if split.cost < NEVER:
            node.further = min(NEVER, split.cost if steps is None else cost(steps, split.inside))
        if split.cost < never:
            heapq.heappush(waiting, (node.effective, node.number, split.inside, inside, steps))

    consider(root, 0.0, affinity, walk)
    leaves = 1
    while waiting and leaves < most:
        way, number, side, inside, steps = heapq.heappop(waiting)
        node = tree.nodes[number]
        for part in (side, ~side):
            child = Node(len(tree.nodes), node.members[part.cpu().numpy()], node.level + 1, number)
            tree.nodes.append(child)
            consider(child, way, inside[part][:, part], None if steps is None else steps[part][:, part])
        node.children = (len(tree.nodes) - 2, len(tree.nodes) - 1)
        leaves += 1
    return tree


def thresholds(tree: Hierarchy) -> list[float]:
    """Every threshold that gives another partition, rising, with 0 for the whole picture."""
    return [0.0, *sorted({node.effective for node in tree.nodes if node.children is not None})]


def balance(regions: list[Node]) -> float:
    """How easily the leakiest of these regions is left against how dear it is to cut the weakest: lower is better.

    The highest chance to leave a region in one step of the walk, less the lowest cost of a cut that was not made, in
    the same walk whatever affinity was cut. Both are node cuts on one scale, a share of a region's own steps; a
    partition is as good as its worst region. A region too small to be cut counts as one that nothing would cut.
    """
    leaving = max(node.leaving for node in regions)
    return leaving - min(node.further for node in regions)


def own_threshold(tree: Hierarchy) -> float:
    """The threshold of the picture's own cut costs whose partition has the lowest `balance`.

    Regions should be hard to leave and hard to cut. Large regions are hard to leave but may be cheap to cut; of very
    small ones the reverse holds; in between lies a lowest point, and no number has to be chosen. Of equal ones the
    coarsest is taken. The whole picture, which nothing leaves by definition, is no choice among others: it stays
    whole where no cut of it is cheaper than one between nodes that are all alike.
    """
    first, *others = thresholds(tree)
    return min(others, key=lambda one: (round(balance(tree.at(one)), 9), one), default=first)
