"""A network that fills holes from the frame alone and sees all of the patch at once: fast Fourier convolutions.

After Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions" (LaMa, 2022), and Chi, Jiang
and Mu, "Fast Fourier Convolution" (2020), at the size of patches and without the adversarial loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from reelmend.nets.blocks import conv
from reelmend.nets.mixer import FILL, MASK


def rfft2(x: Tensor) -> tuple[Tensor, Tensor]:
    """Real and imaginary part of the orthonormal Fourier transform of real x `(..., h, w)`: `(..., h, w // 2 + 1)`.

    By products with the transform's matrices: patches are small, every runtime knows products, and few know the rest.
    """
    height, width = x.shape[-2], x.shape[-1]
    cos_w, sin_w = _waves(width, width // 2 + 1, x)
    cos_h, sin_h = _waves(height, height, x)
    real, imaginary = x @ cos_w, -(x @ sin_w)
    scale = (height * width) ** -0.5
    return (cos_h @ real + sin_h @ imaginary) * scale, (cos_h @ imaginary - sin_h @ real) * scale


def irfft2(real: Tensor, imaginary: Tensor, width: int) -> Tensor:
    """The real picture `(..., h, width)` of what `rfft2` gives; `width` is even."""
    height, half = real.shape[-2], real.shape[-1]
    cos_h, sin_h = _waves(height, height, real)
    cos_w, sin_w = _waves(width, half, real)
    rows, rows_imaginary = cos_h @ real - sin_h @ imaginary, cos_h @ imaginary + sin_h @ real
    # All frequencies but the first and the last stand for their mirror images too.
    twice = torch.full((half,), 2.0, device=real.device, dtype=real.dtype)
    edge = torch.arange(half, device=real.device)
    twice = torch.where((edge == 0) | (edge == half - 1), torch.ones_like(twice), twice)
    scale = (height * width) ** -0.5
    return cast(Tensor, ((rows * twice) @ cos_w.T - (rows_imaginary * twice) @ sin_w.T) * scale)


def _waves(size: int, count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of 2 pi n k / size, `(size, count)`."""
    n = torch.arange(size, device=like.device, dtype=torch.float32)
    k = torch.arange(count, device=like.device, dtype=torch.float32)
    angle = 2 * math.pi * (n[:, None] * k) / size
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


class Spectral(nn.Module):
    """The spectral transform: a 1 x 1 convolution of the frequencies between two of the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(4, channels // 2)
        self.before = conv(channels, inner, 1)
        self.mix = conv(2 * inner, 2 * inner, 1)
        self.after = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        real, imaginary = rfft2(x.float())
        mixed = self.mix(torch.cat([real, imaginary], dim=1)).float()
        real, imaginary = mixed.chunk(2, dim=1)
        return cast(Tensor, self.after(x + irfft2(real, imaginary, x.shape[-1])))


class FourierBlock(nn.Module):
    """Two fast Fourier convolutions beside their input; half of the channels are local, half see all of the patch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.share = channels // 2
        self.layers = nn.ModuleList(_Fourier(self.share) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        local, whole = x[:, : self.share], x[:, self.share :]
        for layer in self.layers:
            local, whole = layer(local, whole)
        return x + torch.cat([local, whole], dim=1)


class _Fourier(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(2 * channels, channels, 3, padding=1, bias=False)
        self.to_whole = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.spectral = Spectral(channels)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))

    def forward(self, local: Tensor, whole: Tensor) -> tuple[Tensor, Tensor]:
        near = self.near(torch.cat([local, whole], dim=1))
        far = self.to_whole(local) + self.spectral(whole)
        return torch.relu(self.norms[0](near)), torch.relu(self.norms[1](far))


class FourierNet(nn.Module):
    """`(b, 8, h, w)`, planes as in `repair.patches.VIEWS`, to `(b, 2, h, w)`, planes as in `nets.mixer.ANSWERS`.

    Of what is shown it looks at the fill and the mask alone: no neighbours, nothing of the scan under the damage.
    """

    planes = 8
    multiple = 4
    """What height and width must be multiples of, pixels."""

    def __init__(self, sizes: Mapping[str, Any] | None = None) -> None:
        """`sizes`: `width`, channels at a quarter of the side, and `blocks`."""
        super().__init__()
        self.facts = {"net": "fourier", "sizes": dict(sizes or {})}
        width, blocks = int((sizes or {}).get("width", 64)), int((sizes or {}).get("blocks", 6))
        self.stem = nn.Sequential(conv(2, width // 4), conv(width // 4, width // 4))
        self.down = nn.Sequential(nn.Conv2d(width // 4, width, 4, stride=4, bias=False), nn.BatchNorm2d(width))
        self.body = nn.Sequential(*(FourierBlock(width) for _ in range(blocks)))
        self.up = nn.Sequential(nn.Conv2d(width, 4 * width, 1), nn.PixelShuffle(4))
        self.head = nn.Sequential(conv(width // 2, width // 4), nn.Conv2d(width // 4, 2, 3, padding=1))
        last = self.head[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, shown: Tensor) -> Tensor:
        fill, hole = shown[:, FILL : FILL + 1], shown[:, MASK : MASK + 1]
        kept = self.stem(torch.cat([2 * fill - 1, hole], dim=1))
        seen = self.up(self.body(self.down(kept)))
        told = self.head(torch.cat([seen, kept], dim=1)).float()
        return torch.cat([fill + told[:, :1] / 4, nn.functional.softplus(told[:, 1:] - 4)], dim=1)

    def answer(self, shown: Tensor) -> Tensor:
        """What is exported: the same."""
        return cast(Tensor, self(shown))
