from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from safetensors import safe_open

from reelmend.errors import UsageError
from reelmend.nets.card import publish
from reelmend.nets.export import export_graph, save_weights, tensor_places
from reelmend.nets.zoo import NETS
from reelmend.runtime import read_card
from small_networks import FACTS, published, small


@pytest.mark.parametrize("name", NETS)
def test_the_graph_holds_no_weights_but_points_into_their_file(name: str, tmp_path: Path) -> None:
    card = published(tmp_path, name)
    graph, weights = tmp_path / card.graph, tmp_path / card.weights
    assert graph.stat().st_size < 100_000
    model = onnx.load(str(graph), load_external_data=False)
    with safe_open(weights, "np") as file:
        names = set(file.keys())
        pointed = {}
        for one in model.graph.initializer:
            if one.data_location == onnx.TensorProto.EXTERNAL:
                pointed[one.name] = {entry.key: entry.value for entry in one.external_data}
                offset, length = int(pointed[one.name]["offset"]), int(pointed[one.name]["length"])
                assert weights.read_bytes()[offset : offset + length] == file.get_tensor(one.name).tobytes()
            else:
                assert one.ByteSize() < 300, one.name
    assert pointed.keys() == names
    assert {one["location"] for one in pointed.values()} == {weights.name}
    assert sum(int(one["length"]) for one in pointed.values()) == sum(n for _, n in tensor_places(weights).values())
    text = graph.read_bytes()
    assert b".py" not in text
    assert b"site-packages" not in text


def test_the_network_that_is_published_stays_as_it_was(tmp_path: Path) -> None:
    net = small("compact", 5).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    publish(net, FACTS, tmp_path, "one")
    assert net.training
    assert all(bool((value == before[key]).all()) for key, value in net.state_dict().items())


def test_publishing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        published(tmp_path / folder)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_the_card_says_all_that_was_given_and_all_that_was_found(tmp_path: Path) -> None:
    card = published(tmp_path, called="small", scores={"dice": 0.5}, note="of noise", calibration=[[0.5, 0.4]])
    assert card == read_card(tmp_path / "small.json")
    assert card.architecture.model_dump() == small("compact", 5).facts
    assert (card.multiple, card.exact) == (8, True)
    assert card.margin % 8 == 0
    assert card.licence == "Apache-2.0"
    assert card.recipe == FACTS["recipe"]
    assert card.calibration == ((0.5, 0.4),)
    assert json.loads((tmp_path / "small.json").read_text(encoding="utf-8"))["kind"] == "network"


def test_a_network_that_sees_everything_says_so(tmp_path: Path) -> None:
    assert not published(tmp_path, "segformer", 1).exact


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"recipe": {}, "data": []}, "operating_points"),
        (FACTS | {"sha256": "0" * 64}, "sha256 is read off"),
        (FACTS | {"colour": "blue"}, "colour"),
        (FACTS | {"operating_points": {"gentle": 0.1, "standard": 0.5, "strong": 0.2}}, "fall from gentle"),
    ],
)
def test_facts_that_make_no_card_write_nothing(facts: dict[str, object], wrong: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=wrong):
        publish(small("unet", 1), facts, tmp_path, "one")
    assert not list(tmp_path.iterdir())


def test_weights_of_another_network_are_not_pointed_into(tmp_path: Path) -> None:
    save_weights(small("attention-unet", 1), tmp_path / "one.safetensors")
    with pytest.raises(ValueError, match=r"the graph does not use net\.gates"):
        export_graph(small("unet", 1), tmp_path / "one.safetensors", tmp_path / "one.onnx")
