"""A trained network by name: its card, and the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.runtime.card import (
    REPAIRER,
    Card,
    NetworkCard,
    RepairCard,
    check_files,
    is_card,
    read_card,
    read_repair_card,
)
from reelmend.runtime.engine import Engine
from reelmend.runtime.processor import multiplies_bytes
from reelmend.runtime.tiles import Map, Stack, run_tiled
from reelmend.runtime.views import MIRRORED

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"

TILE = 2048
"""Pixels: the side of the square that is the largest tile by area. HD and 2K frames are computed whole."""

Precision = Literal["f32", "bf16", "int8"]


@dataclass(frozen=True)
class Network:
    """A loaded network and its own facts."""

    card: Card
    engine: Engine
    tile: int = field(default=TILE)
    """Side of the square that a tile's area may not exceed, pixels."""
    precision: Precision = "f32"

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def frames(self) -> int:
        """1, or how many frames of a window it is shown: the centre and its nearest neighbours."""
        return self.card.architecture.frames

    def damage(self, stack: Stack, tile: int | None = None) -> Map:
        """Probability of damage `(h, w)` of a stack `(frames, h, w)` float32 0..1, of any size.

        Raises ValueError for another number of frames or a tile too small for the network's margin.
        """
        if stack.ndim != 3 or len(stack) != self.frames:
            raise ValueError(f"{self.name} is shown {self.frames} frames, not an array of {stack.shape}")
        looks = [self._look(stack, axes, tile) for axes in MIRRORED[self.card.views]]
        found = looks[0] if len(looks) == 1 else np.asarray(np.mean(looks, axis=0), np.float32)
        return found if self._table is None else self._table[np.rint(found * (len(self._table) - 1)).astype(np.uint16)]

    def _look(self, stack: Stack, axes: tuple[int, ...], tile: int | None) -> Map:
        """The map of a stack, looked at with some axes turned round."""
        card = self.card
        found = run_tiled(
            lambda part: self.engine.run(part[None])[0, 0],
            np.ascontiguousarray(np.flip(stack, axes)),
            card.multiple,
            tile or self.tile,
            card.margin,
        )
        return np.flip(found, axes)

    @cached_property
    def _table(self) -> NDArray[np.float32] | None:
        """The calibration at 65,536 probabilities: looking up is ten times faster than interpolating."""
        if self.card.calibration is None:
            return None
        knots = {0.0: 0.0, 1.0: 1.0} | dict(self.card.calibration)
        given = sorted(knots)
        steps = np.linspace(0, 1, 1 << 16)
        return np.interp(steps, given, [knots[one] for one in given]).astype(np.float32)


@dataclass(frozen=True)
class RepairNetwork:
    """A loaded network that repairs patches."""

    card: RepairCard
    engine: Engine

    BATCH = 32
    """Patches at once: more take memory, not less time."""

    @property
    def name(self) -> str:
        return self.card.name

    def answer(self, shown: NDArray[np.float32]) -> NDArray[np.float32]:
        """What it says of patches `(n, planes, h, w)` 0..1. Raises ValueError for another number of planes."""
        if shown.ndim != 4 or shown.shape[1] != self.card.planes:
            raise ValueError(f"{self.name} is shown patches of {self.card.planes} planes, not {shown.shape}")
        parts = [self.engine.run(shown[at : at + self.BATCH]) for at in range(0, len(shown), self.BATCH)]
        return np.concatenate(parts)


def cards(folder: Path = WEIGHTS) -> dict[str, Card]:
    """The cards of all networks in a folder, by name. Raises MediaError for one that is wrong."""
    return {path.stem: read_card(path) for path in sorted(folder.glob("*.json")) if is_card(path)}


def load_network(
    name: str,
    device: str = "auto",
    threads: int = 1,
    engine: str | None = None,
    precision: Precision | None = "f32",
) -> Network:
    """A network by its name, or by the path of its card, on the best engine there is for the device.

    `device` is `auto`, `cpu`, `cuda` or `mps`; `threads` is what one call may use on a processor. `engine` is a name in
    `ENGINES`; unset: torch on a GPU, else OpenVINO where it is installed, else ONNX Runtime. `bf16` computes faster on
    processors and GPUs that have it, with three decimals; OpenVINO and torch know it. `int8` computes in 8 bits, with
    two decimals, on ONNX Runtime and OpenVINO, where the card has a graph for it. None: the fastest of those that this
    processor computes in natively; what that costs a detector is in `docs/detection.md`.

    Raises UsageError for a name that there is no card of, and an engine that is not installed, or is on another device
    or in another precision than it can be; MediaError when card, weights and graph do not belong together.
    """
    path = Path(name) if name.endswith(".json") else WEIGHTS / f"{name}.json"
    if not path.is_file() or (path.parent == WEIGHTS and not is_card(path)):
        raise UsageError(f"no network is called {name}; known are {', '.join(cards()) or 'none'}.")
    card = read_card(path)
    engine = _known_engine(engine, device)
    precision = precision or _quickest(card, engine)
    return Network(card, _engine(card, path.parent, device, threads, engine, precision), precision=precision)


def load_repair_network(
    name: str, device: str = "auto", threads: int = 1, engine: str | None = None, precision: Precision = "f32"
) -> RepairNetwork:
    """A network that repairs, by its name or the path of its card; as `load_network`."""
    card, folder = find_repair_card(name)
    return RepairNetwork(card, _engine(card, folder, device, threads, _known_engine(engine, device), precision))


def find_repair_card(name: str) -> tuple[RepairCard, Path]:
    """The card of a network that repairs, by name or path, and the folder of its files. Raises as `load_network`."""
    path = Path(name) if name.endswith(".json") else WEIGHTS / f"{name}.json"
    if not path.is_file() or (path.parent == WEIGHTS and not is_card(path, REPAIRER)):
        known = ", ".join(sorted(one.stem for one in WEIGHTS.glob("*.json") if is_card(one, REPAIRER)))
        raise UsageError(f"no network that repairs is called {name}; known are {known or 'none'}.")
    return read_repair_card(path), path.parent


def _known_engine(engine: str | None, device: str) -> str:
    if engine is not None and engine not in ENGINES:
        raise UsageError(f"no engine is called {engine}; known are {', '.join(ENGINES)}.")
    return engine or best_engine(device)


def _engine(card: NetworkCard, folder: Path, device: str, threads: int, engine: str, precision: Precision) -> Engine:
    check_files(card, folder)
    return ENGINES[engine](card, folder, device, threads, precision)


def best_engine(device: str = "auto") -> str:
    """The name of the engine that networks run on unless asked otherwise."""
    from importlib.util import find_spec

    if on_gpu(device):
        return "torch"
    return "openvino" if find_spec("openvino") else "onnxruntime"


def _quickest(card: Card, engine: str) -> Precision:
    """The fastest of the precisions that the engine and the card have, and the processor natively."""
    if engine == "torch":
        return "f32"
    # Before bf16, which is faster on some processors: in 8 bits sums are exact, so tiles of any size give the same map,
    # where in bf16 small ones differ by 0.004.
    if card.int8 and multiplies_bytes():
        return "int8"
    if engine != "openvino":
        return "f32"
    from reelmend.runtime.openvino_engine import has_bf16

    return "bf16" if has_bf16() else "f32"


def on_gpu(device: str = "auto") -> bool:
    """Whether networks run on a GPU where `device` is asked for."""
    return device in ("cuda", "mps") or (device == "auto" and _gpu())


def _gpu() -> bool:
    from importlib.util import find_spec
    from shutil import which

    # Loading torch takes seconds: only where a GPU's driver is installed is it asked.
    if not which("nvidia-smi") or not find_spec("torch"):
        return False
    from reelmend.runtime.torch_engine import has_cuda

    return has_cuda()


def _onnxruntime(card: NetworkCard, folder: Path, device: str, threads: int, precision: Precision) -> Engine:
    from reelmend.runtime.onnx_engine import OnnxEngine

    _only_processors("onnxruntime", device)
    if precision == "bf16":
        raise UsageError("onnxruntime computes in f32 and int8 only; use openvino or torch for bf16.")
    return OnnxEngine(folder / _graph_in(card, precision), threads)


def _openvino(card: NetworkCard, folder: Path, device: str, threads: int, precision: Precision) -> Engine:
    from reelmend.runtime.openvino_engine import OpenVinoEngine

    _only_processors("openvino", device)
    floats = "f32" if precision == "int8" else precision
    return OpenVinoEngine(folder / _graph_in(card, precision), threads, floats)


def _graph_in(card: NetworkCard, precision: Precision) -> str:
    """The file name of a network's graph in a precision. Raises UsageError where it has none in 8 bits."""
    if precision != "int8":
        return card.graph
    if isinstance(card, Card) and card.int8:
        return card.int8
    raise UsageError(f"{card.name} has no graph in 8 bits; `reelmend train quantise` makes one.")


def _torch(card: NetworkCard, folder: Path, device: str, threads: int, precision: Precision) -> Engine:
    from reelmend.runtime.torch_engine import TorchEngine

    if precision == "int8":
        raise UsageError("torch computes in f32 and bf16 only; use onnxruntime or openvino for int8.")
    return TorchEngine(card, folder / card.weights, device, threads, precision)


def _only_processors(engine: str, device: str) -> None:
    if device not in ("auto", "cpu"):
        raise UsageError(f"{engine} runs on the processor only; use torch for {device}.")


ENGINES: dict[str, Callable[[NetworkCard, Path, str, int, Precision], Engine]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
    "torch": _torch,
}
"""By name: from the card, the folder of its files, device, threads and precision."""
