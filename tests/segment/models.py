"""Small diffusion models with random weights, for tests of what walks on their attention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from reelmend.nets.card import publish_repairer
from reelmend.nets.prior import PatchPrior
from reelmend.segment.models import PriorModel

SIZES: dict[str, Any] = {
    "colours": 3, "fold": 2, "width": 16, "multiples": [1, 2], "blocks": 1, "attention": [0, 1], "heads": 2
}  # fmt: skip


def prior(seed: int = 0, **sizes: Any) -> PatchPrior:
    torch.manual_seed(seed)
    net = PatchPrior(SIZES | sizes)
    for part in net.parameters():
        if not part.any():
            torch.nn.init.normal_(part, 0.0, 0.05)
    return net.eval().requires_grad_(False)


def model(seed: int = 0, **sizes: Any) -> PriorModel:
    """Shown pictures of 32 x 32 pixels: 16 x 16 nodes."""
    return PriorModel("small", prior(seed, **sizes), side=32)


def published(folder: Path) -> Path:
    """The card of a small model in `folder`."""
    facts = {"recipe": {"steps": 1}, "data": [{"name": "noise", "terms": "CC0"}]}
    publish_repairer(prior(), facts, folder, "small")
    return folder / "small.json"
