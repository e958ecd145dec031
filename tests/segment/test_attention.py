"""Attention out of running models: nothing is changed, every map is a walk."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.segment.models import prior
from torch import nn

from reelmend.errors import UsageError
from reelmend.nets.denoiser import SelfAttention
from reelmend.segment.attention import (
    AttentionMap,
    aggregate,
    attention_layers,
    features,
    grid_of,
    mean_attention,
    to_grid,
    watch,
)


def a_map(rows: int, columns: int, seed: int = 0) -> AttentionMap:
    generator = torch.Generator().manual_seed(seed)
    chances = torch.softmax(4 * torch.randn(rows * columns, rows * columns, generator=generator), dim=1)
    return AttentionMap("layer", chances, torch.randn(rows * columns, 6, generator=generator), (rows, columns))


def test_maps_are_those_of_the_layer_and_the_answer_is_the_same() -> None:
    net = prior()
    shown = torch.rand(1, 4, 32, 48)
    given: list[torch.Tensor] = []
    layer = net.net.middle[1]
    assert isinstance(layer, SelfAttention)
    handle = layer.register_forward_hook(lambda part, inputs, output: given.append(inputs[0]))
    plain = net(shown)
    handle.remove()
    with watch(net) as seen:
        assert torch.equal(net(shown), plain)
    assert torch.equal(net(shown), plain) and len(seen.maps) == len(attention_layers(net))
    (middle,) = (one for one in seen.maps if one.layer == "net.middle.1")
    torch.testing.assert_close(middle.chances, layer.probabilities(given[0])[0].mean(dim=0))
    assert middle.grid == (8, 12)
    assert {one.grid for one in seen.maps} == {(16, 24), (8, 12)}
    for one in seen.maps:
        assert float((one.chances.sum(dim=1) - 1).abs().max()) < 1e-5
    assert not any(part._forward_pre_hooks for part in net.modules())


def test_layers_are_chosen_by_how_their_names_begin() -> None:
    net = prior()
    with watch(net, ["net.down"]) as seen:
        net(torch.rand(1, 4, 32, 32))
    assert {one.layer.split(".")[1] for one in seen.maps} == {"down"}
    with pytest.raises(UsageError, match="no self-attention is called up"), watch(net, ["up"]):
        pass


def test_a_model_without_self_attention_is_refused() -> None:
    with pytest.raises(UsageError, match="no self-attention"):
        attention_layers(nn.Sequential(nn.Conv2d(3, 3, 3)))


def test_one_picture_at_a_time() -> None:
    net = prior()
    with pytest.raises(ValueError, match="one picture"), watch(net):
        net(torch.rand(2, 4, 32, 32))


def test_heads_are_averaged_after_the_softmax() -> None:
    queries, keys = torch.randn(2, 3, 5, 4).unbind()
    expected = torch.softmax(queries @ keys.transpose(1, 2), dim=-1).mean(dim=0)
    torch.testing.assert_close(mean_attention(queries, keys), expected)


@given(seed=st.integers(0, 99), weights=st.sampled_from(["resolution", "equal"]))
@settings(max_examples=20, deadline=None)
def test_all_grids_come_to_one_walk(seed: int, weights: str) -> None:
    maps = [a_map(8, 12, seed), a_map(4, 6, seed + 1), a_map(2, 3, seed + 2)]
    walk = aggregate(maps, weights=weights)  # type: ignore[arg-type]
    assert walk.shape == (96, 96)
    assert float((walk.sum(dim=1) - 1).abs().max()) < 1e-5
    assert aggregate(maps, (4, 6)).shape == (24, 24)
    assert features(maps, (8, 12)).shape == (96, 18)


def test_a_coarse_map_is_repeated_by_query_and_interpolated_by_key() -> None:
    coarse = a_map(2, 2)
    fine = to_grid(coarse.chances, (2, 2), (4, 4))
    # The four nodes within a coarse one look alike, and look at what it looked at.
    for one in (1, 4, 5):
        assert torch.equal(fine[0], fine[one])
    assert not torch.equal(fine[0], fine[2])
    quarters = fine[0].reshape(2, 2, 2, 2).sum(dim=(1, 3)).flatten()
    assert quarters.argmax() == coarse.chances[0].argmax()
    even = to_grid(torch.full((4, 4), 0.25), (2, 2), (4, 4))
    torch.testing.assert_close(even, torch.full((16, 16), 1 / 16))


def test_broken_attention_is_refused() -> None:
    broken = a_map(2, 2)
    broken.chances[1, 2] = torch.nan
    with pytest.raises(UsageError, match="NaN"):
        aggregate([broken])
    with pytest.raises(UsageError, match="no self-attention"):
        aggregate([])


def test_grids_follow_the_shape_of_the_picture() -> None:
    assert grid_of(64 * 96, (64, 96)) == (64, 96)
    assert grid_of(16 * 24, (64, 96)) == (16, 24)
    assert grid_of(9 * 5, (35, 17)) == (9, 5)
    with pytest.raises(UsageError, match="no grid"):
        grid_of(100, (64, 96))
