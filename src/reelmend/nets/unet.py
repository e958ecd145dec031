"""U-Net and its relatives, by which block they are made of and whether their skips are gated."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from reelmend.nets.blocks import Double, Gate, R2Block, RecurrentBlock, conv

BLOCKS: dict[str, Callable[[int, int], nn.Module]] = {
    "double": Double,
    "recurrent": RecurrentBlock,
    "r2": R2Block,
}


class UNet(nn.Module):
    """Encoder and decoder with skips; `(b, inputs, h, w)` to `(b, outputs, h, w)` logits.

    `width` is the number of channels at full resolution (64 in the papers; 32 is the half-width variant), doubled at
    each of `depth` halvings (4 in the papers).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 1,
        width: int = 64,
        depth: int = 4,
        block: str = "double",
        gated: bool = False,
    ) -> None:
        super().__init__()
        make = BLOCKS[block]
        widths = [width << level for level in range(depth + 1)]
        self.multiple = 1 << depth
        self.down = nn.ModuleList(make(a, b) for a, b in zip([inputs, *widths[:-1]], widths, strict=True))
        self.pool = nn.MaxPool2d(2)
        pairs = list(zip(widths[::-1], widths[-2::-1], strict=False))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), conv(a, b)) for a, b in pairs
        )
        self.gates = nn.ModuleList(Gate(b, b, max(1, b // 2)) for _, b in pairs) if gated else None
        self.merge = nn.ModuleList(make(2 * b, b) for _, b in pairs)
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        skips.pop()
        for level, (up, merge) in enumerate(zip(self.up, self.merge, strict=True)):
            x = up(x)
            skip = skips.pop()
            if self.gates is not None:
                skip = self.gates[level](skip, x)
            x = merge(torch.cat([skip, x], dim=1))
        return self.head(x)
