"""What a learned detector keeps of a window, to decide about its frame once the frames around it have been seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelmend.detect import blotches, lines
from reelmend.detect.agreement import Agreement
from reelmend.detect.spike import SpikeEvidence
from reelmend.film import DamageMap, Mask
from reelmend.runtime import Network


@dataclass(frozen=True, slots=True, eq=False)
class LearnedEvidence:
    """What `decide` needs of a frame."""

    damage: DamageMap
    brighter: NDArray[np.bool_]
    """Where the centre is brighter than what its neighbours (or its surroundings) show."""
    network: Network | None
    """What looked at it; None where nothing could: a frame without neighbours, and no network for stills."""
    second: SpikeEvidence | None = None
    """What the classical detector saw."""
    coarse: LearnedEvidence | None = None
    """Of a large scan, what the network saw in it shrunken; the classical detector looked at that alone."""
    lines: lines.LineEvidence | None = None
    """What runs down the frame."""
    blotches: blotches.BlotchEvidence | None = None
    """What is large and in this frame only."""
    raised: DamageMap | None = None
    """What the network sees in raised contrast, where there is little grain; 0 where contrast was not raised."""
    agreement: Agreement | None = None
    """Of its neighbours; None where nothing stands out, and at the ends of shots, where there are too few."""
    again: Mask | None = None
    """What stands out of it but comes back nearby in the neighbours."""
    at_end: bool = False
    """Whether its neighbours are all before it, or all after it."""

    @property
    def opinion(self) -> SpikeEvidence | None:
        """What the classical detector saw at whichever scale it looked."""
        return self.coarse.second if self.coarse else self.second

    @property
    def wanted_by_lines(self) -> tuple[int, ...]:
        """Indices of the frames in which what runs down this one is looked for too."""
        return lines.wanted(self.lines) if self.lines else ()

    @property
    def wanted_by_blotches(self) -> tuple[int, ...]:
        """The same of what is large."""
        return blotches.wanted(self.blotches) if self.blotches else ()
