"""Every network of the zoo, small and as if trained, and a plain rule as one, for tests of what runs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from reelmend.nets.card import publish
from reelmend.nets.zoo import NETS, Detector
from reelmend.runtime import Card, Network

SIZES: dict[str, dict[str, Any]] = {name: {"width": 8, "depth": 2} for name in NETS} | {
    "compact": {"widths": [8, 16, 24], "blocks": [1, 0, 1], "detail": 4},
    "segformer": {"widths": [8, 16, 20, 32], "decoder": 16, "blocks": [1, 1, 1, 1]},
    # Untrained and without a way around its blocks, it makes more of every rounding the deeper it is: with depth 2
    # two engines, each right to 7e-5, are 1e-4 apart on some processors.
    "r-unet": {"width": 8, "depth": 1},
}

FACTS: dict[str, Any] = {
    "recipe": {"steps": 10, "seed": 3},
    "data": [{"name": "noise", "terms": "CC0"}],
    "operating_points": {"gentle": 0.9, "standard": 0.6, "strong": 0.3},
}


def scene(frames: int, height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """A stack `(frames, height, width)` with detail of every size, 0..1.

    White noise would not do: a network averages it away, and what is left drowns in rounding.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((frames, height, width), np.float32)
    for cells in (2, 4, 8, 16, 32):
        for plane in total:
            plane += cv2.resize(rng.random((cells, cells), np.float32), (width, height))
    return total / 5


def small(name: str, frames: int, seed: int = 0, features: str | None = None, **sizes: Any) -> Detector:
    """A network whose normalisation has seen data and whose output is spread over 0..1; ready for use."""
    torch.manual_seed(seed)
    net = Detector(name, frames, features, SIZES[name] | sizes)
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(part.weight, 1.0, 0.2)
            torch.nn.init.normal_(part.bias, 0.0, 0.2)
            # As after training: each layer normalises what really comes.
            part.momentum = None
    with torch.no_grad():
        seen = torch.from_numpy(np.stack([scene(frames, 64, 64, n) for n in range(4)]))
        net.train()(seen)
        net.eval()
        heads = [[part for part in net.modules() if isinstance(part, torch.nn.Conv2d)][-1]]
        if "unet" in name:
            heads = [net.net.head]  # type: ignore[list-item, union-attr]
        elif getattr(net.net, "detail", None) is not None:
            # It adds nothing before training; here it shall.
            torch.nn.init.normal_(heads[0].weight, 0.0, 0.2)
            heads.append(net.net.head[0])  # type: ignore[index, union-attr, arg-type]
        logits = net(seen)
        for head in heads:
            head.weight.mul_(0.5 / logits.std())
            assert head.bias is not None
            head.bias.copy_((head.bias - logits.mean() * (head is heads[-1])) * 0.5 / logits.std())
    return net


def published(
    folder: Path, name: str = "compact", frames: int = 5, *, called: str = "", features: str | None = None, **facts: Any
) -> Card:
    """The files of a small network in `folder`; their card."""
    return publish(small(name, frames, features=features), FACTS | facts, folder, called or f"{name}-{frames}")


@dataclass
class Spikes:
    """An engine: how far the centre lies beyond all its neighbours, or a still's pixels beyond 0.9 or below 0.1."""

    name: str = "spikes"

    def run(self, stacks: np.ndarray) -> np.ndarray:
        centre, others = stacks[:, :1], stacks[:, 1:]
        if stacks.shape[1] == 1:
            return ((centre > 0.9) | (centre < 0.1)).astype(np.float32)
        beyond = np.maximum(centre - others.max(axis=1, keepdims=True), others.min(axis=1, keepdims=True) - centre)
        return np.clip(4 * beyond, 0, 1).astype(np.float32)


def network(frames: int, **points: float) -> Network:
    card = Card.model_validate(
        {
            "name": f"spikes-{frames}",
            "kind": "network",
            "architecture": {"net": "unet", "frames": frames, "features": "residuals", "sizes": {}},
            "multiple": 1,
            "margin": 0,
            "exact": True,
            "weights": "none.safetensors",
            "graph": "none.onnx",
            "sha256": "0" * 64,
            "graph_sha256": "0" * 64,
        }
        | FACTS
        | {"operating_points": {"gentle": 0.8, "standard": 0.5, "strong": 0.3} | points}
    )
    return Network(card, Spikes())
