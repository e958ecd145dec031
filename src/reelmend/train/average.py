"""The running average of a network's weights, which is what is validated and shipped (Polyak and Juditsky 1992)."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


class Average(Generic[Net]):
    """Exponential moving average of weights and statistics; shorter at first, so that the start is forgotten."""

    def __init__(self, net: Net, decay: float = 0.999) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        own = [t for t in self.net.state_dict().values() if t.is_floating_point()]
        new = [t for t in net.state_dict().values() if t.is_floating_point()]
        torch._foreach_lerp_(own, new, 1 - decay)
