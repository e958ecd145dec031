"""From how many places an atlas's members touch a window: what turns counts a unit of film into counts a window."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reelmend.simulate.batch.atlas import SIDE, Atlas, Step


class Touch:
    """From how many places the members of each pool touch a window, for windows of any size."""

    def __init__(self, atlas: Atlas, steps: tuple[Step, ...]) -> None:
        self._reach = torch.from_numpy(atlas.member_reach).double()
        self._cut = torch.from_numpy(atlas.member_cut)
        self._start = torch.from_numpy(atlas.pool_start)
        self._members = torch.from_numpy(atlas.pool_members)
        self._seen = torch.from_numpy(atlas.pool_seen).double()
        self._frame = torch.tensor([[step.height, step.width] for step in steps], dtype=torch.float64)
        self._spans = torch.from_numpy(atlas.spans)
        self._known: dict[tuple[int, int], TouchTable] = {}

    def window(self, height: int, width: int) -> TouchTable:
        if (height, width) not in self._known:
            self._known[height, width] = self._measure(height, width)
        return self._known[height, width]

    def _measure(self, height: int, width: int) -> TouchTable:
        size = torch.tensor([height, width], dtype=torch.float64)
        # A cut piece was cut by a square: that is the window in which it is met.
        seen = torch.where(self._cut[:, None], torch.tensor(float(SIDE)), size)
        places = (seen + self._reach).prod(dim=1)
        total = torch.cat([torch.zeros(1, dtype=torch.float64), places.cumsum(0)])
        start, stop = self._start, self._start + self._members
        count = self._members.clamp(min=1)
        area = (total[stop] - total[start]) / count
        frame = self._frame.prod(dim=1)[:, None].expand_as(area)
        area = torch.where(self._spans, self._seen * frame, area)
        area = torch.where(self._members > 0, area, 0.0)
        half = torch.cat([self._reach.amax(dim=1), torch.zeros(1, dtype=torch.float64)])
        cut = torch.cat([self._cut.double(), torch.zeros(1, dtype=torch.float64)])
        pools = [slice(a, b) if b > a else slice(-1, None) for a, b in zip(start.view(-1), stop.view(-1), strict=True)]
        margin, pieces = (
            torch.tensor([float(part[pool].amax()) for pool in pools], dtype=torch.float64).view_as(area)
            for part in (half, cut)
        )
        return TouchTable(
            height, width, area, 1 / frame, margin, pieces == 0, total, start.reshape(-1), stop.reshape(-1)
        )


@dataclass(frozen=True)
class TouchTable:
    """`(steps, kinds)` unless said otherwise."""

    height: int
    width: int
    area: Tensor
    """Mean number of places, in square pixels, from which a member touches the window."""
    per_frame: Tensor
    """One over the pixels of a frame."""
    margin: Tensor
    """Largest side of any member, pixels."""
    whole: Tensor
    """Whether all members are whole. Pieces have no middle about which they could gather: they lie alone."""
    total: Tensor
    """`(members + 1,)`: places, summed up over the members."""
    start: Tensor
    """`(pools,)`."""
    stop: Tensor

    def pick(self, pool: Tensor, share: Tensor) -> Tensor:
        """A member of each pool, in proportion to the places from which it is met; `share` is uniform in 0..1."""
        low, high = self.total[self.start[pool]], self.total[self.stop[pool]]
        found = torch.searchsorted(self.total, low + share * (high - low), right=True) - 1
        return torch.minimum(torch.maximum(found, self.start[pool]), self.stop[pool] - 1)
