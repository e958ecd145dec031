"""What film looks like: an unconditional diffusion model of small pictures, which knows nothing of holes.

After Karras et al. (2022). Inpainters that need no training of their own (RePaint, DiffPIR) fill holes with it, and the
segmenter reads its self-attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reelmend.nets.denoiser import DenoisingUNet, as_arguments

NOISY, LEVEL = 0, 1
"""Planes of what is shown: the noisy luma, and a quarter of the logarithm of sigma everywhere."""

MIDDLE, DATA = 0.45, 0.25
"""Mean and standard deviation of the luma of film, in full scale: sigma_data of Karras et al. is the latter."""


class PatchPrior(nn.Module):
    """`(b, 2, h, w)` to the best guess of the clean luma `(b, 1, h, w)`, 0..1 but noise."""

    planes = 2

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes` are those of `DenoisingUNet`."""
        super().__init__()
        self.facts = {"net": "prior", "sizes": dict(sizes or {})}
        self.net = DenoisingUNet(1, 1, **as_arguments(sizes))

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return self.net.multiple

    def forward(self, shown: Tensor) -> Tensor:
        level = shown[:, LEVEL, 0, 0].float()
        sigma = torch.exp(4 * level)[:, None, None, None]
        away = shown[:, NOISY : NOISY + 1] - MIDDLE
        spread = torch.sqrt(sigma**2 + DATA**2)
        told = self.net(away / spread, level).float()
        return MIDDLE + DATA**2 / spread**2 * away + sigma * DATA / spread * told

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        guess: Tensor = self(shown)
        return guess
