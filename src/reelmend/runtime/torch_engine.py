"""Networks on torch, for GPUs; needs the extra `[train]`. Restoration loads this on use only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import MediaError, UsageError
from reelmend.runtime.card import NetworkCard


class TorchEngine:
    """A module on the processor or a GPU."""

    name = "torch"

    def __init__(
        self, card: NetworkCard, weights: Path, device: str = "auto", threads: int = 1, precision: str = "f32"
    ) -> None:
        """`threads` counts on the processor, for the whole program.

        Raises UsageError where torch or the device is missing, MediaError when the weights do not fit the card.
        """
        try:
            import torch

            from reelmend.nets.export import load_weights
            from reelmend.nets.zoo import build
        except ImportError as error:
            raise UsageError("torch is not installed; pip install 'reelmend[train]', or use onnxruntime.") from error
        self._device = _device(device)
        if self._device == "cpu":
            torch.set_num_threads(threads)
        try:
            net = build(card.kind, card.architecture.model_dump())
            load_weights(net, weights)
        except (TypeError, ValueError) as error:
            raise MediaError(f"the weight card of {card.name} does not fit its weights: {error}.") from error
        self._half = precision == "bf16"
        self._net = net.eval().requires_grad_(False).to(device=self._device, memory_format=torch.channels_last)

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        kind = self._device.split(":")[0]
        # Not TF32, in which GPUs convolve unless told: its ten bits are not the same to 1e-4.
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=False)
        with torch.inference_mode(), exact, torch.autocast(kind, torch.bfloat16, enabled=self._half):
            given = torch.from_numpy(np.ascontiguousarray(stacks)).to(self._device)
            answer = self._net.answer(given.contiguous(memory_format=torch.channels_last))
            return np.asarray(answer.float().cpu().numpy(), np.float32)


def has_cuda() -> bool:
    """Whether torch finds a GPU that it can use."""
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _device(wanted: str) -> str:
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"there is no device {wanted} that torch can use; use --device cpu.")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise UsageError("there is no device mps that torch can use; use --device cpu.")
    return wanted
