"""SegFormer (Xie et al. 2021), the transformer baseline: a Mix Transformer encoder and an all-MLP decoder.

Sizes default to B0: 3.7 million parameters. Attention spans the whole picture it is given, so unlike the other nets
its output depends on the tile.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (32, 64, 160, 256)
HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)
"""How much keys and values are shrunk in each direction, stage by stage."""


class Dense(nn.Module):
    """A linear layer whose weight is kept as it is multiplied, `(inputs, outputs)`: a graph uses it as it is."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Attention(nn.Module):
    """Efficient self-attention: queries at full length, keys and values from a picture shrunk by `reduction`."""

    def __init__(self, channels: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Dense(channels, channels)
        self.key_value = Dense(channels, 2 * channels)
        self.shrink = nn.Conv2d(channels, channels, reduction, stride=reduction) if reduction > 1 else None
        self.norm = nn.LayerNorm(channels) if reduction > 1 else nn.Identity()
        self.out = Dense(channels, channels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        batch, length, channels = x.shape
        source = x
        if self.shrink is not None:
            grid = self.shrink(x.transpose(1, 2).reshape(batch, channels, height, width))
            source = self.norm(grid.flatten(2).transpose(1, 2))
        q = self.query(x).reshape(batch, length, self.heads, -1).transpose(1, 2)
        both = self.key_value(source).reshape(batch, source.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        k, v = both[0], both[1]
        mixed = F.scaled_dot_product_attention(q, k, v)
        return cast(Tensor, self.out(mixed.transpose(1, 2).reshape(batch, length, channels)))


class MixBlock(nn.Module):
    """Attention, then a feed-forward net whose depthwise convolution tells positions apart."""

    def __init__(self, channels: int, heads: int, reduction: int, expand: int = 4) -> None:
        super().__init__()
        self.before_attention, self.before_mix = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, reduction)
        self.widen = Dense(channels, expand * channels)
        self.depthwise = nn.Conv2d(expand * channels, expand * channels, 3, padding=1, groups=expand * channels)
        self.narrow = Dense(expand * channels, channels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        x = x + self.attention(self.before_attention(x), height, width)
        y = self.widen(self.before_mix(x))
        grid = y.transpose(1, 2).reshape(y.shape[0], -1, height, width)
        y = F.gelu(self.depthwise(grid).flatten(2).transpose(1, 2))
        return cast(Tensor, x + self.narrow(y))


class SegFormer(nn.Module):
    """`(b, inputs, h, w)` to `(b, outputs, h, w)` logits."""

    multiple = 32

    def __init__(
        self,
        inputs: int,
        outputs: int = 1,
        widths: tuple[int, ...] = WIDTHS,
        blocks: tuple[int, ...] = (2, 2, 2, 2),
        decoder: int = 256,
    ) -> None:
        super().__init__()
        widths = tuple(widths)
        self.patches = nn.ModuleList(
            nn.Conv2d(a, b, 7 if n == 0 else 3, stride=4 if n == 0 else 2, padding=3 if n == 0 else 1)
            for n, (a, b) in enumerate(zip((inputs, *widths[:-1]), widths, strict=True))
        )
        self.patch_norms = nn.ModuleList(nn.LayerNorm(w) for w in widths)
        self.stages = nn.ModuleList(
            nn.ModuleList(MixBlock(w, heads, reduction) for _ in range(count))
            for w, heads, reduction, count in zip(widths, HEADS, REDUCTIONS, blocks, strict=True)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(w) for w in widths)
        self.project = nn.ModuleList(nn.Conv2d(w, decoder, 1) for w in widths)
        self.fuse = nn.Sequential(
            nn.Conv2d(len(widths) * decoder, decoder, 1, bias=False), nn.BatchNorm2d(decoder), nn.ReLU(inplace=True)
        )
        self.head = nn.Conv2d(decoder, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = []
        for patch, patch_norm, stage, norm in zip(self.patches, self.patch_norms, self.stages, self.norms, strict=True):
            x = patch(x)
            batch, channels, height, width = x.shape
            tokens = patch_norm(x.flatten(2).transpose(1, 2))
            for block in cast(nn.ModuleList, stage):
                tokens = block(tokens, height, width)
            x = norm(tokens).transpose(1, 2).reshape(batch, channels, height, width)
            maps.append(x)
        # Each stage is half the one before: powers of two, so that sizes stay whole whatever the picture.
        wide = [
            F.interpolate(project(one), scale_factor=float(1 << level), mode="bilinear", align_corners=False)
            for level, (project, one) in enumerate(zip(self.project, maps, strict=True))
        ]
        logits = self.head(self.fuse(torch.cat(wide[::-1], dim=1)))
        return F.interpolate(logits, scale_factor=4.0, mode="bilinear", align_corners=False)
