"""Speed of detectors' networks on a processor, flow excluded: seconds for a frame, engine by engine.

    python -m benchmarks.detector_speed [NAME ...] [--size 1920x1080] [--threads 2] [--seconds 6]
        [--write docs/detection.md]

NAME is a shipped network, a card's path, or a network of the zoo with sizes, given random weights:
`unet:5:{"width": 16, "depth": 3}` is a U-Net that is shown five frames. Without names: the Attention U-Net of base 16
that others are measured against, and the sizes of `fast`, `best` and `still`.

The first figure is processor time over threads, the best of several runs: what a frame takes on idle cores; the second
is what the clock said. `--write` puts the first, as megapixels a second on OpenVINO, into the rows of both tables of
`python -m benchmarks.detection`: of detectors as they are used, and of networks alone, all in bf16. Speed is one of the
network, whatever it was trained on.
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

from benchmarks.detection import BEGIN, BEGIN_ALONE
from benchmarks.documents import fill, table_of
from benchmarks.networks import FAMILIES
from reelmend.errors import ReelMendError
from reelmend.nets.card import publish
from reelmend.nets.sizes import BEST, FAST, STILL
from reelmend.nets.zoo import Detector
from reelmend.runtime import Network, cards, load_network
from reelmend.runtime.network import Precision

REFERENCE = 'attention-unet:5:{"width": 16, "depth": 3}'

ENGINES: tuple[tuple[str, Precision], ...] = (
    ("onnxruntime", "f32"),
    ("onnxruntime", "int8"),
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
    net = Detector(net_name, int(frames), "ranked" if frames == "5" else None, json.loads(sizes))
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
            yield label, load_network(str(card), "cpu", threads, engine, precision).engine.run
        except (ImportError, ReelMendError) as error:
            print(f"  {label:<18} left out: {error}")


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
            network = load_network(str(card), "cpu", threads, "onnxruntime")
            facts = network.card
            net = Detector(**facts.architecture.model_dump())
            weights = sum(one.numel() for one in net.parameters())
            print(f"{name}  ({weights / 1e6:.2f} M parameters, margin {facts.margin})")
            stack = shown(network, size)
            for label, run in runs(card, threads, engines):
                used, clock = seconds(run, stack, threads, budget)
                ratio = used / first.setdefault(label, used)
                print(
                    f"  {label:<18} {used:7.3f} s  {clock:7.3f} s on the clock  {ratio:5.2f} of the first", flush=True
                )


def write_speeds(
    document: Path, begin: str, precision: Precision | None, size: tuple[int, int], threads: int, budget: float
) -> None:
    """Fill in the megapixels a second of the networks that a document's table tells of, each measured once on OpenVINO;
    `precision` None: the one that it is used in."""
    known: dict[str, str] = {}
    cells: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for row in table_of(document, begin):
            name = row["detector"]
            if row["network"] not in FAMILIES:
                continue
            if name not in cards():
                net, sizes = FAMILIES[row["network"]]
                frames = 1 if row["sees"] == "one frame" else int(row["sees"].split()[-1])
                name = f"{net}:{frames}:{json.dumps(sizes)}"
            if name not in known:
                card = random_card(name, Path(folder)) if ":" in name else name
                network = load_network(str(card), "cpu", threads, "openvino", precision)
                used, _ = seconds(network.engine.run, shown(network, size), threads, budget)
                known[name] = f"{size[0] * size[1] / used / network.card.views / 1e6:.1f}"
                print(name, network.precision, known[name], flush=True)
            cells[row["detector"]] = known[name]
    fill(document, begin, "MP/s", cells)


def shown(network: Network, size: tuple[int, int]) -> np.ndarray:
    """A stack of noise as wide and high as a size, rounded up to what the network takes."""
    multiple = network.card.multiple
    width, height = (-(-side // multiple) * multiple for side in size)
    return np.random.default_rng(0).random((1, network.frames, height, width), np.float32)


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
    parser.add_argument("--write", type=Path, metavar="DOCUMENT")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    if options.write:
        for begin, precision in ((BEGIN, None), (BEGIN_ALONE, "bf16")):
            write_speeds(options.write, begin, precision, (width, height), options.threads, options.seconds)
        return
    measure(options.names or default_names(), (width, height), options.threads, options.seconds, options.engines)


if __name__ == "__main__":
    main()
