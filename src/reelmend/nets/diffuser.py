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

from reelmend.nets.denoiser import DenoisingUNet, as_arguments
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
        """`sizes` are those of `DenoisingUNet`, and `grain`: it is told how strong the grain is around the hole
        (`grain_around`), which its normalisations would hide from it."""
        super().__init__()
        self.facts = {"net": "diffuser", "sizes": dict(sizes or {})}
        given = as_arguments(sizes)
        self.grain: bool = given.pop("grain", False)
        self.net = DenoisingUNet(12 if self.grain else 10, 1, **given)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return self.net.multiple

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
        if self.grain:
            known = torch.cat([known, grain_around(shown)], dim=1)
        told = self.net(known, level).float()
        return fill + (DATA**2 / spread**2 * away + sigma * DATA / spread * told) * hole

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        guess: Tensor = self(shown)
        return guess


SPEED_OF_CHANGE = ((1, -2, 1), (-2, 4, -2), (1, -2, 1))
"""Immerkaer, "Fast noise variance estimation" (1996): no plane, no slope and no straight edge passes it, noise does."""

REACH = 8
"""Pixels on each side over which the strength of grain is averaged."""

PATCH = 0.02
"""Share of the pixels around that the whole patch weighs as much as."""

USUAL, LEAST = 0.06, 0.002
"""Mean response of the filter to common grain, and to next to none; full scale."""


def grain_around(shown: Tensor) -> Tensor:
    """How strong grain is around every pixel, the hole left out, `(b, 2, h, w)`: logarithm of the mean response to the
    scan, and to its difference from the neighbour that is most like it, in which no picture is left."""
    scan, neighbours = shown[:, SCAN : SCAN + 1].float(), shown[:, NEIGHBOURS : NEIGHBOURS + 4].float()
    hole = shown[:, MASK : MASK + 1].float()
    known = 1 - nn.functional.max_pool2d(hole, 3, stride=1, padding=1)
    planes = torch.cat([scan, (scan - neighbours) / 2**0.5], dim=1)
    kernel = planes.new_tensor(SPEED_OF_CHANGE)[None, None].expand(5, 1, 3, 3)
    response = nn.functional.conv2d(nn.functional.pad(planes, (1, 1, 1, 1), mode="replicate"), kernel, groups=5).abs()
    pool = nn.AvgPool2d(2 * REACH + 1, stride=1, padding=REACH)
    whole = (response * known).sum(dim=(2, 3), keepdim=True) / known.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    # In the middle of a large hole nothing is near: there the whole patch speaks.
    mean = (pool(response * known) + PATCH * whole) / (pool(known) + PATCH)
    apart = torch.minimum(torch.minimum(mean[:, 1:2], mean[:, 2:3]), torch.minimum(mean[:, 3:4], mean[:, 4:5]))
    return torch.log(torch.cat([mean[:, :1], apart], dim=1).clamp(min=LEAST) / USUAL) / 2
