"""Networks on OpenVINO, where it is installed: the fastest on Intel processors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError


class OpenVinoEngine:
    """A compiled model on the processor."""

    name = "openvino"

    def __init__(self, graph: Path, threads: int, precision: str = "f32") -> None:
        """`precision` is `f32` or, on processors that have it, `bf16`: faster, and the same to about two decimals.

        Raises UsageError where OpenVINO is not installed.
        """
        try:
            import openvino
        except ImportError as error:
            raise UsageError(
                "OpenVINO is not installed; pip install 'reelmend[openvino]', or use onnxruntime."
            ) from error
        core = openvino.Core()
        # Said in words, for by itself it computes in bf16 wherever it can.
        hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        self._model = core.compile_model(core.read_model(str(graph)), "CPU", hints)

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        # A request of its own for each call: one request serves one thread.
        request = self._model.create_infer_request()
        return np.array(request.infer([np.ascontiguousarray(stacks)])[0], np.float32)
