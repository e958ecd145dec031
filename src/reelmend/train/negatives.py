"""Hard negatives: windows of clean footage on which a detector fires, to show it that nothing is there.

Bootstrapping after Sung and Poggio (PAMI 1998): what a detector takes wrongly is worth more to it than what it already
leaves alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reelmend.errors import UsageError
from reelmend.runtime import Network
from reelmend.train.feed import open_pack


def mine(network: Network, packs: Sequence[Path], out: Path, most: int) -> int:
    """Write the `most` windows with the most pixels above the network's standard strength as a pack; their number.

    Fewer are written where it fires on fewer. The packs must be clean footage; a list of files lies beside a pack made
    by `train pack`, and one is written beside `out` too. Raises UsageError for packs that are none, for a network of
    stills or of fewer frames than three, and when it fires nowhere.
    """
    if network.frames < 3:
        raise UsageError(f"{network.name} is shown one frame: it cannot be fooled by motion")
    seed = network.card.operating_points.standard
    fired: list[tuple[int, int, int]] = []
    opened = [open_pack(pack) for pack in packs]
    for number, windows in enumerate(opened):
        for index, window in enumerate(windows):
            stack = window[: network.frames].astype(np.float32) / 255
            pixels = int(np.count_nonzero(network.damage(stack) >= seed))
            if pixels:
                fired.append((pixels, number, index))
    if not fired:
        raise UsageError(f"{network.name} fires on none of these windows")
    worst = sorted(fired, reverse=True)[:most]
    np.save(out, np.stack([opened[number][index] for _, number, index in worst]))
    files = Counter(_file_of(packs[number], index) for _, number, index in worst)
    out.with_suffix(".json").write_text(json.dumps({"windows": dict(files)}, indent=2) + "\n", encoding="utf-8")
    return len(worst)


def _file_of(pack: Path, index: int) -> str:
    """Which file a window came from; the pack's own name where no list says."""
    try:
        windows = json.loads(pack.with_suffix(".json").read_text(encoding="utf-8"))["windows"]
    except (OSError, ValueError, KeyError):
        return pack.name
    for name, count in windows.items():
        index -= count
        if index < 0:
            return str(name)
    return pack.name
