"""Speed of the batched simulator: training windows a second, on the processor and on a GPU where there is one.

    python -m benchmarks.simulate_speed [--recipe training-window] [--workers 2] [--cache FOLDER]

A window is three frames of 256 x 256. On the processor as many worker processes as asked for make batches at the same
time, each with one thread, as a data loader's workers do. Beside the windows a second, which others who use the
machine take from, stands the processor time of one window.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import Recipe, load_recipe

FRAMES, SIDE = 3, 256
DAMAGE_ALONE = {"picture": {}, "lookalikes": {}, "grain": None}


@dataclass(frozen=True)
class Case:
    """What one worker measures."""

    recipe: Recipe
    device: str
    channels: int
    batch: int
    seconds: float
    members: int
    cache: Path


def measure(case: Case) -> tuple[float, float]:
    """Windows a second, and milliseconds of processor time a window."""
    torch.set_num_threads(1)
    simulator = simulator_of(case)
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(case.batch, FRAMES, case.channels, SIDE, SIDE, generator=generator).to(simulator.device)
    for _ in range(2):
        simulator.batch(clips)
    _wait(case.device)
    start, used, made = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < case.seconds:
        simulator.batch(clips)
        made += case.batch
    _wait(case.device)
    passed, used = time.perf_counter() - start, time.process_time() - used
    return made / passed, 1000 * used / made


def simulator_of(case: Case) -> Simulator:
    return Simulator(case.recipe, 0, case.device, frames=FRAMES, members=case.members, cache=case.cache)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def measure_all(case: Case, workers: int) -> tuple[float, float]:
    """The sum of all workers' windows a second, and the mean of their processor time a window."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        results = pool.map(measure, [case] * workers, chunksize=1)
    return sum(rate for rate, _ in results), sum(each for _, each in results) / workers


def main() -> None:
    parser = argparse.ArgumentParser(description="Training windows a second of the batched simulator.")
    parser.add_argument("--recipe", default="training-window", help="a shipped recipe's name or a file")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2, help="processes on the processor; a GPU has one")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--members", type=int, default=100, help="defects drawn of each kind at each scan scale")
    parser.add_argument("--cache", type=Path, help="folder in which the drawn atlas is kept")
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    alone = Recipe.model_validate({**recipe.model_dump(), **DAMAGE_ALONE})
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder)
        start = time.process_time()
        simulator_of(Case(recipe, "cpu", 1, 1, 0.0, options.members, cache))
        print(f"Atlas and look-alikes: {time.process_time() - start:.0f} s of processor time (less from a cache).\n")
        print("| device | windows | recipe | windows a second | processor ms a window |")
        print("|---|---|---|---:|---:|")
        for device in ("cpu", *(("cuda",) if torch.cuda.is_available() else ())):
            workers = options.workers if device == "cpu" else 1
            name = f"CPU, {workers} workers" if device == "cpu" else torch.cuda.get_device_name()
            batch = options.batch if device == "cpu" else 4 * options.batch
            for used, what in ((recipe, recipe.name), (alone, f"{recipe.name}, damage alone")):
                for channels in (1, 3):
                    case = Case(used, device, channels, batch, options.seconds, options.members, cache)
                    rate, each = measure_all(case, workers)
                    shape = f"{batch} x {FRAMES} x {channels} x {SIDE} x {SIDE}"
                    print(f"| {name} | {shape} | {what} | {rate:.0f} | {each:.1f} |", flush=True)


if __name__ == "__main__":
    main()
