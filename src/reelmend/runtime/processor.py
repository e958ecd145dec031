"""What the processor can do."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}
"""Linux's names of instructions that multiply 8-bit integers and add them up in 32 bits: VNNI on Intel's and AMD's, dot
products on Arm's. Without them 8 bits are hardly faster, and on older x86 sums are cut off at 16 bits."""


@cache
def multiplies_bytes() -> bool:
    """Whether this processor multiplies 8-bit integers faster than floats, and exactly; False where nobody knows."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        return not DOT_PRODUCTS.isdisjoint(CPUINFO.read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return False
