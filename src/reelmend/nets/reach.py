"""How far a network looks: what lies beyond a tile's edge changes its output up to here, and no further."""

from __future__ import annotations

import copy

import torch

from reelmend.nets.zoo import Detector

LOOKED_AT = 4096
"""Pixels; a network that reaches further than a quarter of this sees the whole picture."""


def reach(net: Detector) -> int | None:
    """Pixels from an edge (a multiple of the network's `multiple`) to the last output that depends on what is beyond.

    Rounded up to the multiple; None for a network whose output depends on the whole picture, as with attention. Found
    by trial: what is not a number makes whatever it touches not a number, whatever the weights.
    """
    net = copy.deepcopy(net).cpu().float().eval()
    middle = max(1, LOOKED_AT // 2 // net.multiple) * net.multiple
    furthest = 0
    for beyond in (slice(None, middle), slice(middle, None)):
        stack = torch.zeros(1, net.frames, net.multiple, 2 * middle)
        stack[..., beyond] = torch.nan
        with torch.inference_mode():
            touched = torch.isnan(net(stack))[0, 0].any(0).nonzero().flatten()
        first, last = int(touched.min()), int(touched.max())
        furthest = max(furthest, last + 1 - middle if beyond.start is None else middle - first)
    if furthest > LOOKED_AT // 4:
        return None
    return -(-furthest // net.multiple) * net.multiple
