"""How much two nodes belong together, as a symmetric non-negative matrix: what is cut.

`attention` is the flow of the walk itself (`walk.flow`). `features` compares where walks from two nodes go: the rows of
P^k. For a reversible P the eigenvectors of P^k do not change with k, so it is here that k changes what is cut.
`combined` is their product: it joins nodes that both see each other and see the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from reelmend.errors import UsageError
from reelmend.segment.walk import flow

Affinity = Literal["attention", "features", "combined"]
Similarity = Literal["cosine", "kl", "hidden"]

SHARPNESS = 10.0
"""Power to which the cosine of hidden features is taken, as in DiffCut (Couairon et al. 2024): all of them are alike
a little, and a cut wants what is alike very much."""

SMALLEST = 1e-12


def cosine(rows: Tensor) -> Tensor:
    """Cosine between rows `(n, m)` of chances, 0..1."""
    unit = torch.nn.functional.normalize(rows, dim=1)
    return symmetric(unit @ unit.T).clamp(0, 1)


def divergence(rows: Tensor) -> Tensor:
    """KL(p_i | p_j) + KL(p_j | p_i) between rows `(n, m)` of chances; 0 and more, nats."""
    log = rows.clamp(min=SMALLEST).log()
    own = (rows * log).sum(dim=1)
    across = own[:, None] - rows @ log.T
    return (across + across.T).clamp(min=0).fill_diagonal_(0)


def kl(rows: Tensor) -> Tensor:
    """exp(-d / s) of `divergence` d, with s its median: half of all pairs are less alike than 1 / e."""
    apart = divergence(rows)
    # The median of a part: sorting every pair of a large grid costs as much as the cut.
    step = max(1, len(rows) // 256)
    scale = apart[::step, ::step].median().clamp(min=SMALLEST)
    return torch.exp(-apart / scale)


def hidden_cosine(features: Tensor) -> Tensor:
    """Cosine between hidden features `(n, c)` less their mean, moved to 0..1, to the power `SHARPNESS`."""
    centred = features - features.mean(dim=0)
    unit = torch.nn.functional.normalize(centred, dim=1)
    return ((1 + symmetric(unit @ unit.T).clamp(-1, 1)) / 2) ** SHARPNESS


def symmetric(matrix: Tensor) -> Tensor:
    """Rounding makes no direction."""
    return (matrix + matrix.T) / 2


ROWS: dict[str, Callable[[Tensor], Tensor]] = {"cosine": cosine, "kl": kl}


def affinity(
    walk: Tensor, kind: Affinity = "attention", similarity: Similarity = "cosine", hidden: Tensor | None = None
) -> Tensor:
    """What is cut `(n, n)`, from P^k `(n, n)`; `hidden` are features `(n, c)` of the nodes for `hidden` similarity.

    Raises UsageError for a name that is none, and for `hidden` without features.
    """
    if kind not in ("attention", "features", "combined"):
        raise UsageError(f"no affinity is called {kind}; known are attention, features, combined.")
    if kind == "attention":
        return flow(walk)
    if similarity == "hidden":
        if hidden is None:
            raise UsageError("the model gave no hidden features to compare; take cosine or kl.")
        alike = hidden_cosine(hidden)
    elif similarity in ROWS:
        alike = ROWS[similarity](walk)
    else:
        raise UsageError(f"no similarity is called {similarity}; known are cosine, kl, hidden.")
    return alike if kind == "features" else alike * flow(walk)
