"""Random walks: powers, stationary distributions, and the symmetric flow that is cut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reelmend.errors import UsageError
from reelmend.segment.cuts import cost
from reelmend.segment.walk import check_stochastic, excess, flow, power, stationary, walk_cost


def chain(nodes: int, seed: int, kind: torch.dtype = torch.float64) -> torch.Tensor:
    """A random walk that is not reversible."""
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(2 * torch.randn(nodes, nodes, generator=generator, dtype=kind), dim=1)


@given(nodes=st.integers(2, 40), seed=st.integers(0, 99), k=st.integers(1, 64))
@settings(max_examples=40, deadline=None)
def test_powers_stay_walks_and_are_powers(nodes: int, seed: int, k: int) -> None:
    walk = chain(nodes, seed)
    paths = power(walk, k)
    torch.testing.assert_close(paths, torch.linalg.matrix_power(walk, k), atol=1e-12, rtol=0)
    assert float((paths.sum(dim=1) - 1).abs().max()) < 1e-12
    rounded = power(walk.float(), k)
    assert float((rounded.sum(dim=1) - 1).abs().max()) < 1e-5


@given(nodes=st.integers(2, 40), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_excess_is_a_walk_that_does_not_know_how_nodes_are_numbered(nodes: int, seed: int) -> None:
    walk = chain(nodes, seed)
    more = check_stochastic(excess(walk))
    assert float((more.sum(dim=1) - 1).abs().max()) < 1e-12
    order = torch.randperm(nodes, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(excess(walk[order][:, order]), more[order][:, order])


def test_the_excess_forgets_where_everybody_looks() -> None:
    blocks = torch.block_diag(torch.full((6, 6), 1 / 6), torch.full((4, 4), 1 / 4)).double()
    everybody = torch.softmax(torch.randn(10, generator=torch.Generator().manual_seed(1), dtype=torch.float64), dim=0)
    walk = 0.02 * blocks + 0.98 * everybody
    half = torch.arange(10) < 6
    assert walk_cost(walk, half) > 0.95
    assert walk_cost(excess(walk), half) < 0.01


def test_where_all_look_alike_there_is_no_excess() -> None:
    walk = torch.full((5, 5), 0.2)
    torch.testing.assert_close(excess(walk), walk)


@pytest.mark.parametrize("k", [0, 65])
def test_other_powers_are_refused(k: int) -> None:
    with pytest.raises(UsageError, match="1 to 64"):
        power(chain(3, 0), k)


@given(nodes=st.integers(2, 60), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_stationary_distribution_is_the_first_left_eigenvector(nodes: int, seed: int) -> None:
    walk = chain(nodes, seed)
    values, vectors = torch.linalg.eig(walk.T)
    first = vectors[:, values.real.argmax()].real
    torch.testing.assert_close(stationary(walk), first / first.sum(), atol=1e-10, rtol=0)


def test_a_walk_that_goes_round_has_an_even_distribution() -> None:
    torch.testing.assert_close(
        stationary(torch.eye(6, dtype=torch.float64).roll(1, 0)), torch.full((6,), 1 / 6).double()
    )


def test_the_weather_of_oz() -> None:
    # Kemeny and Snell, "Finite Markov Chains": rain, nice, snow; stationary 0.4, 0.2, 0.4.
    walk = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.0, 0.5], [0.25, 0.25, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(stationary(walk), torch.tensor([0.4, 0.2, 0.4]).double(), atol=1e-6, rtol=0)


@given(nodes=st.integers(3, 30), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_cuts_of_the_flow_cost_what_they_cost_in_the_chain(nodes: int, seed: int) -> None:
    walk = chain(nodes, seed)
    inside = torch.rand(nodes, generator=torch.Generator().manual_seed(seed)) < 0.5
    inside[0], inside[1] = True, False
    assert walk_cost(walk, inside) == pytest.approx(cost(flow(walk), inside), abs=1e-9)


def test_the_flow_of_single_precision_is_symmetric_and_sums_to_one() -> None:
    moving = flow(chain(300, 1, torch.float32))
    assert torch.equal(moving, moving.T)
    assert float(moving.sum()) == pytest.approx(1, abs=1e-5)


def test_a_cut_has_two_sides() -> None:
    with pytest.raises(ValueError, match="both sides"):
        walk_cost(chain(3, 0), torch.ones(3, dtype=torch.bool))


def test_what_is_no_walk_is_refused() -> None:
    walk = chain(4, 0)
    assert check_stochastic(walk) is walk
    with pytest.raises(UsageError, match="NaN"):
        check_stochastic(walk * torch.nan)
    with pytest.raises(UsageError, match="sum to 1"):
        check_stochastic(walk * 1.01)
    with pytest.raises(UsageError, match="square"):
        check_stochastic(walk[:2])
