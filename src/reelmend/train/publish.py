"""From a training run to a network that ships: calibrated, with operating points off its measured curve, and a card."""

from __future__ import annotations

import fnmatch
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reelmend.errors import UsageError
from reelmend.nets.card import publish, publish_repairer
from reelmend.nets.diffir import DiffIR
from reelmend.nets.diffuser import Diffuser
from reelmend.nets.export import load_weights
from reelmend.nets.fourier import FourierNet
from reelmend.nets.mixer import Mixer
from reelmend.nets.prior import PatchPrior
from reelmend.nets.zoo import Detector
from reelmend.runtime.card import Card, OperatingPoints, RepairCard, Source
from reelmend.runtime.network import find_repair_card
from reelmend.runtime.views import MIRRORED, Views
from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import load_recipe as load_damage
from reelmend.train.detector import VALIDATION_FIRST
from reelmend.train.diffusion import conditions
from reelmend.train.diffusion import validate as validate_diffusion
from reelmend.train.feed import Feed
from reelmend.train.passes import Alone, Pass
from reelmend.train.prior import feed_of, validate_prior
from reelmend.train.recipe import DiffusionRecipe, PriorRecipe, RepairRecipe, TrainRecipe
from reelmend.train.repair import Holes, validate

LEVELS = 1000
"""Steps at which pixels are counted, even in the logarithm of the odds: most of what matters lies near 0 and near 1."""

FURTHEST = 12.0
"""Logarithm of the odds at the last step, a probability of 0.999994."""

EPSILON = 1e-6
"""From 0 and 1: a mean of probabilities is no nearer to them, so that its odds are finite."""

GIVEN = 1 / (1 + np.exp(-np.linspace(-FURTHEST, FURTHEST, LEVELS + 1)))
"""The probability at each step."""

KNOTS = 20
"""Points of a calibration at most."""

BETA = {"gentle": 0.25, "standard": 0.5, "strong": 1.0}
"""By strength: how many times recall counts as much as precision in the F measure (van Rijsbergen 1979) whose highest
point is the strength's. Precision counts more: rather leave a speck than take a limb."""


@dataclass(slots=True)
class Counts:
    """Pixels by rounded probability, `(LEVELS + 1,)` each, as `GIVEN`."""

    damaged: NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS + 1, np.int64))
    clean: NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS + 1, np.int64))
    """Clean pixels of damaged film."""
    undamaged: NDArray[np.int64] = field(default_factory=lambda: np.zeros(LEVELS + 1, np.int64))
    """All pixels of film without damage and without look-alikes."""


@torch.no_grad()
def measure(net: Detector, feed: Feed, plain: Feed, batches: int, size: int = 8, views: Views = 1) -> Counts:
    """The network's probabilities on the validation batches of `feed`, and on those of `plain` before the damage; the
    mean of as many `views`."""
    net.eval()
    counts = Counts()
    for number in range(VALIDATION_FIRST, VALIDATION_FIRST + batches):
        crops = feed.batch(number, size)
        levels = _levels(net, crops.stack, views)
        judged, truth = crops.judged > 0.5, crops.truth > 0.5
        counts.damaged += _histogram(levels[judged & truth])
        counts.clean += _histogram(levels[judged & ~truth])
        counts.undamaged += _histogram(_levels(net, plain.batch(number, size, undamaged=True).stack, views))
    return counts


def _levels(net: Detector, stack: torch.Tensor, views: Views) -> torch.Tensor:
    looks = [net(stack.flip(axes)).float().sigmoid_().flip(axes) for axes in MIRRORED[views]]
    mean = torch.stack(looks).mean(0)
    share = (mean.logit_(EPSILON) / FURTHEST).clamp_(-1, 1).add_(1).div_(2)
    return share.mul_(LEVELS).round_().long()


def _histogram(levels: torch.Tensor) -> NDArray[np.int64]:
    return torch.bincount(levels.flatten(), minlength=LEVELS + 1).cpu().numpy()


def calibration(counts: Counts) -> tuple[tuple[float, float], ...]:
    """Given and true probability, at most `KNOTS` points that rise: isotonic regression of truth on probability.

    Pool adjacent violators over the levels, weighted by pixels (Zadrozny and Elkan, KDD 2002), thinned to points of
    about even damage.
    """
    from sklearn.isotonic import IsotonicRegression

    pixels = counts.damaged + counts.clean
    levels = np.flatnonzero(pixels)
    given = GIVEN[levels]
    fit = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    true = fit.fit_transform(given, counts.damaged[levels] / pixels[levels], sample_weight=pixels[levels])
    # Half the knots where given probabilities lie, half where true ones do.
    wanted = np.concatenate([np.linspace(0, 1, KNOTS // 2), np.interp(np.linspace(0, 1, KNOTS // 2), true, given)])
    at = np.unique(np.abs(given[:, None] - wanted).argmin(axis=0))
    # A few pixels at the very ends say nothing: no probability is certain.
    rounded = {round(float(given[n]), 5): round(float(np.clip(true[n], 0.0001, 0.9999)), 4) for n in at}
    return tuple(rounded.items())


def operating_points(counts: Counts, knots: tuple[tuple[float, float], ...]) -> OperatingPoints:
    """From which calibrated probability on each strength calls a pixel damage: the highest F measure of `BETA`."""
    hits, wrong = (np.cumsum(one[::-1])[::-1] for one in (counts.damaged, counts.clean))
    given, real = zip(*sorted(({0.0: 0.0, 1.0: 1.0} | dict(knots)).items()), strict=True)
    chosen = {}
    for strength, beta in BETA.items():
        f = (1 + beta**2) * hits / np.maximum(1, hits + wrong + beta**2 * counts.damaged.sum())
        chosen[strength] = float(np.interp(GIVEN[int(np.argmax(f))], given, real))
    # A gentler strength asks for no less than a stronger one, and none asks for certainty or for nothing.
    strong = float(np.clip(chosen["strong"], 0.02, 0.98))
    standard = float(np.clip(chosen["standard"], strong, 0.98))
    gentle = float(np.clip(chosen["gentle"], standard, 0.98))
    return OperatingPoints(gentle=round(gentle, 4), standard=round(standard, 4), strong=round(strong, 4))


def held_back_scores(
    counts: Counts, knots: tuple[tuple[float, float], ...], points: OperatingPoints
) -> dict[str, float]:
    """By strength: precision, recall and Dice of the held-back pixels, and the pixels taken per million of the same
    film before it was damaged."""
    given, real = zip(*sorted(({0.0: 0.0, 1.0: 1.0} | dict(knots)).items()), strict=True)
    calibrated = np.interp(GIVEN, given, real)
    scores = {}
    for strength in BETA:
        above = calibrated >= getattr(points, strength)
        hits, wrong, alarms = (int(one[above].sum()) for one in (counts.damaged, counts.clean, counts.undamaged))
        true, film = int(counts.damaged.sum()), int(counts.undamaged.sum())
        scores[f"held_back_precision_{strength}"] = round(hits / max(1, hits + wrong), 4)
        scores[f"held_back_recall_{strength}"] = round(hits / max(1, true), 4)
        scores[f"held_back_dice_{strength}"] = round(2 * hits / max(1, hits + wrong + true), 4)
        scores[f"held_back_false_alarms_{strength}"] = round(1e6 * alarms / max(1, film), 1)
    return scores


def sources_of(packs: Sequence[Path], terms: Path) -> list[Source]:
    """What the packs were made of: the entries of a TOML file whose `files` patterns match a file of theirs.

    The file holds `[[source]]` tables: `name`, `terms`, `address`, `files`. Raises UsageError for a pack without its
    list of files, and for footage that no entry names the terms of: no weights are made of such.
    """
    try:
        known = tomllib.loads(terms.read_text(encoding="utf-8"))["source"]
        names = [name for pack in packs for name in json.loads(pack.with_suffix(".json").read_text())["windows"]]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"cannot tell what the packs were made of: {error}") from error
    used: list[dict[str, Any]] = []
    for name in names:
        entry = next((one for one in known if any(fnmatch.fnmatch(name, like) for like in one["files"])), None)
        if entry is None:
            raise UsageError(f"{terms} does not say on what terms {name} may be used")
        if entry not in used:
            used.append(entry)
    return [Source(name=one["name"], terms=one["terms"], address=one.get("address", "")) for one in used]


def publish_repair_run(
    recipe: RepairRecipe | DiffusionRecipe | PriorRecipe,
    run: Path,
    validation: Sequence[Path],
    sources: Sequence[Source],
    folder: Path,
    name: str,
    *,
    note: str = "",
) -> RepairCard:
    """Write the weights of a repair network's run as `name` into `folder`, with its scores on the validation packs.

    Raises UsageError when the run has no weights yet, and what `nets.card.publish_repairer` raises.
    """
    weights = _weights_of(run, recipe.name)
    net: Mixer | FourierNet | DiffIR | Diffuser | PatchPrior
    refines: dict[str, str] = {}
    if isinstance(recipe, DiffusionRecipe):
        net = Diffuser(recipe.net.sizes)
        load_weights(net, weights)
        holes = Holes(validation, recipe.seed, shuffled=False)
        found = validate_diffusion(net, conditions(recipe, "cpu"), recipe, holes, run / "published.png", "cpu")
        if recipe.mean:
            refines = {"mean": recipe.mean, "mean_sha256": find_repair_card(recipe.mean)[0].sha256}
    elif isinstance(recipe, PriorRecipe):
        net = PatchPrior(recipe.net.sizes)
        load_weights(net, weights)
        feed = feed_of(recipe, validation, shuffled=False)
        found = validate_prior(net, recipe, feed, run / "published.png", "cpu")
    else:
        net = repair_net(recipe)
        load_weights(net, weights)
        found = validate(
            net,
            Alone(net) if isinstance(net, FourierNet) else Pass(net),
            recipe,
            Holes(validation, recipe.seed, shuffled=False),
            run / "published.png",
            "cpu",
        )
    facts = {
        "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
        "data": [source.model_dump() for source in sources],
        "scores": {f"held_back_{key.removeprefix('held_back_')}": round(value, 3) for key, value in found.items()},
        "note": note,
    } | refines
    return publish_repairer(net, facts, folder, name)


def repair_net(recipe: RepairRecipe) -> Mixer | FourierNet | DiffIR:
    """The network that ships of a recipe. Raises UsageError for one that is a stage on the way."""
    if recipe.net.name == "diffir-teacher":
        raise UsageError(f"{recipe.name} is the first stage of diffir: go on with that, and publish it")
    kinds: dict[str, type[Mixer] | type[FourierNet] | type[DiffIR]]
    kinds = {"mixer": Mixer, "fourier": FourierNet, "diffir": DiffIR}
    return kinds[recipe.net.name](recipe.net.sizes)


def _weights_of(run: Path, name: str) -> Path:
    weights = run / f"{name}.safetensors"
    if not weights.exists():
        raise UsageError(f"{run} holds no weights of {name} yet; train first")
    return weights


def publish_run(
    recipe: TrainRecipe,
    run: Path,
    validation: Sequence[Path],
    sources: Sequence[Source],
    folder: Path,
    name: str,
    *,
    batches: int = 60,
    note: str = "",
    kept: Path | None = None,
) -> Card:
    """Write the weights of a run as the network `name` into `folder`.

    Calibration and operating points are measured on `batches` of eight crops of the validation packs; `kept` as in
    `train`. Raises UsageError when the run has no weights yet, and what `nets.card.publish` raises.
    """
    net = Detector(recipe.net.name, recipe.net.frames, recipe.net.features, recipe.net.sizes)
    load_weights(net, _weights_of(run, recipe.name))
    damage = load_damage(recipe.data.damage)
    # What looks like damage is part of judging it, but says nothing of what a strength does to ordinary film.
    feeds = [
        Feed(
            list(validation),
            recipe.data,
            Simulator(one, recipe.seed, "cpu", members=recipe.data.members, cache=(kept or run) / "atlas"),
            recipe.net.frames,
            recipe.seed,
        )
        for one in (damage, damage.model_copy(update={"lookalikes": {}}))
    ]
    counts = measure(net, feeds[0], feeds[1], batches, views=recipe.views)
    knots = calibration(counts)
    points = operating_points(counts, knots)
    facts = {
        "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
        "data": [source.model_dump() for source in sources],
        "operating_points": points.model_dump(),
        "scores": held_back_scores(counts, knots, points),
        "calibration": knots,
        "views": recipe.views,
        "note": note,
    }
    return publish(net, facts, folder, name)
