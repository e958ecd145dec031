"""New values for damaged pixels, from neighbouring frames and from the surroundings."""

from __future__ import annotations

from reelmend.errors import UsageError
from reelmend.repair.grow import grow
from reelmend.repair.promise import FilledBy, Repair, Repairer
from reelmend.repair.spatial import SpatialRepairer
from reelmend.repair.temporal import TemporalRepairer

REPAIRERS = ("temporal", "temporal-net", "spatial")
"""Repairers by name; the first is the default."""


def make_repairer(name: str, device: str = "auto", seed: int = 0) -> Repairer:
    """A repairer by name, or that of a network by the path of its weight card, which ends in `.json`.

    Networks run on `device`, as `runtime.load_repair_network` has it, which also says what is raised; `seed` is that of
    what is drawn. Raises UsageError for a name that there is no repairer of.
    """
    if name == "temporal":
        return TemporalRepairer()
    if name == "spatial":
        return SpatialRepairer()
    if name in REPAIRERS or name.endswith(".json"):
        return _of_network(name, device, seed)
    raise UsageError(f"there is no repairer {name}; known are {', '.join(REPAIRERS)}")


def _of_network(name: str, device: str, seed: int) -> Repairer:
    # Engines are heavy: they load on use.
    from reelmend.repair.learned import LearnedRepairer
    from reelmend.repair.sampled import DiffusionRepairer
    from reelmend.runtime import load_repair_network

    network = load_repair_network(name, device)
    if network.card.architecture.net == "diffuser":
        return DiffusionRepairer(network, seed=seed)
    return LearnedRepairer(network)


__all__ = ["REPAIRERS", "FilledBy", "Repair", "Repairer", "grow", "make_repairer"]
