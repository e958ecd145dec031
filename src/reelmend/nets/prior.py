"""What film looks like: an unconditional diffusion model of small pictures, which knows nothing of holes.

After Karras et al. (2022). Inpainters that need no training of their own (RePaint, DiffPIR) fill holes with it, and the
segmenter reads its self-attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reelmend.nets.denoiser import DenoisingUNet

NOISY, LEVEL = 0, 1
"""Planes of what is shown: the noisy luma, and a quarter of the logarithm of sigma everywhere."""

MIDDLE, DATA = 0.45, 0.25
"""Mean and standard deviation of the luma of film, in full scale: sigma_data of Karras et al. is the latter."""


class PatchPrior(nn.Module):
    """`(b, 2, h, w)` to the best guess of the clean luma `(b, 1, h, w)`, 0..1 but noise."""

    planes = 2

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes` are those of `DenoisingUNet`, and `fold` as `Diffuser` has it."""
        super().__init__()
        self.facts = {"net": "prior", "sizes": dict(sizes or {})}
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in (sizes or {}).items()
        }
        self.fold: int = given.pop("fold", 1)
        self.net = DenoisingUNet(self.fold**2, self.fold**2, **given)
        last = self.net.head[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return self.net.multiple * self.fold

    def forward(self, shown: Tensor) -> Tensor:
        level = shown[:, LEVEL, 0, 0].float()
        sigma = torch.exp(4 * level)[:, None, None, None]
        away = shown[:, NOISY : NOISY + 1] - MIDDLE
        spread = torch.sqrt(sigma**2 + DATA**2)
        seen = nn.functional.pixel_unshuffle(away / spread, self.fold) if self.fold > 1 else away / spread
        told = self.net(seen, level).float()
        if self.fold > 1:
            told = nn.functional.pixel_shuffle(told, self.fold)
        return MIDDLE + DATA**2 / spread**2 * away + sigma * DATA / spread * told

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        guess: Tensor = self(shown)
        return guess
