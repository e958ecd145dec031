"""Which neighbour to believe, pixel by pixel: decided once on 8-bit luma and used for every plane.

Two things speak for a neighbour: that its picture, moved onto the centre, matches the centre *around* the damage, and
that it agrees with the other neighbours *under* the damage. Dirt of its own, an occlusion or wrong motion fails one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.motion.windows import Window
from reelmend.repair.blocks import HALO, Blocks, smooth
from reelmend.repair.sampling import CELL, Floats, inside_frame, sample_at, surroundings
from reelmend.repair.through import cells_of

FLICKER = 24.0
"""A difference from the neighbour's middle difference beyond this is motion or damage, not light (8-bit codes)."""
MISMATCH = 40.0
"""Differences count up to this, so that one bright edge does not outvote its surroundings (8-bit codes)."""
LIGHT_PRIOR = 30.0
"""Samples of surroundings that weigh as much as the next coarser level: grain must not be taken for light."""
MATCH_PRIOR = 4.0
AROUND = 3.0
"""Mismatch around the damage, in multiples of the usual, at which a neighbour's weight has fallen to 1/e."""
UNDER = 1.5
"""The same for disagreement with the others under the damage."""
PATCH = 5
"""Side of the patch over which neighbours are compared, pixels."""
ROUNDS = 2
LEAST_NOISE = 2.0
"""Variance below which two pictures count as the same (8-bit codes squared): rounding and interpolation alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was decided for a stack of blocks; `k` neighbours, blocks of `(n, rows, columns)` pixels of luma."""

    dx: Floats
    """`(k, n, rows, columns)`: how far right a pixel's content lies in each neighbour, pixels."""
    dy: Floats
    weights: Floats
    """`(k, n, rows, columns)`, sum 1 over the neighbours."""
    unsure: Floats
    """`(n, rows, columns)`, 0..1."""


def weigh(window: Window, flows: list[Floats], blocks: Blocks, known: Mask, masked: NDArray[np.bool_]) -> Evidence:
    """Decide for every pixel of the blocks.

    `flows` are `candidate_flows` of the window's neighbours in order, `known` `(n, rows, columns)` the samples that
    are surely undamaged and in the frame, `masked` those to be filled.
    """
    luma = window.centre.luma
    centre = blocks.gather(luma).astype(np.float32)
    trust = known.astype(np.float32)
    xs, ys = blocks.coordinates()
    xs, ys = np.broadcast_to(xs, centre.shape), np.broadcast_to(ys, centre.shape)
    cell = cells_of(window)
    gx, gy = np.ascontiguousarray((xs + 0.5) / cell - 0.5), np.ascontiguousarray((ys + 0.5) / cell - 0.5)
    shifts = np.stack([sample_at(flow, gx, gy) for flow in flows])
    # Two candidates a neighbour, one after the other: the flow as found, and the one carried through the damage.
    dx = shifts[..., 0::2].transpose(0, 4, 1, 2, 3).reshape(-1, *centre.shape)
    dy = shifts[..., 1::2].transpose(0, 4, 1, 2, 3).reshape(-1, *centre.shape)
    seen = np.stack([sample_at(window.neighbours[n // 2].picture.luma, xs + dx[n], ys + dy[n]) for n in range(len(dx))])
    inside = inside_frame(xs + dx, ys + dy, luma.shape)
    seen += light(blocks, centre, seen, known, luma.shape)
    mismatch = surroundings(
        blocks, np.minimum((centre - seen) ** 2, MISMATCH**2), trust, luma.shape, prior=MATCH_PRIOR, sigma=1.0
    )
    mismatch = np.where(inside, mismatch, MISMATCH**2)
    carried = mismatch[1::2] < mismatch[0::2]
    dx, dy, seen, mismatch, inside = (
        np.where(carried, both[1::2], both[0::2]) for both in (dx, dy, seen, mismatch, inside)
    )
    core = (slice(None), slice(HALO, -HALO), slice(HALO, -HALO))
    usual = max(float(np.median(mismatch.min(axis=0)[core][masked[core]])), LEAST_NOISE)
    around = np.where(inside, np.exp(-np.minimum(mismatch / (AROUND * usual), 30)), 0)
    agreed = _middle(seen)
    for _ in range(ROUNDS):
        apart = np.stack([smooth((one - agreed) ** 2, PATCH) for one in seen])
        weights = around * np.exp(-np.minimum(apart / (UNDER * usual), 30)) + 1e-20
        weights /= weights.sum(axis=0)
        agreed = (weights * seen).sum(axis=0)
    doubt = (weights * (0.5 * mismatch + apart)).sum(axis=0) / usual
    unsure = np.clip((doubt - 4.0) / 12.0, 0, 1)
    unsure[~inside.any(axis=0)] = 1
    return Evidence(dx, dy, weights.astype(np.float32), unsure.astype(np.float32))


def light(
    blocks: Blocks,
    centre: Floats,
    seen: Floats,
    known: Mask,
    shape: tuple[int, int],
    sub_x: int = 0,
    sub_y: int = 0,
    scale: float = 1.0,
) -> Floats:
    """What to add to each of `seen` `(k, n, rows, columns)` to give it the light of `centre` `(n, rows, columns)`.

    `scale` is how many code values one 8-bit code stands for.
    """
    apart = centre - seen
    if known.any():
        middle = np.array([np.median(one[known][::5]) for one in apart], np.float32)[:, None, None, None]
    else:
        return np.zeros_like(seen)
    trust = (known & (np.abs(apart - middle) < FLICKER * scale)).astype(np.float32)
    return surroundings(blocks, apart, trust, shape, sub_x, sub_y, prior=LIGHT_PRIOR, sigma=1.5)


def _middle(stack: Floats) -> Floats:
    """The median over the first axis; of four, the mean of the two in the middle."""
    if len(stack) == 4:
        return np.asarray((stack.sum(axis=0) - stack.max(axis=0) - stack.min(axis=0)) / 2)
    return np.asarray(np.median(stack, axis=0), np.float32)


__all__ = ["CELL", "Evidence", "light", "weigh"]
