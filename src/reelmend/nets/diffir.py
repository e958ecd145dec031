"""Repair guided by a short vector that a diffusion model guesses: DiffIR, Xia et al. (2023), at the size of patches.

A compact prior extraction network (CPEN) boils a picture down to a vector; a transformer whose layers are scaled and
shifted by it (DIRformer) repairs. In the first stage of training the extractor sees the truth. In the second another
one sees what is shown only, and `DIFFUSION_STEPS` steps of diffusion lead from noise, given that, to the vector of the
first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from reelmend.nets.mixer import CANDIDATES, DOUBT, FILL, MASK, NEIGHBOURS, SCAN

DIFFUSION_STEPS = 4

BETAS = (0.1, 0.99)
"""First and last of the vector's noise schedule, as published."""


class Extractor(nn.Module):
    """CPEN: a picture to a vector `(b, prior)`."""

    def __init__(self, inputs: int, width: int, prior: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 4, stride=4), nn.GELU()]
        for wide in (width, 2 * width):
            layers += [nn.Conv2d(wide, 2 * width, 3, stride=2, padding=1), nn.GELU()]
        self.see = nn.Sequential(*layers)
        self.tell = nn.Sequential(nn.Linear(2 * width, prior), nn.GELU(), nn.Linear(prior, prior))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.tell(self.see(x).mean(dim=(2, 3))))


class Modulated(nn.Module):
    """Normalisation over channels, scaled and shifted by the prior."""

    def __init__(self, channels: int, prior: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.of_prior = nn.Linear(prior, 2 * channels)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        scale, shift = self.of_prior(z)[:, :, None, None].chunk(2, dim=1)
        return cast(Tensor, self.norm(x) * (1 + scale) + shift)


class DynamicBlock(nn.Module):
    """Attention between channels, then a gated feed-forward layer (Restormer, Zamir et al. 2022), both modulated."""

    def __init__(self, channels: int, heads: int, prior: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = Modulated(channels, prior), Modulated(channels, prior)
        self.query_key_value = nn.Sequential(
            nn.Conv2d(channels, 3 * channels, 1),
            nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels),
        )
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.out = nn.Conv2d(channels, channels, 1)
        self.widen = nn.Sequential(
            nn.Conv2d(channels, 4 * channels, 1),
            nn.Conv2d(4 * channels, 4 * channels, 3, padding=1, groups=4 * channels),
        )
        self.narrow = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        apart = self.query_key_value(self.first(x, z)).reshape(batch, 3, self.heads, -1, height * width)
        query, key, value = apart.unbind(dim=1)
        query, key = nn.functional.normalize(query.float(), dim=-1), nn.functional.normalize(key.float(), dim=-1)
        looks = torch.softmax(query @ key.transpose(-1, -2) * self.temperature, dim=-1)
        x = x + self.out((looks @ value.float()).reshape(batch, channels, height, width).to(x.dtype))
        gate, rest = self.widen(self.second(x, z)).chunk(2, dim=1)
        return cast(Tensor, x + self.narrow(nn.functional.gelu(gate) * rest))


class DynamicNet(nn.Module):
    """DIRformer: a U-Net of dynamic blocks; what is shown, `(b, 8, h, w)`, and the prior to `(b, 2, h, w)`."""

    def __init__(self, width: int, blocks: tuple[int, ...], prior: int) -> None:
        super().__init__()
        widths = [width << level for level in range(len(blocks))]
        self.multiple = 1 << (len(blocks) - 1)
        self.stem = nn.Conv2d(8, width, 3, padding=1)
        self.down = nn.ModuleList(self._stage(wide, count, prior) for wide, count in zip(widths, blocks, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(wide, 2 * wide, 2, stride=2) for wide in widths[:-1])
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * wide, wide, 2, stride=2) for wide in widths[-2::-1])
        self.merge = nn.ModuleList(nn.Conv2d(2 * wide, wide, 1) for wide in widths[-2::-1])
        self.up = nn.ModuleList(
            self._stage(wide, count, prior) for wide, count in zip(widths[-2::-1], blocks[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(width, CANDIDATES + 2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    @staticmethod
    def _stage(channels: int, count: int, prior: int) -> nn.ModuleList:
        return nn.ModuleList(DynamicBlock(channels, max(1, channels // 16), prior) for _ in range(count))

    def forward(self, known: Tensor, z: Tensor) -> Tensor:
        x = self.stem(known)
        kept = []
        for level, stage in enumerate(self.down):
            for block in cast(nn.ModuleList, stage):
                x = block(x, z)
            if level < len(self.shrink):
                kept.append(x)
                x = self.shrink[level](x)
        for enlarge, merge, stage in zip(self.enlarge, self.merge, self.up, strict=True):
            x = merge(torch.cat([enlarge(x), kept.pop()], dim=1))
            for block in cast(nn.ModuleList, stage):
                x = block(x, z)
        return cast(Tensor, self.head(x))


class PriorDenoiser(nn.Module):
    """The vector's noise, of noisy vector, step and condition; layers beside their input."""

    def __init__(self, prior: int, layers: int = 3) -> None:
        super().__init__()
        self.into = nn.Linear(2 * prior + 1, 2 * prior)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(2 * prior), nn.Linear(2 * prior, 2 * prior), nn.GELU()) for _ in range(layers)
        )
        self.out = nn.Linear(2 * prior, prior)

    def forward(self, noisy: Tensor, step: float, condition: Tensor) -> Tensor:
        when = torch.full_like(noisy[:, :1], step)
        x = self.into(torch.cat([noisy, when, condition], dim=1))
        for layer in self.layers:
            x = x + layer(x)
        return cast(Tensor, self.out(x))


class DiffIR(nn.Module):
    """What is used: `(b, 8, h, w)`, planes as in `repair.patches.VIEWS`, to `(b, 2, h, w)` as `nets.mixer.ANSWERS`."""

    planes = 8

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes`: `width` at full resolution, `blocks` at each halving, `prior`, the vector's length."""
        super().__init__()
        self.facts = {"net": "diffir", "sizes": dict(sizes or {})}
        given: dict[str, Any] = {"width": 24, "blocks": [1, 2, 2], "prior": 64} | dict(sizes or {})
        self.prior = int(given["prior"])
        self.net = DynamicNet(int(given["width"]), tuple(given["blocks"]), self.prior)
        self.condition = Extractor(8, 32, self.prior)
        self.denoiser = PriorDenoiser(self.prior)
        # From what noise it starts is the same every time: one film, one repair.
        self.start: Tensor
        self.register_buffer(
            "start", torch.randn(self.prior, generator=torch.Generator().manual_seed(0)), persistent=False
        )

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return max(4, self.net.multiple)

    def forward(self, shown: Tensor, z: Tensor | None = None) -> Tensor:
        """With a vector z `(b, prior)` of the truth, as in the first stage; else with that which diffusion guesses."""
        known = self.known(shown)
        if z is None:
            # Not `expand`: a graph would keep the number of patches that it was traced with.
            z = self.guessed(known, self.start + torch.zeros_like(known[:, :1, 0, 0]))
        told = self.net(known, z).float()
        logits = told[:, :CANDIDATES] + told.new_tensor([3.0, 0, 0, 0, 0])[:, None, None]
        offered = torch.cat([shown[:, FILL : FILL + 1], shown[:, NEIGHBOURS:]], dim=1).float()
        mixed = (torch.softmax(logits, dim=1) * offered).sum(dim=1, keepdim=True)
        error = nn.functional.softplus(told[:, CANDIDATES + 1 :] - 4)
        return torch.cat([mixed + told[:, CANDIDATES : CANDIDATES + 1] / 4, error], dim=1)

    @staticmethod
    def known(shown: Tensor) -> Tensor:
        """What is shown as differences from the fill, `(b, 8, h, w)`."""
        fill = shown[:, FILL : FILL + 1]
        return torch.cat(
            [
                fill - 0.5,
                4 * (shown[:, SCAN : SCAN + 1] - fill),
                shown[:, MASK : MASK + 1],
                shown[:, DOUBT : DOUBT + 1],
                4 * (shown[:, NEIGHBOURS:] - fill),
            ],
            dim=1,
        )

    def guessed(self, known: Tensor, noisy: Tensor) -> Tensor:
        """The vector, from a noisy one at the last step: the reverse process without fresh noise (Xia et al. 2023)."""
        condition = self.condition(known)
        for step in range(DIFFUSION_STEPS, 0, -1):
            noise = self.denoiser(noisy, step / DIFFUSION_STEPS, condition)
            now, before = signal(step), signal(step - 1)
            alpha = now / before
            noisy = (noisy - noise * (1 - alpha) / math.sqrt(1 - now)) / math.sqrt(alpha)
        return noisy

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: with the guessed vector."""
        return cast(Tensor, self(shown))


class Teacher(nn.Module):
    """The first stage: the repairing network, and the extractor that sees the truth."""

    planes = 9

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.facts = {"net": "diffir-teacher", "sizes": dict(sizes or {})}
        self.student = DiffIR(sizes)
        self.extract = Extractor(9, 32, self.student.prior)

    def vector(self, shown: Tensor, truth: Tensor) -> Tensor:
        """Of what is shown `(b, 8, h, w)` and the truth `(b, 1, h, w)`: `(b, prior)`."""
        away = 4 * (truth - shown[:, FILL : FILL + 1])
        return cast(Tensor, self.extract(torch.cat([DiffIR.known(shown), away], dim=1)))


def signal(step: int) -> float:
    """Share of the vector's variance that is left after so many steps, bar-alpha."""
    first, last = BETAS
    betas = [first + (last - first) * n / (DIFFUSION_STEPS - 1) for n in range(step)]
    return math.prod(1 - beta for beta in betas)
