"""Publishing: a trained network as the files that every engine runs, with the card that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelmend.errors import UsageError
from reelmend.nets.diffir import DiffIR
from reelmend.nets.diffuser import Diffuser
from reelmend.nets.export import export_graph, save_weights
from reelmend.nets.fourier import FourierNet
from reelmend.nets.mixer import Mixer
from reelmend.nets.prior import PatchPrior
from reelmend.nets.reach import reach
from reelmend.nets.zoo import Detector
from reelmend.runtime.card import KIND, REPAIRER, AnyCard, Card, RepairCard, digest

GLOBAL_MARGIN = 128
"""Pixels, a multiple of all nets' multiples: the overlap of tiles of a network that sees all of its tile."""


def publish(net: Detector, facts: Mapping[str, Any], folder: Path, name: str) -> Card:
    """Write `name`.safetensors, `name`.onnx and the card `name`.json; the card.

    `facts` are the card's fields that cannot be read off the network: `recipe`, `data`, `operating_points`, and where
    there are, `licence`, `calibration`, `scores`, `note`. Raises UsageError when they do not make a card, ValueError
    when the weights do not fit half precision. What is missing or wrong is said before anything is written.
    """
    margin = reach(net)
    given = {
        "kind": KIND,
        "margin": GLOBAL_MARGIN if margin is None else margin,
        "exact": margin is not None,
    }
    return _publish(Card, net, given, facts, folder, name)


def publish_repairer(
    net: Mixer | FourierNet | DiffIR | Diffuser | PatchPrior, facts: Mapping[str, Any], folder: Path, name: str
) -> RepairCard:
    """The same of a network that repairs; `facts` are `recipe`, `data`, and where there are, `scores` and `note`."""
    return _publish(RepairCard, net, {"kind": REPAIRER, "planes": net.planes}, facts, folder, name)


def _publish(
    type_: type[AnyCard], net: Any, own: dict[str, Any], facts: Mapping[str, Any], folder: Path, name: str
) -> AnyCard:
    from pydantic import ValidationError

    given = own | {
        "name": name,
        "architecture": net.facts,
        "multiple": net.multiple,
        "weights": f"{name}.safetensors",
        "graph": f"{name}.onnx",
        "sha256": "0" * 64,
        "graph_sha256": "0" * 64,
    }
    doubled = sorted(given.keys() & facts.keys())
    if doubled:
        raise UsageError(f"a card's {', '.join(doubled)} is read off the network, not given.")
    try:
        card = type_.model_validate(given | dict(facts))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"these facts make no weight card: {f'{where}: ' if where else ''}{first['msg']}.") from error
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(net, folder / card.weights)
    export_graph(net, folder / card.weights, folder / card.graph)
    files = {"sha256": digest(folder / card.weights), "graph_sha256": digest(folder / card.graph)}
    card = card.model_copy(update=files)
    card.write(folder / f"{name}.json")
    return card
