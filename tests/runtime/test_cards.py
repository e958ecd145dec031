from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reelmend.errors import MediaError, UsageError
from reelmend.runtime import Card, best_engine, cards, load_network, read_card
from small_networks import published


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    published(made, called="one")
    return made


def changed(folder: Path, target: Path, **changes: object) -> Path:
    """A copy of the network `one` whose card says something else; None takes a key away."""
    values = json.loads((folder / "one.json").read_text(encoding="utf-8"))
    for key, value in changes.items():
        if value is None:
            del values[key]
        else:
            values[key] = value
    for name in ("one.safetensors", "one.onnx"):
        (target / name).write_bytes((folder / name).read_bytes())
    (target / "one.json").write_text(json.dumps(values), encoding="utf-8")
    return target / "one.json"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"sha256": None}, "'sha256' is missing"),
        ({"colour": "blue"}, "unknown key 'colour'"),
        ({"margin": 13}, "margin 13 must be a multiple of 8"),
        ({"weights": "../one.safetensors"}, "weights = "),
        ({"kind": "trees"}, "kind = 'trees'"),
        ({"operating_points": {"gentle": 0.2, "standard": 0.5, "strong": 0.1}}, "fall from gentle to strong"),
        ({"operating_points": {"gentle": 2, "standard": 0.5, "strong": 0.1}}, "operating_points.gentle = 2"),
        ({"calibration": [[0.5, 0.4], [0.4, 0.6]]}, "must rise"),
    ],
)
def test_a_wrong_card_is_told_in_a_sentence(
    changes: dict[str, object], wrong: str, folder: Path, tmp_path: Path
) -> None:
    path = changed(folder, tmp_path, **changes)
    with pytest.raises(MediaError, match=wrong) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_card_survives_writing(folder: Path, tmp_path: Path) -> None:
    card = read_card(folder / "one.json")
    card.write(tmp_path / "two.json")
    assert read_card(tmp_path / "two.json") == card
    assert isinstance(card, Card)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{"])
def test_what_is_no_card_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MediaError, match=r"one\.json"):
        read_card(path)
    with pytest.raises(MediaError, match="cannot read"):
        read_card(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["one.safetensors", "one.onnx"])
def test_files_that_the_card_does_not_describe_are_refused(name: str, folder: Path, tmp_path: Path) -> None:
    path = changed(folder, tmp_path)
    load_network(str(path), engine="onnxruntime")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b"\0")
    with pytest.raises(MediaError, match=f"{name} is not the file that its card describes"):
        load_network(str(path))
    (tmp_path / name).unlink()
    with pytest.raises(MediaError, match=f"{name}: cannot read it"):
        load_network(str(path))


def test_a_card_of_another_network_than_its_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    other = {"net": "unet", "frames": 5, "features": "residuals", "sizes": {"width": 8, "depth": 2}}
    with pytest.raises(MediaError, match="does not fit its weights"):
        load_network(str(changed(folder, tmp_path, architecture=other)), "cpu", engine="torch")


def test_cards_are_found_among_other_files(folder: Path, tmp_path: Path) -> None:
    changed(folder, tmp_path)
    (tmp_path / "scores.json").write_text("{}", encoding="utf-8")
    (tmp_path / "trees.json").write_text('{"kind": "boosted trees"}', encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    assert list(cards(tmp_path)) == ["one"]


def test_every_network_that_ships_is_whole() -> None:
    for name, card in cards().items():
        assert card.name == name
        load_network(name, engine="onnxruntime")


@pytest.mark.parametrize("name", ["nobody", "spike", "scores", "/nowhere/one.json"])
def test_an_unknown_name_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(UsageError, match=f"no network is called {name}; known are"):
        load_network(name)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"engine": "tensorflow"}, "no engine is called tensorflow; known are onnxruntime, openvino, torch"),
        ({"engine": "onnxruntime", "device": "cuda"}, "onnxruntime runs on the processor only; use torch"),
        ({"engine": "openvino", "device": "mps"}, "openvino runs on the processor only"),
    ],
)
def test_what_an_engine_cannot_is_said(options: dict[str, str], wrong: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=wrong):
        load_network(str(folder / "one.json"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("engine", "extra"), [("torch", "train"), ("openvino", "openvino")])
def test_an_engine_that_is_not_installed_is_said_with_its_extra(
    engine: str, extra: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(UsageError, match=rf"not installed; pip install 'reelmend\[{extra}\]'"):
        load_network(str(folder / "one.json"), "cpu", engine=engine)


def test_a_device_that_is_not_there_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no device cuda"):
        load_network(str(folder / "one.json"), "cuda")


def test_engines_are_chosen_by_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr("shutil.which", lambda name: None)
    assert best_engine("cuda") == "torch"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert best_engine("cpu") == best_engine("auto") == "openvino"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert best_engine("auto") == "onnxruntime"
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
    assert best_engine("auto") == "onnxruntime"


def test_onnxruntime_needs_neither_torch_nor_safetensors(folder: Path) -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('torch', 'safetensors', 'onnx', 'openvino', 'scipy')));"
        "import numpy as np; from reelmend.runtime import load_network;"
        f"network = load_network({str(folder / 'one.json')!r}, 'cpu', engine='onnxruntime');"
        "assert network.damage(np.zeros((5, 20, 30), np.float32)).shape == (20, 30)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
