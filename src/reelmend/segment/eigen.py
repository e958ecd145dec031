"""The second eigenvector of a normalised affinity: dense for small matrices, Lanczos for large ones.

Lanczos with full orthogonalisation (Golub and Van Loan, "Matrix Computations", 10.3), started orthogonal to the first
eigenvector, which is known: sqrt(d) with eigenvalue 1. The same few lines run on a processor and on a GPU. On a matrix
of 4,096 nodes SciPy's ARPACK was as fast, torch's LOBPCG and the dense solver were slower (docs/segmentation.md).
"""

from __future__ import annotations

import torch
from torch import Tensor

DENSE = 48
"""Nodes up to which the dense solver is faster."""

MOST_VECTORS = 160
"""Of a Krylov space at most; walks of photographs needed fewer."""

CLOSE = {torch.float32: 1e-4, torch.float64: 1e-9}
"""Residual at which an eigenvector is good, by precision: the order of nodes along it, which alone counts, no longer
changes."""


def second_vector(affinity: Tensor) -> Tensor:
    """D^-1/2 times the second eigenvector of D^-1/2 W D^-1/2, `(n,)` double: constant on what nothing joins.

    Nodes without any affinity stand alone, at 0.
    """
    degree = affinity.sum(dim=1).double()
    alive = degree > 0
    scale = torch.where(alive, degree.clamp(min=torch.finfo(torch.float64).tiny).rsqrt(), 0.0)
    first = torch.where(alive, degree.clamp(min=0).sqrt(), 0.0)
    first = first / first.norm().clamp(min=torch.finfo(torch.float64).tiny)
    if len(affinity) <= DENSE:
        vector = _dense(affinity.double() * scale[:, None] * scale[None, :], first)
    else:
        vector = _lanczos(affinity, scale, first)
    return _signed(vector * scale)


def _dense(matrix: Tensor, first: Tensor) -> Tensor:
    # The known eigenvector is moved out of the way: where blocks are apart, 1 is an eigenvalue more than once.
    moved = matrix - 2 * first[:, None] * first[None, :]
    vectors: Tensor = torch.linalg.eigh(moved)[1]
    return vectors[:, -1]


def _lanczos(affinity: Tensor, scale: Tensor, first: Tensor) -> Tensor:
    kind = affinity.dtype
    scale_, first_ = scale.to(kind), first.to(kind)
    most = min(MOST_VECTORS, len(affinity) - 1)
    basis = torch.empty((most + 1, len(affinity)), dtype=kind, device=affinity.device)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(len(affinity), generator=generator).to(basis)
    start = _without(start, first_[None])
    basis[0] = start / start.norm()
    diagonal: list[float] = []
    beside: list[float] = []
    for count in range(1, most + 1):
        q = basis[count - 1]
        image = scale_ * (affinity @ (scale_ * q))
        diagonal.append(float(q @ image))
        known = torch.cat([first_[None], basis[:count]])
        # Twice is enough (Kahan and Parlett): once leaves what rounding makes of nearly parallel vectors.
        image = _without(_without(image, known), known)
        norm = float(image.norm())
        small = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
        if beside:
            off = torch.tensor(beside, dtype=torch.float64)
            small = small + torch.diag(off, 1) + torch.diag(off, -1)
        if norm < 1e-7 or count == most or count % 4 == 0:
            mixed = torch.linalg.eigh(small)[1][:, -1]
            if norm * abs(float(mixed[-1])) < CLOSE[kind] or norm < 1e-7:
                break
        beside.append(norm)
        basis[count] = image / norm
    return mixed.to(basis.device) @ basis[: len(mixed)].double()


def _without(vector: Tensor, known: Tensor) -> Tensor:
    return vector - known.T @ (known @ vector)


def _signed(vector: Tensor) -> Tensor:
    """Of the two signs the one whose cubes sum to more: an eigenvector has none of its own."""
    return vector if float((vector**3).sum()) >= 0 else -vector
