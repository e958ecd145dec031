"""A training recipe: everything but the data's place, as TOML. One recipe and seed give one network on one device.

A recipe that is `like` another takes from that what it does not say itself (`reelmend.recipes`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reelmend.describe import explain
from reelmend.errors import UsageError
from reelmend.recipes import read_recipe
from reelmend.runtime.views import Views


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Net(Part):
    name: str
    """A key of `reelmend.nets.zoo.NETS`."""
    frames: int = Field(1, ge=1, le=5)
    """1 for stills, 3 or 5 for a window."""
    features: str | None = None
    sizes: dict[str, Any] = Field(default_factory=dict)


class Data(Part):
    damage: str = "training-window"
    """A simulator recipe by name or file."""
    members: int = Field(160, ge=1)
    """Defects of each kind that are drawn at each scan scale, to be laid again and again."""
    crop: int = Field(256, ge=64, le=1024, multiple_of=32)
    """Side of a training crop, pixels."""
    cached: int = Field(0, ge=0)
    """Simulated crops kept on disk and shown again in every epoch; 0 = every crop is damaged afresh. For processors,
    on which simulation would take half the time."""
    negatives: float = Field(0.0, ge=0, le=1)
    """Share of crops that are cut from windows of hard negatives and stay undamaged, where such are given."""
    dropped: float = Field(0.15, ge=0, le=1)
    """Share of windows whose neighbours on one side are missing, as at the ends of a shot."""


class Loss(Part):
    pixel: float = Field(1.0, ge=0)
    focus: float = Field(0.0, ge=0)
    region: float = Field(0.5, ge=0)
    miss_weight: float = Field(0.5, ge=0, le=1)


class Optimiser(Part):
    rate: float = Field(2e-3, gt=0)
    """Highest learning rate of AdamW; cosine to a hundredth of it."""
    warmup: int = Field(300, ge=0)
    """Steps of linear rise."""
    decay: float = Field(1e-2, ge=0)
    clip: float = Field(1.0, gt=0)
    """Largest norm of a step's gradient."""
    average: float = Field(0.998, ge=0, lt=1)
    """Decay of the weights' running average."""


class Schedule(Part):
    """What every kind of training has."""

    name: str
    note: str = ""
    optimiser: Optimiser = Optimiser()
    steps: int = Field(gt=0)
    batch: int = Field(8, ge=1)
    seed: int = 0
    precision: Literal["bf16", "fp16", "fp32"] = "bf16"
    validate_every: int = Field(1000, ge=1)
    """Steps."""
    validation: int = Field(24, ge=1)
    """Batches of eight crops of other footage, always the same."""


class TrainRecipe(Schedule):
    """Of a detector."""

    stage: Literal["denoise", "detect"] = "detect"
    """`denoise` is the pretraining of Brempong et al. (2022)."""
    net: Net
    data: Data = Data()
    loss: Loss = Loss()
    views: Views = 1
    """How many ways round it looks at a picture in use, the mean of which counts; training looks once."""
    start_from: str = ""
    """Weights of an earlier stage, a safetensors file whose path counts from the recipe's folder; or the name of the
    recipe that makes them, for those that `--start` gives."""
    fresh: tuple[str, ...] = ()
    """How the names of parts begin that the earlier stage did not have."""


class RepairNet(Part):
    name: Literal["mixer", "fourier", "diffir-teacher", "diffir"] = "mixer"
    sizes: dict[str, Any] = Field(default_factory=dict)


class RepairLoss(Part):
    low_passed: float = Field(2.0, ge=0)
    """Weight of the error with the grain left out beside the plain one."""
    expected: float = Field(0.002, ge=0)
    """Weight of how unlikely the error is under the network's own guess of it."""


class DiffusionNet(Part):
    name: Literal["diffuser"] = "diffuser"
    sizes: dict[str, Any] = Field(default_factory=dict)


class DiffusionData(Part):
    unbiased: float = Field(0.2, ge=0, le=1)
    """Share of holes that are shown without neighbours, so that the bias can be turned off."""


class NoiseLevels(Part):
    mean: float = -3.2
    """Of the logarithm of sigma, sigma in full scale."""
    spread: float = Field(1.3, gt=0)
    """Standard deviation of the same."""


class PriorNet(Part):
    name: Literal["prior"] = "prior"
    sizes: dict[str, Any] = Field(default_factory=dict)


class PriorRecipe(Schedule):
    """Of a diffusion model that knows film and nothing of holes."""

    net: PriorNet
    noise: NoiseLevels = NoiseLevels(mean=-1.4, spread=1.6)
    steps_sampled: int = Field(20, ge=1)
    """Network calls of a sample that validation looks at."""


class DiffusionRecipe(Schedule):
    """Of a diffusion model that repairs, biased by neighbours. Every second batch is of small patches."""

    net: DiffusionNet
    mean: str = "temporal-net"
    """The network that repairs in one pass whose answer is refined: by name, or the path of its card. Empty: the model
    is unified, it is shown the scan and no mask, and finds and repairs in one."""
    data: DiffusionData = DiffusionData()
    noise: NoiseLevels = NoiseLevels()
    steps_sampled: int = Field(6, ge=1)
    """Network calls of a sample that validation looks at."""


class RepairRecipe(Schedule):
    """Of a network that repairs in one pass. Every second batch is of small patches."""

    net: RepairNet = RepairNet()
    loss: RepairLoss = RepairLoss()


RECIPES = Path(__file__).with_name("recipes")

OWN = ("name", "note", "start_from", "fresh")
"""What a recipe does not take from the one that it is `like`."""


def recipe_path(name_or_path: str) -> Path:
    """Where a recipe lies: one of the package by name, or a file. Raises UsageError when there is none."""
    for path in (Path(name_or_path), RECIPES / f"{name_or_path}.toml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in RECIPES.glob("*.toml")))
    raise UsageError(f"no training recipe is called {name_or_path}; there are {known}, or give a TOML file")


Kind = Literal["detector", "repair", "diffusion", "prior"]

Recipe = TypeVar("Recipe", bound=Schedule)


def load_recipe(path: Path) -> TrainRecipe:
    """Read a detector's recipe. Raises UsageError with what is wrong in one sentence."""
    return _read(TrainRecipe, path)


def load_repair_recipe(path: Path) -> RepairRecipe:
    """Read a repair network's recipe. Raises UsageError with what is wrong in one sentence."""
    return _read(RepairRecipe, path)


def load_diffusion_recipe(path: Path) -> DiffusionRecipe:
    """Read a diffusion model's recipe. Raises UsageError with what is wrong in one sentence."""
    return _read(DiffusionRecipe, path)


def load_prior_recipe(path: Path) -> PriorRecipe:
    """Read the recipe of an unconditional diffusion model. Raises UsageError with what is wrong in one sentence."""
    return _read(PriorRecipe, path)


def load_repairer_recipe(path: Path) -> RepairRecipe | DiffusionRecipe | PriorRecipe:
    """Read the recipe of whatever repairs. Raises UsageError with what is wrong in one sentence."""
    if kind_of(path) == "repair":
        return load_repair_recipe(path)
    return load_prior_recipe(path) if kind_of(path) == "prior" else load_diffusion_recipe(path)


def kind_of(path: Path) -> Kind:
    """What a recipe trains. Raises UsageError for a file that is no TOML."""
    net = _values(path).get("net", {})
    kinds: dict[str, Kind] = {"diffuser": "diffusion", "prior": "prior"}
    kinds |= dict.fromkeys(("mixer", "fourier", "diffir-teacher", "diffir"), "repair")
    return kinds.get(net.get("name"), "detector")


def _read(kind: type[Recipe], path: Path) -> Recipe:
    try:
        return kind.model_validate(_values(path))
    except ValidationError as error:
        raise UsageError(explain(kind, error, str(path), "a training recipe")) from error


def _values(path: Path) -> dict[str, Any]:
    return read_recipe(path, recipe_path, OWN)
