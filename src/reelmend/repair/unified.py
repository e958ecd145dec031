"""Finding and repairing in one: a diffusion model gives the clean frame, and what differs from it was damage."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from reelmend.film import DamageMap, Mask
from reelmend.motion.windows import Window
from reelmend.repair.cells import Floats
from reelmend.repair.mixing import Mixture, finish
from reelmend.repair.patches import VIEWS, cover, together, views
from reelmend.repair.promise import Repair, check_mask, untouched
from reelmend.repair.sampled import STEPS, draw, noise_of
from reelmend.repair.temporal import TemporalRepairer
from reelmend.runtime import RepairNetwork

NEAR = 1.0
"""Pixels: over which the difference is averaged, so that grain is not taken for damage."""

SURE = 24 / 255
"""Share of full scale: a difference of this is damage for certain."""


class UnifiedRepairer:
    """A diffusion model that is shown the scan and its neighbours, and no mask, draws the clean frame."""

    def __init__(self, network: RepairNetwork, *, steps: int = STEPS, seed: int = 0) -> None:
        """`steps` are network calls for each patch. The same seed gives the same film."""
        self.name = network.name
        self._network, self._steps, self._seed = network, steps, seed

    def repair(self, window: Window, mask: Mask) -> Repair:
        """Of the clean frame only what the mask wants is taken; chroma is the temporal fill's."""
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        base = TemporalRepairer().repair(window, mask)
        clean = self._clean(window, mask)
        nothing = np.zeros(mask.shape, np.float32)
        mixture = Mixture(base, clean, nothing, np.zeros_like(mask), mask)
        return replace(finish(mixture, window, mask, drawn=mask), unsure=base.unsure)

    def find(self, window: Window) -> tuple[Floats, DamageMap]:
        """The clean frame's luma `(h, w)`, 0..1, and how much it differs from the scan, 1 for certain damage."""
        clean = self._clean(window, np.ones(window.centre.luma.shape, np.bool_))
        away = np.abs(clean - window.centre.luma.astype(np.float32) / 255)
        return clean, np.clip(cv2.GaussianBlur(away, (0, 0), NEAR) / np.float32(SURE), 0, 1)

    def _clean(self, window: Window, wanted: Mask) -> Floats:
        scan = np.asarray(window.centre.luma / np.float32(255), np.float32)
        nowhere = np.zeros(wanted.shape, np.float32)
        groups = cover(wanted)
        answers = []
        for patches in groups:
            # Neighbours are brought to the scan's light as if none of it were damaged.
            shown = views(window, scan, np.zeros_like(wanted), nowhere, patches)
            shown[:, VIEWS.index("mask")] = 1
            noise = noise_of(window, patches, self._seed)
            told, untold = (shown, None) if window.neighbours else (None, shown)
            answers.append(draw(self._network, told, untold, noise, self._steps, float(told is not None)))
        return np.where(wanted, together(answers, groups, wanted)[0], scan)
