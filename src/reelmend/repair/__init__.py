"""New values for damaged pixels, from neighbouring frames and from the surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from reelmend.errors import UsageError
from reelmend.repair.grow import grow
from reelmend.repair.promise import FilledBy, Repair, Repairer
from reelmend.repair.spatial import SpatialRepairer
from reelmend.repair.temporal import TemporalRepairer


def _temporal_net(device: str) -> Repairer:
    from reelmend.repair.learned import LearnedRepairer
    from reelmend.runtime import load_repair_network

    return LearnedRepairer(load_repair_network("temporal-net", device))


REPAIRERS: Mapping[str, Callable[[str], Repairer]] = MappingProxyType(
    {
        "temporal": lambda device: TemporalRepairer(),
        "temporal-net": _temporal_net,
        "spatial": lambda device: SpatialRepairer(),
    }
)
"""Repairers by name, made for a device."""


def make_repairer(name: str, device: str = "auto") -> Repairer:
    """A repairer by name; networks run on `device`, as `runtime.load_repair_network` has it.

    Raises UsageError for a name that there is no repairer of.
    """
    if name not in REPAIRERS:
        raise UsageError(f"there is no repairer {name}; known are {', '.join(REPAIRERS)}")
    return REPAIRERS[name](device)


__all__ = ["REPAIRERS", "FilledBy", "Repair", "Repairer", "grow", "make_repairer"]
