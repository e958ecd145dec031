"""Networks on torch, for GPUs; needs the extra `[train]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError


class TorchEngine:
    """A module on the processor or a GPU, in single precision."""

    name = "torch"

    def __init__(self, card: dict[str, Any], weights: Path, device: str, threads: int) -> None:
        try:
            import torch

            from reelmend.nets.export import load_weights
            from reelmend.nets.zoo import Detector
        except ImportError as error:
            raise UsageError("torch is not installed; pip install 'reelmend[train]', or use onnxruntime") from error
        self._torch = torch
        wanted = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        if wanted == "cuda" and not torch.cuda.is_available():
            raise UsageError("no CUDA device is there; use --device cpu")
        self._device = wanted
        if wanted == "cpu":
            torch.set_num_threads(threads)
        net = Detector(**card["architecture"])
        load_weights(net, weights)
        self._net = net.eval().to(wanted, memory_format=torch.channels_last)

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        torch = self._torch
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(stacks)).to(self._device)
            given = given.contiguous(memory_format=torch.channels_last)
            return np.asarray(torch.sigmoid(self._net(given)).cpu().numpy(), np.float32)
