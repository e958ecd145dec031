"""Training of a detector: from a recipe and packs of windows to a folder with weights, a log and pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from reelmend.errors import UsageError
from reelmend.nets.export import load_weights
from reelmend.nets.zoo import Detector
from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import load_recipe as load_damage
from reelmend.train.cache import CachedFeed
from reelmend.train.feed import Crops, Feed
from reelmend.train.loop import autocast, fit
from reelmend.train.losses import pixel_loss, region_loss
from reelmend.train.pictures import save_sheet
from reelmend.train.recipe import TrainRecipe

NOISE = 0.22
"""Standard deviation of the noise of denoising pretraining, Brempong et al. (2022)."""

VALIDATION_FIRST = 1 << 24
"""Number of the first validation batch: no training batch has their damage."""


class Batches(Protocol):
    """What gives a batch by its number."""

    def batch(self, number: int, size: int) -> Crops: ...


def train(
    recipe: TrainRecipe,
    packs: list[Path],
    validation: list[Path],
    out: Path,
    *,
    device: str = "cpu",
    near: Path = Path(),
    start: Path | None = None,
    negatives: Sequence[Path] = (),
    kept: Path | None = None,
    until: int | None = None,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train, or go on; the weights' file.

    `start` are the weights of an earlier stage, for recipes that name one.
    `negatives` are packs of windows on which a detector fired though nothing is damaged (`train.negatives`); the recipe
    says what share of the crops they are. `near` is the folder that the recipe's own paths count from, `kept` the one
    where drawn defects and kept crops lie, which runs on the same data may share; unset: `out`. The run stops, to be
    gone on with, at step `until` or after `minutes`. Raises UsageError for packs that are none.
    """
    kept = kept or out
    for folder in (out, kept / "atlas"):
        folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    net = Detector(recipe.net.name, recipe.net.frames, recipe.net.features, recipe.net.sizes)
    earlier = _earlier(recipe, near, start)
    if earlier is not None:
        load_weights(net, earlier, recipe.fresh)
    damage = load_damage(recipe.data.damage)
    simulator = Simulator(damage, recipe.seed, device, members=recipe.data.members, cache=kept / "atlas")
    feed: Batches = Feed(packs, recipe.data, simulator, recipe.net.frames, recipe.seed, negatives)
    if recipe.data.cached:
        sizes = [[str(pack), pack.stat().st_size] for pack in [*packs, *negatives]]
        facts = {
            "data": recipe.data.model_dump(exclude={"damage"}),
            "damage": damage.model_dump(exclude={"name", "note"}),
            "frames": recipe.net.frames,
            "seed": recipe.seed,
            "packs": sizes,
        }
        feed = CachedFeed(feed, kept / "cache", recipe.data.cached, facts, recipe.seed)  # type: ignore[arg-type]
    held_back = Feed(validation, recipe.data, simulator, recipe.net.frames, recipe.seed)

    def batch_of(step: int) -> Crops:
        crops = feed.batch(step, recipe.batch)
        return replace(crops, stack=crops.stack.contiguous(memory_format=torch.channels_last))

    def loss_of(net: Detector, crops: Crops, generator: torch.Generator) -> Tensor:
        return objective(net, crops, recipe, generator)

    def scores(net: Detector, sheet: Path) -> dict[str, float]:
        return validate(net, recipe, held_back, sheet, device)

    return fit(net, recipe, out, device, batch_of, loss_of, scores, until=until, minutes=minutes, say=say)


def _earlier(recipe: TrainRecipe, near: Path, start: Path | None) -> Path | None:
    """The weights that a recipe begins with. Raises UsageError for such as it has no use for, or lacks."""
    if not recipe.start_from:
        if start is not None:
            raise UsageError(f"{recipe.name} begins from nothing; it has no use for {start}")
        return None
    if start is None and not recipe.start_from.endswith(".safetensors"):
        raise UsageError(f"{recipe.name} goes on from {recipe.start_from}: train that first, and --start its weights")
    return start or near / recipe.start_from


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


@torch.no_grad()
def validate(net: Detector, recipe: TrainRecipe, feed: Batches, sheet: Path, device: str) -> dict[str, float]:
    """Scores on fixed crops of other footage; a contact sheet of the first of them goes to `sheet`."""
    net.eval()
    if recipe.stage == "denoise":
        generator = torch.Generator(device).manual_seed(1)
        with autocast(recipe, device):
            numbers = range(VALIDATION_FIRST, VALIDATION_FIRST + recipe.validation)
            errors = [float(objective(net, feed.batch(n, 8), recipe, generator)) for n in numbers]
        return {"noise_error": float(np.mean(errors))}
    hits = found = true = wrong_clean = clean = 0.0
    for number in range(recipe.validation):
        crops = feed.batch(VALIDATION_FIRST + number, 8)
        with autocast(recipe, device):
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
