"""Training of a detector: from a recipe and packs of windows to a folder with weights, a log and pictures.

A run goes on exactly where it was stopped: every batch is known by its number, and a checkpoint holds the rest.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from reelmend.nets.export import load_weights, save_weights
from reelmend.nets.zoo import Detector
from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import load_recipe as load_damage
from reelmend.train.average import Average
from reelmend.train.cache import CachedFeed
from reelmend.train.feed import Crops, Feed
from reelmend.train.losses import pixel_loss, region_loss
from reelmend.train.pictures import save_sheet
from reelmend.train.recipe import Optimiser, TrainRecipe

NOISE = 0.22
"""Standard deviation of the noise of denoising pretraining, Brempong et al. (2022)."""

PRECISION = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": None}

VALIDATION_FIRST = 1 << 24
"""Number of the first validation batch: no training batch has their damage."""


class Batches(Protocol):
    """What gives a batch by its number."""

    def batch(self, number: int, size: int) -> Crops: ...


@dataclass(slots=True)
class Run:
    """A training run: everything that a checkpoint keeps."""

    net: Detector
    average: Average[Detector]
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    step: int = 0


def train(
    recipe: TrainRecipe,
    packs: list[Path],
    validation: list[Path],
    out: Path,
    *,
    device: str = "cpu",
    near: Path = Path(),
    negatives: Sequence[Path] = (),
    kept: Path | None = None,
    until: int | None = None,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train, or go on; the weights' file.

    `negatives` are packs of windows on which a detector fired though nothing is damaged (`train.negatives`); the recipe
    says what share of the crops they are. `near` is the folder that the recipe's own paths count from, `kept` the one
    where drawn defects and kept crops lie, which runs on the same data may share; unset: `out`. The run stops, to be
    gone on with, at step `until` or after `minutes`. Raises UsageError for packs that are none.
    """
    kept = kept or out
    for folder in (out, kept / "atlas"):
        folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    run = _begin(recipe, device, near)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        _load(run, checkpoint)
        say(f"going on at step {run.step}")
    damage = load_damage(recipe.data.damage)
    simulator = Simulator(damage, recipe.seed, device, members=recipe.data.members, cache=kept / "atlas")
    feed: Batches = Feed(packs, recipe.data, simulator, recipe.net.frames, recipe.seed, negatives)
    if recipe.data.cached:
        sizes = [[str(pack), pack.stat().st_size] for pack in [*packs, *negatives]]
        facts = {"data": recipe.data.model_dump(), "damage": damage.model_dump(), "frames": recipe.net.frames,
                 "seed": recipe.seed, "packs": sizes}  # fmt: skip
        feed = CachedFeed(feed, kept / "cache", recipe.data.cached, facts, recipe.seed)  # type: ignore[arg-type]
    held_back = Feed(validation, recipe.data, simulator, recipe.net.frames, recipe.seed)
    began = time.monotonic()
    last = min(recipe.steps, until or recipe.steps)
    losses: list[float] = []
    while run.step < last:
        losses.append(_step(run, recipe, feed.batch(run.step, recipe.batch), device))
        if run.step % recipe.validate_every == 0 or run.step == last:
            scores = validate(run.average.net, recipe, held_back, out / f"step{run.step:07d}.png", device)
            row = {"step": run.step, "loss": float(np.mean(losses)), "seconds": time.monotonic() - began} | scores
            losses.clear()
            _log(out / "log.csv", row)
            say("  ".join(f"{key} {value:.4g}" for key, value in row.items()))
            _save(run, checkpoint)
            if minutes is not None and time.monotonic() - began > 60 * minutes:
                break
    weights = out / f"{recipe.name}.safetensors"
    save_weights(run.average.net, weights)
    return weights


def learning_rate(step: int, steps: int, optimiser: Optimiser) -> float:
    """Linear warm-up, then a cosine to a hundredth (Loshchilov and Hutter 2017)."""
    if step < optimiser.warmup:
        return optimiser.rate * (step + 1) / optimiser.warmup
    share = (step - optimiser.warmup) / max(1, steps - optimiser.warmup)
    return optimiser.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(share, 1.0))) / 2)


def objective(net: nn.Module, crops: Crops, recipe: TrainRecipe, generator: torch.Generator) -> Tensor:
    """The loss of a batch in the recipe's stage."""
    if recipe.stage == "denoise":
        # One noise for a picture of one channel: the net has one output. Noise is on the centre, which it must tell
        # from its neighbours' content, as damage will be.
        noise = torch.randn(crops.truth.shape, generator=generator, device=crops.stack.device)
        noisy = crops.stack.clone()
        noisy[:, :1] = (crops.stack[:, :1] - 0.5 + NOISE * noise) / math.sqrt(1 + NOISE**2) + 0.5
        return nn.functional.mse_loss(net(noisy).float(), noise)
    logits = net(crops.stack)
    loss = recipe.loss
    total = torch.zeros((), device=logits.device)
    if loss.pixel:
        total = total + loss.pixel * pixel_loss(logits, crops.truth, crops.judged, loss.focus)
    if loss.region:
        total = total + loss.region * region_loss(logits, crops.truth, crops.judged, loss.miss_weight)
    return total


def _begin(recipe: TrainRecipe, device: str, near: Path) -> Run:
    net = Detector(recipe.net.name, recipe.net.frames, recipe.net.features, recipe.net.sizes)
    if recipe.start_from:
        load_weights(net, near / recipe.start_from)
    net = net.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    decays = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decays, "weight_decay": recipe.optimiser.decay}, {"params": others, "weight_decay": 0.0}],
        lr=recipe.optimiser.rate,
    )
    scaler = torch.amp.GradScaler(device.split(":")[0], enabled=recipe.precision == "fp16")
    return Run(net, Average(net, recipe.optimiser.average), optimiser, scaler)


def _step(run: Run, recipe: TrainRecipe, crops: Crops, device: str) -> float:
    rate = learning_rate(run.step, recipe.steps, recipe.optimiser)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    generator = torch.Generator(device).manual_seed(recipe.seed * 1_000_003 + run.step)
    crops = replace(crops, stack=crops.stack.contiguous(memory_format=torch.channels_last))
    with _autocast(recipe, device):
        loss = objective(run.net, crops, recipe, generator)
    run.optimiser.zero_grad(set_to_none=True)
    run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    run.scaler.unscale_(run.optimiser)
    nn.utils.clip_grad_norm_(run.net.parameters(), recipe.optimiser.clip)
    run.scaler.step(run.optimiser)
    run.scaler.update()
    run.average.update(run.net)
    run.step += 1
    return float(loss.detach())


def _autocast(recipe: TrainRecipe, device: str) -> Any:
    kind = PRECISION[recipe.precision]
    return torch.autocast(device.split(":")[0], kind or torch.bfloat16, enabled=kind is not None)


@torch.no_grad()
def validate(net: Detector, recipe: TrainRecipe, feed: Batches, sheet: Path, device: str) -> dict[str, float]:
    """Scores on fixed crops of other footage; a contact sheet of the first of them goes to `sheet`."""
    net.eval()
    if recipe.stage == "denoise":
        generator = torch.Generator(device).manual_seed(1)
        with _autocast(recipe, device):
            numbers = range(VALIDATION_FIRST, VALIDATION_FIRST + recipe.validation)
            errors = [float(objective(net, feed.batch(n, 8), recipe, generator)) for n in numbers]
        return {"noise_error": float(np.mean(errors))}
    hits = found = true = wrong_clean = clean = 0.0
    for number in range(recipe.validation):
        crops = feed.batch(VALIDATION_FIRST + number, 8)
        with _autocast(recipe, device):
            probability = torch.sigmoid(net(crops.stack.contiguous(memory_format=torch.channels_last)).float())
        judged = crops.judged > 0.5
        mask, truth = (probability >= 0.5) & judged, (crops.truth > 0.5) & judged
        hits += float((mask & truth).sum())
        found += float(mask.sum())
        true += float(truth.sum())
        # Further than two pixels from damage: a rim is no false alarm.
        near = nn.functional.max_pool2d(crops.truth, 5, 1, 2) > 0.5
        wrong_clean += float((mask & ~near).sum())
        clean += float((~near).sum())
        if number == 0:
            save_sheet(sheet, crops.stack[:, 0], probability[:, 0], crops.truth[:, 0])
    return {
        "dice": 2 * hits / max(found + true, 1),
        "precision": hits / max(found, 1),
        "recall": hits / max(true, 1),
        "false_per_million": 1e6 * wrong_clean / max(clean, 1),
    }


def _log(path: Path, row: dict[str, float]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if fresh:
            writer.writeheader()
        writer.writerow({key: f"{value:.6g}" for key, value in row.items()})


def _save(run: Run, path: Path) -> None:
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


def _load(run: Run, path: Path) -> None:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    run.net.load_state_dict(kept["net"])
    run.average.net.load_state_dict(kept["average"])
    run.average.steps = kept["average_steps"]
    run.optimiser.load_state_dict(kept["optimiser"])
    run.scaler.load_state_dict(kept["scaler"])
    run.step = kept["step"]
