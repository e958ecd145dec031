"""Speed of detectors' networks on a processor, flow excluded: seconds for a frame, engine by engine.

    python -m benchmarks.detector_speed [NAME ...] [--size 1920x1080] [--threads 2] [--seconds 6]

NAME is a shipped network, a card's path, or a network of the zoo with sizes, given random weights:
`unet:5:{"width": 16, "depth": 3}` is a U-Net that is shown five frames. Without names: the Attention U-Net of base 16
that others are measured against, and the sizes of `fast`, `best` and `still`.

The first figure is processor time over threads, the best of several runs: what a frame takes on idle cores; the second
is what the clock said. int8 needs nncf (`pip install nncf`), and is calibrated on noise here: its speed is meant, not
its map.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reelmend.errors import ReelMendError
from reelmend.nets.card import publish
from reelmend.nets.sizes import BEST, FAST, STILL
from reelmend.nets.zoo import Detector
from reelmend.runtime import Network, load_network

REFERENCE = 'attention-unet:5:{"width": 16, "depth": 3}'

ENGINES = (
    ("onnxruntime", "f32"),
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("torch", "f32"),
    ("torch", "bf16"),
)

Run = Callable[[np.ndarray], Any]


def default_names() -> list[str]:
    return [
        REFERENCE,
        *(f"compact:{frames}:{json.dumps(sizes)}" for sizes, frames in ((FAST, 5), (BEST, 5), (STILL, 1))),
    ]


def random_card(name: str, folder: Path) -> Path:
    """The card of a network of the zoo with random weights and statistics; `name` as on the command line."""
    net_name, frames, sizes = name.split(":", 2)
    torch.manual_seed(0)
    net = Detector(net_name, int(frames), sizes=json.loads(sizes))
    facts = {"recipe": {}, "data": [], "operating_points": {"gentle": 0.9, "standard": 0.5, "strong": 0.1}}
    file = f"{net_name}-{abs(hash(name)):x}"
    publish(net, facts, folder, file)
    return folder / f"{file}.json"


def runs(card: Path | str, threads: int, wanted: list[str]) -> Iterator[tuple[str, Run]]:
    """Every engine and precision that can be had, by name, loaded one after the other."""
    for engine, precision in ENGINES:
        label = f"{engine} {precision}"
        if not any(one in label for one in wanted):
            continue
        try:
            if precision == "int8":
                yield label, _int8(load_network(str(card), "cpu", threads, "onnxruntime"), threads)
            else:
                network = load_network(str(card), "cpu", threads, engine, precision)  # type: ignore[arg-type]
                yield label, network.engine.run
        except (ImportError, ReelMendError) as error:
            print(f"  {label:<18} left out: {error}")


def _int8(network: Network, threads: int) -> Run:
    import nncf
    import openvino

    graph = network.engine.graph  # type: ignore[attr-defined]
    core = openvino.Core()
    noise = [np.random.default_rng(n).random((1, network.frames, 128, 128), np.float32) for n in range(8)]
    model = nncf.quantize(core.read_model(str(graph)), nncf.Dataset(noise))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads})
    return lambda stack: compiled([stack])


def seconds(run: Run, stack: np.ndarray, threads: int, budget: float) -> tuple[float, float]:
    """Processor time over threads, and time on the clock: the best of as many runs as fit `budget` seconds, 3 at least.

    The first is not counted: engines compile and allocate in it.
    """
    run(stack)
    times = []
    began = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - began < budget:
        processor, clock = time.process_time(), time.perf_counter()
        run(stack)
        times.append(((time.process_time() - processor) / threads, time.perf_counter() - clock))
    used, clocks = zip(*times, strict=True)
    return min(used), min(clocks)


def measure(names: list[str], size: tuple[int, int], threads: int, budget: float, engines: list[str]) -> None:
    torch.set_num_threads(threads)
    first: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            card: Path | str = random_card(name, Path(folder)) if name.count(":") >= 2 else name
            facts = load_network(str(card), "cpu", threads, "onnxruntime").card
            net = Detector(**facts.architecture.model_dump())
            weights = sum(one.numel() for one in net.parameters())
            print(f"{name}  ({weights / 1e6:.2f} M parameters, margin {facts.margin})")
            width, height = (-(-side // facts.multiple) * facts.multiple for side in size)
            stack = np.random.default_rng(0).random((1, facts.architecture.frames, height, width), np.float32)
            for label, run in runs(card, threads, engines):
                used, clock = seconds(run, stack, threads, budget)
                ratio = used / first.setdefault(label, used)
                print(
                    f"  {label:<18} {used:7.3f} s  {clock:7.3f} s on the clock  {ratio:5.2f} of the first", flush=True
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detector_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each figure")
    parser.add_argument("--engines", nargs="*", default=[""], help="parts of their names: openvino, bf16")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    measure(options.names or default_names(), (width, height), options.threads, options.seconds, options.engines)


if __name__ == "__main__":
    main()
