"""What pictures look like: an unconditional diffusion model of small ones, in luma or colour, shown nothing else.

After Karras et al. (2022). Inpainters that need no training of their own (RePaint, DiffPIR) fill holes with it, and the
segmenter reads its self-attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reelmend.nets.denoiser import DenoisingUNet, as_arguments

MIDDLE, DATA = 0.45, 0.25
"""Mean and standard deviation of pictures, in full scale: sigma_data of Karras et al. is the latter."""


class PatchPrior(nn.Module):
    """`(b, colours + 1, h, w)` to the best guess of the clean picture `(b, colours, h, w)`, 0..1 but noise.

    Shown are the noisy picture and, as the last plane, a quarter of the logarithm of sigma everywhere.
    """

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes` are those of `DenoisingUNet`, and `colours`: 1 for luma, the default, 3 for red, green and blue."""
        super().__init__()
        self.facts = {"net": "prior", "sizes": dict(sizes or {})}
        given = as_arguments(sizes)
        self.colours: int = given.pop("colours", 1)
        self.net = DenoisingUNet(self.colours, self.colours, **given)

    @property
    def planes(self) -> int:
        """Of what it is shown."""
        return self.colours + 1

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return self.net.multiple

    def forward(self, shown: Tensor) -> Tensor:
        level = shown[:, -1, 0, 0].float()
        sigma = torch.exp(4 * level)[:, None, None, None]
        away = shown[:, :-1] - MIDDLE
        spread = torch.sqrt(sigma**2 + DATA**2)
        told = self.net(away / spread, level).float()
        return MIDDLE + DATA**2 / spread**2 * away + sigma * DATA / spread * told

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        guess: Tensor = self(shown)
        return guess
