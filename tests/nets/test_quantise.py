"""Graphs in 8 bits: near the floats they come from, on the same weights, on every engine that computes so."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from reelmend.nets.quantise import quantise
from reelmend.nets.zoo import NETS
from reelmend.runtime import Card, load_network
from reelmend.runtime.card import digest
from small_networks import published, scene

ALIKE = {"compact": 0.99} | dict.fromkeys(("r-unet", "r2-unet", "r2att-unet"), 0.4)
"""Least correlation of the maps, where it is not 0.85. In a network that nobody trained every layer adds to what was
rounded before, the deeper the more; shipped networks keep their Dice, which their cards tell."""


def stacks(frames: int, count: int = 4) -> list[NDArray[np.float32]]:
    return [scene(frames, 64, 64, n)[None] for n in range(count)]


def quantised(folder: Path, name: str = "compact", frames: int = 5) -> Card:
    card = published(folder, name, frames)
    quantise(folder / card.graph, folder / "int8.onnx", stacks(frames))
    card = card.model_copy(update={"int8": "int8.onnx", "int8_sha256": digest(folder / "int8.onnx")})
    card.write(folder / f"{card.name}.json")
    return card


@pytest.mark.parametrize(("name", "frames"), [("compact", 1), *((name, 5) for name in NETS)])
def test_eight_bits_are_nearly_the_same_on_every_engine(name: str, frames: int, tmp_path: Path) -> None:
    card = quantised(tmp_path, name, frames)
    path = str(tmp_path / f"{card.name}.json")
    exact = load_network(path, "cpu", engine="onnxruntime")
    for engine, (height, width) in (("onnxruntime", (64, 96)), ("openvino", (50, 37))):
        rough = load_network(path, "cpu", engine=engine, precision="int8")
        given = scene(frames, height, width, 7)
        one, other = exact.damage(given), rough.damage(given)
        assert one.std() > 0.05
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > ALIKE.get(name, 0.85)
        assert not np.array_equal(one, other), "nothing was rounded"


def test_the_graph_holds_no_weights_of_its_own(tmp_path: Path) -> None:
    card = quantised(tmp_path)
    pointing = [
        {one.name for one in onnx.load(str(tmp_path / file), load_external_data=False).graph.initializer
         if one.data_location == onnx.TensorProto.EXTERNAL}
        for file in (card.graph, card.int8)
    ]  # fmt: skip
    assert pointing[0] == pointing[1]
    own = onnx.load(str(tmp_path / card.int8), load_external_data=False).graph.initializer
    kernels = [one for one in own if len(one.dims) == 4 and one.data_location != onnx.TensorProto.EXTERNAL]
    assert not kernels


def test_what_sees_the_picture_and_what_answers_stay_in_floats(tmp_path: Path) -> None:
    card = quantised(tmp_path)
    plain, rough = (onnx.load(str(tmp_path / file), load_external_data=False) for file in (card.graph, card.int8))
    made_of = {name: node for node in rough.graph.node for name in node.output}
    bits = Counter(
        made_of[node.input[1]].op_type == "DequantizeLinear" for node in rough.graph.node if node.op_type == "Conv"
    )
    assert sum(bits.values()) == sum(node.op_type == "Conv" for node in plain.graph.node)
    # The stem, the detail's own look at the picture, the head, and the detail's answer.
    assert bits[False] == 4
    shown = [made_of[node.input[0]].op_type for node in rough.graph.node
             if node.op_type == "Conv" and made_of[node.input[1]].op_type != "DequantizeLinear"]  # fmt: skip
    assert sorted(shown) == ["Concat", "Concat", "DequantizeLinear", "DequantizeLinear"]


def steps(folder: Path, given: list[NDArray[np.float32]]) -> dict[str, float]:
    """Steps of the activations that end in a rectifier, by name."""
    card = published(folder)
    quantise(folder / card.graph, folder / "int8.onnx", given)
    numbers = {one.name: one for one in onnx.load(str(folder / "int8.onnx"), load_external_data=False).graph.initializer
               if one.data_location != onnx.TensorProto.EXTERNAL}  # fmt: skip
    return {
        name: float(onnx.numpy_helper.to_array(one))
        for name, one in numbers.items()
        if name.endswith("~s") and not onnx.numpy_helper.to_array(numbers[f"{name[:-1]}0"])
    }


def test_how_far_activations_reach_is_a_mean(tmp_path: Path) -> None:
    calm, wild = stacks(5, 2)
    wild = np.where(wild > 0.5, 1, 0).astype(np.float32)
    one, other, both = (
        steps(tmp_path / name, given) for name, given in (("a", [calm]), ("b", [wild]), ("c", [calm, wild]))
    )
    common = one.keys() & other.keys() & both.keys()
    assert len(common) > 5
    for name in common:
        assert both[name] == pytest.approx((one[name] + other[name]) / 2, rel=1e-4)
    assert any(one[name] < 0.9 * other[name] for name in common)


def test_it_is_the_same_whatever_the_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        quantised(tmp_path / folder)
    assert (tmp_path / "a" / "int8.onnx").read_bytes() == (tmp_path / "b" / "int8.onnx").read_bytes()


def test_no_pictures_are_refused(tmp_path: Path) -> None:
    card = published(tmp_path)
    with pytest.raises(ValueError, match="no pictures"):
        quantise(tmp_path / card.graph, tmp_path / "int8.onnx", [])
    assert not (tmp_path / "int8.onnx").exists()


def test_a_network_of_two_convolutions_keeps_its_floats(tmp_path: Path) -> None:
    make = onnx.helper
    size = ["b", 1, "h", "w"]
    kernel = onnx.numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "kernel")
    graph = make.make_graph(
        [make.make_node("Conv", ["stack", "kernel"], ["x"]), make.make_node("Conv", ["x", "kernel"], ["answer"])],
        "two",
        [make.make_tensor_value_info("stack", onnx.TensorProto.FLOAT, size)],
        [make.make_tensor_value_info("answer", onnx.TensorProto.FLOAT, size)],
        [kernel],
    )
    onnx.save(make.make_model(graph), tmp_path / "two.onnx")
    with pytest.raises(ValueError, match="keeps its floats"):
        quantise(tmp_path / "two.onnx", tmp_path / "int8.onnx", stacks(1))
