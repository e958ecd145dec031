"""Normalised cuts: eigenvectors, thresholds, and what is known of their optimum."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.segment.cuts import best_threshold, bipartition, cost, split_costs
from reelmend.segment.eigen import DENSE, second_vector


def graph(nodes: int, seed: int) -> torch.Tensor:
    """A dense symmetric affinity with loops."""
    weights = torch.rand(nodes, nodes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 3
    return (weights + weights.T) / 2


def planted(nodes: int, inside: float, across: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A stochastic block model of two halves: affinity, and which half."""
    generator = torch.Generator().manual_seed(seed)
    half = torch.arange(nodes) < nodes // 2
    chance = torch.where(half[:, None] == half[None, :], inside, across)
    edges = torch.triu(torch.rand(nodes, nodes, generator=generator) < chance, 1).double()
    return edges + edges.T, half


def agreement(one: torch.Tensor, other: torch.Tensor) -> float:
    same = float((one == other).double().mean())
    return max(same, 1 - same)


@given(nodes=st.integers(2, 40), seed=st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_every_threshold_costs_what_the_definition_says(nodes: int, seed: int) -> None:
    affinity = graph(nodes, seed)
    values = torch.rand(nodes, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    order, costs = split_costs(affinity, values)
    for number in range(nodes - 1):
        inside = torch.zeros(nodes, dtype=torch.bool)
        inside[order[: number + 1]] = True
        assert float(costs[number]) == pytest.approx(cost(affinity, inside), abs=1e-12)


@given(seed=st.integers(0, 999))
@settings(max_examples=10, deadline=None)
def test_the_split_is_the_best_of_its_vector(seed: int) -> None:
    affinity = graph(12, seed)
    vector = second_vector(affinity)
    split = bipartition(affinity)
    assert split is not None
    by_hand = min(cost(affinity, vector <= one) for one in vector.sort().values[:-1])
    assert split.cost <= by_hand + 1e-9
    assert split.cost == pytest.approx(cost(affinity, split.inside), abs=1e-12)
    best = min(
        cost(affinity, torch.tensor([True, *rest]))
        for rest in itertools.product((True, False), repeat=11)
        if not all(rest)
    )
    # Cheeger's inequality: half the gap below, its root above.
    scale = affinity.sum(dim=1).rsqrt()
    second = float(torch.linalg.eigvalsh(affinity * scale[:, None] * scale[None, :])[-2])
    assert (1 - second) <= best + 1e-9 <= split.cost + 2e-9
    assert split.cost <= 2 * math.sqrt(2 * (1 - second)) + 1e-9


@pytest.mark.parametrize("nodes", [40, DENSE + 300])
def test_the_second_vector_is_that_of_scipy(nodes: int) -> None:
    affinity = graph(nodes, 3) + 2 * torch.eye(nodes) + torch.outer(torch.arange(nodes) > 15, torch.arange(nodes) > 15)
    degree = affinity.sum(dim=1)
    _, vectors = scipy.linalg.eigh((torch.diag(degree) - affinity).numpy(), torch.diag(degree).numpy())
    ours, theirs = second_vector(affinity).numpy(), vectors[:, 1]
    assert abs(ours @ theirs) / np.linalg.norm(ours) / np.linalg.norm(theirs) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("sizes", [[5, 7], [4, 4, 4], [200, 230], [150, 100, 90]])
def test_blocks_that_nothing_joins_come_apart_at_no_cost(sizes: list[int]) -> None:
    torch.manual_seed(0)
    affinity = torch.block_diag(*(graph(n, n) + 0.1 for n in sizes))
    block = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    split = bipartition(affinity)
    assert split is not None
    assert split.cost < 1e-9
    for number in range(len(sizes)):
        assert split.inside[block == number].unique().numel() == 1


@pytest.mark.parametrize("seed", range(4))
def test_planted_halves_are_found_where_they_can_be_told(seed: int) -> None:
    # Abbe, Bandeira and Hall (2016): exactly recoverable for sqrt(a) - sqrt(b) > sqrt(2), p = a log n / n.
    nodes = 600
    affinity, half = planted(nodes, 14 * math.log(nodes) / nodes, 2 * math.log(nodes) / nodes, seed)
    split = bipartition(affinity, nodes // 10)
    assert split is not None
    assert agreement(split.inside, half) == 1
    # Mossel, Neeman and Sly (2015): no method does better than chance for (a - b)^2 <= 2 (a + b), p = a / n.
    affinity, half = planted(nodes, 22 / nodes, 20 / nodes, seed)
    hidden = bipartition(affinity, nodes // 10)
    assert hidden is not None
    assert agreement(hidden.inside, half) < 0.62


@pytest.mark.parametrize("nodes", [30, DENSE + 300])
def test_the_order_of_the_nodes_does_not_matter(nodes: int) -> None:
    affinity, _ = planted(nodes, 0.6, 0.1, 5)
    shuffle = torch.randperm(nodes, generator=torch.Generator().manual_seed(1))
    one, other = bipartition(affinity), bipartition(affinity[shuffle][:, shuffle])
    assert one is not None and other is not None
    assert one.cost == pytest.approx(other.cost, abs=1e-9)
    assert agreement(one.inside[shuffle], other.inside) == 1


def test_nodes_that_are_all_alike_cost_as_much_as_chance_to_cut() -> None:
    split = bipartition(torch.ones(20, 20, dtype=torch.float64))
    assert split is None or split.cost >= 1 - 1e-9


def test_no_side_is_smaller_than_allowed() -> None:
    affinity = torch.block_diag(graph(3, 0) + 1, graph(20, 1) + 1) + 0.01
    split = bipartition(affinity, least=5)
    assert split is not None
    assert min(int(split.inside.sum()), int((~split.inside).sum())) >= 5
    assert bipartition(affinity, least=12) is None


def test_equal_values_stay_together() -> None:
    values = torch.tensor([0.0, 1.0, 1.0, 1.0, 2.0], dtype=torch.float64)
    split = best_threshold(graph(5, 0), values, least=2)
    assert split is None
