"""A little footage, and a recipe that trains a little net on it in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from reelmend.train.recipe import Data, Net, Optimiser, TrainRecipe
from reelmend.train.windows import Dirt

DAMAGE = """
gauge = ["16mm"]
amount = [1.0, 1.0]
scan_width = [640.0, 640.0]

[damage.dust]
times = [3.0, 3.0]
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Nets this small are slower on several threads, the more so beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def little_dirt() -> Iterator[None]:
    """Drawing all of the dirt that flow meets takes ten seconds, and most tests here need some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dirt, "FRAMES", 4)
        yield


@pytest.fixture(scope="session")
def damage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("damage") / "dusty.toml"
    path.write_text(DAMAGE)
    return path


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smooth pictures that stand still: `(12, 5, 288, 288)`."""
    rng = np.random.default_rng(3)
    coarse = rng.uniform(60, 200, (12, 1, 12, 12))
    pictures = np.kron(coarse, np.ones((1, 1, 24, 24))).astype(np.uint8)
    path = tmp_path_factory.mktemp("pack") / "windows.npy"
    np.save(path, np.repeat(pictures, 5, axis=1))
    return path


@pytest.fixture
def recipe(damage: Path) -> TrainRecipe:
    return TrainRecipe(
        name="tiny",
        steps=6,
        batch=2,
        validate_every=3,
        validation=1,
        precision="fp32",
        net=Net(name="compact", frames=3, features="ranked", sizes={"widths": [8, 8], "blocks": [0, 1]}),
        data=Data(damage=str(damage), crop=64, members=8),
        optimiser=Optimiser(warmup=2),
    )
