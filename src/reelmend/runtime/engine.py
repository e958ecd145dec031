"""What every engine promises, so that a network gives the same map whichever computes it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs one network; safe to call from several threads."""

    name: str

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the network says of a batch; of a detector: `(b, frames, h, w)` to `(b, 1, h, w)` probabilities. h and w
        are multiples."""
        ...
