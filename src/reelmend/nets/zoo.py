"""Every network by name, with its sizes as plain numbers that travel on a weight card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from reelmend.nets.compact import Compact
from reelmend.nets.diffir import DiffIR
from reelmend.nets.diffuser import Diffuser
from reelmend.nets.features import FEATURES
from reelmend.nets.fourier import FourierNet
from reelmend.nets.mixer import Mixer
from reelmend.nets.prior import PatchPrior
from reelmend.nets.segformer import SegFormer
from reelmend.nets.unet import UNet

NETS: dict[str, Callable[..., nn.Module]] = {
    "unet": UNet,
    "attention-unet": partial(UNet, gated=True),
    "r-unet": partial(UNet, block="recurrent"),
    "r2-unet": partial(UNet, block="r2"),
    "r2att-unet": partial(UNet, block="r2", gated=True),
    "compact": Compact,
    "segformer": SegFormer,
}
"""By name: `(inputs, outputs, **sizes)`. The R2AttU-Net is R2U-Net with the gates of Attention U-Net."""


class Detector(nn.Module):
    """A network that finds damage in a stack: `(b, frames, h, w)` luma 0..1 to `(b, 1, h, w)` logits.

    Height and width must be multiples of `multiple`. The centre is frame 0, its neighbours are warped onto it.
    """

    def __init__(
        self, net: str, frames: int = 1, features: str | None = None, sizes: Mapping[str, Any] | None = None
    ) -> None:
        """Raises ValueError for an unknown name, for `still` features of a window and others of a still, and for sizes
        that the network does not have."""
        super().__init__()
        features = features or ("still" if frames == 1 else "residuals")
        if net not in NETS:
            raise ValueError(f"no network is called {net}; known: {', '.join(NETS)}")
        if features not in FEATURES or (features == "still") != (frames == 1):
            raise ValueError(f"features {features} do not fit {frames} frames; known: {', '.join(FEATURES)}")
        self.frames = frames
        self.facts = {"net": net, "frames": frames, "features": features, "sizes": dict(sizes or {})}
        """All that `Detector(**facts)` needs to be built again."""
        self.show, channels = FEATURES[features]
        try:
            self.net = NETS[net](channels(frames), 1, **(sizes or {}))
        except (TypeError, KeyError) as error:
            raise ValueError(f"{net} has no sizes {dict(sizes or {})} ({error})") from error

    @property
    def planes(self) -> int:
        """Of what it is shown: the frames."""
        return self.frames

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of, pixels."""
        return cast(int, self.net.multiple)

    def forward(self, stack: Tensor) -> Tensor:
        logits: Tensor = self.net(self.show(stack))
        return logits

    def answer(self, stack: Tensor) -> Tensor:
        """What is exported: probabilities."""
        return torch.sigmoid(self(stack))


class Exportable(Protocol):
    """What a network has that ships: `nets.export` and the torch engine need no more."""

    facts: dict[str, Any]

    @property
    def planes(self) -> int: ...
    @property
    def multiple(self) -> int: ...
    def answer(self, stack: Tensor) -> Tensor: ...


REPAIR_NETS: dict[str, Callable[..., nn.Module]] = {
    "mixer": Mixer,
    "fourier": FourierNet,
    "diffir": DiffIR,
    "diffuser": Diffuser,
    "prior": PatchPrior,
}
"""Networks that repair, by name: `(sizes)`."""


def build(kind: str, architecture: Mapping[str, Any]) -> Any:
    """A network as its card says: of the kind `network` a detector, else a repairer. Raises ValueError as those do."""
    if kind == "network":
        return Detector(**architecture)
    if architecture["net"] not in REPAIR_NETS:
        raise ValueError(f"no network that repairs is called {architecture['net']}; known: {', '.join(REPAIR_NETS)}")
    return REPAIR_NETS[architecture["net"]](architecture["sizes"])
