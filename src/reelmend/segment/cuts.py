"""Normalised Cuts of a symmetric affinity W in two (Shi and Malik, 2000), the best of all thresholds in one pass.

NCut(A, B) = cut(A, B) / vol(A) + cut(A, B) / vol(B), with cut the affinity between the sides and vol that of a side to
all nodes. Its relaxation is the second eigenvector of D^-1/2 W D^-1/2; where to split along that is tried out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reelmend.segment.eigen import second_vector

TIES = 1e-9
"""Share of the vector's range within which two values are one: a split between them would hang on the nodes' order."""

ROWS_AT_ONCE = 512
"""Of the affinity that are put in order at a time; all at once would double the memory."""


@dataclass(frozen=True, slots=True)
class Split:
    """A set of nodes in two."""

    inside: Tensor
    """`(n,)` bool: the side with the smaller values."""
    cost: float
    """NCut, 0..2."""


def cost(affinity: Tensor, inside: Tensor) -> float:
    """NCut of one split `(n,)` bool of a symmetric affinity `(n, n)`. Raises ValueError where a side has no volume."""
    degree = affinity.sum(dim=1).double()
    across = (affinity @ (~inside).to(affinity.dtype))[inside].double().sum()
    one, other = degree[inside].sum(), degree[~inside].sum()
    if one <= 0 or other <= 0:
        raise ValueError("both sides of a cut hold nodes with affinity")
    return float(across / one + across / other)


def split_costs(affinity: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """NCut of every threshold along `values` `(n,)`: the order of the nodes and the costs `(n - 1,)`.

    Cost number i is that of the first i + 1 nodes of the order against the others. The affinity within the first nodes
    grows by a row's part with each, so all thresholds together take one pass over the matrix.
    """
    order = torch.argsort(values, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    earlier, degree = torch.empty_like(values, dtype=torch.float64), torch.empty_like(values, dtype=torch.float64)
    for at in range(0, len(order), ROWS_AT_ONCE):
        rows = affinity[at : at + ROWS_AT_ONCE]
        mine = rank[at : at + ROWS_AT_ONCE, None]
        earlier[at : at + ROWS_AT_ONCE] = (rows * (rank[None, :] < mine)).sum(dim=1).double()
        degree[at : at + ROWS_AT_ONCE] = rows.sum(dim=1).double()
    own = affinity.diagonal().double()
    within = torch.cumsum((2 * earlier + own)[order], dim=0)[:-1]
    volume = torch.cumsum(degree[order], dim=0)
    one, other = volume[:-1], volume[-1] - volume[:-1]
    across = (one - within).clamp(min=0)
    smallest = torch.finfo(torch.float64).tiny
    costs = across / one.clamp(min=smallest) + across / other.clamp(min=smallest)
    return order, torch.where((one > 0) & (other > 0), costs, torch.inf)


def best_threshold(affinity: Tensor, values: Tensor, least: int = 1) -> Split | None:
    """The cheapest split along `values` with at least `least` nodes on a side; None where there is none."""
    order, costs = split_costs(affinity, values)
    ordered = values[order]
    span = float(ordered[-1] - ordered[0])
    costs = torch.where(ordered[1:] - ordered[:-1] > TIES * span, costs, torch.inf)
    count = len(values)
    costs[: least - 1] = torch.inf
    costs[count - least :] = torch.inf
    if span <= 0 or not torch.isfinite(costs).any():
        return None
    best = int(costs.argmin())
    return Split(values <= ordered[best], float(costs[best]))


def bipartition(affinity: Tensor, least: int = 1) -> Split | None:
    """The cheapest split along the Fiedler vector; None where no side of `least` nodes can be cut off."""
    if len(affinity) < max(2, 2 * least):
        return None
    return best_threshold(affinity, second_vector(affinity), least)
