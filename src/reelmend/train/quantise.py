"""A published detector in 8 bits: its graph, made from held-back windows, and what it is worth, measured on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from reelmend.errors import UsageError
from reelmend.evaluate.masks import Counts, count
from reelmend.nets.quantise import quantise
from reelmend.runtime import Card, load_network, read_card
from reelmend.runtime.card import digest
from reelmend.runtime.network import Precision
from reelmend.simulate.batch import Simulator
from reelmend.simulate.recipe import load_recipe as load_damage
from reelmend.train.detector import VALIDATION_FIRST
from reelmend.train.feed import Crops, Feed
from reelmend.train.recipe import TrainRecipe

SIZE = 8
"""Crops at a time."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a detector in floats and in 8 bits makes of the same windows, at standard strength."""

    f32: Counts
    int8: Counts


def quantise_detector(
    path: Path, packs: Sequence[Path], *, batches: int = 20, kept: Path | None = None
) -> tuple[Card, Cost]:
    """Write `NAME-int8.onnx` beside the card at `path`, and into the card; the new card, and the cost.

    The windows of `packs` are damaged by the recipe on the card: `batches` of eight say how far activations reach, as
    many others are what the cost is measured on. `kept` is where drawn defects lie; unset: the card's folder. Raises
    UsageError where the card's recipe is none of a detector's, and what reading it and its packs raises.
    """
    card = read_card(path)
    try:
        recipe = TrainRecipe.model_validate(card.recipe)
    except ValidationError as error:
        raise UsageError(f"the recipe on {path} is none that detectors are trained by") from error
    damage = load_damage(recipe.data.damage)
    atlas = (kept or path.parent) / "atlas"
    simulator = Simulator(damage, recipe.seed, "cpu", members=recipe.data.members, cache=atlas)
    feed = Feed(list(packs), recipe.data, simulator, card.architecture.frames, recipe.seed)
    numbers = range(VALIDATION_FIRST, VALIDATION_FIRST + 2 * batches)
    name = f"{card.name}-int8.onnx"
    shown = (feed.batch(number, SIZE).stack.numpy() for number in numbers[:batches])
    quantise(path.parent / card.graph, path.parent / name, shown)
    card = card.model_copy(update={"int8": name, "int8_sha256": digest(path.parent / name)})
    # Networks are loaded by their card.
    card.write(path)
    others = [feed.batch(number, SIZE) for number in numbers[batches:]]
    cost = Cost(*(_counts(path, precision, others) for precision in ("f32", "int8")))
    worth = {f"held_back_dice_{one}": round(getattr(cost, one).dice or 0.0, 4) for one in ("f32", "int8")}
    card = card.model_copy(update={"scores": card.scores | worth})
    card.write(path)
    return card, cost


def _counts(path: Path, precision: Precision, crops: Sequence[Crops]) -> Counts:
    network = load_network(str(path), "cpu", 2, "onnxruntime", precision)
    least = network.card.operating_points.standard
    total = Counts()
    for batch in crops:
        for stack, truth, judged in zip(
            *(_array(one) for one in (batch.stack, batch.truth, batch.judged)), strict=True
        ):
            total += count(network.damage(stack) >= least, truth[0] > 0.5, judged[0] > 0.5)
    return total


def _array(tensor: object) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor, np.float32)
