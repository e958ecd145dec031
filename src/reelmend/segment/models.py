"""Diffusion models whose attention is read: those of the package, and those of diffusers by folder or hub name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from reelmend.diffusion import Levels, karras
from reelmend.errors import UsageError
from reelmend.nets.export import load_weights
from reelmend.nets.prior import DATA, PatchPrior
from reelmend.runtime.card import REPAIRER, check_files, is_card, read_repair_card
from reelmend.runtime.network import WEIGHTS

SHIPPED = ("scene-prior", "film-prior")
"""Models of the package by preference: photographs in colour, patches of film in luma."""

GREY = (0.299, 0.587, 0.114)
"""Red, green and blue in luma, ITU-R BT.601."""

SIDES = {3: 128, 1: 64}
"""Pixels of the pictures that models of so many colours were trained on."""


class Model(Protocol):
    """A diffusion model that a picture can be shown to."""

    name: str
    side: int
    """Pixels: pictures are brought to about the area of a square of that side."""
    multiple: int
    """What height and width of a picture must divide by, pixels: one patch."""
    levels: Levels
    """Noise, from the cleanest on."""
    spread: float
    """Standard deviation of what `encode` gives, where noise is counted in."""
    timesteps: bool
    """Whether the number of a level is a timestep that its papers speak of."""
    excess: bool
    """Whether its walk goes by what nodes look at more than others do, unless asked otherwise (`walk.excess`)."""

    @property
    def net(self) -> nn.Module:
        """Whose self-attention is read."""

    def encode(self, picture: Tensor) -> Tensor:
        """A picture `(1, 3, h, w)`, 0..1, as the model takes noise from it."""

    def denoise(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The model's guess of what `encode` gave, from that seen through noise."""


@dataclass
class PriorModel:
    """One of ours: it works on pixels, in colour or luma."""

    name: str
    net: PatchPrior
    side: int = 0
    multiple: int = 0
    spread: float = DATA
    timesteps: bool = False
    excess: bool = True

    def __post_init__(self) -> None:
        self.side = self.side or SIDES[self.net.colours]
        self.multiple = self.net.multiple
        self.levels = karras(1000, 0.002, 20.0)

    def encode(self, picture: Tensor) -> Tensor:
        if self.net.colours == 3:
            return picture
        return (picture * picture.new_tensor(GREY)[:, None, None]).sum(dim=1, keepdim=True)

    def denoise(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        noisy = x / alpha
        level = torch.full_like(noisy[:, :1], float(torch.log(torch.tensor(sigma / alpha))) / 4)
        guess: Tensor = self.net(torch.cat([noisy, level], dim=1))
        return guess


def shipped() -> list[str]:
    """The models of the package that are there, the preferred one first."""
    return [name for name in SHIPPED if is_card(WEIGHTS / f"{name}.json", REPAIRER)]


def load_model(name: str | None = None, device: str = "cpu") -> Model:
    """A model by the name of a shipped one, the path of a weight card, a folder of diffusers, or a hub name.

    Unset: the package's. Raises UsageError for what is none of these, and for a network that is no diffusion model of
    pictures.
    """
    if name is None:
        known = shipped()
        if not known:
            raise UsageError("no diffusion model ships with this package; name one with --model.")
        name = known[0]
    if name in shipped() or name.endswith(".json"):
        return _prior(WEIGHTS / f"{name}.json" if name in shipped() else Path(name), device)
    if Path(name).is_dir() or (name.count("/") == 1 and not Path(name).suffix):
        from reelmend.segment.foreign import load_foreign

        return load_foreign(name, device)
    raise UsageError(
        f"no model is called {name}; give {_names(shipped())}a weight card, a folder with unet/, or a hub name."
    )


def _names(known: Sequence[str]) -> str:
    return "".join(f"{one}, " for one in known)


def _prior(path: Path, device: str) -> PriorModel:
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give {_names(shipped())}a weight card, or a folder with unet/.")
    card = read_repair_card(path)
    if card.architecture.net != "prior":
        raise UsageError(f"{card.name} is no diffusion model of whole pictures; give {_names(shipped())}or a folder.")
    check_files(card, path.parent)
    net = PatchPrior(card.architecture.sizes)
    try:
        load_weights(net, path.parent / card.weights)
    except ValueError as error:
        raise UsageError(f"{path} does not fit its weights: {error}.") from error
    return PriorModel(card.name, net.eval().requires_grad_(False).to(device))
