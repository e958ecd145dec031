"""The U-Net of diffusion models: residual blocks that know the noise level, self-attention where pictures are small.

After Ho et al. (2020) and Dhariwal and Nichol (2021): group normalisation, the noise level as a scale and shift in
every block, attention at given halvings. Attention maps can be read (`SelfAttention.probabilities`): the segmenter
does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

GROUPS = 8
"""Of channels that are normalised together."""


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(GROUPS, channels), channels)


class LevelEmbedding(nn.Module):
    """A number for the noise level `(b,)` as a vector `(b, channels)`: sines of many frequencies, then two layers.

    Any range of a few units will do, such as c_noise of Karras et al. (2022), a quarter of the logarithm of sigma.
    """

    def __init__(self, channels: int, frequencies: int = 64, highest: float = 128.0) -> None:
        super().__init__()
        self.scale: Tensor
        self.register_buffer("scale", torch.exp(torch.linspace(0, math.log(highest), frequencies)), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * frequencies, channels), nn.SiLU(), nn.Linear(channels, channels), nn.SiLU()
        )

    def forward(self, level: Tensor) -> Tensor:
        angle = level[:, None].float() * self.scale
        embedded: Tensor = self.layers(torch.cat([angle.cos(), angle.sin()], dim=1).to(level.dtype))
        return embedded


class ResidualBlock(nn.Module):
    """Two convolutions, the second normalised by scale and shift from the noise level, beside the input."""

    def __init__(self, inputs: int, outputs: int, level: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Sequential(norm(inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.level = nn.Linear(level, 2 * outputs)
        self.norm = norm(outputs)
        self.second = nn.Sequential(nn.SiLU(), nn.Dropout(dropout), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.beside = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        # A block begins as nothing but its side path: deep nets train from the first step.
        last = self.second[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        scale, shift = self.level(level)[:, :, None, None].chunk(2, dim=1)
        y = self.norm(self.first(x)) * (1 + scale) + shift
        result: Tensor = self.beside(x) + self.second(y)
        return result


class SelfAttention(nn.Module):
    """Every pixel looks at every other (Vaswani et al. 2017), in `heads` ways."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels cannot be shared by {heads} heads")
        self.heads = heads
        self.norm = norm(channels)
        self.query_key_value = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values `(b, heads, h w, channels / heads)` of x `(b, channels, h, w)`."""
        batch, _, height, width = x.shape
        apart = self.query_key_value(self.norm(x)).reshape(batch, 3, self.heads, -1, height * width)
        query, key, value = apart.transpose(-1, -2).unbind(dim=1)
        return query, key, value

    def probabilities(self, x: Tensor) -> Tensor:
        """How much every pixel looks at every other, `(b, heads, h w, h w)`; rows sum to 1."""
        query, key, _ = self.parts(x)
        return torch.softmax(query.float() @ key.float().transpose(-1, -2) / math.sqrt(query.shape[-1]), dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        seen = nn.functional.scaled_dot_product_attention(*self.parts(x))
        result: Tensor = x + self.out(seen.transpose(-1, -2).reshape(x.shape))
        return result


class DenoisingUNet(nn.Module):
    """`(b, inputs, h, w)` and noise levels `(b,)` to `(b, outputs, h, w)`.

    `width` channels at full resolution, times `multiples` at each halving; `blocks` residual blocks at each on the way
    down, one more on the way up. `attention` are the halvings, counted from 0, after which pixels look at each other:
    for patches of 64, (1, 2) is at 32 x 32 and 16 x 16. Conditions (a masked picture, neighbours) are more inputs.
    With `fold` 2 it works on squares of two pixels a side as channels: four times cheaper, still with every pixel.
    It begins as 0 everywhere.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 1,
        width: int = 48,
        multiples: tuple[int, ...] = (1, 2, 3),
        blocks: int = 2,
        attention: tuple[int, ...] = (1, 2),
        heads: int = 4,
        dropout: float = 0.0,
        fold: int = 1,
    ) -> None:
        super().__init__()
        widths = [width * one for one in multiples]
        self.fold = fold
        self.multiple = fold << (len(widths) - 1)
        level = 4 * width
        self.embed = LevelEmbedding(level)
        self.stem = nn.Conv2d(inputs * fold**2, width, 3, padding=1)

        def stage(inputs: int, outputs: int, depth: int) -> nn.ModuleList:
            parts: list[nn.Module] = [ResidualBlock(inputs, outputs, level, dropout)]
            if depth in attention:
                parts.append(SelfAttention(outputs, heads))
            return nn.ModuleList(parts)

        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        kept, channels = [width], width
        for depth, wide in enumerate(widths):
            for _ in range(blocks):
                self.down.append(stage(channels, wide, depth))
                channels = wide
                kept.append(wide)
            last = depth == len(widths) - 1
            self.shrink.append(nn.Identity() if last else nn.Conv2d(wide, wide, 3, stride=2, padding=1))
            if not last:
                kept.append(wide)
        self.middle = nn.ModuleList(
            [
                ResidualBlock(channels, channels, level, dropout),
                SelfAttention(channels, heads),
                ResidualBlock(channels, channels, level, dropout),
            ]
        )
        self.up, self.enlarge = nn.ModuleList(), nn.ModuleList()
        for depth, wide in reversed(list(enumerate(widths))):
            for _ in range(blocks + 1):
                self.up.append(stage(channels + kept.pop(), wide, depth))
                channels = wide
            self.enlarge.append(nn.Conv2d(wide, wide, 3, padding=1) if depth else nn.Identity())
        end = nn.Conv2d(channels, outputs * fold**2, 3, padding=1)
        assert end.bias is not None
        nn.init.zeros_(end.weight)
        nn.init.zeros_(end.bias)
        self.head = nn.Sequential(norm(channels), nn.SiLU(), end)
        self.depth, self.blocks = len(widths), blocks

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        known = self.embed(level)
        if self.fold > 1:
            x = nn.functional.pixel_unshuffle(x, self.fold)
        x = self.stem(x)
        kept = [x]
        for depth in range(self.depth):
            for number in range(self.blocks):
                x = _through(self.down[depth * self.blocks + number], x, known)
                kept.append(x)
            if depth < self.depth - 1:
                x = self.shrink[depth](x)
                kept.append(x)
        x = _through(self.middle, x, known)
        for depth in range(self.depth):
            for number in range(self.blocks + 1):
                part = self.up[depth * (self.blocks + 1) + number]
                x = _through(part, torch.cat([x, kept.pop()], dim=1), known)
            if depth < self.depth - 1:
                x = self.enlarge[depth](nn.functional.interpolate(x, scale_factor=2, mode="nearest"))
        result: Tensor = self.head(x)
        return nn.functional.pixel_shuffle(result, self.fold) if self.fold > 1 else result


def as_arguments(sizes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Sizes off a recipe or card, in which lists stand for tuples, as arguments of `DenoisingUNet`."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in (sizes or {}).items()}


def _through(parts: nn.Module, x: Tensor, known: Tensor) -> Tensor:
    for part in parts.children():
        x = part(x, known) if isinstance(part, ResidualBlock) else part(x)
    return x
