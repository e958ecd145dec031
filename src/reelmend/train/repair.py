"""Training of a network that repairs in one pass: from a recipe and packs of holes to weights, a log and pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reelmend.errors import UsageError
from reelmend.evaluate.fidelity import LOW_PASS_SIGMA
from reelmend.nets.mixer import FILL, MASK, SCAN
from reelmend.repair.patches import SIDE, SIDES
from reelmend.train.holes import check_planes
from reelmend.train.loop import autocast, fit
from reelmend.train.order import Entries, Order
from reelmend.train.passes import Pass, make_pass
from reelmend.train.pictures import save_rows
from reelmend.train.recipe import RepairLoss, RepairRecipe

_ORDER = 1 << 20

LEAST_ERROR = 0.5 / 255
"""No error is expected to be less than this: rounding."""


class Holes:
    """Batches of holes by their number, turned and mirrored; before and after are swapped half of the time."""

    def __init__(self, packs: Sequence[Path], seed: int, *, shuffled: bool = True) -> None:
        """Raises UsageError when a pack is missing or is none."""
        self._holes = Entries([open_holes(path) for path in packs])
        self._order = Order(len(self), seed, _ORDER, shuffled=shuffled)
        self._seed, self._shuffled = seed, shuffled

    def __len__(self) -> int:
        return len(self._holes)

    def batch(self, number: int, size: int, side: int = SIDE) -> tuple[Tensor, Tensor]:
        """Truth `(size, 1, side, side)` and what is shown `(size, 8, side, side)`, 0..1.

        Where `side` is less than that of the pack, patches are cut around some of the damage.
        """
        rng = np.random.default_rng([self._seed, number])
        chosen = []
        for n in range(size):
            hole = _cut(self._holes[self._order[number * size + n]], side, rng)
            if self._shuffled:
                hole = np.rot90(hole, int(rng.integers(4)), axes=(1, 2))
                hole = hole[:, :, ::-1] if rng.integers(2) else hole
                hole = hole[[0, 1, 2, 3, 4, 6, 5, 8, 7]] if rng.integers(2) else hole
            chosen.append(hole)
        planes = torch.from_numpy(np.stack(chosen)).float().div_(255)
        if self._shuffled:
            # Half of them as negatives of themselves: film comes as both.
            negative = torch.from_numpy(rng.random(size) < 0.5)[:, None, None, None]
            light = torch.tensor([1, 1, 1, 0, 0, 1, 1, 1, 1], dtype=torch.bool)[:, None, None]
            planes = torch.where(negative & light, 1 - planes, planes)
        return planes[:, :1], planes[:, 1:]


def _cut(hole: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A square of a hole with a masked pixel in its inner half."""
    if side == hole.shape[1]:
        return hole
    damaged = np.argwhere(hole[1 + MASK] > 127)
    # Patches moved at random may have lost the damage that they were cut for.
    middle = damaged[rng.integers(len(damaged))] if len(damaged) else np.array([side, side])
    top, left = (int(np.clip(at - rng.integers(side // 4, 3 * side // 4), 0, hole.shape[1] - side)) for at in middle)
    return hole[:, top : top + side, left : left + side]


def open_holes(path: Path) -> np.ndarray:
    """The holes of a pack, read as they are needed. Raises UsageError when it is missing or no pack of holes."""
    try:
        pack = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot read the pack of holes ({error})") from error
    if not check_planes(pack):
        raise UsageError(f"{path} is no pack of holes; `reelmend train holes` writes them")
    return np.asarray(pack)


def train_repair(
    recipe: RepairRecipe,
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
    """Train, or go on; the weights' file. Arguments as in `train.detector.train`; packs are those of `train.holes`.

    `start` are the weights to begin with: an earlier run's, or those of `diffir-teacher` for `diffir`.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    task = make_pass(recipe, start)
    feed, held_back = Holes(packs, recipe.seed), Holes(validation, recipe.seed, shuffled=False)

    def batch_of(step: int) -> tuple[Tensor, Tensor]:
        truth, shown = feed.batch(step, recipe.batch, SIDES[step % len(SIDES)])
        return truth.to(device), task.show(shown).to(device).contiguous(memory_format=torch.channels_last)

    def loss_of(net: nn.Module, batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        truth, shown = batch
        answer, more = task.answer(net, shown, truth, generator)
        return repair_loss(answer, truth, shown[:, MASK : MASK + 1], recipe.loss) + more

    def scores(net: nn.Module, sheet: Path) -> dict[str, float]:
        return validate(net, task, recipe, held_back, sheet, device)

    return fit(task.net, recipe, out, device, batch_of, loss_of, scores, until=until, minutes=minutes, say=say)


def repair_loss(answer: Tensor, truth: Tensor, mask: Tensor, loss: RepairLoss) -> Tensor:
    """Mean absolute error in the masks, plain and low-passed, and how unlikely the network finds the latter.

    `answer` as `nets.mixer.Mixer` gives it, `truth` and `mask` `(b, 1, h, w)`. Outside the mask nothing is wrong, for
    nothing is changed there.
    """
    holes = (mask > 0.5).float()
    error = (answer[:, :1] - truth) * holes
    smooth = low_passed(error) * holes
    guess = answer[:, 1:].clamp(min=LEAST_ERROR)
    # Laplace's law, whose tails are those of repair; the picture itself does not learn from it.
    unlikely = (guess / LEAST_ERROR).log() + smooth.detach().abs() / guess
    total = error.abs() + loss.low_passed * smooth.abs() + loss.expected * unlikely * holes
    return total.sum() / holes.sum().clamp(min=1)


def low_passed(error: Tensor) -> Tensor:
    """The error with the grain left out, as `evaluate.fidelity.low_passed_error` has it."""
    kernel = _gaussian().to(error.device, error.dtype)
    reach = len(kernel) // 2
    smooth = nn.functional.conv2d(error, kernel[None, None, :, None], padding=(reach, 0))
    return nn.functional.conv2d(smooth, kernel[None, None, None, :], padding=(0, reach))


@lru_cache(maxsize=1)
def _gaussian() -> Tensor:
    reach = math.ceil(4 * LOW_PASS_SIGMA)
    kernel = torch.exp(-((torch.arange(-reach, reach + 1) / LOW_PASS_SIGMA) ** 2) / 2)
    return kernel / kernel.sum()


@torch.no_grad()
def validate(
    net: nn.Module, task: Pass, recipe: RepairRecipe, feed: Holes, sheet: Path, device: str
) -> dict[str, float]:
    """PSNR in the holes, plain and low-passed, of the network and of the fill it is shown, dB; mean over the holes."""
    net.eval()
    kept: dict[str, list[Tensor]] = {"psnr": [], "low_passed": [], "fill_psnr": [], "fill_low_passed": []}
    for number in range(min(recipe.validation, len(feed) // recipe.batch)):
        truth, given = feed.batch(number, recipe.batch)
        truth, shown = truth.to(device), task.show(given).to(device).contiguous(memory_format=torch.channels_last)
        with autocast(recipe, device):
            answer = task.answer(net, shown, truth, torch.Generator(device))[0].float()
        holes = (shown[:, MASK : MASK + 1] > 0.5).float()
        for name, luma in (("", answer[:, :1]), ("fill_", shown[:, FILL : FILL + 1])):
            error = (luma.clamp(0, 1) - truth) * holes
            kept[f"{name}psnr"].append(decibels_in(error, holes))
            kept[f"{name}low_passed"].append(decibels_in(low_passed(error), holes))
        if number == 0:
            scan = shown[:, SCAN : SCAN + 1]
            repaired = torch.where(holes > 0.5, answer[:, :1], scan)
            save_rows(sheet, [scan, shown[:, FILL : FILL + 1], repaired, truth, 4 * answer[:, 1:] * holes])
    return {name: float(torch.cat(values).mean()) for name, values in kept.items()}


def decibels_in(error: Tensor, holes: Tensor) -> Tensor:
    """PSNR of each picture in its holes, `(b,)`; error and holes `(b, 1, h, w)`."""
    squared = (error**2 * holes).sum(dim=(1, 2, 3)) / holes.sum(dim=(1, 2, 3)).clamp(min=1)
    # A perfect hole would outvote all others.
    return -10 * torch.log10(squared.clamp(min=1e-6))
