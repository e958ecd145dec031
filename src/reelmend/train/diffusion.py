"""Training of `temporal-diffusion`: denoising what is under damage, with the neighbours shown or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reelmend.diffusion import dpm_solver, karras
from reelmend.diffusion.inpainting import chosen
from reelmend.errors import UsageError
from reelmend.nets.diffuser import DATA, Diffuser
from reelmend.nets.export import load_weights
from reelmend.nets.mixer import DOUBT, FILL, MASK, NEIGHBOURS, SCAN, Mixer
from reelmend.repair.patches import SIDES
from reelmend.repair.sampled import DOUBT as MOST_DOUBT
from reelmend.repair.sampled import LARGEST, SMALLEST
from reelmend.runtime.network import find_repair_card
from reelmend.train.loop import autocast, fit
from reelmend.train.passes import begin, without_neighbours
from reelmend.train.pictures import save_rows
from reelmend.train.recipe import DiffusionRecipe
from reelmend.train.repair import Holes, decibels_in, low_passed


def train_diffusion(
    recipe: DiffusionRecipe,
    packs: Sequence[Path],
    validation: Sequence[Path],
    out: Path,
    *,
    device: str = "cpu",
    start: Path | None = None,
    until: int | None = None,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train, or go on; the weights' file. Arguments as in `train.repair.train_repair`."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    feed, held_back = Holes(packs, recipe.seed), Holes(validation, recipe.seed, shuffled=False)
    condition = conditions(recipe, device)
    net = Diffuser(recipe.net.sizes)
    if start is not None:
        begin(net, start, recipe.name)

    def batch_of(step: int) -> tuple[Tensor, Tensor]:
        truth, shown = feed.batch(step, recipe.batch, SIDES[step % len(SIDES)])
        rng = np.random.default_rng([recipe.seed, 11, step])
        return truth.to(device), condition(shown, rng.random(recipe.batch) >= recipe.data.unbiased)

    def loss_of(net: Diffuser, batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        return diffusion_loss(net, *batch, recipe, generator)

    def scores(net: Diffuser, sheet: Path) -> dict[str, float]:
        return validate(net, condition, recipe, held_back, sheet, device)

    return fit(net, recipe, out, device, batch_of, loss_of, scores, until=until, minutes=minutes, say=say)


Condition = Callable[[Tensor, np.ndarray], Tensor]
"""From a batch of holes `(b, 8, h, w)`, and whether the neighbours of each are shown, to what the model is shown
`(b, 9, h, w)`, on its device."""


def conditions(recipe: DiffusionRecipe, device: str) -> Condition:
    """What a recipe's model is shown. Raises UsageError as `load_mean`."""
    if not recipe.mean:
        return lambda shown, flags: unmasked(biased(shown, flags)).to(device)
    mean = load_mean(recipe.mean).to(device)

    def condition(shown: Tensor, flags: np.ndarray) -> Tensor:
        given = biased(shown, flags).to(device)
        return refined(mean, given.contiguous(memory_format=torch.channels_last), recipe, device)

    return condition


def unmasked(shown: Tensor) -> Tensor:
    """What `biased` gives without a word of where the damage is: the scan is the fill, and all of it may change."""
    out = shown.clone()
    out[:, FILL], out[:, MASK], out[:, DOUBT] = shown[:, SCAN], 1, 0
    alone = shown[:, 8, 0, 0] < 0.5
    out[alone, NEIGHBOURS : NEIGHBOURS + 4] = shown[alone, SCAN : SCAN + 1]
    return out


def load_mean(name: str) -> Mixer:
    """The network whose answer is refined, by its name or the path of its card; frozen.

    Raises UsageError when there is none of the name, or it is no network that mixes.
    """
    card, folder = find_repair_card(name)
    if card.architecture.net != "mixer":
        raise UsageError(f"{name} does not mix neighbours; diffusion refines a network that does")
    net = Mixer(card.architecture.sizes)
    load_weights(net, folder / card.weights)
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@torch.no_grad()
def refined(mean: Mixer, shown: Tensor, recipe: DiffusionRecipe, device: str) -> Tensor:
    """What `biased` gives with the mean's answer as the fill and its expected error as the doubt.

    Where neighbours are not shown the fill stays, and the doubt is whole.
    """
    with autocast(recipe, device):
        answer = mean(shown[:, :8]).float()
    hole, known = shown[:, MASK : MASK + 1] > 0.5, shown[:, 8:9] > 0.5
    fill = torch.where(hole & known, answer[:, :1], shown[:, FILL : FILL + 1])
    doubt = torch.where(known, (answer[:, 1:] * MOST_DOUBT).clamp(0, 1), torch.ones_like(fill)) * hole
    out = shown.clone()
    out[:, FILL : FILL + 1], out[:, DOUBT : DOUBT + 1] = fill, doubt
    return out


def biased(shown: Tensor, with_neighbours: np.ndarray) -> Tensor:
    """What is shown with the plane that says whether neighbours are; where not, the frame itself stands in for them.

    `shown` `(b, 8, h, w)`, `with_neighbours` `(b,)` boolean; `(b, 9, h, w)`.
    """
    flags = torch.from_numpy(with_neighbours.astype(np.float32))[:, None, None, None]
    out = torch.cat([shown, flags.expand(-1, 1, *shown.shape[2:])], dim=1)
    alone = torch.from_numpy(~with_neighbours)
    if alone.any():
        out[alone, :8] = without_neighbours(shown[alone])
    return out


def with_noise(shown: Tensor, noisy: Tensor, sigma: Tensor) -> Tensor:
    """The planes that `Diffuser` takes: `shown` `(b, 9, h, w)` of `biased`, the noisy luma, sigma `(b,)`."""
    level = (torch.log(sigma) / 4)[:, None, None, None].expand_as(noisy)
    return torch.cat([shown[:, :8], noisy, level, shown[:, 8:]], dim=1)


def diffusion_loss(
    net: Diffuser, truth: Tensor, shown: Tensor, recipe: DiffusionRecipe, generator: torch.Generator
) -> Tensor:
    """Squared error in the holes, weighted to be even over noise levels: Karras et al. (2022), equation 8."""
    draw = torch.randn(len(truth), generator=generator, device=truth.device)
    sigma = torch.exp(recipe.noise.mean + recipe.noise.spread * draw)
    noise = torch.randn(truth.shape, generator=generator, device=truth.device)
    holes = (shown[:, MASK : MASK + 1] > 0.5).float()
    guess = net(with_noise(shown, truth + sigma[:, None, None, None] * noise, sigma))
    weight = (sigma**2 + DATA**2) / (sigma * DATA) ** 2
    squared = weight[:, None, None, None] * (guess - truth) ** 2 * holes
    return squared.sum() / holes.sum().clamp(min=1)


@torch.no_grad()
def validate(
    net: Diffuser, condition: Condition, recipe: DiffusionRecipe, feed: Holes, sheet: Path, device: str
) -> dict[str, float]:
    """PSNR in the holes of samples in few steps, low-passed, with the neighbours and without, dB; and of the fill that
    they start from."""
    net.eval()
    kept: dict[str, list[Tensor]] = {"low_passed": [], "unbiased_low_passed": [], "start_low_passed": []}
    for number in range(min(recipe.validation, len(feed) // recipe.batch)):
        truth, views = (one.to(device) for one in feed.batch(number, recipe.batch))
        holes = (views[:, MASK : MASK + 1] > 0.5).float()
        sheets = []
        for name, flag in (("", True), ("unbiased_", False)):
            shown = condition(views, np.full(len(views), flag))
            generator = torch.Generator(device).manual_seed(number)
            with autocast(recipe, device):
                made = sample(net, shown, generator, recipe.steps_sampled)
            kept[f"{name}low_passed"].append(decibels_in(low_passed((made - truth) * holes), holes))
            sheets.append(torch.where(holes > 0.5, made, views[:, SCAN : SCAN + 1]))
            if flag:
                error = (shown[:, FILL : FILL + 1] - truth) * holes
                kept["start_low_passed"].append(decibels_in(low_passed(error), holes))
        if number == 0:
            save_rows(sheet, [views[:, SCAN : SCAN + 1], views[:, FILL : FILL + 1], *sheets, truth])
    return {name: float(torch.cat(values).mean()) for name, values in kept.items()}


def sample(net: Diffuser, shown: Tensor, generator: torch.Generator, steps: int) -> Tensor:
    """Luma `(b, 1, h, w)` of what `biased` gives, sampled by DPM-Solver++ in `steps` calls; 0..1."""
    fill = shown[:, FILL : FILL + 1]
    noise = torch.randn(fill.shape, generator=generator, device=fill.device)

    def denoise(x: Tensor, alpha: float, sigma: float) -> Tensor:
        return net(with_noise(shown, x, torch.full((len(x),), sigma, device=x.device))).float()

    walk = chosen(karras(steps, SMALLEST, LARGEST), steps)
    return torch.as_tensor(dpm_solver(denoise, walk, fill + LARGEST * noise)).clamp(0, 1)
