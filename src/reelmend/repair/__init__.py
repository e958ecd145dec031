"""New values for damaged pixels, from neighbouring frames and from the surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from reelmend.repair.grow import grow
from reelmend.repair.promise import FilledBy, Repair, Repairer
from reelmend.repair.spatial import SpatialRepairer
from reelmend.repair.temporal import TemporalRepairer

REPAIRERS: Mapping[str, Callable[[], Repairer]] = MappingProxyType(
    {"temporal": TemporalRepairer, "spatial": SpatialRepairer}
)
"""Repairers by name; `temporal` is the default."""

__all__ = ["REPAIRERS", "FilledBy", "Repair", "Repairer", "grow"]
