"""The parts that U-Nets are made of. Every part keeps height and width; `multiple` of a net says what they must divide.

Normalisation is over the batch (Ioffe and Szegedy 2015), never over the picture: in use it is a fixed scale and shift,
so that a tile comes out as the whole picture does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv(inputs: int, outputs: int, size: int = 3, groups: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Double(nn.Sequential):
    """Two convolutions: the block of Ronneberger, Fischer and Brox, "U-Net" (2015)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(conv(inputs, outputs), conv(outputs, outputs))


class Recurrent(nn.Module):
    """A convolution that sees its own output again: `h_t = relu(norm_t(w * (x + h_(t-1))))`, one set of weights w.

    Liang and Hu (2015); as in Alom et al., "Recurrent Residual Convolutional Neural Network based on U-Net" (2018), t
    runs from 0 to 2. Normalisation has statistics for each t (Cooijmans et al. 2017): x alone and x + h differ too much
    for one running average, which is what a network in use is normalised by.
    """

    def __init__(self, channels: int, steps: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(steps + 1))

    def forward(self, x: Tensor) -> Tensor:
        state = x
        for t, norm in enumerate(self.norms):
            state = torch.relu(norm(self.conv(x + state if t else x)))
        return state


class RecurrentBlock(nn.Module):
    """Two recurrent convolutions after a 1 x 1; with `residual`, their input is added (R2U-Net, Alom et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.widen = nn.Conv2d(inputs, outputs, 1)
        self.body = nn.Sequential(Recurrent(outputs), Recurrent(outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.widen(x)
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class R2Block(RecurrentBlock):
    """The recurrent residual block."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, residual=True)


class Gate(nn.Module):
    """Additive attention gate: `x * sigmoid(psi(relu(W_x x + W_g g)))`, Oktay et al., "Attention U-Net" (2018).

    Here the gating signal `g` has been brought to the size of `x` before, so that no resampling is needed.
    """

    def __init__(self, skip: int, gating: int, between: int) -> None:
        super().__init__()
        self.of_skip = nn.Sequential(nn.Conv2d(skip, between, 1, bias=False), nn.BatchNorm2d(between))
        self.of_gating = nn.Sequential(nn.Conv2d(gating, between, 1, bias=False), nn.BatchNorm2d(between))
        self.psi = nn.Sequential(nn.Conv2d(between, 1, 1, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: Tensor, g: Tensor) -> Tensor:
        return x * torch.sigmoid(self.psi(torch.relu(self.of_skip(x) + self.of_gating(g))))
