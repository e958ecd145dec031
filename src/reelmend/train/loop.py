"""What all trainings share: the optimiser's steps, the running average, the log, and checkpoints to go on from.

A run goes on exactly where it was stopped: every batch is known by its number, and a checkpoint holds the rest.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from reelmend.nets.export import save_weights
from reelmend.train.average import Average
from reelmend.train.recipe import Optimiser, Schedule

Net = TypeVar("Net", bound=nn.Module)
Batch = TypeVar("Batch")

PRECISION = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": None}


@dataclass(slots=True)
class Run(Generic[Net]):
    """A training run: everything that a checkpoint keeps."""

    net: Net
    average: Average[Net]
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    device: str
    step: int = 0


def begin(net: Net, schedule: Schedule, device: str) -> Run[Net]:
    """A run of `net`, at its first step; weights and biases that scale or shift do not decay."""
    net = net.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    decays = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decays, "weight_decay": schedule.optimiser.decay}, {"params": others, "weight_decay": 0.0}],
        lr=schedule.optimiser.rate,
    )
    scaler = torch.amp.GradScaler(device.split(":")[0], enabled=schedule.precision == "fp16")
    return Run(net, Average(net, schedule.optimiser.average), optimiser, scaler, device)


def fit(
    net: Net,
    schedule: Schedule,
    out: Path,
    device: str,
    batch_of: Callable[[int], Batch],
    loss_of: Callable[[Net, Batch, torch.Generator], Tensor],
    validate: Callable[[Net, Path], dict[str, float]],
    *,
    until: int | None = None,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train to the last step, or to step `until`, or to the first validation after `minutes`; the weights' file.

    `batch_of` gives the batch of a step, at full precision; `loss_of` is given the network, the batch and its own
    source of randomness; `validate` the averaged network and where a contact sheet goes. Log,
    sheets, checkpoint and the averaged weights, named after the schedule, go to `out`; a checkpoint there is gone on
    from.
    """
    run = begin(net, schedule, device)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        _load(run, checkpoint)
        say(f"going on at step {run.step}")
    began = time.monotonic()
    last = min(schedule.steps, until or schedule.steps)
    losses: list[float] = []
    while run.step < last:
        losses.append(_step(run, schedule, batch_of(run.step), loss_of))
        if run.step % schedule.validate_every == 0 or run.step == last:
            scores = validate(run.average.net, out / f"step{run.step:07d}.png")
            row = {"step": run.step, "loss": float(np.mean(losses)), "seconds": time.monotonic() - began} | scores
            losses.clear()
            _log(out / "log.csv", row)
            say("  ".join(f"{key} {value:.4g}" for key, value in row.items()))
            _save(run, checkpoint)
            if minutes is not None and time.monotonic() - began > 60 * minutes:
                break
    weights = out / f"{schedule.name}.safetensors"
    save_weights(run.average.net, weights)
    return weights


def learning_rate(step: int, steps: int, optimiser: Optimiser) -> float:
    """Linear warm-up, then a cosine to a hundredth (Loshchilov and Hutter 2017)."""
    if step < optimiser.warmup:
        return optimiser.rate * (step + 1) / optimiser.warmup
    share = (step - optimiser.warmup) / max(1, steps - optimiser.warmup)
    return optimiser.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(share, 1.0))) / 2)


def autocast(schedule: Schedule, device: str) -> Any:
    """The precision that a recipe computes in."""
    kind = PRECISION[schedule.precision]
    return torch.autocast(device.split(":")[0], kind or torch.bfloat16, enabled=kind is not None)


def _step(
    run: Run[Net], schedule: Schedule, batch: Batch, loss_of: Callable[[Net, Batch, torch.Generator], Tensor]
) -> float:
    rate = learning_rate(run.step, schedule.steps, schedule.optimiser)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    generator = torch.Generator(run.device).manual_seed(schedule.seed * 1_000_003 + run.step)
    with autocast(schedule, run.device):
        loss = loss_of(run.net, batch, generator)
    run.optimiser.zero_grad(set_to_none=True)
    run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    run.scaler.unscale_(run.optimiser)
    nn.utils.clip_grad_norm_(run.net.parameters(), schedule.optimiser.clip)
    run.scaler.step(run.optimiser)
    run.scaler.update()
    run.average.update(run.net)
    run.step += 1
    return float(loss.detach())


def _log(path: Path, row: dict[str, float]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if fresh:
            writer.writeheader()
        writer.writerow({key: f"{value:.6g}" for key, value in row.items()})


def _save(run: Run[Any], path: Path) -> None:
    half = path.with_suffix(".half")
    torch.save(
        {
            "step": run.step,
            "net": run.net.state_dict(),
            "average": run.average.net.state_dict(),
            "average_steps": run.average.steps,
            "optimiser": run.optimiser.state_dict(),
            "scaler": run.scaler.state_dict(),
        },
        half,
    )
    half.replace(path)


def _load(run: Run[Any], path: Path) -> None:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    run.net.load_state_dict(kept["net"])
    run.average.net.load_state_dict(kept["average"])
    run.average.steps = kept["average_steps"]
    run.optimiser.load_state_dict(kept["optimiser"])
    run.scaler.load_state_dict(kept["scaler"])
    run.step = kept["step"]
