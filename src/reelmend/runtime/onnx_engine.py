"""Networks on ONNX Runtime, the engine that restoration installs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class OnnxEngine:
    """A session on the processor."""

    name = "onnxruntime"

    def __init__(self, graph: Path, threads: int) -> None:
        import onnxruntime

        self.graph = graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Idle threads that spin take the time of those that decode and warp.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._session.run(None, {"stack": stacks})[0], np.float32)
