"""The options that commands share. Help and limits come from `config`, where they are declared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reelmend.config import Job
from reelmend.describe import bounds, find, limits

PANELS = {
    "detector": "What is damage", "strength": "What is damage", "min_blob": "What is damage",
    "max_blob": "What is damage",
    "repairer": "How it is repaired", "bias": "How it is repaired", "grow": "How it is repaired",
    "protect": "How it is repaired",
    "seed": "How it is repaired",
    "start": "Which frames", "frames": "Which frames", "gaps": "Which frames", "on_error": "Which frames",
    "device": "Machine", "threads": "Machine",
}  # fmt: skip


def option(name: str, *flags: str, metavar: str | None = None, help: str | None = None) -> Any:
    """A command line option for a job's option of that name."""
    field = find(Job, name)
    low, high = bounds(field)
    choices = limits(field).replace(" or ", "|").replace(", ", "|") if metavar == "CHOICES" else metavar
    default = None if field.default is None else getattr(field.default, "value", field.default)
    shown = str(default) if default is not None and not isinstance(default, bool) else False
    return typer.Option(
        *(flags or (f"--{name.replace('_', '-')}",)),
        metavar=choices, min=low, max=high, show_default=shown, help=help or field.description,
        rich_help_panel=PANELS.get(name),
    )  # fmt: skip


def reel(help: str, metavar: str) -> Any:
    return typer.Argument(metavar=metavar, help=help, show_default=False)


Source = Annotated[Path | None, reel(find(Job, "source").description or "", "SOURCE")]
Output = Annotated[Path | None, reel(find(Job, "output").description or "", "OUTPUT")]
MasksIn = Annotated[Path | None, reel("The damage to repair: a folder of 8-bit PNGs or one FFV1 gray file.", "MASKS")]
MasksOut = Annotated[Path | None, reel("Where damage is written: a folder of PNGs, or a file ending in .mkv.", "MASKS")]

MasksOption = Annotated[
    Path | None,
    option(
        "masks", metavar="PATH",
        help="Also write the detected damage: a folder of 8-bit PNGs, or one FFV1 gray file ending in .mkv.",
    ),
]  # fmt: skip
EditedMasks = Annotated[Path | None, option("edited_masks", metavar="PATH")]
Report = Annotated[Path | None, option("report", metavar="DIR")]
Explain = Annotated[Path | None, option("explain", metavar="FILE.jsonl")]
Edits = Annotated[Path | None, option("edits", metavar="FILE.jsonl")]
Origins = Annotated[Path | None, option("origins", metavar="PATH")]
Detector = Annotated[str | None, option("detector", metavar="NAME")]
Strength = Annotated[str | None, option("strength", metavar="CHOICES")]
MinBlob = Annotated[int | None, option("min_blob", metavar="PX")]
MaxBlob = Annotated[int | None, option("max_blob", metavar="PX")]
Repairer = Annotated[str | None, option("repairer", metavar="NAME")]
Bias = Annotated[float | None, option("bias", metavar="N")]
Protect = Annotated[str | None, option("protect", metavar="LABELMAP:IDS")]
Regions = Annotated[Path | None, option("regions", metavar="LABELMAP")]
Grow = Annotated[int | None, option("grow", metavar="PX")]
NoGrain = Annotated[
    bool,
    typer.Option(
        "--no-grain", help="Leave repaired pixels smooth: give them no grain.", rich_help_panel=PANELS["grow"]
    ),
]
JobFile = Annotated[
    Path | None,
    typer.Option("--job", metavar="FILE", help="Take options from a job file (TOML); flags given here override it."),
]
Start = Annotated[int | None, option("start", metavar="N")]
Frames = Annotated[int | None, option("frames", metavar="N")]
Device = Annotated[str | None, option("device", metavar="CHOICES")]
Threads = Annotated[int | None, option("threads", metavar="N")]
Seed = Annotated[int | None, option("seed", metavar="N")]
Gaps = Annotated[str | None, option("gaps", metavar="CHOICES")]
OnError = Annotated[str | None, option("on_error", metavar="CHOICES")]
Overwrite = Annotated[bool | None, option("overwrite", "--overwrite")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
