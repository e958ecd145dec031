"""A trained network by name: its card, and the engine that runs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reelmend.errors import MediaError, UsageError
from reelmend.runtime.tiles import Map, Stack, run_tiled

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"

TILE = 1536
"""Pixels: a tile of five frames takes some 300 MB while it is computed."""


class Engine(Protocol):
    """Runs one network; safe to call from several threads."""

    name: str

    def run(self, stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(b, frames, h, w)` to `(b, 1, h, w)` probabilities; h and w are multiples."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """A loaded network and its own facts."""

    name: str
    card: dict[str, Any]
    engine: Engine

    @property
    def frames(self) -> int:
        """1, or how many frames of a window it is shown: the centre and its nearest neighbours."""
        return int(self.card["architecture"]["frames"])

    def damage(self, stack: Stack, tile: int = TILE) -> Map:
        """Probability of damage `(h, w)` of a stack `(frames, h, w)`, 0..1, of any size."""
        if stack.ndim != 3 or len(stack) != self.frames:
            raise ValueError(f"{self.name} is shown {self.frames} frames, not an array of {stack.shape}")
        multiple, margin = int(self.card["multiple"]), int(self.card["margin"])
        return run_tiled(lambda part: self.engine.run(part[None])[0, 0], stack, multiple, tile, margin)


def cards(folder: Path = WEIGHTS) -> dict[str, dict[str, Any]]:
    """The cards of all networks in a folder, by name."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    return {name: card for name, card in found.items() if "architecture" in card and "graph" in card}


def load_network(name: str, device: str = "auto", threads: int = 1, engine: str | None = None) -> Network:
    """A network by the name of its card, or by the path of a card; on the best engine there is for the device.

    `threads` is what one call may use. Raises UsageError for a name that there is no card of, an engine that is not
    installed or a device it cannot use, MediaError when the weights are not those of the card.
    """
    card_path = Path(name) if name.endswith(".json") else WEIGHTS / f"{name}.json"
    if not card_path.exists():
        raise UsageError(f"no network is called {name}; there are {', '.join(cards()) or 'none'}")
    card = json.loads(card_path.read_text(encoding="utf-8"))
    _check(card, card_path.parent)
    graph = card_path.parent / card["graph"]
    chosen = engine or _best_engine(device)
    made: Engine
    if chosen == "torch":
        from reelmend.runtime.torch_engine import TorchEngine

        made = TorchEngine(card, card_path.parent / card["weights"], device, threads)
    elif chosen == "openvino":
        from reelmend.runtime.openvino_engine import OpenVinoEngine

        made = OpenVinoEngine(graph, threads)
    elif chosen == "onnxruntime":
        from reelmend.runtime.onnx_engine import OnnxEngine

        made = OnnxEngine(graph, threads)
    else:
        raise UsageError(f"no engine is called {chosen}; there are onnxruntime, openvino and torch")
    return Network(card_path.stem, card, made)


def _check(card: dict[str, Any], folder: Path) -> None:
    import hashlib

    path = folder / card["weights"]
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MediaError(f"{path}: cannot read the weights ({error.strerror}); install the package again") from error
    if digest != card["sha256"]:
        raise MediaError(f"{path} is not the file that its card describes; install the package again")


def _best_engine(device: str) -> str:
    if device in ("cuda", "mps"):
        return "torch"
    if device == "auto" and _gpu():
        return "torch"
    return "onnxruntime"


def _gpu() -> bool:
    import sys

    # Loading torch takes seconds: only a program that has it already, or asks for a GPU by name, runs on it.
    torch = sys.modules.get("torch")
    return bool(torch and torch.cuda.is_available())
