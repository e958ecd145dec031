"""Networks on OpenVINO, where it is installed: the fastest on Intel processors."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError

_FIRST = threading.Lock()


def _touch(openvino: Any) -> None:
    """Hands one array to OpenVINO and back, on one thread.

    Its binding looks NumPy up when the first array passes, in a C++ static that is not safe against the interpreter's
    lock: two threads that pass their first arrays at once wait for each other for ever.
    """
    with _FIRST:
        openvino.Tensor(np.zeros(1, np.float32)).data[:] = 0


def has_bf16() -> bool:
    """Whether this processor computes in bf16 by itself."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


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
        _touch(openvino)
        core = openvino.Core()
        # Said in words, for by itself it computes in bf16 wherever it can.
        hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        self._model = core.compile_model(core.read_model(str(graph)), "CPU", hints)

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        # A request of its own for each call: one request serves one thread.
        request = self._model.create_infer_request()
        # Shared, not copied on the way in: on a frame of HD that took 22 ms of 312 (one thread). What comes out is the
        # request's own memory, so that is copied.
        answer = request.infer([np.ascontiguousarray(stacks, np.float32)], share_inputs=True, share_outputs=True)
        return np.array(answer[0], np.float32)
