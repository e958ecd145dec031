"""Trained networks run here, on whichever engine the machine has; restoration needs ONNX Runtime only."""

from reelmend.runtime.network import Network, cards, load_network

__all__ = ["Network", "cards", "load_network"]
