"""Things of the scene that look like damage and are not, one small file each: detectors learn to leave them."""

from __future__ import annotations

from reelmend.simulate.lookalikes.laying import lay_over
from reelmend.simulate.lookalikes.promise import Borrowed, LookAlike, Stamp, Sway, Thing
from reelmend.simulate.lookalikes.registry import LOOKALIKES
from reelmend.simulate.lookalikes.scene import Scene

__all__ = ["LOOKALIKES", "Borrowed", "LookAlike", "Scene", "Stamp", "Sway", "Thing", "lay_over"]
