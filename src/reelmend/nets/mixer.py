"""A network that repairs in one pass: it mixes what neighbours and their fill offer, and adds what they lack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from reelmend.nets.unet import UNet

FILL, SCAN, MASK, DOUBT, NEIGHBOURS = 0, 1, 2, 3, 4
"""Planes of what is shown, as `repair.patches.VIEWS` has them."""

ANSWERS = ("luma", "error")
"""Of the answer: the repaired luma, 0..1, which is the fill and the neighbours mixed by weights that sum to 1, and a
residual; the absolute error to be expected of it, 0..1, low-passed as `evaluate.fidelity` does."""

CANDIDATES = 5
"""The fill and four neighbours."""

START = 3.0
"""How much more the fill weighs at the start, in logits: training begins near the temporal repairer."""


class Mixer(nn.Module):
    """`(b, 8, h, w)`, planes as in `repair.patches.VIEWS`, to `(b, 2, h, w)`, planes as in `ANSWERS`."""

    planes = 8

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes` are those of `UNet`."""
        super().__init__()
        self.facts = {"net": "mixer", "sizes": dict(sizes or {})}
        self.net = UNet(8, CANDIDATES + 2, **(sizes or {}))
        nn.init.zeros_(self.net.head.weight)
        assert self.net.head.bias is not None
        nn.init.zeros_(self.net.head.bias)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return self.net.multiple

    def forward(self, shown: Tensor) -> Tensor:
        fill, hole = shown[:, FILL : FILL + 1], shown[:, MASK : MASK + 1]
        # Differences from the fill are what there is to decide on; a few codes matter as much as many.
        apart = 4 * (shown[:, NEIGHBOURS:] - fill)
        scan = 4 * (shown[:, SCAN : SCAN + 1] - fill)
        known = torch.cat([fill - 0.5, scan, hole, shown[:, DOUBT : DOUBT + 1], apart], dim=1)
        told = self.net(known).float()
        logits = told[:, :CANDIDATES] + told.new_tensor([START, 0, 0, 0, 0])[:, None, None]
        weights = torch.softmax(logits, dim=1)
        offered = torch.cat([fill, shown[:, NEIGHBOURS:]], dim=1).float()
        mixed = (weights * offered).sum(dim=1, keepdim=True) + told[:, CANDIDATES : CANDIDATES + 1] / 4
        error = nn.functional.softplus(told[:, CANDIDATES + 1 :] - 4)
        return torch.cat([mixed, error], dim=1)

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        return cast(Tensor, self(shown))
