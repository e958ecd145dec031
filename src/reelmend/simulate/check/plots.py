"""The figures of the realism report, as PNG in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.simulate.check.crops import WINDOWS, crop
from reelmend.simulate.outlines import Outline

Floats = NDArray[np.float64]

REAL, SIMULATED = "#1b6ca8", "#d1602a"

UNITS = {
    "area": "square micrometres",
    "length": "micrometres",
    "width": "micrometres",
    "orientation": "radians",
    "nearest neighbour distance, given the scan's number": "micrometres",
}
LOGARITHMIC = ("area", "length", "width", "elongation", "nearest neighbour distance, given the scan's number")

SHOWN = 30
"""Real, and as many simulated, shapes of a contact sheet."""


def distributions(samples: Mapping[str, tuple[Floats, Floats]]) -> bytes:
    """Cumulative distributions of every statistic, real and simulated over each other."""
    figure, axes = _figure(rows=(len(samples) + 2) // 3, columns=3, height=2.5)
    for axis, (name, (real, simulated)) in zip(axes, samples.items(), strict=False):
        for values, colour, label in ((real, REAL, "real"), (simulated, SIMULATED, "simulated")):
            if len(values) == 0:
                continue
            line = np.sort(values)
            axis.step(line, (np.arange(len(line)) + 1) / len(line), where="post", color=colour, label=label, lw=1.3)
        positive = all(len(values) and values.min() > 0 for values in (real, simulated))
        if name in LOGARITHMIC and positive:
            axis.set_xscale("log")
        axis.set_title(name, fontsize=8)
        axis.set_xlabel(UNITS.get(name, ""), fontsize=7)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    for axis in axes[len(samples) :]:
        axis.set_visible(False)
    return _png(figure)


def contact_sheet(kind: str, real: Sequence[Outline], simulated: Sequence[Outline], seed: int) -> bytes:
    """Real shapes above, simulated ones below, as the classifier sees them; picked at random."""
    figure, axes = _figure(rows=2, columns=1, height=2.2)
    for axis, shapes, label in zip(axes, (real, simulated), ("real", "simulated"), strict=True):
        rng = np.random.default_rng(seed)
        picked = rng.permutation(len(shapes))[:SHOWN]
        tiles = [np.pad(crop(shapes[index], WINDOWS[kind]), 1, constant_values=0.35) for index in picked]
        tiles += [np.full_like(tiles[0], 0.35)] * (-len(tiles) % (SHOWN // 2))
        rows = [np.hstack(tiles[start : start + SHOWN // 2]) for start in range(0, len(tiles), SHOWN // 2)]
        axis.imshow(np.vstack(rows), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(label, fontsize=9)
        axis.set_axis_off()
    return _png(figure)


def _figure(rows: int, columns: int, height: float) -> tuple[Any, list[Any]]:
    # Without pyplot: no window system, no state shared with whoever calls.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, height * rows))
    FigureCanvasAgg(figure)
    edge = 0.35 / rows / height
    figure.subplots_adjust(left=0.05, right=0.98, bottom=edge, top=1 - edge, hspace=0.55, wspace=0.15)
    return figure, list(np.atleast_1d(figure.subplots(rows, columns)).ravel())


def _png(figure: Any) -> bytes:
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=110, metadata={"Software": None})
    return memory.getvalue()
