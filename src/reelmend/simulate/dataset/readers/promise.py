"""What every reader of a dataset promises; one conformance suite tests them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from reelmend.film import Mask
from reelmend.simulate.dataset.classes import CLEAN, UNJUDGED, Classes

Pixels = NDArray[Any]
"""`(h, w, c)` uint8 or uint16 over its whole range, c = 1 (gray) or 3 (red, green, blue)."""

Labels = NDArray[np.uint8]
"""`(h, w)`: 0 = clean, 255 = not judged, otherwise a key of `Sample.classes`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture of a dataset with its labels."""

    name: str
    """Its own in the dataset."""
    image: Pixels | None
    """None where a dataset has annotations only."""
    labels: Labels
    classes: Classes
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What else the dataset says of it, under its own names."""

    @property
    def mask(self) -> Mask:
        """Damage of any class, `(h, w)`."""
        return np.asarray((self.labels != CLEAN) & (self.labels != UNJUDGED))

    @property
    def judged(self) -> Mask:
        """Pixels whose label counts, `(h, w)`."""
        return np.asarray(self.labels != UNJUDGED)


class Reader(ABC):
    """An opened dataset. Iterates lazily: one sample in memory at a time; each iteration reads anew."""

    name: ClassVar[str]
    """A key of `reelmend.simulate.dataset.READERS`."""
    classes: Classes

    @classmethod
    @abstractmethod
    def open(cls, path: Path) -> Self:
        """Raises UsageError, in one sentence, for what is missing or is no such dataset."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def __iter__(self) -> Iterator[Sample]:
        """Samples in a fixed order. Raises UsageError naming the file for one that is broken."""
