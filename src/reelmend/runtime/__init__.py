"""Trained networks run here, on whichever engine the machine has; restoration needs ONNX Runtime only."""

from reelmend.runtime.card import Card, read_card
from reelmend.runtime.network import (
    ENGINES,
    Network,
    RepairNetwork,
    best_engine,
    cards,
    find_repair_card,
    load_network,
    load_repair_network,
    on_gpu,
)

__all__ = [
    "ENGINES",
    "Card",
    "Network",
    "RepairNetwork",
    "best_engine",
    "cards",
    "find_repair_card",
    "load_network",
    "load_repair_network",
    "on_gpu",
    "read_card",
]
