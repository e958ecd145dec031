"""What every detector promises, so that the pipeline, the GUI and the tests treat them alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from reelmend.film import DamageMap, Mask
from reelmend.motion.windows import Window


@dataclass(frozen=True, slots=True)
class Blob:
    """One connected piece of detected damage."""

    x: float
    """Centre, pixels from the left."""
    y: float
    """Centre, pixels from the top."""
    area: int
    """Pixels."""
    probability: float
    """That it is damage, 0..1."""
    polarity: str
    """`bright` or `dark` against what the neighbours show."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What was found in a frame."""

    damage: DamageMap
    """`(h, w)` float32, probability of damage."""
    mask: Mask
    """`(h, w)` the damage map after refinement: the detected damage itself, not grown."""
    blobs: tuple[Blob, ...]
    note: str | None = None
    """Why a frame was left alone, in words: no neighbours, or too much of it would be touched."""


class Detector(Protocol):
    """Finds damage in two steps, so that one frame's findings can be held against its neighbours'.

    Both steps are pure and safe to run in several threads. `look` sees one window; `decide` is given what `look`
    returned for the frame and for the pictures that `needs` names (None where those do not exist).
    """

    name: str

    def look(self, window: Window) -> Any:
        """Evidence of one window, whatever the detector wants to keep."""

    def needs(self, evidence: Any) -> tuple[int, ...]:
        """Indices of the frames whose evidence `decide` wants, all within `REACH` of the centre."""

    def decide(self, evidence: Any, others: tuple[Any | None, ...]) -> Detection:
        """The damage of the frame, given its evidence and that of the frames in `needs`."""
