"""Hard negatives: the worst windows are kept, and what is cut from them stays undamaged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.runtime import Card, Network
from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import load_recipe
from reelmend.train.feed import Feed
from reelmend.train.negatives import mine
from reelmend.train.recipe import Data
from small_networks import FACTS


@dataclass
class Bright:
    """An engine that fires on white."""

    name: str = "bright"

    def run(self, stacks: np.ndarray) -> np.ndarray:
        return (stacks[:, :1] > 0.9).astype(np.float32)


def network(frames: int = 5) -> Network:
    files = {"weights": "a.safetensors", "graph": "a.onnx", "sha256": "0" * 64, "graph_sha256": "0" * 64}
    shape = {"net": "unet", "frames": frames, "features": "residuals", "sizes": {}}
    facts = {"name": "bright", "kind": "network", "architecture": shape, "multiple": 1, "margin": 0, "exact": True}
    return Network(Card.model_validate(facts | files | FACTS), Bright())


def test_the_worst_windows_come_first(tmp_path: Path) -> None:
    pack = np.full((4, 5, 288, 288), 100, np.uint8)
    pack[1, 0, :2] = pack[3, 0, :9] = 255
    np.save(tmp_path / "clean.npy", pack)
    (tmp_path / "clean.json").write_text(json.dumps({"windows": {"one.mkv": 2, "two.mkv": 2}}))
    out = tmp_path / "hard.npy"
    assert mine(network(), [tmp_path / "clean.npy"], out, 5) == 2
    np.testing.assert_array_equal(np.load(out), pack[[3, 1]])
    assert json.loads((tmp_path / "hard.json").read_text()) == {"windows": {"two.mkv": 1, "one.mkv": 1}}
    assert mine(network(), [tmp_path / "clean.npy"], out, 1) == 1


def test_stills_and_silence_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "clean.npy", np.zeros((1, 5, 288, 288), np.uint8))
    with pytest.raises(UsageError, match="one frame"):
        mine(network(1), [tmp_path / "clean.npy"], tmp_path / "hard.npy", 1)
    with pytest.raises(UsageError, match="fires on none"):
        mine(network(), [tmp_path / "clean.npy"], tmp_path / "hard.npy", 1)


def test_negatives_stay_undamaged(pack: Path, damage: Path, tmp_path: Path) -> None:
    black = tmp_path / "black.npy"
    np.save(black, np.zeros((2, 5, 288, 288), np.uint8))
    simulator = Simulator(load_recipe(damage), 0, members=8)
    crops = Feed([pack], Data(crop=64, negatives=1.0), simulator, 5, 0, [black]).batch(0, 4)
    assert not crops.truth.any()
    some = Feed([pack], Data(crop=64, negatives=0.5), simulator, 5, 0, [black]).batch(0, 16)
    damaged = some.truth.flatten(1).any(dim=1)
    assert damaged.any() and not damaged.all()
