"""Small photographs in colour, and the diffusion model that learns from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from reelmend.errors import UsageError
from reelmend.nets.prior import DATA, MIDDLE, PatchPrior
from reelmend.runtime import load_repair_network
from reelmend.runtime.card import Source
from reelmend.train.prior import shown, train_prior
from reelmend.train.publish import publish_repair_run
from reelmend.train.recipe import Optimiser, PriorNet, PriorRecipe, load_prior_recipe, recipe_path
from reelmend.train.scenes import SIDE, Scenes, view, write_scenes

SIZES = {"colours": 3, "fold": 4, "width": 8, "multiples": [1, 2], "blocks": 1, "attention": [1], "heads": 2}


def silent(text: str) -> None:
    pass


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for n, size in enumerate(((200, 300), (300, 180), (64, 64))):
        cv2.imwrite(str(folder / f"{n}.png"), cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), size[::-1]))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def pack(photographs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "scenes.npy"
    write_scenes(photographs, path, each=3, say=silent)
    return path


def test_what_is_too_small_is_left_out_and_said(photographs: list[Path], tmp_path: Path) -> None:
    said: list[str] = []
    counts = write_scenes(photographs, tmp_path / "scenes.npy", each=3, say=said.append)
    assert counts == {"0.png": 3, "1.png": 3}
    assert len(said) == 1 and "2.png" in said[0]
    assert np.load(tmp_path / "scenes.npy").shape == (6, 3, SIDE, SIDE)
    with pytest.raises(UsageError, match="none of the files"):
        write_scenes(photographs[2:], tmp_path / "none.npy", say=silent)


def test_a_view_keeps_colours_and_shows_nearly_all() -> None:
    photograph = np.zeros((400, 400, 3), np.uint8)
    photograph[:, 200:] = (255, 128, 0)
    seen = view(photograph, np.random.default_rng(1))
    right = seen[:, :, -20:].reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(right, (255, 128, 0), atol=3)
    assert seen[:, :, :20].max() == 0


def test_batches_are_known_by_their_number(pack: Path) -> None:
    one, other = Scenes([pack], 3), Scenes([pack], 3)
    other.batch(5, 4)
    torch.testing.assert_close(one.batch(2, 4), other.batch(2, 4))
    assert not torch.equal(one.batch(2, 4)[0], one.batch(3, 4)[0])


def test_another_array_is_no_pack(tmp_path: Path) -> None:
    np.save(tmp_path / "other.npy", np.zeros((2, 9, 64, 64), np.uint8))
    with pytest.raises(UsageError, match="train scenes"):
        Scenes([tmp_path / "other.npy"], 0)


@pytest.fixture
def recipe() -> PriorRecipe:
    return PriorRecipe(
        name="small", steps=4, batch=2, validate_every=2, validation=1, precision="fp32", steps_sampled=2,
        net=PriorNet(sizes=SIZES), optimiser=Optimiser(warmup=2),
    )  # fmt: skip


def test_a_model_in_colour_trains_goes_on_and_ships(recipe: PriorRecipe, pack: Path, tmp_path: Path) -> None:
    whole = train_prior(recipe, [pack], [pack], tmp_path / "whole", say=silent)
    train_prior(recipe, [pack], [pack], tmp_path / "parts", until=2, say=silent)
    parts = train_prior(recipe, [pack], [pack], tmp_path / "parts", say=silent)
    one, other = load_file(whole), load_file(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)
    sheet = cv2.imread(str(tmp_path / "whole" / "step0000004.png"))
    assert sheet is not None and sheet.shape[0] == 2 * SIDE
    used = [Source(name="squares", terms="CC0", address="")]
    card = publish_repair_run(recipe, tmp_path / "whole", [pack], used, tmp_path, "small")
    assert card.planes == 4 and card.scores["held_back_loss"] > 0
    stack = np.random.default_rng(0).random((1, 4, 64, 96), np.float32)
    answers = [
        load_repair_network(str(tmp_path / "small.json"), "cpu", engine=one).answer(stack)
        for one in ("torch", "onnxruntime")
    ]
    assert answers[0].shape == (1, 3, 64, 96)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)


def test_an_untrained_model_in_colour_is_exact_for_gaussian_pixels() -> None:
    noisy = torch.rand(2, 3, 16, 16)
    guess = PatchPrior(SIZES)(shown(noisy, torch.tensor([0.25, 1.0])))
    share = torch.tensor([DATA**2 / (DATA**2 + 0.0625), DATA**2 / (DATA**2 + 1)])[:, None, None, None]
    torch.testing.assert_close(guess, MIDDLE + share * (noisy - MIDDLE))


def test_the_recipe_builds_a_network_with_attention_at_32_and_16() -> None:
    net = PatchPrior(load_prior_recipe(recipe_path("scene-prior")).net.sizes)
    assert net.planes == 4
    assert sum(one.numel() for one in net.parameters()) < 3.1e6
