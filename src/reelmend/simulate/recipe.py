"""A recipe: what the damage, the grain and the picture of a simulated reel are like. Written as TOML.

Every pair of numbers is a range, lowest and highest, from which one value is drawn for a reel (on the command line)
or for a training sample (in a batch).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from reelmend.describe import explain
from reelmend.errors import UsageError
from reelmend.recipes import read_recipe
from reelmend.simulate.outlines import GAUGE_WIDTH

FOLDER = Path(__file__).with_name("recipes")
"""The recipes of the package."""

DEFAULT = "standard"

RUN = "run"
"""Table of a recipe file that says with which seed and version it was used; no part of the recipe."""

OWN = ("name", "note", RUN)
"""What a recipe does not take from the one that it is `like`."""

FITTED = ("dust", "dirt", "short hair", "long hair", "scratch")
"""Kinds whose numbers come from the fitted statistics; the others state theirs in the recipe."""


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("a range is its lowest and its highest value, in this order")
    return value


def _known_gauge(value: str) -> str:
    if value not in GAUGE_WIDTH:
        raise ValueError(f"unknown gauge; known: {', '.join(GAUGE_WIDTH)}")
    return value


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(ge=0)]
Life = Annotated[int, Field(ge=1)]
Range = Annotated[tuple[Positive, Positive], AfterValidator(_ordered)]
ShareRange = Annotated[tuple[Share, Share], AfterValidator(_ordered)]
LifeRange = Annotated[tuple[Life, Life], AfterValidator(_ordered)]
Gauge = Annotated[str, AfterValidator(_known_gauge)]
Tint = Literal["neutral", "yellow", "green", "blue"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Entry(Part):
    """One kind of damage."""

    times: Range = (1.0, 1.0)
    """Of the fitted count for a unit of film area; fitted kinds only."""
    per_frame: Range = (0.0, 0.0)
    """New defects a frame on average, whatever its size; kinds without a fit only."""
    chance: Share = 1.0
    """Probability that a reel (or training sample) has this kind at all."""
    bright: Share = 0.5
    """Probability that a defect is bright."""
    opacity: ShareRange = (0.5, 1.0)
    """Share of the picture lost where a defect covers fully."""
    white: ShareRange = (0.85, 1.0)
    """What bright damage moves towards, 0..1 of picture range."""
    softness: Range = (0.5, 1.1)
    """Of the edge: standard deviation of the scanner's point spread, pixels."""
    mottle: ShareRange = (0.0, 0.3)
    """How uneven its density is; 0 = even."""
    halo: ShareRange = (0.0, 0.0)
    """Strength of the rim of refracted light along a fibre, share of its opacity, of the other polarity."""
    tints: tuple[Tint, ...] = Field(("neutral",), min_length=1)
    """Colours, one picked for a defect; one named twice is picked twice as often. Green and blue are always bright."""
    frames: LifeRange = (1, 1)
    """Life in frames; log-uniform between."""
    every: LifeRange = (1, 1)
    """Shows on each n-th frame of its life: once a turn of the reel."""
    wobble: Range = (0.0, 0.0)
    """Micrometres: standard deviation of its wandering while it lives."""


class Sticking(Part):
    """Dirt that stays where it is for several frames, as in a scanner or a projector's gate."""

    chance: Share = 0.0
    """Probability that a speck or a hair sticks."""
    frames: LifeRange = (2, 6)
    """Life in frames of what sticks; log-uniform between."""


class Grain(Part):
    """Film grain laid over the clean picture before it is damaged."""

    granularity: Range = (8.0, 14.0)
    """The film maker's RMS figure: 1000 times the standard deviation of density through a 48 micrometre aperture."""
    correlation: ShareRange = (0.3, 1.0)
    """Between colour channels."""


class Picture(Part):
    """Changes of the picture that are not damage and not in the mask."""

    flicker: Range = (0.0, 0.0)
    """Standard deviation of each frame's gain around 1."""
    weave: Range = (0.0, 0.0)
    """Standard deviation of the picture's shift, micrometres on film."""
    pan: Range = (0.0, 0.0)
    """Pixels a frame, standard deviation of a sample's: how far motion compensation has carried neighbours on to the
    frame, and with them what stays on the film. For training windows of compensated frames; whole reels have none."""
    jumps: Range = (0.0, 0.0)
    """Splice jumps a thousand frames: a frame or two shifted by a tenth of a perforation pitch."""
    fading: ShareRange = (0.0, 0.0)
    """How far dyes have faded: 0 = fresh; 1 = most of cyan and yellow gone (colour) or contrast halved (gray)."""
    blur: Range = (0.0, 0.0)
    """Standard deviation of a blur after everything, pixels."""
    compression: ShareRange = (0.0, 0.0)
    """0 = none, 1 = JPEG at quality 20, after everything."""


class Lookalike(Part):
    """Something that looks like damage and is not; drawn into the clean picture."""

    chance: Share = 0.2
    """Probability that a reel (or training sample) has it."""
    amount: Range = (0.5, 2.0)
    """Times its usual number."""


class Recipe(Part):
    """All of a simulation but its seed."""

    name: str = "custom"
    """For people; the file's name if it does not say."""
    note: str = ""
    """For people: what the recipe stands for."""
    gauge: tuple[Gauge, ...] = Field(("35mm",), min_length=1)
    """35mm, 16mm, super8 or 8mm; one is picked for a reel or training sample."""
    scan_width: Range = (720.0, 2048.0)
    """Pixels across the gauge's aperture of the scans that training windows are cut from; log-uniform between. Where
    whole frames are damaged their own width counts."""
    statistics: str = ""
    """A statistics file made by `reelmend simulate fit`; empty = the package's own."""
    amount: Range = (0.3, 1.5)
    """Times all counts; log-uniform between."""
    smallest: Positive = 2.5
    """Pixels: a shape whose larger side would be smaller is enlarged to it, for nobody sees or labels less."""
    damage: dict[str, Entry] = Field(default_factory=dict)
    """By kind of damage."""
    sticking: Sticking = Sticking()
    grain: Grain | None = None
    picture: Picture = Picture()
    lookalikes: dict[str, Lookalike] = Field(default_factory=dict)
    """By kind of look-alike."""


def recipe_names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_recipe(name_or_path: str | Path = DEFAULT) -> Recipe:
    """A recipe of the package by its name, or one in a TOML file.

    A recipe that is `like` another takes from that what it does not say itself (`reelmend.recipes`). A relative path of
    statistics counts from the recipe's folder. Raises UsageError naming the file, the key and its
    limits.
    """
    path = recipe_path(name_or_path)
    values = {key: value for key, value in _values(path).items() if key != RUN}
    try:
        recipe = Recipe.model_validate({"name": path.stem} | values)
    except ValidationError as error:
        raise UsageError(explain(Recipe, error, f" in {path}", "a recipe")) from None
    _check_kinds(recipe, path)
    if recipe.statistics:
        recipe = recipe.model_copy(update={"statistics": str((path.parent / recipe.statistics).absolute())})
    return recipe


def recorded_seed(name_or_path: str | Path) -> int | None:
    """The seed with which a recipe file was used, if it says so. Raises UsageError for a file that is not TOML."""
    seed = _values(recipe_path(name_or_path)).get(RUN, {}).get("seed")
    return seed if isinstance(seed, int) else None


def recipe_path(name_or_path: str | Path) -> Path:
    """Where a recipe lies: a bare name is one of the package's. Raises UsageError for a name that nobody knows."""
    text = str(name_or_path)
    if Path(text).suffix or Path(text).name != text:
        return Path(text)
    if text not in recipe_names():
        raise UsageError(f"no recipe is called {text}; there are {', '.join(recipe_names())}, or give a .toml file")
    return FOLDER / f"{text}.toml"


def _values(path: Path) -> dict[str, Any]:
    return read_recipe(path, recipe_path, OWN)


def _check_kinds(recipe: Recipe, path: Path) -> None:
    from reelmend.simulate.kinds import KINDS
    from reelmend.simulate.lookalikes import LOOKALIKES

    for table, given, known in (("damage", recipe.damage, KINDS), ("lookalikes", recipe.lookalikes, LOOKALIKES)):
        for name in given:
            if name not in known:
                raise UsageError(f"{table}.{name} in {path} is not known; {table} knows {', '.join(sorted(known))}")
    for name, entry in recipe.damage.items():
        wrong, right = ("per_frame", "times") if name in FITTED else ("times", "per_frame")
        if getattr(entry, wrong) != Entry.model_fields[wrong].default:
            raise UsageError(f"damage.{name}.{wrong} in {path} would count for nothing; {name} is counted by {right}")
