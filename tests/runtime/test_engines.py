"""One network, one map: on every engine, at any size, in any tiles, from any thread."""

from __future__ import annotations

import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from reelmend.errors import UsageError
from reelmend.nets.zoo import NETS
from reelmend.runtime import ENGINES, load_network, processor
from reelmend.runtime.network import Precision
from reelmend.runtime.onnx_engine import OnnxEngine
from small_networks import published, scene

CONVOLUTIONAL = [name for name in NETS if name != "segformer"]


@pytest.mark.parametrize(("frames", "features"), [(1, "still"), (5, "residuals"), (5, "ranked")])
@pytest.mark.parametrize("name", NETS)
def test_every_engine_gives_the_same_map(name: str, frames: int, features: str, tmp_path: Path) -> None:
    card = published(tmp_path, name, frames, features=features)
    path = str(tmp_path / f"{card.name}.json")
    loaded = {engine: load_network(path, "cpu", engine=engine) for engine in ENGINES}
    for height, width in ((64, 96), (50, 37), (16, 16)):
        given = scene(frames, height, width)
        maps = {engine: network.damage(given) for engine, network in loaded.items()}
        for engine, one in maps.items():
            assert one.shape == (height, width), engine
            assert one.dtype == np.float32, engine
            assert one.min() >= 0
            assert one.max() <= 1
            np.testing.assert_allclose(one, maps["torch"], atol=1e-4, err_msg=engine)
    assert maps["torch"].std() > 0.05, "a map of one value would show no difference"


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_maps_do_not_depend_on_the_size_of_tiles(name: str, tmp_path: Path) -> None:
    card = published(tmp_path, name, 5)
    network = load_network(str(tmp_path / f"{card.name}.json"), "cpu", engine="onnxruntime")
    given = scene(5, 181, 203)
    whole = network.damage(given)
    smallest = 2 * (card.margin + card.multiple)
    for tile in (smallest, smallest + 11, 190):
        np.testing.assert_allclose(network.damage(given, max(tile, smallest)), whole, atol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_serve_several_threads_and_batches(engine: str, tmp_path: Path) -> None:
    card = published(tmp_path)
    network = load_network(str(tmp_path / f"{card.name}.json"), "cpu", engine=engine)
    given = [scene(5, 40 + 8 * n, 64, n) for n in range(4)]
    alone = [network.damage(one) for one in given]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(network.damage, given))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    batch = np.stack([scene(5, 64, 64, n) for n in range(2)])
    np.testing.assert_allclose(network.engine.run(batch)[1, 0], network.damage(batch[1]), atol=1e-5)


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_bf16_is_nearly_the_same(engine: str, tmp_path: Path) -> None:
    card = published(tmp_path)
    path = str(tmp_path / f"{card.name}.json")
    given = scene(5, 64, 64)
    exact = load_network(path, "cpu", engine=engine).damage(given)
    rough = load_network(path, "cpu", engine=engine, precision="bf16").damage(given)
    assert np.abs(rough - exact).mean() < 0.02


@pytest.mark.parametrize(
    ("engine", "precision", "words"),
    [
        ("onnxruntime", "bf16", "f32 and int8 only"),
        ("torch", "int8", "f32 and bf16 only"),
        ("onnxruntime", "int8", "has no graph in 8 bits; `reelmend train quantise` makes one"),
        ("openvino", "int8", "has no graph in 8 bits"),
    ],
)
def test_a_precision_that_an_engine_lacks_is_refused(
    engine: str, precision: Precision, words: str, tmp_path: Path
) -> None:
    card = published(tmp_path)
    with pytest.raises(UsageError, match=words):
        load_network(str(tmp_path / f"{card.name}.json"), "cpu", engine=engine, precision=precision)


@pytest.mark.parametrize(("able", "graph"), [(True, "fast-int8.onnx"), (False, "fast.onnx")])
def test_eight_bits_are_taken_where_the_processor_multiplies_them(
    able: bool, graph: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelmend.runtime.network.multiplies_bytes", lambda: able)
    network = load_network("fast", "cpu", engine="onnxruntime", precision=None)
    assert isinstance(network.engine, OnnxEngine)
    assert network.engine.graph.name == graph


@pytest.mark.parametrize(
    ("system", "machine", "flags", "able"),
    [
        ("Linux", "x86_64", "flags : fpu avx2 avx512_vnni", True),
        ("Linux", "x86_64", "flags : fpu avx2", False),
        ("Linux", "aarch64", "Features : fp asimd asimddp", True),
        ("Darwin", "arm64", "", True),
        ("Darwin", "x86_64", "", False),
        ("Windows", "AMD64", None, False),
    ],
)
def test_what_a_processor_can_do(
    system: str, machine: str, flags: str | None, able: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(flags)
    assert processor.multiplies_bytes.__wrapped__() is able


def test_another_number_of_frames_is_refused(tmp_path: Path) -> None:
    card = published(tmp_path)
    network = load_network(str(tmp_path / f"{card.name}.json"), "cpu", engine="onnxruntime")
    with pytest.raises(ValueError, match="is shown 5 frames"):
        network.damage(scene(3, 32, 32))


def test_calibration_turns_what_the_network_says_into_probabilities(tmp_path: Path) -> None:
    knots = [[0.2, 0.05], [0.6, 0.3], [0.9, 0.8]]
    published(tmp_path, called="raw")
    published(tmp_path, called="true", calibration=knots)
    raw, true = (load_network(str(tmp_path / f"{one}.json"), engine="onnxruntime") for one in ("raw", "true"))
    given = scene(5, 64, 64)
    expected = np.interp(raw.damage(given), [0, 0.2, 0.6, 0.9, 1], [0, 0.05, 0.3, 0.8, 1])
    np.testing.assert_allclose(true.damage(given), expected, atol=1e-4)


@pytest.mark.parametrize(("views", "axes"), [(2, [(), (-1,)]), (4, [(), (-1,), (-2,), (-2, -1)])])
def test_a_picture_may_be_looked_at_several_ways_round(views: int, axes: list[tuple[int, ...]], tmp_path: Path) -> None:
    knots = [[0.2, 0.05], [0.6, 0.3]]
    published(tmp_path, called="once")
    published(tmp_path, called="often", views=views)
    published(tmp_path, called="true", views=views, calibration=knots)
    once, often, true = (load_network(str(tmp_path / f"{one}.json")) for one in ("once", "often", "true"))
    given = scene(5, 61, 83)
    looks = [np.flip(once.damage(np.flip(given, turned)), turned) for turned in axes]
    assert np.abs(looks[0] - looks[1]).max() > 0.01
    np.testing.assert_allclose(often.damage(given), np.mean(looks, axis=0), atol=1e-6)
    for turned in axes:
        mirrored = np.flip(often.damage(np.flip(given, turned)), turned)
        np.testing.assert_allclose(mirrored, often.damage(given), atol=1e-6)
    # What is calibrated is their mean.
    expected = np.interp(often.damage(given), [0, 0.2, 0.6, 1], [0, 0.05, 0.3, 1])
    np.testing.assert_allclose(true.damage(given), expected, atol=1e-4)


FIRST_CALLS = """
import os, sys, threading
import numpy as np
from reelmend.runtime import load_network
network = load_network(sys.argv[1], "cpu", engine="openvino")
sys.setswitchinterval(1e-6)
together = threading.Barrier(4)
def call():
    together.wait()
    network.damage(np.zeros((5, 32, 32), np.float32))
threads = [threading.Thread(target=call, daemon=True) for _ in range(4)]
[one.start() for one in threads]
[one.join(20) for one in threads]
os._exit(any(one.is_alive() for one in threads))
"""


def test_first_calls_from_several_threads_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """OpenVINO's binding hung here about one time in three, so it is tried a few times in fresh interpreters."""
    card = published(tmp_path)
    for _ in range(3):
        subprocess.run([sys.executable, "-c", FIRST_CALLS, str(tmp_path / f"{card.name}.json")], check=True)
