"""Sizes of the detectors that ship: `Compact` networks, as large as their time and their share of 8 MB allow.

Cost is measured by `python -m benchmarks.detector_speed` against an Attention U-Net of width 16 and depth 3 that is
shown the same five frames. Channels come in sixteens, the block in which ONNX Runtime and OpenVINO lay them out.
"""

from __future__ import annotations

from typing import Any, Final

FAST: Final[dict[str, Any]] = {"widths": [16, 48, 64, 96], "blocks": [1, 1, 1, 2]}
"""0.75 million parameters; a third of the reference's time on ONNX Runtime."""

BEST: Final[dict[str, Any]] = {"widths": [32, 64, 96, 128], "blocks": [1, 2, 2, 2], "detail": 12}
"""1.7 million parameters."""

STILL: Final[dict[str, Any]] = {"widths": [32, 64, 96, 96], "blocks": [1, 1, 2, 2]}
"""1.3 million parameters, for one frame."""
