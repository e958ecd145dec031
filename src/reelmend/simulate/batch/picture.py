"""The changes of `reelmend.simulate.picture` for a batch: weave, fading and flicker before the damage, blur and
compression after it. Splice jumps are left out: a window of a few frames is cut from one shot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from reelmend.simulate import recipe as recipes
from reelmend.simulate.picture import COLOUR_FADING, GRAY_FADING, WORST_QUALITY

SHARPEST = 0.2
"""Pixels: a blur of less changes no 8-bit sample."""

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation of luminance, ITU-T T.81 (JPEG), table K.1."""

BLOCK = 8


@dataclass(frozen=True)
class Changes:
    """What a batch's pictures go through; one row a sample, on the device. None = nothing of it."""

    gain: Tensor | None
    """`(b, t)`."""
    shift: Tensor | None
    """`(b, t, 2)` pixels right and down; on the host."""
    fading: Tensor | None
    blur: Tensor | None
    """Standard deviation, pixels."""
    compression: Tensor | None
    pan: Tensor | None
    """`(b, 2)` pixels a frame right and down, by which what lasts moves; on the host."""

    def within(self, samples: range) -> Changes:
        """Those of some samples."""
        return Changes(
            *(
                None if part is None else part[samples.start : samples.stop]
                for part in (self.gain, self.shift, self.fading, self.blur, self.compression, self.pan)
            )
        )


def changes(
    recipe: recipes.Picture,
    generator: torch.Generator,
    micrometres: Tensor,
    frames: int,
    farthest: float,
    device: torch.device,
) -> Changes:
    """Drawn from a recipe's ranges; `micrometres` is what a pixel spans in each sample, `farthest` the pixels that a
    window may weave."""
    samples = len(micrometres)
    share = torch.rand(5, samples, generator=generator, dtype=torch.float64)
    drift = torch.randn(samples, frames, 3, generator=generator, dtype=torch.float64)
    # Half of the power stays for longer than a window lasts.
    slow = torch.randn(samples, 1, 3, generator=generator, dtype=torch.float64)
    drift = (drift + slow) / math.sqrt(2)

    def there(span: tuple[float, float], number: int) -> Tensor | None:
        return span[0] + share[number] * (span[1] - span[0]) if span[1] > 0 else None

    def sent(values: Tensor | None) -> Tensor | None:
        return None if values is None else values.float().to(device, non_blocking=True)

    flicker, weave = there(recipe.flicker, 0), there(recipe.weave, 1)
    pan = None
    if recipe.pan[1] > 0:
        # Drawn last and only where asked for: other recipes' samples stay what they were.
        low, high = recipe.pan
        size = low + torch.rand(samples, 1, generator=generator, dtype=torch.float64) * (high - low)
        pan = size * torch.randn(samples, 2, generator=generator, dtype=torch.float64)
    return Changes(
        gain=sent(None if flicker is None else (1 + flicker[:, None] * drift[..., 0]).clamp(min=0)),
        shift=None
        if weave is None
        else ((weave / micrometres)[:, None, None] * drift[..., 1:]).clamp(-farthest, farthest),
        fading=sent(there(recipe.fading, 2)),
        blur=sent(there(recipe.blur, 3)),
        compression=sent(there(recipe.compression, 4)),
        pan=pan,
    )


def move(clips: Tensor, shift: Tensor) -> Tensor:
    """Clips `(b, t, c, h, w)` shifted by pixels right and down, `(b, t, 2)` on the host, by less than half a window.

    Whole pixels by copying rows from elsewhere, the rest by cubic convolution (Keys, 1981). Mirrored at the edges: a
    window is cut from a larger frame, so what comes in has texture, and no smear.
    """
    samples, frames, channels, height, width = clips.shape
    device, count = clips.device, samples * frames
    whole = (-shift).floor().long().view(count, 2)
    share = (-shift).view(count, 2) - whole
    margin = int(whole[:, 0].abs().max()) + 3
    wide = functional.pad(clips.view(count, channels, height, width), (margin, margin, 0, 0), mode="reflect")
    row = torch.arange(-1, height + 2) + whole[:, 1, None]
    row = ((height - 1) - ((height - 1) - row.abs()).abs())[:, None, :]
    plane = torch.arange(count * channels).view(count, channels, 1) * height
    first = (plane + row) * (width + 2 * margin) + whole[:, 0].view(count, 1, 1) + margin - 1
    pieces = wide.as_strided((wide.numel() - width - 2, width + 3), (1, 1))
    rows = torch.index_select(pieces, 0, first.view(-1).to(device, non_blocking=True))
    rows = rows.view(count, channels, height + 3, width + 3)
    taps = _cubic(share).float().to(device, non_blocking=True).view(count, 2, 4, 1, 1, 1)
    down = _weighed(rows, taps[:, 1], 2, height)
    return _weighed(down, taps[:, 0], 3, width).clamp_(0, 1).view_as(clips)


def _weighed(rows: Tensor, taps: Tensor, axis: int, size: int) -> Tensor:
    total = rows.narrow(axis, 0, size) * taps[:, 0]
    for tap in range(1, 4):
        total.addcmul_(rows.narrow(axis, tap, size), taps[:, tap])
    return total


def _cubic(share: Tensor) -> Tensor:
    """Weights of the four pixels around a place, of which the second is `share` pixels before it; `(..., 4)`."""
    away = share[..., None] + torch.tensor([1.0, 0.0, -1.0, -2.0], dtype=share.dtype)
    near, far = away.abs(), away.abs()
    inner = (1.5 * near - 2.5) * near**2 + 1
    outer = ((-0.5 * far + 2.5) * far - 4) * far + 2
    return torch.where(near <= 1, inner, outer)


def fade(clips: Tensor, fading: Tensor) -> Tensor:
    """Faded dyes (three channels) or lost contrast (one); `fading` `(b,)`, 0..1."""
    if clips.shape[2] == 1:
        return 0.5 + (clips - 0.5) * (1 - GRAY_FADING * fading).view(-1, 1, 1, 1, 1)
    lost = torch.tensor(COLOUR_FADING, device=clips.device)
    power = 1 - lost * fading[:, None]
    return clips.clamp(1e-6, 1) ** power[:, None, :, None, None]


def blur(clips: Tensor, sigma: Tensor, widest: float) -> Tensor:
    """Each sample blurred by a Gaussian of its own `sigma` `(b,)`, none of them above `widest`; edges repeat."""
    radius = max(1, math.ceil(2.5 * widest))
    place = torch.arange(radius + 1, device=clips.device)
    weight = torch.exp(-0.5 * (place / sigma.clamp(min=SHARPEST)[:, None]) ** 2)
    weight = weight / (2 * weight.sum(dim=1, keepdim=True) - weight[:, :1])
    weight = torch.where(sigma[:, None] < SHARPEST, (place == 0).float(), weight).view(-1, radius + 1, 1, 1, 1)
    samples, frames, channels, height, width = clips.shape
    for axis, size in ((2, height), (3, width)):
        stack = clips.reshape(samples, frames * channels, height, width)
        pad = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        wide = functional.pad(stack, pad, mode="replicate")
        # A handful of shifted sums beats a grouped convolution, whose kernels are too small to be worth its set-up.
        clips = wide.narrow(axis, radius, size) * weight[:, 0]
        for step in range(1, radius + 1):
            both = wide.narrow(axis, radius - step, size) + wide.narrow(axis, radius + step, size)
            clips.addcmul_(both, weight[:, step])
    return clips.view(samples, frames, channels, height, width)


def compress(clips: Tensor, compression: Tensor) -> Tensor:
    """The errors of JPEG's quantisation, its quality falling from 100 to `WORST_QUALITY` as `compression` `(b,)` rises.

    Channel by channel with the table of luminance; without chroma subsampling and entropy coding, which lose nothing
    more of a gray picture.
    """
    samples, frames, channels, height, width = clips.shape
    down, across = -height % BLOCK, -width % BLOCK
    flat = clips.reshape(samples, frames * channels, height, width)
    if down or across:
        flat = functional.pad(flat, (0, across, 0, down), mode="replicate")
    rows, columns = (height + down) // BLOCK, (width + across) // BLOCK
    basis = _cosines(clips.device)
    table = torch.tensor(LUMINANCE, dtype=torch.float32, device=clips.device)
    quality = 100 - (100 - WORST_QUALITY) * compression
    # The scale of libjpeg, which every program means by a quality.
    scale = torch.where(quality < 50, 5000 / quality.clamp(min=1), 200 - 2 * quality)
    step = ((table * scale[:, None, None] + 50) / 100).floor().clamp(1, 255).div_(255).view(-1, 1, 1, BLOCK, 1, BLOCK)
    strips = (samples * frames * channels * rows, BLOCK, columns * BLOCK)
    # Rows of all blocks in one product, then columns, a strip of blocks at a time. JPEG's shift by half the range is
    # left out: it only moves where the mean of a block is rounded to.
    waves = (flat.reshape(-1, BLOCK) @ basis.T).view(strips)
    waves = torch.matmul(basis, waves).view(samples, frames * channels, rows, BLOCK, columns, BLOCK)
    waves = waves.div_(step).round_().mul_(step)
    decoded = torch.matmul(basis.T, waves.view(strips)).view(-1, BLOCK) @ basis
    decoded = decoded.view(samples, frames * channels, rows * BLOCK, columns * BLOCK)[..., :height, :width]
    return decoded.clamp_(0, 1).reshape(samples, frames, channels, height, width)


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal discrete cosine transform, one wave a row."""
    place = torch.arange(BLOCK, dtype=torch.float64)
    waves = torch.cos(math.pi * (2 * place + 1) * place[:, None] / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    waves[0] /= math.sqrt(2)
    return waves.float().to(device)
