"""The weight card: what a trained network's files are, where they come from and how well they do; JSON beside them."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reelmend.describe import explain
from reelmend.errors import MediaError
from reelmend.runtime.views import Views

KIND: Literal["network"] = "network"
"""Tells these cards from those of other weights in the same folder."""

REPAIRER: Final = "repairer"

Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Architecture(_Part):
    """What `reelmend.nets.zoo.Detector(**architecture)` needs."""

    net: str = Field(min_length=1, description="Name of the network in the zoo.")
    frames: int = Field(ge=1, le=5, description="Frames it is shown: 1, or the centre and its nearest neighbours.")
    features: str = Field(min_length=1, description="What it is shown of them.")
    sizes: dict[str, Any] = Field(description="Widths, depths and the like, as the network takes them.")


class Source(_Part):
    """Data that a network learned from."""

    name: str = Field(min_length=1, description="What it is called.")
    terms: str = Field(min_length=1, description="Its licence, or the terms it was used under.")
    address: str = Field("", description="Where it is found.")


class OperatingPoints(_Part):
    """From which probability on a blob is damage, by strength; read off the measured curve."""

    gentle: Probability = Field(description="Rather leaves a speck.")
    standard: Probability = Field(description="The default.")
    strong: Probability = Field(description="Rather touches too much.")


class WeightCard(_Part):
    """What the card of any network says."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="The network's name, and its files'.")
    multiple: int = Field(ge=1, description="What height and width of a picture must divide by, pixels.")
    weights: str = Field(pattern=r"^[^/\\]+\.safetensors$", description="File name of the weights.")
    graph: str = Field(pattern=r"^[^/\\]+\.onnx$", description="File name of the graph.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the weights' file.")
    graph_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the graph's file.")
    licence: str = Field("Apache-2.0", min_length=1, description="Of the weights.")
    recipe: dict[str, Any] = Field(description="The training recipe, word for word.")
    data: tuple[Source, ...] = Field(description="What it learned from.")
    scores: dict[str, float] = Field(default_factory=dict, description="What was measured of it.")
    note: str = Field("", description="What else there is to know.")

    def write(self, path: Path) -> None:
        """Save as JSON."""
        text = json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


class RepairArchitecture(_Part):
    """What `reelmend.nets.zoo.REPAIR_NETS[net](sizes)` needs."""

    net: str = Field(min_length=1, description="Name of the network.")
    sizes: dict[str, Any] = Field(description="Widths, depths and the like, as the network takes them.")


class RepairCard(WeightCard):
    """The card of a network that repairs."""

    kind: Literal["repairer"] = Field(description="What the card is of: repairer.")
    architecture: RepairArchitecture = Field(description="How the network is built.")
    planes: int = Field(ge=1, description="Planes of a patch that it is shown.")
    mean: str = Field("", description="The network whose answer it refines, by name or the path of its card.")
    mean_sha256: str = Field("", description="Of that network's weights.")


class Card(WeightCard):
    """The card of a network that finds damage."""

    kind: Literal["network"] = Field(description="What the card is of: network.")
    architecture: Architecture = Field(description="How the network is built.")
    margin: int = Field(ge=0, description="By how much tiles overlap on each side, pixels: a multiple.")
    exact: bool = Field(description="Whether the margin is all that the network reaches: no tile can be told then.")
    operating_points: OperatingPoints = Field(description="Probabilities of the strengths.")
    calibration: tuple[tuple[Probability, Probability], ...] | None = Field(
        None, description="Given and true probability, rising in both; straight lines between, and from 0 and to 1."
    )
    views: Views = Field(1, description="How many ways round it looks at a picture, the mean of which counts.")
    int8: str = Field("", pattern=r"^([^/\\]+\.onnx)?$", description="File name of the graph in 8 bits; empty: none.")
    int8_sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="Of that file.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        points = self.operating_points
        if not points.gentle >= points.standard >= points.strong > 0:
            raise ValueError("operating points must fall from gentle to strong, and stay above 0")
        if self.margin % self.multiple:
            raise ValueError(f"the margin {self.margin} must be a multiple of {self.multiple}")
        knots = self.calibration or ()
        for (given, true), (next_given, next_true) in pairwise(knots):
            if next_given <= given or next_true < true:
                raise ValueError("the calibration must rise")
        return self


NetworkCard: TypeAlias = Card | RepairCard
"""What engines take."""

AnyCard = TypeVar("AnyCard", Card, RepairCard)


def is_card(path: Path, kind: str = KIND) -> bool:
    """Whether a JSON file is the card of a network of this kind, and not of other weights or none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.get("kind") == kind


def read_card(path: Path) -> Card:
    """Read the card of a detector. Raises MediaError that says in one sentence what is wrong with it."""
    return _read(Card, path)


def read_repair_card(path: Path) -> RepairCard:
    """Read the card of a repairer. Raises MediaError that says in one sentence what is wrong with it."""
    return _read(RepairCard, path)


def _read(type_: type[AnyCard], path: Path) -> AnyCard:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MediaError(f"{path}: cannot read the weight card ({error.strerror}).") from error
    except ValueError as error:
        raise MediaError(f"{path} is not a weight card: it is not JSON ({error}).") from error
    try:
        return type_.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["loc"]:
            raise MediaError(explain(type_, error, f" in {path}", "a weight card")) from error
        raise MediaError(f"{path} is not a weight card: {first['msg'].removeprefix('Value error, ')}.") from error


def check_files(card: WeightCard, folder: Path) -> None:
    """Raise MediaError unless the weights and the graphs in `folder` are those that the card describes."""
    files = [(card.weights, card.sha256), (card.graph, card.graph_sha256)]
    if isinstance(card, Card) and card.int8:
        files.append((card.int8, card.int8_sha256))
    for name, wanted in files:
        path = folder / name
        try:
            found = digest(path)
        except OSError as error:
            raise MediaError(f"{path}: cannot read it ({error.strerror}); install the package again.") from error
        if found != wanted:
            raise MediaError(f"{path} is not the file that its card describes; install the package again.")


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
