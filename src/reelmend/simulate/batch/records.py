"""What a plan comes to: patches of the atlas, each at its place in a frame of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

TURNS = (
    (1, 0, 0, 1),
    (1, 0, 0, -1),
    (-1, 0, 0, -1),
    (-1, 0, 0, 1),
    (0, 1, 1, 0),
    (0, 1, -1, 0),
    (0, -1, 1, 0),
    (0, -1, -1, 0),
)
"""As drawn, mirrored, upside down, both, and quarter turns of these: row = a dy + b dx, column = c dy + d dx."""

FREE, PIECE, SPANNING, ALONG = range(4)
CHOICES = ((0, 1, 2, 3, 4, 5, 6, 7), (0, 1, 2, 3), (0, 1), (0, 2))
"""Turns that leave a member as probable as it was: any; those that keep a square's rows rows; those that keep the
frame's top at its top; those that keep a line's direction."""


@dataclass(frozen=True)
class Records:
    """Patches to be laid, one a row: a defect has one for each frame in which it is seen, and one more for its rim."""

    patch: Tensor
    """Number in the atlas."""
    plane: Tensor
    """Frame of the batch, `sample * frames + frame`."""
    place: Tensor
    """`(n, 2)` row and column of the origin."""
    turn: Tensor
    """Row of `TURNS`."""
    kind: Tensor
    """Position in the recipe."""
    opacity: Tensor
    white: Tensor
    bright: Tensor
    """bool."""
    tint: Tensor
    """Position in the tints of `Tables`; 0 = neutral."""

    def __len__(self) -> int:
        return len(self.patch)

    def where(self, chosen: Tensor) -> Records:
        """Those chosen by a bool or an index."""
        return Records(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def within(self, planes: range) -> Records:
        """Those on some planes, counted from the first of them."""
        mine = self.where((self.plane >= planes.start) & (self.plane < planes.stop))
        return mine.on(mine.plane - planes.start)

    def weaker(self, share: Tensor) -> Records:
        """With a share, one for each, of their opacity."""
        return replace(self, opacity=self.opacity * share)

    def on(self, plane: Tensor) -> Records:
        """On other planes."""
        return replace(self, plane=plane)

    @classmethod
    def joined(cls, parts: Sequence[Records]) -> Records:
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))
