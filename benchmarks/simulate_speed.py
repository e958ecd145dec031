"""Speed of the batched simulator: training windows a second, on the processor and on a GPU where there is one.

    python -m benchmarks.simulate_speed [--recipe training-window] [--batch 32] [--cache FOLDER]

A window is three frames of 256 x 256. Beside the time that passed stands the processor time, from which others who
use the machine take nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import Recipe, load_recipe

FRAMES, SIDE = 3, 256
BARE = {"picture": {}, "lookalikes": {}, "grain": None}
"""Damage alone."""


def measure(simulator: Simulator, channels: int, batch: int, seconds: float) -> tuple[float, float]:
    """Windows a second, and milliseconds of processor time a window."""
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(batch, FRAMES, channels, SIDE, SIDE, generator=generator).to(simulator.device)
    for _ in range(2):
        simulator.batch(clips)
    _wait(simulator.device)
    start, used, made = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        simulator.batch(clips)
        made += batch
    _wait(simulator.device)
    passed, used = time.perf_counter() - start, time.process_time() - used
    return made / passed, 1000 * used / made


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(description="Training windows a second of the batched simulator.")
    parser.add_argument("--recipe", default="training-window", help="a shipped recipe's name or a file")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--members", type=int, default=100, help="defects drawn of each kind at each scan scale")
    parser.add_argument("--cache", type=Path, help="folder in which the drawn atlas is kept")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = load_recipe(options.recipe)
    alone = Recipe.model_validate({**recipe.model_dump(), **BARE})
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print("| device | windows | recipe | windows a second | processor ms a window |")
    print("|---|---|---|---:|---:|")
    for device in devices:
        name = "GPU" if device == "cuda" else f"CPU, {options.threads} threads"
        batch = options.batch if device == "cpu" else 4 * options.batch
        for used, what in ((recipe, recipe.name), (alone, f"{recipe.name}, damage alone")):
            start = time.process_time()
            simulator = Simulator(used, 0, device, frames=FRAMES, members=options.members, cache=options.cache)
            drawn = time.process_time() - start
            for channels in (1, 3):
                rate, each = measure(simulator, channels, batch, options.seconds)
                shape = f"{batch} x {FRAMES} x {channels} x {SIDE} x {SIDE}"
                print(f"| {name} | {shape} | {what} | {rate:.0f} | {each:.1f} |", flush=True)
            print(f"| {name} | atlas | {what} | | {1000 * drawn:.0f} in all |", flush=True)


if __name__ == "__main__":
    main()
