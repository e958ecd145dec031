"""Repair by sampling: a diffusion model draws what is under damage, biased by what neighbours show of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelmend.diffusion import dpm_solver, karras
from reelmend.diffusion.inpainting import chosen
from reelmend.film import Mask
from reelmend.motion.luma import luma8
from reelmend.motion.windows import Window
from reelmend.repair.learned import change_luma
from reelmend.repair.patches import SIDE, Place, cover, together, views
from reelmend.repair.promise import FilledBy, Repair
from reelmend.repair.temporal import TemporalRepairer
from reelmend.runtime import RepairNetwork

SMALLEST, LARGEST = 0.002, 1.0
"""Noise levels, share of full scale: half a code, and as much as a hole can be off."""

STEPS = 6
"""Network calls; `docs/repair.md` has the table."""


class DiffusionRepairer:
    """Holes drawn by a diffusion model that is shown the neighbours and their fill."""

    def __init__(self, network: RepairNetwork, steps: int = STEPS, seed: int = 0) -> None:
        """`steps` are network calls for each patch. The same seed gives the same film."""
        self.name = network.name
        self._network, self._steps, self._seed = network, steps, seed

    def repair(self, window: Window, mask: Mask) -> Repair:
        base = TemporalRepairer().repair(window, mask)
        if not mask.any():
            return base
        fill = luma8(base.frame)
        places = cover(mask)
        shown = views(window, fill, mask, base.unsure, places)
        drawn = together(self._drawn(shown, places, window, bool(window.neighbours)), places, mask)[0]
        by = np.where(mask, drawn - fill.astype(np.float32) / 255, np.float32(0))
        return Repair(
            change_luma(base.frame, mask, by),
            base.unsure,
            np.where(mask, np.uint8(FilledBy.DIFFUSION), np.uint8(FilledBy.UNTOUCHED)),
        )

    def _drawn(
        self, shown: NDArray[np.float32], places: list[Place], window: Window, biased: bool
    ) -> NDArray[np.float32]:
        """Luma of patches `(n, 1, SIDE, SIDE)`, 0..1."""
        noise = _noise(window, places, self._seed)
        flag = np.full((len(shown), 1, SIDE, SIDE), np.float32(biased))

        def denoise(x: NDArray[np.float32], alpha: float, sigma: float) -> NDArray[np.float32]:
            level = np.full_like(flag, np.log(sigma) / 4)
            return self._network.answer(np.concatenate([shown, x, level, flag], axis=1))

        walk = chosen(karras(self._steps, SMALLEST, LARGEST), self._steps)
        start = shown[:, :1] + np.float32(LARGEST) * noise
        return np.clip(np.asarray(dpm_solver(denoise, walk, start), np.float32), 0, 1)


def _noise(window: Window, places: list[Place], seed: int) -> NDArray[np.float32]:
    """Standard Gaussian noise `(n, 1, SIDE, SIDE)`: where patches overlap they have the same."""
    height, width = window.centre.luma.shape
    rng = np.random.default_rng([seed, window.centre.index])
    field = rng.standard_normal((height + SIDE, width + SIDE), np.float32)
    # Places begin at 0 but where the frame is smaller than a patch, and then there is one patch along that axis.
    return np.stack([field[max(y, 0) :][:SIDE, max(x, 0) :][:, :SIDE][None] for y, x in places])
