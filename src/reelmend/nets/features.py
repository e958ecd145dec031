"""What a detector's network is shown of a window; computed inside the network, so that every runtime does it alike.

A stack is `(b, frames, h, w)`, luma 0..1: the centre first, then its neighbours warped onto it, nearest first.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def still(stack: Tensor) -> Tensor:
    """The centre alone, `(b, 1, h, w)`."""
    return stack[:, :1]


def residuals(stack: Tensor) -> Tensor:
    """All frames and the centre's differences from its neighbours, `(b, 2 frames - 1, h, w)`."""
    return torch.cat([stack, stack[:, :1] - stack[:, 1:]], dim=1)


def ranked(stack: Tensor) -> Tensor:
    """All frames, and how far the centre lies beyond all its neighbours, `(b, frames + 2, h, w)`.

    The rank-ordered differences of Nadenau and Mitra (1997): positive where the centre is brighter than the brightest
    neighbour, and where it is darker than the darkest. Plain differences are left out: a first layer makes them itself.
    """
    # Flat, so that runtimes keep each frame in one piece: beside a convolution OpenVINO lays channels innermost, and
    # there the largest of four took longer than the convolution.
    flat = stack.flatten(2)
    centre, others = flat[:, :1], flat[:, 1:]
    above = centre - others.amax(dim=1, keepdim=True)
    below = others.amin(dim=1, keepdim=True) - centre
    shown = torch.cat([flat, above, below], dim=1)
    return shown.reshape(stack.shape[0], -1, stack.shape[2], stack.shape[3])


FEATURES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[int], int]]] = {
    "still": (still, lambda frames: 1),
    "residuals": (residuals, lambda frames: 2 * frames - 1),
    "ranked": (ranked, lambda frames: frames + 2),
}
"""By name: the function, and how many channels it makes of a number of frames."""
