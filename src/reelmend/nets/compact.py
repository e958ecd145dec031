"""A compact U-Net for damage: half the resolution from the first layer on, residual blocks, most width in the middle.

A speck is a few pixels wide, so no detail may be lost; but its pixels are a few numbers, and a network need not look at
each of them with all its channels. So the first layer folds 2 x 2 pixels into channels and the last unfolds them
(sub-pixel convolution, Shi et al. 2016), which makes every layer four times cheaper.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from reelmend.nets.blocks import conv


class Residual(nn.Module):
    """Two convolutions around which the input is added (He et al. 2016, without the last ReLU's loss of sign)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class Compact(nn.Module):
    """`(b, inputs, h, w)` to `(b, outputs, h, w)` logits.

    `widths` are the channels at 1/2, 1/4, 1/8, ... of the resolution, `blocks` the residual blocks at each of them on
    the way down; on the way up there is one, or none where `blocks` has none. `detail` are channels of a last look
    at the full resolution, which draws the rims of what was found (0: none).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 1,
        widths: tuple[int, ...] = (24, 48, 72, 96),
        blocks: tuple[int, ...] = (0, 1, 1, 2),
        detail: int = 0,
    ) -> None:
        super().__init__()
        if len(widths) != len(blocks):
            raise ValueError("one number of blocks for each width")
        widths, blocks = tuple(widths), tuple(blocks)
        self.multiple = 1 << len(widths)
        # The same as pixel unshuffling and a 3 x 3 convolution, without moving pixels about in memory.
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, widths[0], 6, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.down = nn.ModuleList(
            nn.Sequential(*(Residual(w) for _ in range(n))) for w, n in zip(widths, blocks, strict=True)
        )
        # A strided convolution, not pooling: the mean or the largest of four would hide a speck beside an edge.
        self.halve = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 2, stride=2, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))
            for a, b in pairwise(widths)
        )
        self.widen = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.merge = nn.ModuleList(
            nn.Sequential(conv(2 * w, w), *(Residual(w) for _ in range(min(n, 1))))
            for w, n in zip(widths[:-1], blocks[:-1], strict=True)
        )
        self.head = nn.Sequential(nn.Conv2d(widths[0], 4 * outputs, 3, padding=1), nn.PixelShuffle(2))
        self.detail = Detail(inputs, widths[0], outputs, detail) if detail else None

    def forward(self, given: Tensor) -> Tensor:
        x = self.stem(given)
        skips = []
        for level, body in enumerate(self.down):
            x = body(x if level == 0 else self.halve[level - 1](x))
            skips.append(x)
        skips.pop()
        for level in reversed(range(len(skips))):
            # Channels are reduced before enlarging, where pixels are few.
            up = nn.functional.interpolate(self.widen[level](x), scale_factor=2, mode="nearest")
            x = self.merge[level](torch.cat([skips[level], up], dim=1))
        logits: Tensor = self.head(x)
        return logits if self.detail is None else logits + self.detail(given, x)


class Detail(nn.Module):
    """What is added to the logits for what half the resolution cannot draw: `given` `(b, inputs, h, w)` seen beside
    `deep` `(b, width, h / 2, w / 2)`. Begins with adding nothing, so that a trained network can be given one."""

    def __init__(self, inputs: int, width: int, outputs: int, channels: int) -> None:
        super().__init__()
        self.near = conv(inputs, channels)
        self.far = nn.Sequential(nn.Conv2d(width, 4 * channels, 1), nn.PixelShuffle(2))
        self.both = conv(2 * channels, channels)
        self.last = nn.Conv2d(channels, outputs, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, given: Tensor, deep: Tensor) -> Tensor:
        out: Tensor = self.last(self.both(torch.cat([self.near(given), self.far(deep)], dim=1)))
        return out
