"""Which sample is cut from which source, when and where: everything about a sample but its pixels.

A sample's plan follows from the seed, its number and the sources alone, so that a dataset of a hundred samples is the
beginning of one of a thousand, and any sample can be made first.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reelmend.errors import UsageError
from reelmend.simulate.dataset.sources import SPLITS, Source


@dataclass(frozen=True, slots=True)
class Settings:
    """What all samples of a dataset have in common, but for recipe and seed."""

    window: int = 1
    """Frames: 1, or 3 or 5 with the damaged frame in the middle."""
    size: int | None = None
    """Side of the square crops, pixels; None = whole frames."""
    splits: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Shares of training, validation and test."""
    bits: int = 8
    """Of the PNGs, 8 or 16."""
    photographs: float | None = None
    """Share of the samples that are cut from photographs where there are films too; None = half of single frames and
    a quarter of windows, for a photograph moves only as a slow pan."""
    shrink: float = 2.0
    """Lossy films and photographs are made smaller by this before grain and damage, for their codec's blur and blocks
    are no film; never below `size`."""
    clean: bool = True
    """Whether the frames without damage are written too."""

    def __post_init__(self) -> None:
        if self.window not in (1, 3, 5):
            raise UsageError(f"a window of {self.window} frames is not known; choose 1, 3 or 5")
        if self.size is not None and not 32 <= self.size <= 4096:
            raise UsageError(f"a size of {self.size} pixels cannot be cut; choose 32 to 4096")
        if self.bits not in (8, 16):
            raise UsageError(f"PNGs of {self.bits} bits are not known; choose 8 or 16")
        if len(self.splits) != len(SPLITS) or min(self.splits) < 0 or not math.isclose(sum(self.splits), 1):
            raise UsageError("the splits are the shares of training, validation and test, adding up to 1: 0.8,0.1,0.1")
        if self.photographs is not None and not 0 <= self.photographs <= 1:
            raise UsageError(f"a share of {self.photographs} photographs is not possible; choose 0 to 1")
        if not 1 <= self.shrink <= 16:
            raise UsageError(f"pictures cannot be shrunk by {self.shrink}; choose 1 to 16")

    def factor(self, source: Source) -> float:
        """By how much a source is made smaller."""
        wanted = self.shrink if source.lossy else 1.0
        smallest = self.size or 64
        return max(1.0, min(wanted, source.height / smallest, source.width / smallest))

    def fits(self, source: Source) -> bool:
        return self.size is None or min(source.height, source.width) >= self.size


@dataclass(frozen=True, slots=True)
class Plan:
    """One sample before it is made."""

    number: int
    split: str
    source: Source
    at: float
    """How far into the source its window begins, 0..1."""
    across: float
    """Where the crop lies, 0 = at the left, 1 = at the right."""
    down: float
    pan: tuple[float, float]
    """Which way a photograph moves, -1..1 of the fastest, right and down."""
    seed: int
    """Of its film: grain, damage, picture."""


def plans(sources: Sequence[Source], count: int, seed: int, settings: Settings) -> Iterator[Plan]:
    """Plans of samples 0 to `count` - 1.

    Splits are dealt out so that after any number of samples each has its share, among those that have a source.
    """
    by_split: dict[str, list[Source]] = {name: [] for name in SPLITS}
    for source in sources:
        by_split[source.split(settings.splits)].append(source)
    shares = {name: share for name, share in zip(SPLITS, settings.splits, strict=True) if by_split[name] and share > 0}
    whole = sum(shares.values())
    dealt = dict.fromkeys(shares, 0)
    for number in range(count):
        split = max(shares, key=lambda name: shares[name] / whole * (number + 1) - dealt[name])
        dealt[split] += 1
        source = _pick(by_split[split], seed, number, settings)
        rng = np.random.default_rng([seed, number])
        at, across, down, right, below = rng.uniform(size=5).tolist()
        pan = (2 * right - 1, 2 * below - 1)
        yield Plan(number, split, source, at, across, down, pan, int(rng.integers(2**62)))


def _pick(sources: Sequence[Source], seed: int, number: int, settings: Settings) -> Source:
    """The source of a sample by weighted rendezvous: another source takes samples over, and leaves the rest alone.

    Highest random weight, D. G. Thaler, C. V. Ravishankar (1998); weighted by -w / ln u.
    """
    kinds = {kind: sum(source.kind == kind for source in sources) for kind in ("film", "photograph")}
    share = settings.photographs
    if share is None:
        share = 0.5 if settings.window == 1 else 0.25
    weight = {"photograph": share, "film": 1 - share}

    def score(source: Source) -> float:
        digest = hashlib.sha256(f"{seed} {number} {source.sha256} {source.name}".encode()).digest()
        u = (int.from_bytes(digest[:6], "big") + 0.5) / (1 << 48)
        return -weight[source.kind] / kinds[source.kind] / math.log(u)

    return max(sources, key=score)
