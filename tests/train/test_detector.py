"""A whole small training: it learns, it goes on exactly where it stopped, its weights are those of its net."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from reelmend.errors import UsageError
from reelmend.nets.diffir import Teacher
from reelmend.nets.export import load_weights
from reelmend.nets.zoo import REPAIR_NETS, Detector
from reelmend.train.average import Average
from reelmend.train.detector import train
from reelmend.train.loop import learning_rate
from reelmend.train.recipe import (
    Optimiser,
    TrainRecipe,
    kind_of,
    load_recipe,
    load_repairer_recipe,
    recipe_path,
)


def silent(text: str) -> None:
    pass


def test_a_stopped_run_goes_on_to_the_same_weights(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> None:
    whole = train(recipe, [pack], [pack], tmp_path / "whole", say=silent)
    train(recipe, [pack], [pack], tmp_path / "parts", until=3, say=silent)
    parts = train(recipe, [pack], [pack], tmp_path / "parts", say=silent)
    one, other = load_file(whole), load_file(parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_training_lowers_the_loss(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> None:
    longer = recipe.model_copy(update={"steps": 90, "batch": 4, "validate_every": 15})
    train(longer, [pack], [pack], tmp_path, say=silent)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(float(row["step"])) for row in rows] == [15, 30, 45, 60, 75, 90]
    assert float(rows[-1]["loss"]) < 0.6 * float(rows[0]["loss"])
    assert (tmp_path / "step0000090.png").exists()


def test_weights_load_into_the_recipes_net(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> None:
    weights = train(recipe, [pack], [pack], tmp_path, say=silent)
    net = recipe.net
    load_weights(Detector(net.name, net.frames, net.features, net.sizes), weights)


def test_denoising_comes_first_and_is_gone_on_from(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> None:
    denoise = recipe.model_copy(update={"stage": "denoise", "name": "first"})
    train(denoise, [pack], [pack], tmp_path, say=silent)
    with (tmp_path / "log.csv").open() as file:
        assert "noise_error" in next(csv.reader(file))
    tuned = recipe.model_copy(update={"start_from": "first.safetensors", "steps": 1, "validate_every": 1})
    started = train(tuned, [pack], [pack], tmp_path / "second", near=tmp_path, say=silent)
    fresh = train(tuned.model_copy(update={"start_from": ""}), [pack], [pack], tmp_path / "third", say=silent)
    assert any(
        not torch.equal(a, b) for a, b in zip(load_file(started).values(), load_file(fresh).values(), strict=True)
    )


def test_a_second_stage_gives_the_network_a_new_part(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> None:
    first = train(recipe, [pack], [pack], tmp_path / "first", say=silent)
    net = recipe.net.model_copy(update={"sizes": recipe.net.sizes | {"detail": 4}})
    second = recipe.model_copy(
        update={"name": "second", "net": net, "start_from": recipe.name, "fresh": ("net.detail",), "steps": 2}
    )
    made = load_file(train(second, [pack], [pack], tmp_path / "second", start=first, say=silent))
    assert {name for name in made if name.startswith("net.detail")} == made.keys() - load_file(first).keys()
    with pytest.raises(UsageError, match=f"goes on from {recipe.name}"):
        train(second, [pack], [pack], tmp_path / "third", say=silent)
    with pytest.raises(UsageError, match="begins from nothing"):
        train(recipe, [pack], [pack], tmp_path / "fourth", start=first, say=silent)
    with pytest.raises(ValueError, match=r"net\.detail.* is missing"):
        train(second.model_copy(update={"fresh": ()}), [pack], [pack], tmp_path / "fifth", start=first, say=silent)


def test_the_learning_rate_rises_then_falls_to_a_hundredth() -> None:
    optimiser = Optimiser(rate=1.0, warmup=10)
    rates = [learning_rate(step, 100, optimiser) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.01)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_the_average_follows_the_weights() -> None:
    net = torch.nn.Linear(2, 1)
    average = Average(net, decay=0.5)
    with torch.no_grad():
        net.weight.fill_(8.0)
    for _ in range(60):
        average.update(net)
    assert torch.allclose(average.net.weight, net.weight, atol=1e-4)
    assert not average.net.weight.requires_grad


@pytest.mark.parametrize("path", sorted(recipe_path("window-fast").parent.glob("*.toml")), ids=lambda path: path.stem)
def test_packaged_recipes_build_their_net(path: Path) -> None:
    if kind_of(path) != "detector":
        other = load_repairer_recipe(path)
        assert other.name == path.stem
        kind = {"diffir-teacher": Teacher} | REPAIR_NETS
        kind[other.net.name](other.net.sizes)
        return
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    Detector(recipe.net.name, recipe.net.frames, recipe.net.features, recipe.net.sizes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps = ", "not a valid TOML"),
        ('name = "x"\nsteps = 0\n[net]\nname = "unet"', "steps"),
        ('name = "x"\nsteps = 1\nstep = 2\n[net]\nname = "unet"', "unknown key 'step'"),
        ('name = "x"\nsteps = 1\n[net]\nname = "unet"\n[data]\ncrop = 100', "crop"),
    ],
)
def test_mistakes_in_a_recipe_are_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        load_recipe(path)


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="window-fast"):
        recipe_path("no-such-recipe")
