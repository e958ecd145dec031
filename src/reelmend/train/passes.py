"""Networks that repair in one pass, as training sees them: what each is shown, and what its loss adds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from reelmend.errors import UsageError
from reelmend.nets.diffir import DIFFUSION_STEPS, DiffIR, Teacher, signal
from reelmend.nets.export import load_weights
from reelmend.nets.fourier import FourierNet
from reelmend.nets.mixer import DOUBT, FILL, MASK, NEIGHBOURS, SCAN, Mixer
from reelmend.train.recipe import RepairRecipe

RADIUS = 3
"""Of Navier-Stokes inpainting, which is what the frame itself offers."""


def without_neighbours(shown: Tensor) -> Tensor:
    """What is shown `(b, 8, h, w)` where there are no neighbours: the frame's own fill stands in for them, in doubt."""
    out = shown.clone()
    for n in range(len(shown)):
        hole = (shown[n, MASK].cpu().numpy() > 0.5).astype(np.uint8)
        luma = (shown[n, SCAN].cpu().numpy() * 255).round().astype(np.uint8)
        fill = torch.from_numpy(cv2.inpaint(luma, hole, RADIUS, cv2.INPAINT_NS).astype(np.float32) / 255).to(shown)
        out[n, FILL] = fill
        out[n, NEIGHBOURS : NEIGHBOURS + 4] = fill
        out[n, DOUBT] = torch.from_numpy(hole.astype(np.float32)).to(shown)
    return out


@dataclass(frozen=True)
class Pass:
    """One kind of network under training."""

    net: nn.Module

    def show(self, shown: Tensor) -> Tensor:
        """What the network is shown of a batch."""
        return shown

    def answer(self, net: Any, shown: Tensor, truth: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Its answer, planes as in `nets.mixer.ANSWERS`, and what is added to the loss of that."""
        return net(shown), shown.new_zeros(())


class Alone(Pass):
    """A network that is not shown neighbours."""

    def show(self, shown: Tensor) -> Tensor:
        return without_neighbours(shown)


class FirstStage(Pass):
    """DiffIR's first stage: the vector is that of the truth."""

    def answer(self, net: Any, shown: Tensor, truth: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return net.student(shown, net.vector(shown, truth)), shown.new_zeros(())


@dataclass(frozen=True)
class SecondStage(Pass):
    """DiffIR's second stage: the vector is guessed by diffusion, towards that of the first stage, and repaired with."""

    teacher: Teacher

    def answer(self, net: Any, shown: Tensor, truth: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if not net.training:
            return net(shown), shown.new_zeros(())
        with torch.no_grad():
            wanted = self.teacher.to(shown.device).vector(shown, truth)
        left = signal(DIFFUSION_STEPS)
        noise = torch.randn(wanted.shape, generator=generator, device=wanted.device)
        guessed = net.guessed(net.known(shown), left**0.5 * wanted + (1 - left) ** 0.5 * noise)
        return net(shown, guessed), (guessed - wanted).abs().mean()


def make_pass(recipe: RepairRecipe, start: Path | None = None) -> Pass:
    """What a recipe trains. `start` are the weights it begins with: those of `diffir-teacher` for `diffir`, which
    cannot do without, those of an earlier run of the same network for all others.

    Raises UsageError where they are missing or do not fit.
    """
    sizes = recipe.net.sizes
    if recipe.net.name == "diffir":
        if start is None:
            raise UsageError(f"{recipe.name} goes on from weights of diffir-teacher: train that and --start them")
        teacher = Teacher(sizes)
        begin(teacher, start, recipe.name)
        net = DiffIR(sizes)
        net.net.load_state_dict(teacher.student.net.state_dict())
        return SecondStage(net, teacher.eval().requires_grad_(False))
    kind, make = {"mixer": (Pass, Mixer), "fourier": (Alone, FourierNet), "diffir-teacher": (FirstStage, Teacher)}[
        recipe.net.name
    ]
    one = kind(make(sizes))
    if start is not None:
        begin(one.net, start, recipe.name)
    return one


def begin(net: Any, start: Path, recipe: str) -> None:
    """Load the weights that a run begins with. Raises UsageError where they do not fit."""
    try:
        load_weights(net, start)
    except (OSError, ValueError) as error:
        raise UsageError(f"{start} holds no weights that {recipe} can go on from ({error})") from error
