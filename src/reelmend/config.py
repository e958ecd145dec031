"""One job: a restoration with all its options, one options type per stage.

Limits are declared here once, as `Field(ge=..., le=...)` with the unit in the description. The job file, the command
line, the Python API and the documentation all read them from here.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reelmend.describe import explain, flat_names, no_such_option
from reelmend.errors import MediaError, UsageError

Strength = Literal["gentle", "standard", "strong"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Policy = Literal["stop", "hold"]

Location = Annotated[Path, Field(strict=False)]
"""A path; job files and callers may give text."""


class Options(BaseModel):
    """What all option types share: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


class DetectOptions(Options):
    """What counts as damage."""

    detector: str = Field(
        "auto",
        min_length=1,
        description="Detector by name, `reelmend models` lists them, or a weight card's path; auto: `best` where "
        "networks run on a GPU, else `fast`.",
    )
    strength: Strength = Field(
        "standard", description="How ready the detector is to call a pixel damage; gentle rather leaves a speck."
    )
    min_blob: int | None = Field(
        None, ge=1, le=10_000, description="Smallest blob kept, pixels of area; unset: the strength's own."
    )
    max_blob: int | None = Field(
        None, ge=1, le=10_000_000, description="Largest blob kept, pixels of area; unset: the strength's own."
    )


class RepairOptions(Options):
    """How damage is filled."""

    repairer: str = Field(
        "auto",
        min_length=1,
        description="Repairer by name, `reelmend models` lists them, or a weight card's path; auto: from neighbours "
        "where they tell, drawn by diffusion where they do not.",
    )
    bias: float = Field(
        1.0,
        ge=0,
        le=4,
        description="How much neighbours count in what is drawn by diffusion: 0 not at all, 1 as learned.",
    )
    protect: str | None = Field(
        None,
        description="Regions in which no network may invent anything, LABELMAP:IDS such as `faces.png:2,5-7`: what "
        "would be is filled from neighbours or surroundings; unset: none.",
    )
    grow: int = Field(
        2, ge=0, le=32, description="How far repair grows the detected mask to cover the soft edge of a speck, pixels."
    )


class GrainOptions(Options):
    """What happens to the grain of repaired pixels."""

    regrain: bool = Field(True, description="Give repaired pixels the grain of their surroundings.")


class Job(Options):
    """One restoration with all its options; serialises to TOML.

    Paths are files, folders of numbered images, or patterns (`name_%06d.dpx`, `name_####.dpx`). A relative path counts
    from the directory the command runs in.
    """

    source: Location = Field(description="The reel to read: a file, or a sequence as folder, pattern or first file.")
    output: Location | None = Field(None, description="The reel to write; its suffix decides the codec.")
    masks: Location | None = Field(
        None,
        description="Detected damage: a folder of 8-bit PNGs or one FFV1 gray file. "
        "`restore` and `detect` write it, `repair` reads it.",
    )
    report: Location | None = Field(None, description="Folder for the report; unset: no report.")
    explain: Location | None = Field(
        None,
        description="File for what was found, blob by blob: probability, class, polarity and lifetime, a JSON line a "
        "frame; unset: none.",
    )
    edits: Location | None = Field(
        None,
        description="Edits of the masks, made by hand: a file of JSON lines, applied to what is detected or given; "
        "unset: none.",
    )
    edited_masks: Location | None = Field(
        None,
        description="Where `repair` writes the masks that it fills, with `edits` applied: a folder of 8-bit PNGs or "
        "one FFV1 gray file; unset: nowhere. `restore` and `detect` write theirs as `masks`.",
    )
    origins: Location | None = Field(
        None,
        description="Where repaired pixels came from: a folder of 8-bit PNGs or one FFV1 gray file, 0 untouched, 60 "
        "neighbouring frames, 120 the surroundings, 180 added by a network, 240 drawn by diffusion; unset: none.",
    )
    regions: Location | None = Field(
        None,
        description="Label map of a keyframe, as `reelmend segment` writes it: the report counts damage by its "
        "regions; unset: that of `protect`.",
    )
    start: int = Field(0, ge=0, description="First frame to work on, counted from 0.")
    frames: int | None = Field(None, ge=1, description="Number of frames to work on; unset: to the end.")
    device: Device = Field("auto", description="Where networks run.")
    threads: int = Field(0, ge=0, le=1024, description="Threads used, count; 0 = two for each core.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of everything random, such as the grain.")
    overwrite: bool = Field(False, description="Replace an output that exists.")
    gaps: Policy = Field(
        "stop", description="A file missing from a numbered sequence: stop, or hold the frame before it."
    )
    on_error: Policy = Field(
        "stop", description="A frame that cannot be read: stop, or hold the frame before it and report it."
    )
    detect: DetectOptions = Field(default=DetectOptions(), description="What counts as damage.")
    repair: RepairOptions = Field(default=RepairOptions(), description="How damage is filled.")
    grain: GrainOptions = Field(default=GrainOptions(), description="The grain of repaired pixels.")

    @classmethod
    def build(cls, base: Job | str | Path | None = None, /, **options: Any) -> Self:
        """A job from flat options (`strength="gentle"`, `grow=3`), laid over `base`: a job or the path of a job file.

        Options are named by their field alone, whatever section they live in; a whole section may also be given as its
        options object or a mapping. Options that are None leave what `base` or the default says.

        Raises:
            UsageError: an option that does not exist, has the wrong type or is out of its limits.
        """
        where = f" in {base}" if isinstance(base, str | Path) else ""
        values = base.to_dict() if isinstance(base, Job) else read_toml(base) if base is not None else {}
        homes = flat_names(cls)
        for name, value in options.items():
            if value is None:
                continue
            section = homes.get(name, "?")
            if section == "?":
                raise no_such_option(name, homes)
            if isinstance(value, Options):
                value = value.model_dump(exclude_none=True)
            if not section:
                values[name] = value
            elif isinstance(table := values.setdefault(section, {}), dict):
                table[name] = value
        return cls._checked(values, where)

    @classmethod
    def _checked(cls, values: dict[str, Any], where: str) -> Self:
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise UsageError(explain(cls, error, where)) from None

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """The job in a TOML file. Raises UsageError naming the file, the key and its limits."""
        return cls._checked(read_toml(path), f" in {path}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for TOML or JSON: paths as text, unset options left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_toml(self) -> str:
        """A TOML document that repeats this job exactly, defaults spelled out."""
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    def save(self, path: str | Path) -> None:
        """Write `to_toml()` to a file. Raises MediaError if the file cannot be written."""
        try:
            Path(path).write_text(self.to_toml(), encoding="utf-8")
        except OSError as error:
            raise MediaError(f"{path}: cannot write the job file: {error.strerror}.") from None

    def anchored(self) -> Job:
        """The same job with absolute paths, so that it repeats from any directory."""
        names = ("source", "output", "masks", "report", "explain", "edits", "edited_masks", "origins", "regions")
        places = {name: getattr(self, name) for name in names}
        update: dict[str, Any] = {name: place.absolute() for name, place in places.items() if place is not None}
        if self.repair.protect is not None:
            place, colon, numbers = self.repair.protect.rpartition(":")
            protect = f"{Path(place).absolute()}{colon}{numbers}"
            update["repair"] = self.repair.model_copy(update={"protect": protect})
        return self.model_copy(update=update)


def read_toml(path: str | Path) -> dict[str, Any]:
    """The values of a TOML job file, unchecked. Raises UsageError for a file that is missing or not TOML."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the job file: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a job file: it is not UTF-8 text; give a TOML file.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not a valid TOML file: {error}.") from None
