"""Repair by a network: the neighbours' fill, put right where the network, which sees them too, knows better."""

from __future__ import annotations

from reelmend.film import Mask
from reelmend.motion.windows import Window
from reelmend.repair.mixing import complete, finish, mix
from reelmend.repair.promise import Repair, check_mask, untouched
from reelmend.runtime import RepairNetwork


class LearnedRepairer:
    """The temporal repairer's fill and the neighbours, mixed and completed by a network."""

    def __init__(self, network: RepairNetwork) -> None:
        self.name = network.name
        self._network = network

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        mixture = mix(self._network, window, mask)
        return finish(mixture, window, mask) if window.neighbours else mixture.base


class StillRepairer:
    """The surroundings' fill, completed by a network that looks at the frame alone."""

    def __init__(self, network: RepairNetwork) -> None:
        self.name = network.name
        self._network = network

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        return finish(complete(self._network, window, mask), window, mask)
