"""`reelmend evaluate`: the commands of the measuring room and their options."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reelmend.evaluate.measure import Settings

app = typer.Typer(no_args_is_help=True, help="Measure masks, damage maps and restorations against the truth.")


def _path(metavar: str, help: str) -> Any:
    return typer.Argument(metavar=metavar, help=help, show_default=False)


Truth = Annotated[Path, _path("TRUTH", "True masks, 255 where damaged: a folder of mask_000123.png, or a mask film.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Write result.json and pictures into this folder.")
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="TEXT", help="Name of the row in tables; the measured file's otherwise.")
]
MadeBy = Annotated[
    str | None,
    typer.Option("--made-by", metavar="COMMAND", help="The command that made what is measured, kept in the result."),
]
Start = Annotated[int, typer.Option("--start", metavar="N", min=0, help="First frame, counted from 0.")]
Frames = Annotated[int | None, typer.Option("--frames", metavar="N", min=1, help="At most so many frames.")]
Pictures = Annotated[int, typer.Option("--pictures", metavar="N", min=0, help="Show so many of the worst frames.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of the bootstrap.")]
Draws = Annotated[
    int, typer.Option("--draws", metavar="N", min=1, max=100_000, help="Draws of the bootstrap.", show_default=True)
]
Block = Annotated[
    int, typer.Option("--block", metavar="N", min=1, help="Consecutive frames that the bootstrap draws together.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def masks(
    context: typer.Context,
    found: Annotated[Path, _path("FOUND", "Masks to judge: a folder of mask_000123.png, or a mask film.")],
    truth: Truth,
    source: Annotated[
        Path | None, typer.Option("--source", metavar="FILM", help="The film, to draw overlays on (into --out).")
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option("--classes", metavar="FILE", help="Annotations (JSON, as simulate writes): recall by class."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", metavar="PX", min=0, help="Of the boundary F-score, pixels.")
    ] = 2.0,
    out: Out = None,
    name: Name = None,
    made_by: MadeBy = None,
    start: Start = 0,
    frames: Frames = None,
    pictures: Pictures = 8,
    seed: Seed = 0,
    draws: Draws = 1000,
    block: Block = 1,
    json: Json = False,
) -> None:
    """Judge FOUND masks against TRUTH: by pixels, blobs, outlines and classes, frame by frame and pooled."""
    from reelmend.evaluate.measure import measure_masks

    _measured(
        lambda settings: measure_masks(
            found, truth, settings, source=source, classes=classes, tolerance=tolerance
        ),
        _settings(context, locals()),
        json,
    )  # fmt: skip


@app.command()
def restoration(
    context: typer.Context,
    result: Annotated[Path, _path("RESULT", "The restored film.")],
    clean: Annotated[Path, _path("CLEAN", "The film without damage.")],
    masks: Annotated[Path, typer.Option("--masks", metavar="MASKS", help="True masks, 255 where damaged.")],
    damaged: Annotated[
        Path | None,
        typer.Option("--damaged", metavar="FILM", help="The film before: for the gain, and for what changed outside."),
    ] = None,
    changed: Annotated[
        Path | None,
        typer.Option("--changed", metavar="MASKS", help="Masks that the restorer kept to; --masks otherwise."),
    ] = None,
    grow: Annotated[
        int, typer.Option("--grow", metavar="PX", min=0, help="Nothing may change outside masks grown by so much.")
    ] = 2,
    out: Out = None,
    name: Name = None,
    made_by: MadeBy = None,
    start: Start = 0,
    frames: Frames = None,
    pictures: Pictures = 8,
    seed: Seed = 0,
    draws: Draws = 1000,
    block: Block = 1,
    json: Json = False,
) -> None:
    """Judge a restored film against the CLEAN one: fidelity inside and outside masks, grain, calm, untouched rest."""
    from reelmend.evaluate.measure import measure_restoration

    _measured(
        lambda settings: measure_restoration(
            result, clean, masks, settings, damaged=damaged, changed=changed, grow=grow
        ),
        _settings(context, locals()),
        json,
    )  # fmt: skip


@app.command()
def sweep(
    context: typer.Context,
    maps: Annotated[Path, _path("MAPS", "Damage maps: a gray film or sequence of 8 or 16 bits, or 0..1 in float.")],
    truth: Truth,
    out: Out = None,
    name: Name = None,
    made_by: MadeBy = None,
    start: Start = 0,
    frames: Frames = None,
    seed: Seed = 0,
    draws: Draws = 1000,
    block: Block = 1,
    json: Json = False,
) -> None:
    """Judge damage MAPS against TRUTH at every threshold: average precision, ROC, the best threshold, calibration."""
    from reelmend.evaluate.measure import measure_sweep

    _measured(
        lambda settings: measure_sweep(maps, truth, settings), _settings(context, {"pictures": 0, **locals()}), json
    )


@app.command()
def table(
    results: Annotated[list[Path], _path("RESULT...", "result.json files that the other commands wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where table.md, .csv and .html go.")],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Heading of the page.")] = "Results",
) -> None:
    """Set any number of results side by side, as Markdown, CSV and one HTML page with pictures."""
    from reelmend.evaluate.pictures import make_folder
    from reelmend.evaluate.provenance import read_result
    from reelmend.evaluate.table import write_tables

    rows = [(path.parent, read_result(path)) for path in results]
    for path in write_tables(rows, make_folder(out, []), title):
        print(path)


def _settings(context: typer.Context, given: dict[str, Any]) -> Settings:
    from reelmend.evaluate.bootstrap import Resampling
    from reelmend.evaluate.measure import Settings

    shared = {key: given[key] for key in ("name", "made_by", "out", "start", "frames", "pictures")}
    how = Resampling(given["draws"], given["seed"], given["block"])
    return Settings(command=command_line(context), how=how, **shared)


def command_line(context: typer.Context) -> str:
    """The command as it was given: arguments, then options, defaults left out."""
    arguments: list[str] = []
    options: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[name]
        if parameter.param_type_name == "argument":
            arguments += [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
        elif value is True:
            options.append(parameter.opts[0])
        else:
            options += [parameter.opts[0], str(value)]
    return shlex.join([*context.command_path.split(), *arguments, *options])


def _measured(measure: Callable[[Settings], dict[str, Any]], settings: Settings, as_json: bool) -> None:
    from dataclasses import replace

    from reelmend.cli.evaluated import counting, show
    from reelmend.evaluate.provenance import to_json

    with counting() as progress:
        result = measure(replace(settings, progress=progress))
    if as_json:
        print(to_json(result), end="")
    else:
        show(result, settings.out)
