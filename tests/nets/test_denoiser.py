"""The denoising U-Net: sizes, the noise level's say, attention maps, and that it learns."""

from __future__ import annotations

import pytest
import torch

from reelmend.nets.denoiser import DenoisingUNet, SelfAttention


def small(inputs: int = 1, **options: object) -> DenoisingUNet:
    torch.manual_seed(0)
    return DenoisingUNet(inputs, width=8, multiples=(1, 2), blocks=1, heads=2, attention=(1,), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (2, 4)])
@pytest.mark.parametrize("inputs", [1, 3])
def test_any_size_that_the_multiple_divides(inputs: int, size: tuple[int, int]) -> None:
    net = small(inputs)
    assert net.multiple == 2
    assert net(torch.randn(2, inputs, *size), torch.tensor([0.1, -1.0])).shape == (2, 1, *size)


@pytest.mark.parametrize(("multiples", "blocks"), [((1,), 1), ((1, 2, 3), 2), ((1, 1, 2, 2), 3)])
def test_any_depth(multiples: tuple[int, ...], blocks: int) -> None:
    net = DenoisingUNet(2, width=8, multiples=multiples, blocks=blocks, heads=2)
    assert net(torch.randn(1, 2, 16, 16), torch.zeros(1)).shape == (1, 1, 16, 16)
    assert net.multiple == 1 << (len(multiples) - 1)


def trained(net: DenoisingUNet, steps: int = 90) -> float:
    """Mean loss of the last steps at telling the noise level from the picture's strength alone."""
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    losses = []
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        level = torch.rand(8, generator=generator) * 2 - 1
        x = torch.randn(8, 1, 8, 8, generator=generator)
        loss = ((net(x, level) - level[:, None, None, None] * x) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return sum(losses[-10:]) / 10


def test_it_learns_what_only_the_noise_level_tells() -> None:
    assert trained(small()) < 0.1


def test_attention_is_row_stochastic_and_is_what_the_forward_pass_uses() -> None:
    torch.manual_seed(1)
    layer = SelfAttention(8, 2)
    torch.nn.init.normal_(layer.out.weight)
    x = torch.randn(2, 8, 4, 6)
    maps = layer.probabilities(x)
    assert maps.shape == (2, 2, 24, 24)
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(2, 2, 24), atol=1e-5, rtol=0)
    value = layer.parts(x)[2]
    by_hand = x + layer.out((maps @ value).transpose(-1, -2).reshape(x.shape))
    torch.testing.assert_close(layer(x), by_hand, atol=1e-5, rtol=1e-5)


def test_channels_that_heads_cannot_share_are_refused() -> None:
    with pytest.raises(ValueError, match="heads"):
        SelfAttention(10, 4)
