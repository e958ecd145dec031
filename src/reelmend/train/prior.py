"""Training of an unconditional diffusion model: denoising whole patches of film, holes or not, or small photographs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from reelmend.diffusion import dpm_solver, karras
from reelmend.diffusion.inpainting import chosen, diffpir
from reelmend.nets.mixer import FILL, MASK, SCAN
from reelmend.nets.prior import DATA, PatchPrior
from reelmend.repair.prior import LARGEST, SMALLEST
from reelmend.train.loop import autocast, fit
from reelmend.train.pictures import save_rows
from reelmend.train.recipe import PriorRecipe
from reelmend.train.repair import Holes, decibels_in, low_passed
from reelmend.train.scenes import Scenes, save_pictures


def train_prior(
    recipe: PriorRecipe,
    packs: Sequence[Path],
    validation: Sequence[Path],
    out: Path,
    *,
    device: str = "cpu",
    until: int | None = None,
    minutes: float | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train, or go on; the weights' file. As `train.repair.train_repair`, but of holes only the truth counts.

    A model in colour takes packs of scenes (`train.scenes`), one in luma packs of holes.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    feed, held_back = feed_of(recipe, packs), feed_of(recipe, validation, shuffled=False)
    net = PatchPrior(recipe.net.sizes)

    def batch_of(step: int) -> Tensor:
        return feed.batch(step, recipe.batch)[0].to(device)

    def loss_of(net: PatchPrior, truth: Tensor, generator: torch.Generator) -> Tensor:
        return prior_loss(net, truth, recipe, generator)

    def scores(net: PatchPrior, sheet: Path) -> dict[str, float]:
        return validate_prior(net, recipe, held_back, sheet, device)

    return fit(net, recipe, out, device, batch_of, loss_of, scores, until=until, minutes=minutes, say=say)


def feed_of(recipe: PriorRecipe, packs: Sequence[Path], *, shuffled: bool = True) -> Holes | Scenes:
    """What a recipe is trained on. Raises UsageError when a pack is missing or is of the wrong kind."""
    colour = recipe.net.sizes.get("colours", 1) == 3
    return (Scenes if colour else Holes)(packs, recipe.seed, shuffled=shuffled)


def shown(noisy: Tensor, sigma: Tensor) -> Tensor:
    """The planes that `PatchPrior` takes: the noisy picture `(b, colours, h, w)`, sigma `(b,)`."""
    level = (torch.log(sigma) / 4)[:, None, None, None]
    return torch.cat([noisy, level.expand_as(noisy[:, :1])], dim=1)


def prior_loss(net: PatchPrior, truth: Tensor, recipe: PriorRecipe, generator: torch.Generator) -> Tensor:
    """Squared error, weighted to be even over noise levels: Karras et al. (2022), equation 8."""
    draw = torch.randn(len(truth), generator=generator, device=truth.device)
    sigma = torch.exp(recipe.noise.mean + recipe.noise.spread * draw)
    noise = torch.randn(truth.shape, generator=generator, device=truth.device)
    guess = net(shown(truth + sigma[:, None, None, None] * noise, sigma))
    weight = (sigma**2 + DATA**2) / (sigma * DATA) ** 2
    return (weight[:, None, None, None] * (guess - truth) ** 2).mean()


@torch.no_grad()
def validate_prior(
    net: PatchPrior, recipe: PriorRecipe, feed: Holes | Scenes, sheet: Path, device: str
) -> dict[str, float]:
    """The loss on held-back film, and low-passed PSNR of its holes filled by DiffPIR, and by the neighbours, dB.

    Of scenes the loss alone, and samples to look at.
    """
    net.eval()
    if isinstance(feed, Scenes):
        return _validate_scenes(net, recipe, feed, sheet, device)
    kept: dict[str, list[Tensor]] = {"held_back_loss": [], "diffpir_low_passed": [], "fill_low_passed": []}
    walk = chosen(karras(recipe.steps_sampled, SMALLEST, LARGEST), recipe.steps_sampled)
    for number in range(min(recipe.validation, len(feed) // recipe.batch)):
        truth, views = (one.to(device) for one in feed.batch(number, recipe.batch))
        generator = torch.Generator(device).manual_seed(number)
        holes = (views[:, MASK : MASK + 1] > 0.5).float()

        def like(x: Tensor, generator: torch.Generator = generator) -> Tensor:
            return torch.randn(x.shape, generator=generator, device=x.device)

        def denoise(x: Tensor, alpha: float, sigma: float) -> Tensor:
            guess: Tensor = net(shown(x, torch.full((len(x),), sigma, device=x.device)))
            return guess.float()

        with autocast(recipe, device):
            kept["held_back_loss"].append(prior_loss(net, truth, recipe, generator).float()[None])
            made = diffpir(denoise, walk, LARGEST * like(truth), views[:, SCAN : SCAN + 1], 1 - holes, like)
        for name, luma in (("diffpir", torch.as_tensor(made).clamp(0, 1)), ("fill", views[:, FILL : FILL + 1])):
            kept[f"{name}_low_passed"].append(decibels_in(low_passed((luma - truth) * holes), holes))
        if number == 0:
            free = diffpir(denoise, walk, LARGEST * like(truth), truth, torch.zeros_like(truth), like)
            save_rows(sheet, [views[:, SCAN : SCAN + 1], torch.as_tensor(made), torch.as_tensor(free), truth])
    return {name: float(torch.cat(values).mean()) for name, values in kept.items()}


def _validate_scenes(net: PatchPrior, recipe: PriorRecipe, feed: Scenes, sheet: Path, device: str) -> dict[str, float]:
    losses = []
    for number in range(max(1, min(recipe.validation, len(feed) // recipe.batch))):
        (truth,) = (one.to(device) for one in feed.batch(number, recipe.batch))
        with autocast(recipe, device):
            losses.append(prior_loss(net, truth, recipe, torch.Generator(device).manual_seed(number)).float())
    generator = torch.Generator(device).manual_seed(0)

    def denoise(x: Tensor, alpha: float, sigma: float) -> Tensor:
        with autocast(recipe, device):
            return net(shown(x, torch.full((len(x),), sigma, device=x.device))).float()

    walk = chosen(karras(recipe.steps_sampled, SMALLEST, LARGEST), recipe.steps_sampled)
    start = torch.randn(truth[:8].shape, generator=generator, device=device)
    save_pictures(sheet, [torch.as_tensor(dpm_solver(denoise, walk, LARGEST * start)), truth[:8]])
    return {"held_back_loss": float(torch.stack(losses).mean())}
