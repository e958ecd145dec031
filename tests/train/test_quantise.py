"""A published detector gets its graph in 8 bits, and the card says what it is worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelmend.cli import main
from reelmend.errors import MediaError, UsageError
from reelmend.runtime import load_network, read_card
from reelmend.train.detector import train
from reelmend.train.publish import publish_run
from reelmend.train.quantise import quantise_detector
from reelmend.train.recipe import TrainRecipe
from small_networks import published


@pytest.fixture
def card(recipe: TrainRecipe, pack: Path, tmp_path: Path) -> Path:
    train(recipe, [pack], [pack], tmp_path / "run", say=lambda _: None)
    publish_run(recipe, tmp_path / "run", [pack], [], tmp_path, "mine", batches=1)
    return tmp_path / "mine.json"


def test_the_card_tells_of_the_graph_and_of_its_worth(card: Path, pack: Path) -> None:
    made, cost = quantise_detector(card, [pack], batches=1)
    assert made == read_card(card)
    assert made.int8 == "mine-int8.onnx"
    assert made.scores["held_back_dice_int8"] == round(cost.int8.dice or 0.0, 4)
    assert made.scores["held_back_dice_f32"] == round(cost.f32.dice or 0.0, 4)
    assert cost.f32.hits + cost.f32.misses == cost.int8.hits + cost.int8.misses > 0
    load_network(str(card), "cpu", engine="onnxruntime", precision="int8")


def test_it_is_the_same_again(card: Path, pack: Path) -> None:
    quantise_detector(card, [pack], batches=1)
    files = {path.name: path.read_bytes() for path in card.parent.glob("mine*")}
    quantise_detector(card, [pack], batches=1)
    assert files == {path.name: path.read_bytes() for path in card.parent.glob("mine*")}


def test_a_graph_of_another_network_is_not_taken(card: Path, pack: Path) -> None:
    quantise_detector(card, [pack], batches=1)
    (card.parent / "mine-int8.onnx").write_bytes((card.parent / "mine.onnx").read_bytes())
    with pytest.raises(MediaError, match=r"mine-int8\.onnx is not the file that its card describes"):
        load_network(str(card), "cpu")


def test_a_card_of_no_training_is_refused(pack: Path, tmp_path: Path) -> None:
    made = published(tmp_path)
    with pytest.raises(UsageError, match="none that detectors are trained by"):
        quantise_detector(tmp_path / f"{made.name}.json", [pack])


def test_the_command_says_what_it_costs(card: Path, pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "quantise", str(card), "--pack", str(pack), "--batches", "1"]) == 0
    said = capsys.readouterr().out
    assert "mine-int8.onnx" in said.replace("\n", "")
    assert [line.split()[0] for line in said.splitlines()][-2:] == ["f32", "int8"]
