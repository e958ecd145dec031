"""Repair by sampling: a diffusion model draws what is under damage, biased by what neighbours show of it.

It refines what `mixing` makes of the neighbours: what it draws is the difference from that mean, grain and detail, as
much of it as the mean is expected to be wrong by (a mean by regression and the rest by diffusion: Mardani et al. 2024,
"Residual corrective diffusion modeling"). Without neighbours it starts from the surroundings' spatial fill.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from reelmend.diffusion import dpm_solver, karras
from reelmend.diffusion.inpainting import chosen
from reelmend.film import Mask
from reelmend.motion.windows import Window
from reelmend.repair.cells import Floats
from reelmend.repair.mixing import Mixture, finish, holes_of, luma_of, mix, unsureness
from reelmend.repair.patches import SIDE, Patches, cover, together, views
from reelmend.repair.promise import Repair, check_mask, untouched
from reelmend.repair.spatial import SpatialRepairer
from reelmend.runtime import RepairNetwork

SMALLEST, LARGEST = 0.002, 0.5
"""Noise levels, share of full scale: half a code, and as much as a hole can be off."""

STEPS = 4
"""Network calls; `docs/repair.md` has the table."""

BIAS = 1.0
"""How much neighbours count: 0 not at all, 1 as was learned, more than they should above."""

DOUBT = 8.0
"""An expected error of one over this is shown to the network as full doubt."""

FINE = 1.2
"""Pixels: standard deviation of the blur that tells grain from what lies under it."""

BANDS = (1.2, 2.4)
"""Pixels: standard deviations of Gaussians, detail between which is no stronger than around the hole."""

GAUSSIAN = 3.562
"""Variance of a Gaussian by the exponential of the mean logarithm of its squares."""

NEAR = 8.0
"""Pixels: standard deviation of the Gaussian over which the strength of grain is averaged."""

ASKED = 0.005
"""Holes that the temporal repairer is so unsure of on average, 0..1, are put to the network that mixes."""

GUESS = 6 / 255
"""Expected error of a hole, averaged over it, from which on neighbours count as failing: share of full scale, the grain
left out."""


class Drawing:
    """A diffusion model at work on the holes of a frame."""

    def __init__(self, network: RepairNetwork, steps: int, bias: float, seed: int) -> None:
        self._network, self._steps, self._bias, self._seed = network, steps, bias, seed

    def luma(self, mixture: Mixture, window: Window, mask: Mask, wanted: Mask) -> Floats:
        """The mixture's luma `(h, w)`, 0..1, drawn anew in the `wanted` part of the mask."""
        bias = self._bias if window.neighbours else 0.0
        doubt = doubt_of(mixture.error)
        alone, fill = replace(window, before=(), after=()), mixture.luma
        if bias != 1 and window.neighbours:
            fill = luma_of(SpatialRepairer().repair(window, mask))
        groups = cover(wanted)
        answers = []
        for patches in groups:
            noise = noise_of(window, patches, self._seed)
            told = views(window, mixture.luma, mask, doubt, patches) if bias else None
            untold = views(alone, fill, mask, mask.astype(np.float32), patches) if bias != 1 else None
            answers.append(draw(self._network, told, untold, noise, self._steps, bias))
        drawn = np.where(wanted, together(answers, groups, wanted)[0], mixture.luma)
        if bias == 1:
            drawn = kept_low(mixture, drawn, wanted)
        return as_grainy(mixture.luma, drawn, mask, wanted)


class DiffusionRepairer:
    """A diffusion model draws all holes, biased by the neighbours and what another network makes of them."""

    def __init__(
        self, network: RepairNetwork, mean: RepairNetwork, *, steps: int = STEPS, bias: float = BIAS, seed: int = 0
    ) -> None:
        """`steps` are network calls for each patch, twice as many where `bias` is neither 0 nor 1. The same seed gives
        the same film."""
        self.name = network.name
        self._mean, self._drawing = mean, Drawing(network, steps, bias, seed)

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        mixture = mix(self._mean, window, mask)
        return finish(mixture, window, mask, self._drawing.luma(mixture, window, mask, mask), mask)


class RoutedRepairer:
    """Holes on which neighbours agree are filled from them; others are put to a network that mixes; and what that does
    not know either a diffusion model draws. A frame without neighbours is filled from its surroundings."""

    name = "auto"

    def __init__(
        self, network: RepairNetwork, mean: RepairNetwork, *, steps: int = STEPS, bias: float = BIAS, seed: int = 0
    ) -> None:
        """As `DiffusionRepairer`."""
        self._mean, self._drawing = mean, Drawing(network, steps, bias, seed)

    def repair(self, window: Window, mask: Mask) -> Repair:
        check_mask(window, mask)
        if not mask.any():
            return untouched(window)
        mixture = mix(self._mean, window, mask, ASKED)
        if not mixture.asked.any():
            # Neighbours agree, or there are none: then what would be drawn is no nearer than the spatial fill.
            return mixture.base
        wanted = holes_of(mixture.error, mask, GUESS)
        if not wanted.any():
            return finish(mixture, window, mask)
        return finish(mixture, window, mask, self._drawing.luma(mixture, window, mask, wanted), wanted)


def kept_low(mixture: Mixture, drawn: Floats, wanted: Mask) -> Floats:
    """What was drawn, with the mixture's own low frequencies where it is sure of them.

    A sample is as far from the truth as the mean of all samples is, and as far again; what the mean knows is better
    left to it. Where the mixture is unsure the sample stays whole: a mean of several truths is none.
    """
    away = np.where(wanted, drawn - mixture.luma, np.float32(0))
    low = _mean(away, wanted.astype(np.float32), FINE)
    return np.asarray(drawn - np.where(wanted, low * (1 - unsureness(mixture.error)), np.float32(0)), np.float32)


def as_grainy(fill: Floats, drawn: Floats, mask: Mask, wanted: Mask) -> Floats:
    """What was drawn, with no more fine detail than is around the mask.

    A model draws grain as strong as what it has learned from, wherever it is; this film's may be fainter, and is
    faintest in its shadows. Detail is what lies between Gaussians of `BANDS`; variances are means over `NEAR` pixels.
    """
    known, inside = (~mask).astype(np.float32), wanted.astype(np.float32)
    away = np.where(wanted, drawn - fill, np.float32(0))
    for around, have, added in zip(_bands(fill, known), _bands(fill, inside), _bands(away, inside), strict=True):
        # An edge is no grain: the mean of logarithms hardly sees it.
        wished = GAUSSIAN * np.exp(_mean(np.log(around**2 + np.float32(1e-8)), known, NEAR))
        there, brought = (_mean(band**2, inside, NEAR) for band in (have, added))
        share = np.sqrt(np.clip((wished - there) / np.maximum(brought, np.float32(1e-9)), 0, 1))
        drawn = drawn - added * (1 - share)
    return np.asarray(np.where(wanted, drawn, fill), np.float32)


def _bands(plane: Floats, there: Floats) -> list[Floats]:
    """Detail of a plane, finest first, of the pixels that are there."""
    blurred = [plane, *(_mean(plane, there, sigma) for sigma in BANDS)]
    return [(fine - coarse) * there for fine, coarse in itertools.pairwise(blurred)]


def _mean(plane: Floats, there: Floats, sigma: float) -> Floats:
    """Mean of a plane over the pixels that are there, weighted by a Gaussian."""
    weight = np.maximum(cv2.GaussianBlur(there, (0, 0), sigma), np.float32(1e-6))
    return np.asarray(cv2.GaussianBlur(plane * there, (0, 0), sigma) / weight, np.float32)


def doubt_of(error: Floats) -> Floats:
    """The expected error as the network is shown it, 0..1."""
    return np.clip(error * np.float32(DOUBT), 0, 1)


def draw(
    network: RepairNetwork,
    told: NDArray[np.float32] | None,
    untold: NDArray[np.float32] | None,
    noise: NDArray[np.float32],
    steps: int,
    bias: float = BIAS,
) -> NDArray[np.float32]:
    """Luma of patches `(n, 1, side, side)`, 0..1, in `steps` calls of the network for each kind of view.

    Views are those of `patches.views`, with neighbours (`told`, not needed for bias 0) and without (`untold`, not
    needed for bias 1); `noise` is standard Gaussian, of the answer's shape. Guesses are mixed as in classifier-free
    guidance (Ho and Salimans 2022): without + bias (with - without).
    """
    kinds = [(one, share) for one, share in ((told, bias), (untold, 1 - bias)) if one is not None and share]
    flags = [np.full_like(noise, np.float32(one is told)) for one, _ in kinds]

    def denoise(x: NDArray[np.float32], alpha: float, sigma: float) -> NDArray[np.float32]:
        level = np.full_like(x, np.log(sigma) / 4)
        guesses = [
            np.float32(share) * network.answer(np.concatenate([one, x, level, flag], axis=1))
            for (one, share), flag in zip(kinds, flags, strict=True)
        ]
        return np.asarray(sum(guesses[1:], guesses[0]), np.float32)

    walk = chosen(karras(steps, SMALLEST, LARGEST), steps)
    first = kinds[0][0]
    start = first[:, :1] + np.float32(LARGEST) * noise
    return np.clip(np.asarray(dpm_solver(denoise, walk, start), np.float32), 0, 1)


def noise_of(window: Window, patches: Patches, seed: int) -> NDArray[np.float32]:
    """Standard Gaussian noise `(n, 1, side, side)`: where patches overlap they have the same.

    Places begin at 0 but where the frame is smaller than a patch, and then there is one patch along that axis.
    """
    height, width = window.centre.luma.shape
    rng = np.random.default_rng([seed, window.centre.index])
    field = rng.standard_normal((height + SIDE, width + SIDE), np.float32)
    side = patches.side
    return np.stack([field[max(y, 0) :][:side, max(x, 0) :][:, :side][None] for y, x in patches.places])
