"""What repairers take: calls of networks, and memory."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from reelmend.runtime import RepairNetwork

SAMPLED_EVERY = 0.01
"""Seconds between two looks at the process's memory."""


@dataclass(slots=True)
class Effort:
    """Sums of what was watched."""

    patches_answered: int = 0
    """Patches that networks were called with, one for each call."""
    peak: int = 0
    """Bytes by which the process was larger than before, at most."""


@contextmanager
def watched() -> Iterator[Effort]:
    """Counts calls of all networks that repair, and looks at memory, for as long as it is open (Linux only)."""
    # What was freed and not given back would be used again unseen.
    ctypes.CDLL(None).malloc_trim(0)
    effort, over, before = Effort(), threading.Event(), _resident()
    plain = RepairNetwork.answer

    def counted(network: RepairNetwork, shown: NDArray[np.float32]) -> NDArray[np.float32]:
        effort.patches_answered += len(shown)
        return plain(network, shown)

    def look() -> None:
        while not over.wait(SAMPLED_EVERY):
            effort.peak = max(effort.peak, _resident() - before)

    looking = threading.Thread(target=look, daemon=True)
    with patch.object(RepairNetwork, "answer", counted):
        looking.start()
        try:
            yield effort
        finally:
            over.set()
            looking.join()


def _resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
