"""The recipe as a batched generator of training windows; the only part of the simulator that is torch."""

from __future__ import annotations

from reelmend.simulate.batch.simulator import Batch, Simulator

__all__ = ["Batch", "Simulator"]
