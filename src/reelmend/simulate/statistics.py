"""Statistics of real damage, as plain numbers fitted to annotated scans; the package ships its own in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from reelmend.errors import UsageError

SHIPPED = Path(__file__).with_name("statistics.json")

T = TypeVar("T")

FORMAT: Literal[1] = 1
"""Of the file; raised when its meaning changes."""


def _plain(value: Any, where: str = "shape") -> Any:
    """Refuses what is not a finite number, a word, or lists and tables of them."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            _plain(part, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for part in value:
            _plain(part, where)
    elif isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{where} holds {value!r}, which is neither a number nor a word")
    elif not isinstance(value, str) and not math.isfinite(value):
        raise ValueError(f"{where} holds a number that is not finite")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Count(_Part):
    """How many there are: Poisson given the scan, whose own level is gamma distributed (so negative binomial)."""

    per_mm2: float = Field(ge=0)
    """Mean number for a square millimetre of film."""
    dispersion: float = Field(ge=0)
    """Variance of a scan's level over the square of its mean; 0 = all scans alike."""


class Space(_Part):
    """Where they lie: a Thomas process over a Poisson background.

    Clusters lie as a Poisson process, each has a Poisson number of members, Gaussian about its centre (M. Thomas,
    Biometrika 36, 1949; Illian et al., Statistical Analysis and Modelling of Spatial Point Patterns, 2008, 6.3.2).
    """

    clustered: float = Field(ge=0, le=1)
    """Share of them that lies in clusters."""
    members: float = Field(ge=0)
    """Mean number in a cluster."""
    radius: float = Field(ge=0)
    """Standard deviation of a cluster along x and along y, micrometres."""


class KindStatistics(_Part):
    """What a fit found of one kind of damage."""

    count: Count
    space: Space
    shape: Annotated[dict[str, Any], AfterValidator(_plain)]
    """Numbers of the kind's own model of shape: `reelmend.simulate.kinds.blob` for dust and dirt,
    `reelmend.simulate.kinds.fibre` for hairs and scratches."""
    _built: dict[Any, Any] = PrivateAttr(default_factory=dict)

    def built(self, model: Callable[[Mapping[str, Any]], T]) -> T:
        """`model(shape)`, built on first use only: turning lists into arrays costs more than sampling a shape."""
        if model not in self._built:
            self._built[model] = model(self.shape)
        return self._built[model]


class Statistics(_Part):
    """What a fit found, by kind of damage."""

    format: Literal[1] = FORMAT
    scans: list[str]
    """Names of the annotation files, without suffix."""
    film_mm2: float = Field(gt=0)
    """Film they cover together, square millimetres."""
    kinds: dict[str, KindStatistics]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """From a file that `reelmend simulate fit` wrote; the package's own without one.

        Raises UsageError for a file that is missing or is not such a file.
        """
        path = SHIPPED if path is None else Path(path)
        remedy = "give a file written by `reelmend simulate fit`"
        try:
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise UsageError(f"{path}: cannot read the statistics ({error.strerror}); {remedy}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UsageError(f"{path}: not statistics of damage ({where}: {first['msg']}); {remedy}") from error
        except ValueError as error:
            raise UsageError(f"{path}: not statistics of damage ({error}); {remedy}") from error

    def save(self, path: Path) -> None:
        """As JSON, with the same bytes for the same numbers. Raises UsageError when it cannot be written."""
        try:
            Path(path).write_text(self.as_json(), encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{path}: cannot write the statistics ({error.strerror}); choose another place") from error

    def as_json(self) -> str:
        """The text of the file: one entry a line, so that two fits can be compared, numbers to six digits."""
        head = {"format": self.format, "scans": self.scans, "film_mm2": _short(self.film_mm2)}
        lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
        kinds = [f"  {json.dumps(name)}: {_table(kind)}" for name, kind in self.kinds.items()]
        return "{\n" + ",\n".join([*lines, ' "kinds": {\n' + ",\n".join(kinds) + "\n }"]) + "\n}\n"


def _table(kind: KindStatistics) -> str:
    """One kind's numbers, the shape's entries on lines of their own."""
    parts = [f'   "{name}": {json.dumps(_short(getattr(kind, name).model_dump()))}' for name in ("count", "space")]
    shape = [f"    {json.dumps(key)}: {json.dumps(_short(value))}" for key, value in kind.shape.items()]
    return "{\n" + ",\n".join([*parts, '   "shape": {\n' + ",\n".join(shape) + "\n   }"]) + "\n  }"


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _short(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_short(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value
