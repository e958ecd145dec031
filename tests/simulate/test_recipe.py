"""Recipes as files: what is read, and how a mistake is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reelmend.errors import UsageError
from reelmend.simulate.kinds import KINDS
from reelmend.simulate.lookalikes import LOOKALIKES
from reelmend.simulate.recipe import FITTED, load_recipe, recipe_names, recorded_seed


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


TRAINING = ("training-window", "training-faint", "training-sharp", "training-stills", "training-stills-sharp")


def test_the_packages_recipes_are_those_promised_and_say_what_they_are() -> None:
    promised = {"standard", "home-movie", "archive-16mm", "scratched", "mouldy", "water", "lookalikes"}
    assert promised | set(TRAINING) == set(recipe_names())
    for name in recipe_names():
        made = load_recipe(name)
        assert made.name == name
        assert len(made.note) > 20


def test_training_recipes_have_every_kind_and_every_lookalike() -> None:
    for name in TRAINING:
        made = load_recipe(name)
        assert set(made.damage) >= set(FITTED)
        assert set(made.lookalikes) == set(LOOKALIKES)
        assert set(made.gauge) >= {"35mm", "16mm", "super8"}
        assert all(entry.per_frame[1] > 0 for kind, entry in made.damage.items() if kind not in FITTED)
    assert not load_recipe("lookalikes").damage
    assert set(load_recipe("lookalikes").lookalikes) == set(LOOKALIKES)


@pytest.mark.parametrize("name", ["training-stills", "training-stills-sharp"])
def test_stills_have_no_memory(name: str) -> None:
    made = load_recipe(name)
    assert all(entry.frames == (1, 1) for entry in made.damage.values())
    assert made.sticking.chance == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("amont = [1, 2]", ["unknown key 'amont'", "did you mean 'amount'", "a recipe knows"]),
        ("[damage.dust]\nopacty = [0, 1]", ["'damage.dust.opacty'", "'opacity'", "[damage.dust] knows"]),
        ("[damage.dust]\nopacity = [0.5, 1.5]", ["damage.dust.opacity = 1.5", "0 to 1"]),
        ("[damage.dust]\nopacity = [0.9, 0.5]", ["damage.dust.opacity = [0.9, 0.5]", "lowest and its highest"]),
        ("[damage.dust]\nopacity = [0.9]", ["damage.dust.opacity", "lowest and highest, each a number, 0 to 1"]),
        ("[damage.dust]\nopacity = 0.5", ["damage.dust.opacity = 0.5", "lowest and highest"]),
        ("[damage.dust]\nframes = [0, 3]", ["damage.dust.frames = 0", "whole number, 1 or more"]),
        ('[damage.dust]\ntints = ["red"]', ["damage.dust.tints = 'red'", "neutral, yellow, green or blue"]),
        ('[damage."line scratch"]\ntints = []', ["damage.line scratch.tints", "list of"]),
        ('gauge = ["35 mm"]', ["gauge = '35 mm'", "known: 35mm, 16mm, super8, 8mm"]),
        ("gauge = []", ["gauge"]),
        ("[damage]\ndust = 3", ["'damage.dust'", "table of options"]),
        ("damage = 3", ["damage"]),
        ("[picture]\nflicker = [0.1, nan]", ["picture.flicker"]),
        ("[damage.dusty]", ["damage.dusty", "not known", "dust,"]),
        ("[lookalikes.ghosts]", ["lookalikes.ghosts", "not known", "rain"]),
        ("[damage.dust]\nper_frame = [1, 2]", ["damage.dust.per_frame", "times"]),
        ('[damage."gate hair"]\ntimes = [1, 2]', ["damage.gate hair.times", "per_frame"]),
        ("amount = [1, 2", ["not a valid TOML file"]),
    ],
)
def test_a_mistake_is_one_sentence(recipe: Callable[[str], Path], text: str, words: list[str]) -> None:
    path = recipe(text)
    with pytest.raises(UsageError) as caught:
        load_recipe(path)
    said = str(caught.value)
    assert all(word in said for word in [*words, str(path)]), said
    assert "\n" not in said


def test_names_and_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no recipe is called standart; there are .*standard"):
        load_recipe("standart")
    with pytest.raises(UsageError, match=r"none\.toml: cannot read the recipe"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "other.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a valid TOML file"):
        load_recipe(tmp_path / "other.toml")


def test_the_run_is_no_part_of_the_recipe(recipe: Callable[[str], Path]) -> None:
    path = recipe('statistics = "my/numbers.json"\n[run]\nseed = 12\nversion = "1"')
    assert recorded_seed(path) == 12
    assert recorded_seed("standard") is None
    made = load_recipe(path)
    assert made.name == "mine"
    assert Path(made.statistics) == path.parent / "my" / "numbers.json"


def test_every_key_says_what_it_does() -> None:
    from reelmend.simulate import recipe as module

    for model in (module.Entry, module.Sticking, module.Grain, module.Picture, module.Lookalike):
        assert all(field.description for field in model.model_fields.values()), model
    assert set(load_recipe("training-window").damage) <= set(KINDS)
