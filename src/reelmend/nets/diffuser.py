"""The conditional denoiser of `temporal-diffusion`: it samples what is under damage, given what neighbours show.

After Karras et al. (2022), with two changes for holes in film: what is noised is the difference from a first fill, the
answer of a network that repairs in one pass (a mean by regression, its residual by diffusion: Mardani et al. 2024), and
noise is in the hole only, as in Palette (Saharia et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reelmend.nets.denoiser import DenoisingUNet
from reelmend.nets.mixer import DOUBT, FILL, MASK, NEIGHBOURS, SCAN

NOISY, LEVEL, BIASED = 8, 9, 10
"""Planes after those of `repair.patches.VIEWS`: the noisy luma, a quarter of the logarithm of sigma everywhere, and 1
everywhere where neighbours are shown, 0 where fill and neighbours are those of the frame itself."""

DATA = 0.05
"""Standard deviation of the truth's difference from the fill, in full scale: sigma_data of Karras et al."""


class Diffuser(nn.Module):
    """`(b, 11, h, w)` to the best guess of the clean luma `(b, 1, h, w)`, all of it 0..1 but noise."""

    planes = 11

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes` are those of `DenoisingUNet`, and `fold`, 1 or 2: the net works on squares of so many pixels
        a side as channels; at 2 it is four times cheaper, and still draws every pixel."""
        super().__init__()
        self.facts = {"net": "diffuser", "sizes": dict(sizes or {})}
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in (sizes or {}).items()
        }
        self.fold: int = given.pop("fold", 1)
        self.net = DenoisingUNet(10 * self.fold**2, self.fold**2, **given)
        last = self.net.head[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return self.net.multiple * self.fold

    def forward(self, shown: Tensor) -> Tensor:
        fill, hole = shown[:, FILL : FILL + 1], shown[:, MASK : MASK + 1]
        level = shown[:, LEVEL, 0, 0].float()
        sigma = torch.exp(4 * level)[:, None, None, None]
        away = (shown[:, NOISY : NOISY + 1] - fill) * hole
        spread = torch.sqrt(sigma**2 + DATA**2)
        known = torch.cat(
            [
                away / spread,
                2 * fill - 1,
                4 * (shown[:, SCAN : SCAN + 1] - fill),
                hole,
                shown[:, DOUBT : DOUBT + 1],
                4 * (shown[:, NEIGHBOURS : NEIGHBOURS + 4] - fill),
                shown[:, BIASED : BIASED + 1],
            ],
            dim=1,
        )
        if self.fold > 1:
            known = nn.functional.pixel_unshuffle(known, self.fold)
        told = self.net(known, level).float()
        if self.fold > 1:
            told = nn.functional.pixel_shuffle(told, self.fold)
        return fill + (DATA**2 / spread**2 * away + sigma * DATA / spread * told) * hole

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        guess: Tensor = self(shown)
        return guess
