"""The tree of regions, and which threshold a picture has of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reelmend.segment.affinity import cosine
from reelmend.segment.hierarchy import Hierarchy, balance, grow, own_threshold, thresholds
from reelmend.segment.walk import flow, normalised, power


def chain_of_blocks(sizes: list[int], joined: float = 0.0, seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    """A walk that is not reversible, with a chance `joined` of stepping anywhere; the block of every node."""
    generator = torch.Generator().manual_seed(seed)
    inside = [torch.rand(n, n, generator=generator, dtype=torch.float64) + 0.5 for n in sizes]
    walk = (1 - joined) * normalised(torch.block_diag(*inside)) + joined / sum(sizes)
    return walk, np.repeat(np.arange(len(sizes)), sizes)


def same(labels: np.ndarray, truth: np.ndarray) -> bool:
    """Whether two partitions are one but for their numbers."""
    pairs = np.unique(np.stack([labels.ravel(), truth.ravel()]), axis=1)
    return pairs.shape[1] == len(np.unique(labels)) == len(np.unique(truth))


@pytest.mark.parametrize("sizes", [[30, 34], [20, 12, 32], [8, 8, 16, 16, 16]])
@pytest.mark.parametrize("joined", [0.0, 0.1])
def test_blocks_are_recovered_exactly(sizes: list[int], joined: float) -> None:
    walk, truth = chain_of_blocks(sizes, joined)
    tree = grow(flow(walk), (8, 8), least=2)
    tree.threshold = own_threshold(tree)
    assert same(tree.node_labels(tree.regions).ravel(), truth)
    tree.threshold = 0.5
    assert same(tree.node_labels(tree.regions).ravel(), truth)


def test_what_is_alike_everywhere_is_one_region() -> None:
    tree = grow(torch.full((64, 64), 1 / 64, dtype=torch.float64), (8, 8))
    tree.threshold = own_threshold(tree)
    assert len(tree.regions) == 1


@pytest.fixture
def tree() -> Hierarchy:
    walk, _ = chain_of_blocks([20, 12, 32], 0.05)
    return grow(flow(walk), (8, 8))


def test_children_share_the_members_of_their_parent(tree: Hierarchy) -> None:
    assert any(node.children for node in tree.nodes)
    for node in tree.nodes:
        if node.children:
            parts = [tree.nodes[child] for child in node.children]
            assert sorted(np.concatenate([part.members for part in parts])) == node.members.tolist()
            assert all(part.parent == node.number and part.level == node.level + 1 for part in parts)
            assert all(part.cost is None or part.effective >= node.effective for part in parts)


def test_partitions_get_finer_with_the_threshold(tree: Hierarchy) -> None:
    counts = [len(tree.at(one)) for one in thresholds(tree)]
    assert counts[0] == 1
    assert counts == sorted(set(counts))
    for one in thresholds(tree):
        members = np.concatenate([node.members for node in tree.at(one)])
        assert sorted(members) == list(range(64))


def test_levels_lead_from_the_whole_to_the_partition(tree: Hierarchy) -> None:
    tree.threshold = own_threshold(tree)
    assert len(tree.level(0)) == 1
    assert tree.level(tree.depth) == tree.regions


def test_the_own_threshold_has_the_lowest_balance(tree: Hierarchy) -> None:
    chosen = balance(tree.at(own_threshold(tree)))
    assert chosen == pytest.approx(min(balance(tree.at(one)) for one in thresholds(tree)[1:]), abs=1e-9)


def test_leaving_is_the_chance_to_step_out() -> None:
    walk, _ = chain_of_blocks([20, 12, 32], 0.3)
    tree = grow(flow(walk), (8, 8))
    tree.threshold = own_threshold(tree)
    for node in tree.regions:
        # From a block of n nodes, 0.3 of all steps go anywhere: 64 - n of 64 places lie outside.
        assert node.leaving == pytest.approx(0.3 * (64 - len(node.members)) / 64, rel=0.1)


def test_regions_keep_their_least_size_and_number() -> None:
    affinity = torch.rand(100, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 8
    tree = grow(affinity + affinity.T, (10, 10), least=4, most=7, never=2.0)
    leaves = tree.at(2.0)
    assert len(leaves) == 7
    assert min(len(node.members) for node in leaves) >= 4


def test_a_tree_is_judged_by_the_walk_whatever_is_cut() -> None:
    walk, truth = chain_of_blocks([20, 12, 32], 0.2)
    for k in (1, 4, 16):
        tree = grow(cosine(power(walk, k)), (8, 8), walk=flow(walk))
        tree.threshold = own_threshold(tree)
        assert same(tree.node_labels(tree.regions).ravel(), truth)
        for node in tree.regions:
            assert node.leaving == pytest.approx(0.2 * (64 - len(node.members)) / 64, rel=0.1)
