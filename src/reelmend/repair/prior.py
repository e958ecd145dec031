"""Repair with a diffusion model that knows film and nothing of holes or neighbours: RePaint and DiffPIR.

The generic inpainters that `temporal-diffusion` is compared with. Luma is drawn, chroma filled from the surroundings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reelmend.diffusion import Denoiser, karras
from reelmend.diffusion.inpainting import calls, chosen, diffpir, journey, repaint
from reelmend.film import Mask
from reelmend.motion.luma import luma8
from reelmend.motion.windows import Window
from reelmend.repair.cells import Floats
from reelmend.repair.mixing import change_luma
from reelmend.repair.patches import SIDE, cover, cut, together
from reelmend.repair.promise import FilledBy, Repair, check_mask, untouched
from reelmend.repair.spatial import SpatialRepairer
from reelmend.runtime import RepairNetwork

SMALLEST, LARGEST = 0.002, 20.0
"""Noise levels, share of full scale: at the largest nothing is left of a picture."""


@dataclass(frozen=True, slots=True)
class RePaint:
    """Lugmayr et al. (2022): each stretch of `jump` of the `steps` levels is walked `resample` times."""

    steps: int = 50
    jump: int = 5
    resample: int = 4

    @property
    def calls(self) -> int:
        """Of the network, for each patch."""
        return calls(journey(self.steps, self.jump, self.resample))

    def fill(
        self, denoise: Denoiser, y: NDArray[np.float32], known: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Patches `y` `(n, 1, side, side)`, 0..1, with new values where `known` is 0."""
        walk = chosen(karras(self.steps, SMALLEST, LARGEST), self.steps)
        start = np.float32(LARGEST) * rng.standard_normal(y.shape, np.float32)
        made = repaint(denoise, walk, start, y, known, _like(rng), jump=self.jump, resample=self.resample)
        return np.asarray(made, np.float32)


@dataclass(frozen=True, slots=True)
class DiffPIR:
    """Zhu et al. (2023): every guess is drawn towards what is known; one network call for each of `steps`."""

    steps: int = 20
    fresh: float = 1.0

    @property
    def calls(self) -> int:
        """Of the network, for each patch."""
        return self.steps

    def fill(
        self, denoise: Denoiser, y: NDArray[np.float32], known: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """As `RePaint.fill`."""
        walk = chosen(karras(self.steps, SMALLEST, LARGEST), self.steps)
        start = np.float32(LARGEST) * rng.standard_normal(y.shape, np.float32)
        return np.asarray(diffpir(denoise, walk, start, y, known, _like(rng), fresh=self.fresh), np.float32)


def _like(rng: np.random.Generator) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    return lambda x: rng.standard_normal(x.shape, np.float32)


class PriorRepairer:
    """Holes drawn by a model of film, from the surroundings in the frame alone."""

    def __init__(self, name: str, network: RepairNetwork, method: RePaint | DiffPIR, seed: int = 0) -> None:
        """The same seed gives the same film."""
        self.name = name
        self._network, self._method, self._seed = network, method, seed

    @property
    def calls(self) -> int:
        """Network calls for each patch."""
        return self._method.calls

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        base = SpatialRepairer().repair(window, mask)
        groups = cover(mask, (SIDE,))
        scan = np.asarray(window.centre.luma / np.float32(255), np.float32)
        known = np.asarray(~mask, np.float32)
        rng = np.random.default_rng([self._seed, window.centre.index])
        drawn = [self._method.fill(self._denoise, cut(scan, one), cut(known, one), rng) for one in groups]
        luma: Floats = together(drawn, groups, mask)[0]
        by = np.where(mask, np.clip(luma, 0, 1) - luma8(base.frame) / np.float32(255), np.float32(0))
        origin = np.where(mask, np.uint8(FilledBy.DIFFUSION), np.uint8(FilledBy.UNTOUCHED))
        return Repair(change_luma(base.frame, mask, by), base.unsure, origin)

    def _denoise(self, x: NDArray[np.float32], alpha: float, sigma: float) -> NDArray[np.float32]:
        # The network knows levels at which the picture is not scaled.
        level = np.full_like(x, np.log(sigma / alpha) / 4)
        return self._network.answer(np.concatenate([x / np.float32(alpha), level], axis=1))
